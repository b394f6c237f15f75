/**
 * By which factor B differs from A, from pairs of runs that were made one right after the other. A pair's ratio B / A
 * loses what both runs had in common (a slow quarter of an hour of the machine), which is why pairs beat two heaps of
 * runs on shared machines (Bulej et al., *Duet benchmarking*, ICPE 2020). Ratios are averaged as logarithms, so that
 * twice and half weigh the same; the middle one counts, so that one disturbed pair does not.
 *
 *     pairs (a, b) -> ln(b / a) -> median                  -> exp -> ratio
 *                              -> bootstrap over the pairs -> exp -> low, high     (bootstrap.ts)
 *                              -> signs flipped, on ranks         -> p             (sign-flip.ts)
 *
 * Ratio and interval are the form asked for by Kalibera and Jones, *Quantifying performance changes with effect size
 * confidence intervals* (2012).
 */
import { median, sampleStandardDeviation } from 'simple-statistics';
import type { RatioEstimate } from '../result/compare-json.ts';
import { bootstrapMedian } from './bootstrap.ts';
import { signedRanks, signFlipP } from './sign-flip.ts';

/** A figure of side A and of side B; null where a run has none. */
export type FigurePair = readonly [a: number | null, b: number | null];

/**
 * Null without pairs, and when any pair has no ratio: a figure that is missing, 0 or not finite. To leave out that
 * pair alone would flatter the side that failed in it.
 */
export function estimateRatio(pairs: readonly FigurePair[]): RatioEstimate | null {
  const each: number[] = [];
  for (const [a, b] of pairs) {
    const ratio = a === null || b === null ? Number.NaN : b / a;
    if (!(ratio > 0 && ratio < Number.POSITIVE_INFINITY)) return null;
    each.push(ratio);
  }
  if (each.length === 0) return null;
  const logs = each.map(Math.log);
  const { low, high } = bootstrapMedian(logs);
  return {
    ratio: Math.exp(median(logs)),
    low: Math.exp(low),
    high: Math.exp(high),
    p: signFlipP(signedRanks(logs)),
    pairs: each.length,
    each,
  };
}

/** Half of the interval, as a share: 0.02 means "to 2 % either way". */
export function halfWidth({ low, high }: Pick<RatioEstimate, 'low' | 'high'>): number {
  return Math.sqrt(high / low) - 1;
}

/** Standard deviation of the pairs' log ratios, which is nearly that of the ratios themselves; null below 2 pairs. */
export function pairSpread({ each }: Pick<RatioEstimate, 'each'>): number | null {
  return each.length < 2 ? null : sampleStandardDeviation(each.map(Math.log));
}

/**
 * Pairs that give a 95 % interval of +- `wanted` when single pairs spread by `spread`: n = (2 s / h)^2, at least 2.
 * For the mean of Gaussian noise; a median needs up to 1.6 times as many there, and fewer where outliers are common.
 */
export function pairsNeeded(spread: number, wanted: number): number {
  return Math.max(2, Math.ceil(((2 * spread) / wanted) ** 2 - 1e-9));
}

/**
 * From a ratio and its noise to one word. The noise floor is the same estimate from runs of A against A: how far equal
 * things differ on this machine, today.
 *
 *                     1 - reach          1          1 + reach                reach = farthest end of the floor's interval
 *     ---------------------|=============|=============|-------------------->  B / A
 *        real, B has less      nobody can tell           real, B has more
 *
 * `faster` and `slower` need all of: the interval excludes 1, the effect lies beyond the floor's reach, and chance is
 * a bad explanation:
 *  - 6 pairs or more: p < 0.05 of the sign-flip test.
 *  - fewer cannot get there (2 / 2^5 = 0.063). They may still win by rank against the floor: all pairs lie on one side
 *    and each is farther from 1 than every A/A pair. For equal sides, all m + n distances are exchangeable, so that has
 *    probability (2 / 2^n) / C(n + m, n): 2 pairs against a floor of 4 give 0.033. It, too, must be < 0.05.
 * Without a floor, `minEffect` stands in for its reach. A floor of one pair has no interval: it counts by rank only, and
 * for its reach when that is beyond `minEffect`; it can show neither a quiet machine nor an unstable one.
 *
 * What is not shown is `unstable` when the floor alone reaches beyond `minEffect`, so that an effect of that size could
 * not have been seen, else `cannot tell`. As in ClickHouse's performance comparison, an effect that clears a wide floor
 * is still reported: on a noisy machine 3 times as fast is 3 times as fast.
 */
import { type ComparisonVerdict, INTERVAL_PAIRS_MIN, type RatioEstimate } from '../result/compare-json.ts';

export const DEFAULT_MIN_EFFECT = 0.05;
const SIGNIFICANCE = 0.05;

export interface DecideOptions {
  /** Which direction of the figure is good: throughput `higher`, latency and CPU time `lower`. */
  readonly better: 'higher' | 'lower';
  /** The smallest effect asked for, as a share. */
  readonly minEffect?: number;
}

/** Of B against A. Null estimates come from figures that do not exist. */
export function decide(
  estimate: RatioEstimate | null,
  floor: RatioEstimate | null,
  options: DecideOptions,
): ComparisonVerdict {
  const minEffect = options.minEffect ?? DEFAULT_MIN_EFFECT;
  if (estimate !== null && isReal(estimate, floor, minEffect)) {
    return estimate.ratio > 1 === (options.better === 'higher') ? 'faster' : 'slower';
  }
  const hasInterval = floor !== null && floor.pairs >= INTERVAL_PAIRS_MIN;
  return hasInterval && floorReach(floor) > minEffect ? 'unstable' : 'cannot tell';
}

/** How far from 1 the floor's interval reaches, in whichever direction is farther, as a share. */
export function floorReach({ low, high }: Pick<RatioEstimate, 'low' | 'high'>): number {
  return Math.max(high, 1 / low) - 1;
}

/** Whether so many pairs could show any effect at all, however large. A gate must know. */
export function canDecide(pairs: number, floorPairs: number): boolean {
  return pairs > 0 && (2 / 2 ** pairs < SIGNIFICANCE || rankP(pairs, floorPairs) < SIGNIFICANCE);
}

function isReal(estimate: RatioEstimate, floor: RatioEstimate | null, minEffect: number): boolean {
  if (estimate.low <= 1 && estimate.high >= 1) return false;
  const distance = Math.max(estimate.ratio, 1 / estimate.ratio) - 1;
  if (distance <= reachOf(floor, minEffect)) return false;
  if (2 / 2 ** estimate.pairs < SIGNIFICANCE) return estimate.p < SIGNIFICANCE;
  return floor !== null && outranks(estimate, floor);
}

function reachOf(floor: RatioEstimate | null, minEffect: number): number {
  if (floor === null) return minEffect;
  return floor.pairs >= INTERVAL_PAIRS_MIN ? floorReach(floor) : Math.max(minEffect, floorReach(floor));
}

/** That they lie on one side is said by their interval, which goes from the smallest to the largest of so few. */
function outranks(estimate: RatioEstimate, floor: RatioEstimate): boolean {
  const distances = ({ each }: RatioEstimate): number[] => each.map((ratio) => Math.abs(Math.log(ratio)));
  const beyond = Math.min(...distances(estimate)) > Math.max(...distances(floor));
  return beyond && rankP(estimate.pairs, floor.pairs) < SIGNIFICANCE;
}

/** Probability that n pairs of equal sides lie on one side and beyond all m pairs of the floor. */
function rankP(pairs: number, floorPairs: number): number {
  let orders = 1;
  for (let k = 1; k <= pairs; k++) orders *= (floorPairs + k) / k;
  return 2 / 2 ** pairs / orders;
}

/**
 * What all probes of a rate search say together about the rate at which p99 reaches its bound. Works on
 * m = ln(p99 / bound) per probe: above 0 the bound is broken, and noise has the same size in fast and slow regions.
 *
 *     probes -> median m per rate -> isotonic fit -> crossing of 0         the edge, if it is smooth
 *                                       |
 *                                       +-> last rate at or below 0, first above: the neighbours; a step of more
 *                                           than a factor 3 between them is steep, and may be a cliff
 *
 * Interval of a smooth edge (parametric bootstrap, Efron and Tibshirani, 1993, chapter 6): near the bound p99 is taken
 * to be a power of the rate, the line of least absolute deviation in logarithms. Gaussian scatter as seen between
 * replicates is added to it, the isotonic crossing is found again, thousands of times; the middle 95 % of the
 * crossings, relative to the line's own, remain. (The isotonic fit itself must not be the truth here: it follows the
 * noise, is steeper than the curve, and would promise too much.) A scatter known from few replicates is uncertain too,
 * so its size is drawn anew each time: the interval widens as Student's t says it must.
 */
import { mean, median } from 'simple-statistics';
import { Prng } from '../../src/base/prng.ts';
import { type Interval, percentileInterval } from './bootstrap.ts';
import { crossing, isotonicFit, isotonicKnots } from './isotonic.ts';
import { fitLeastAbsolute } from './least-absolute.ts';

/** p99 grows by more than this factor between the neighbours: no line can be drawn between them. */
const STEEP = Math.log(3);
const RESAMPLES = 4_000;
const SEED = 1;

/** All probes of one rate. */
export interface ProbedRate {
  readonly rate: number;
  /** ln(p99 / bound) of each probe. */
  readonly margins: readonly number[];
}

export interface EdgeFit {
  /** Highest probed rate whose fitted p99 keeps the bound, and the next one, which breaks it. */
  readonly keeps: number;
  readonly breaks: number;
  readonly steep: boolean;
  /** Crossing of the bound, between the lowest and the highest rate. */
  readonly edge: number;
}

/** Null unless the fit keeps the bound at the lowest rate and breaks it at the highest. @param rates Rising. */
export function fitEdge(rates: readonly ProbedRate[]): EdgeFit | null {
  const xs = rates.map(({ rate }) => rate);
  const ys = rates.map(({ margins }) => median([...margins]));
  const weights = rates.map(({ margins }) => margins.length);
  const fit = isotonicFit(ys, weights);
  const above = fit.findIndex((margin) => margin > 0);
  if (above < 1) return null;
  return {
    keeps: xs[above - 1]!,
    breaks: xs[above]!,
    steep: fit[above]! - fit[above - 1]! > STEEP,
    edge: crossing(isotonicKnots(xs, ys, weights), 0)!,
  };
}

/**
 * Around `edge`. Null where nothing is known about the noise (no rate near the bound was probed twice) or about the
 * slope (fewer than two rates near it, or p99 does not rise there).
 */
export function edgeInterval(rates: readonly ProbedRate[], edge: number): Interval | null {
  const xs = rates.map(({ rate }) => rate);
  const weights = rates.map(({ margins }) => margins.length);
  const fit = isotonicFit(
    rates.map(({ margins }) => median([...margins])),
    weights,
  );
  const near = rates.filter((_, at) => Math.abs(fit[at]!) <= STEEP);
  const freedom = near.reduce((sum, { margins }) => sum + margins.length - 1, 0);
  const line = lineThrough(near);
  if (freedom === 0 || line === null) return null;
  const squares = near.reduce((sum, { margins }) => sum + squaredDeviations(margins), 0);
  const prng = new Prng(SEED);
  const factors = new Float64Array(RESAMPLES);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const sigma = Math.sqrt(squares / chiSquared(prng, freedom));
    const ys = xs.map(
      (rate, at) => line.slope * Math.log(rate / line.root) + sigma * medianOfGaussians(prng, weights[at]!),
    );
    factors[resample] = (crossing(isotonicKnots(xs, ys, weights), 0) ?? xs[0]!) / line.root;
  }
  const { low, high } = percentileInterval(factors.sort(), 0.95);
  return { low: edge / high, high: edge / low };
}

interface Line {
  /** Of m over ln rate. */
  readonly slope: number;
  /** Rate at which m is 0. */
  readonly root: number;
}

function lineThrough(rates: readonly ProbedRate[]): Line | null {
  if (rates.length < 2) return null;
  const rows = rates.flatMap(({ rate, margins }) => margins.map(() => [1, Math.log(rate)]));
  const { coefficients } = fitLeastAbsolute(
    rows,
    rates.flatMap(({ margins }) => margins),
  );
  const [intercept, slope] = coefficients as [number, number];
  const root = Math.exp(-intercept / slope);
  const inside = root >= rates[0]!.rate / 2 && root <= rates.at(-1)!.rate * 2;
  return slope > 0 && inside ? { slope, root } : null;
}

function squaredDeviations(margins: readonly number[]): number {
  const centre = mean([...margins]);
  return margins.reduce((sum, margin) => sum + (margin - centre) ** 2, 0);
}

function chiSquared(prng: Prng, freedom: number): number {
  let sum = 0;
  for (let degree = 0; degree < freedom; degree++) sum += gaussian(prng) ** 2;
  return sum;
}

function medianOfGaussians(prng: Prng, count: number): number {
  return count === 1 ? gaussian(prng) : median(Array.from({ length: count }, () => gaussian(prng)));
}

/** Mean 0, standard deviation 1 (Box and Muller, 1958). */
function gaussian(prng: Prng): number {
  return Math.sqrt(-2 * Math.log(1 - prng.fraction())) * Math.cos(2 * Math.PI * prng.fraction());
}

/**
 * Where throughput stops growing with the load: the bend of the curve, as two straight lines in logarithms.
 *
 *     ln throughput |            __________      after:  slope near 0, or falling
 *                   |          /.
 *                   |        /  .                before: slope up to 1 (twice the load, twice the throughput)
 *                   |______/____._________
 *                          ln load   knee
 *
 * In logarithms the ideal server min(a x load, maximum) is exactly this shape, noise has the same size everywhere, and
 * loads may be spaced evenly or by doubling. The place of the bend is tried along the whole curve; the lines for each are
 * those of least absolute deviation, which one disturbed point cannot pull away. (Satopaa et al., *Finding a "Kneedle" in
 * a haystack*, 2011, takes the largest distance to the diagonal instead; it depends on the scale of the axes and finds a
 * knee in curves that have none.)
 *
 * A bend counts when throughput grew before it (slope >= 0.2), at most half as fast behind it, and falls short of the
 * first line at the highest load by at least 15 % and three times the scatter around the lines.
 */
import { fitLeastAbsolute } from './least-absolute.ts';

export interface LoadPoint {
  /** Connections, requests in flight, or requests per second. */
  readonly load: number;
  readonly throughputPerSecond: number;
}

export interface Knee {
  readonly at: number;
  readonly throughputPerSecond: number;
}

const POINTS_MIN = 5;
const BENDS_TRIED = 200;
const GROWTH_MIN = 0.2;
const SLOPE_SHARE_MAX = 0.5;
const SHORTFALL_MIN = -Math.log(0.85);
const SCATTERS = 3;

/**
 * Null when the curve never bends, is flat from its first point on, or has fewer than 5 points with different loads and
 * throughput above 0. Points in any order.
 */
export function findKnee(points: readonly LoadPoint[]): Knee | null {
  const usable = points.filter(({ load, throughputPerSecond }) => load > 0 && throughputPerSecond > 0);
  usable.sort((x, y) => x.load - y.load);
  const xs = usable.map(({ load }) => Math.log(load));
  const ys = usable.map(({ throughputPerSecond }) => Math.log(throughputPerSecond));
  if (new Set(xs).size < POINTS_MIN) return null;
  const { bend, coefficients, deviation } = bestHinge(xs, ys);
  const [intercept, before, after] = coefficients as [number, number, number];
  if (before < GROWTH_MIN || after > before * SLOPE_SHARE_MAX) return null;
  // Four numbers were fitted: intercept, both slopes, and where they meet.
  const scatter = deviation / Math.max(1, xs.length - 4);
  const shortfall = (before - after) * (xs.at(-1)! - bend);
  if (shortfall < Math.max(SHORTFALL_MIN, SCATTERS * scatter)) return null;
  return { at: Math.exp(bend), throughputPerSecond: Math.exp(intercept + before * bend) };
}

interface Hinge {
  readonly bend: number;
  /** Value at ln load = 0 of the first line, slope before, slope behind. */
  readonly coefficients: readonly number[];
  /** Sum of the absolute deviations. */
  readonly deviation: number;
}

/** At least two points stay on either side of the bend. */
function bestHinge(xs: readonly number[], ys: readonly number[]): Hinge {
  const from = xs[1]!;
  const width = xs.at(-2)! - from;
  let best: Hinge | null = null;
  for (let step = 0; step <= BENDS_TRIED; step++) {
    const bend = from + (width * step) / BENDS_TRIED;
    const rows = xs.map((x) => [1, Math.min(x, bend), Math.max(0, x - bend)]);
    const { coefficients, deviation } = fitLeastAbsolute(rows, ys);
    if (best === null || deviation < best.deviation) best = { bend, coefficients, deviation };
  }
  return best!;
}

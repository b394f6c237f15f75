/**
 * Spread and slope that a few wild values cannot move: the median absolute deviation, and the slope of Theil (1950)
 * and Sen (1968), which is the median of the slopes through all pairs of points. Sen's interval for it comes from
 * Kendall's rank correlation: slopes are cut off below and above, as many as chance would misplace without a trend.
 */
import { median, medianAbsoluteDeviation } from 'simple-statistics';

/** MAD of Gaussian noise x this = its standard deviation. */
const MAD_TO_SIGMA = 1.4826;
const Z_95 = 1.96;

export interface Slope {
  /** Per step of one value to the next. */
  readonly slope: number;
  /** 95 %, for noise without memory; noise that lingers makes it too narrow. */
  readonly low: number;
  readonly high: number;
}

/** Standard deviation as the middle of the values has it. Of at least one value. */
export function robustSigma(values: readonly number[]): number {
  return MAD_TO_SIGMA * medianAbsoluteDeviation([...values]);
}

/** Of values at equal distances, two or more. Looks at all n (n - 1) / 2 pairs: meant for up to some hundred values. */
export function theilSen(values: readonly number[]): Slope {
  const n = values.length;
  const slopes = new Float64Array((n * (n - 1)) / 2);
  let filled = 0;
  for (let to = 1; to < n; to++) {
    for (let from = 0; from < to; from++) slopes[filled++] = (values[to]! - values[from]!) / (to - from);
  }
  slopes.sort();
  const reach = Z_95 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const out = Math.max(0, Math.floor((slopes.length - reach) / 2) - 1);
  return {
    slope: median(Array.from(slopes)),
    low: slopes[out]!,
    high: slopes[slopes.length - 1 - out]!,
  };
}

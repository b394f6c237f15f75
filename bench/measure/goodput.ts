/** Goodput: how many of the recorded replies came within the time that somebody promised. */
import { bucketLowUs } from '../latency/latency-recorder.ts';

/**
 * Replies within `sloMs`, from counts by latency bucket. A bucket that the bound cuts is not counted: goodput may
 * come out low by one bucket (0.1 % of the bound), never high.
 */
export function goodCount(counts: ArrayLike<number>, sloMs: number): number {
  const sloUs = sloMs * 1000;
  let good = 0;
  for (let bucket = 0; bucket < counts.length && bucketLowUs(bucket + 1) - 1 <= sloUs; bucket++) {
    good += counts[bucket]!;
  }
  return good;
}

/**
 * How values spread, in bounded memory: count, sum, extremes, and percentiles to 3 %. Adding costs a few
 * nanoseconds, so a stage adds once per batch (or once per run of equal values, `times`).
 *
 *     value 0 … 63       one bucket each
 *     above              32 buckets per doubling, up to 2^31 - 1, which also takes everything larger
 *
 *     shift  = how far a value must go to the right until it is below 64
 *     bucket = shift × 32 + (value >>> shift)
 *
 * Units are the caller's; times are microseconds here, so the range ends at 35 minutes. A bucket that reaches 2^31
 * halves them all: percentiles then weigh the past less, count and sum stay exact.
 */

export interface Summary {
  readonly count: number;
  readonly sum: number;
  /** 0 when there is nothing, as `max`. */
  readonly min: number;
  readonly max: number;
}

const HALF_BITS = 5;
const PER_DOUBLING = 1 << HALF_BITS;
const VALUE_MAX = 2 ** 31 - 1;
const SHIFT_MAX = 31 - HALF_BITS - 1;
export const BUCKETS = (SHIFT_MAX + 2) * PER_DOUBLING;
const BUCKET_COUNT_MAX = 2 ** 31;

export class Distribution implements Summary {
  count = 0;
  sum = 0;
  min = 0;
  max = 0;
  private readonly buckets: Uint32Array<ArrayBufferLike>;

  /** `buckets`: `BUCKETS` of them, for values recorded elsewhere. */
  constructor(buckets: Uint32Array<ArrayBufferLike> = new Uint32Array(BUCKETS)) {
    this.buckets = buckets;
  }

  /** Values below 0 (a clock that was read twice the wrong way round) count as 0. */
  add(value: number, times = 1): void {
    const known = Math.max(0, value);
    if (this.count === 0 || known < this.min) this.min = known;
    if (known > this.max) this.max = known;
    this.count += times;
    this.sum += known * times;
    const bucket = bucketOf(known);
    const filled = this.buckets[bucket]! + times;
    this.buckets[bucket] = filled;
    if (filled >= BUCKET_COUNT_MAX) this.halve();
  }

  /** What another one has recorded. */
  addAll(other: Distribution): void {
    if (other.count === 0) return;
    if (this.count === 0 || other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    this.count += other.count;
    this.sum += other.sum;
    for (let i = 0; i < BUCKETS; i++) this.buckets[i]! += other.buckets[i]!;
  }

  /** The smallest value that at least `share` (0 … 1) of all do not exceed; 0 when there is nothing. */
  percentile(share: number): number {
    let total = 0;
    for (const filled of this.buckets) total += filled;
    if (total === 0) return 0;
    let rest = Math.max(1, Math.ceil(share * total));
    let bucket = 0;
    while ((rest -= this.buckets[bucket]!) > 0) bucket++;
    return Math.min(largestOf(bucket), this.max);
  }

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.min = 0;
    this.max = 0;
    this.buckets.fill(0);
  }

  private halve(): void {
    for (let i = 0; i < BUCKETS; i++) this.buckets[i]! >>>= 1;
  }
}

function bucketOf(value: number): number {
  const whole = value < VALUE_MAX ? Math.round(value) : VALUE_MAX;
  const shift = Math.max(0, 31 - Math.clz32(whole) - HALF_BITS);
  return (shift << HALF_BITS) + (whole >>> shift);
}

/** The largest value in a bucket. */
function largestOf(bucket: number): number {
  const shift = Math.max(0, (bucket >>> HALF_BITS) - 1);
  return (bucket - (shift << HALF_BITS) + 1) * 2 ** shift - 1;
}

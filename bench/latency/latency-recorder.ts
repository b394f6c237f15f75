/**
 * Latencies as counts in log-linear buckets: one array store per reply, no object, mergeable by addition. The
 * buckets are those of an HdrHistogram with three significant digits, so that folding into hdr-histogram-js,
 * which knows percentiles and the public file formats, loses nothing. Workers record into shared arrays; the
 * main thread folds when they have stopped.
 *
 *     us 0..2047                one bucket each          shift 0   buckets     0 .. 2047
 *     us 2048..4095             buckets of 2 us          shift 1   buckets  2048 .. 3071
 *     us 4096..8191             buckets of 4 us          shift 2   buckets  3072 .. 4095     ... to shift 16
 */
import * as hdr from 'hdr-histogram-js';
import type { LatencySummary } from '../result/run-json.ts';

const SUB_BUCKETS = 2048;
const HALF = SUB_BUCKETS / 2;
const SHIFT_MAX = 16;

/** 134 s: longer ones are counted as this long. */
export const LATENCY_US_MAX = SUB_BUCKETS * 2 ** SHIFT_MAX - 1;
export const LATENCY_BUCKETS = SUB_BUCKETS + SHIFT_MAX * HALF;

/** The bucket of a latency in whole microseconds, `0 <= us <= LATENCY_US_MAX`. */
export function latencyBucket(us: number): number {
  if (us < SUB_BUCKETS) return us;
  const shift = 21 - Math.clz32(us); // 2048 has 20 leading zeros and needs shift 1
  return shift * HALF + (us >>> shift);
}

/** The smallest latency of a bucket. */
export function bucketLowUs(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const shift = Math.floor((bucket - HALF) / HALF);
  return (bucket - shift * HALF) * 2 ** shift;
}

/** Milliseconds of a clock difference as a recordable number of microseconds. */
export function recordableUs(ms: number): number {
  const us = ms * 1000;
  if (us <= 0) return 0;
  return us < LATENCY_US_MAX ? us | 0 : LATENCY_US_MAX;
}

export function newHistogram(): hdr.Histogram {
  return hdr.build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LATENCY_US_MAX,
    numberOfSignificantValueDigits: 3,
  });
}

/** Adds the counts of one recorder to `histogram`, whose unit is the microsecond. */
export function foldCounts(counts: Uint32Array, histogram: hdr.Histogram): void {
  for (let bucket = 0; bucket < counts.length; bucket++) {
    if (counts[bucket]! > 0) recordBucket(histogram, bucket, counts[bucket]!);
  }
}

export function recordBucket(histogram: hdr.Histogram, bucket: number, count: number): void {
  histogram.recordValueWithCount(bucketLowUs(bucket), count);
}

/** Null when nothing was recorded: a figure that does not exist is not 0. */
export function summarizeLatency(histogram: hdr.Histogram): LatencySummary | null {
  if (histogram.totalCount === 0) return null;
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000;
  return {
    count: histogram.totalCount,
    meanMs: Math.round(histogram.mean) / 1000,
    p50Ms: at(50),
    p90Ms: at(90),
    p99Ms: at(99),
    p999Ms: at(99.9),
    p9999Ms: at(99.99),
    maxMs: at(100), // the end of its bucket, as for all percentiles: never below p99.99
  };
}

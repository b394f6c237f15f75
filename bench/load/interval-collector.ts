/**
 * The main thread's side of the latency recording: folds the sealed intervals of all workers into sparse counts while
 * a phase runs, and answers for any part of it afterwards, because where the measured time begins is decided by the
 * steady-state rule when all is over.
 *
 *     interval k of all workers is merged:   [base + k * step, base + (k + 1) * step)
 *     one that begins at the end of the measured time holds late replies, to requests that were due before it
 *     what got no reply lies in intervals apart: latencies know it, throughput does not
 */

import type * as hdr from 'hdr-histogram-js';
import { LATENCY_BUCKETS, newHistogram, recordBucket } from '../latency/latency-recorder.ts';
import type { PhaseCounters } from './phase-counters.ts';
import type { UnansweredCount } from './unanswered.ts';

/** Instants from several threads are compared: far below any interval, far above what rounding does. */
const EDGE_MS = 0.01;

/** Counts of one label in one interval: only the buckets that hold something. */
interface SparseCounts {
  readonly buckets: Uint16Array;
  readonly counts: Uint32Array;
}

export interface Interval {
  readonly fromMs: number;
  toMs: number;
  /** By label: what each worker counted. */
  readonly corrected: SparseCounts[][];
  readonly uncorrected: SparseCounts[][];
}

export type LatencyKind = 'corrected' | 'uncorrected';

export class IntervalCollector {
  readonly intervals: Interval[] = [];
  private readonly unanswered: Interval[] = [];
  private readonly counters: readonly PhaseCounters[];
  private readonly labelCount: number;
  private readonly openLoop: boolean;

  constructor(counters: readonly PhaseCounters[], labelCount: number, openLoop: boolean) {
    this.counters = counters;
    this.labelCount = labelCount;
    this.openLoop = openLoop;
  }

  /** Several times per interval while the phase runs, and once after the workers have reported. */
  poll(): void {
    for (const counters of this.counters) {
      counters.collect((fromMs, toMs, counts) => this.take(fromMs, toMs, counts));
    }
  }

  /** Of one worker, after its phase. */
  addUnanswered(counts: readonly UnansweredCount[]): void {
    for (const { fromMs, label, corrected, bucket, count } of counts) {
      if (!corrected && !this.openLoop) continue;
      const interval = this.intervalAt(this.unanswered, fromMs, fromMs);
      const one = { buckets: Uint16Array.of(bucket), counts: Uint32Array.of(count) };
      (corrected ? interval.corrected : interval.uncorrected)[label]!.push(one);
    }
  }

  /** All that latencies are made of: the intervals of the replies, then those of what got none. */
  get allIntervals(): readonly Interval[] {
    return [...this.intervals, ...this.unanswered];
  }

  /** Requests without a reply that were given up in `[fromMs, ...)`, by how long they had waited. */
  waited(labels: readonly number[], fromMs: number): hdr.Histogram {
    const histogram = newHistogram();
    for (const interval of this.unanswered) {
      if (interval.fromMs >= fromMs - EDGE_MS) this.addInterval(histogram, interval, labels, 'corrected');
    }
    return histogram;
  }

  /**
   * Latencies of some labels over the intervals that begin in `[fromMs, ...)`: late replies included, and those that
   * never came with as long as they were awaited.
   */
  histogram(labels: readonly number[], fromMs: number, kind: LatencyKind): hdr.Histogram {
    const histogram = newHistogram();
    for (const interval of this.allIntervals) {
      if (interval.fromMs >= fromMs - EDGE_MS) this.addInterval(histogram, interval, labels, kind);
    }
    return histogram;
  }

  /** Counts by bucket of the replies that arrived in `[fromMs, endMs)`, counted from the instant each was due. */
  counts(labels: readonly number[], fromMs: number, endMs: number): Float64Array {
    const sums = new Float64Array(LATENCY_BUCKETS);
    for (const interval of this.intervals) {
      if (interval.fromMs < fromMs - EDGE_MS || interval.fromMs >= endMs - EDGE_MS) continue;
      for (const label of labels) {
        for (const { buckets, counts } of interval.corrected[label]!) {
          for (let i = 0; i < buckets.length; i++) sums[buckets[i]!]! += counts[i]!;
        }
      }
    }
    return sums;
  }

  /** Some labels together in one interval. */
  intervalHistogram(interval: Interval, labels: readonly number[]): hdr.Histogram {
    const histogram = newHistogram();
    this.addInterval(histogram, interval, labels, 'corrected');
    return histogram;
  }

  private addInterval(
    histogram: hdr.Histogram,
    interval: Interval,
    labels: readonly number[],
    kind: LatencyKind,
  ): void {
    const lists = kind === 'corrected' || !this.openLoop ? interval.corrected : interval.uncorrected;
    for (const label of labels) {
      for (const { buckets, counts } of lists[label]!) {
        for (let i = 0; i < buckets.length; i++) recordBucket(histogram, buckets[i]!, counts[i]!);
      }
    }
  }

  private take(fromMs: number, toMs: number, counts: Uint32Array): void {
    const interval = this.intervalAt(this.intervals, fromMs, toMs);
    for (let label = 0; label < this.labelCount; label++) {
      const corrected = sparse(counts, label * LATENCY_BUCKETS);
      if (corrected === null) continue;
      interval.corrected[label]!.push(corrected);
      if (!this.openLoop) continue;
      const uncorrected = sparse(counts, (this.labelCount + label) * LATENCY_BUCKETS);
      if (uncorrected !== null) interval.uncorrected[label]!.push(uncorrected);
    }
  }

  /** Workers seal the same interval at different moments; intervals stay in order of time. */
  private intervalAt(intervals: Interval[], fromMs: number, toMs: number): Interval {
    let index = intervals.length;
    while (index > 0 && intervals[index - 1]!.fromMs > fromMs + EDGE_MS) index--;
    const same = intervals[index - 1];
    if (same !== undefined && fromMs - same.fromMs < EDGE_MS) {
      same.toMs = Math.max(same.toMs, toMs);
      return same;
    }
    const lists = (): SparseCounts[][] => Array.from({ length: this.labelCount }, () => []);
    const interval = { fromMs, toMs, corrected: lists(), uncorrected: lists() };
    intervals.splice(index, 0, interval);
    return interval;
  }
}

function sparse(counts: Uint32Array, start: number): SparseCounts | null {
  let used = 0;
  for (let i = start; i < start + LATENCY_BUCKETS; i++) if (counts[i]! > 0) used++;
  if (used === 0) return null;
  const buckets = new Uint16Array(used);
  const values = new Uint32Array(used);
  let at = 0;
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    const count = counts[start + bucket]!;
    if (count === 0) continue;
    buckets[at] = bucket;
    values[at++] = count;
  }
  return { buckets, counts: values };
}

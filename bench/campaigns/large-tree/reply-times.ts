/**
 * Which replies fell into a snapshot: latencies are kept in slices of 100 ms by the arrival of the reply, snapshots are
 * spans of the same clock.
 *
 *     snapshot           |=========================|
 *     slices      | out  | during | during | during | during | out  |       a slice that touches the span, widened by
 *                 ^ the core pins the tree and the thread starts before the file is there, and a reply that the snapshot
 *                   held up arrives behind its end: margins on both sides
 *
 * A request counts from the instant it was due, so one that was held up during the snapshot and answered after the
 * margin still counts with its whole latency, outside. Pure.
 */
import type * as hdr from 'hdr-histogram-js';
import { newHistogram, summarizeLatency } from '../../latency/latency-recorder.ts';
import type { LatencySummary } from '../../result/run-json.ts';

export const SLICE_MS = 100;
export const BEFORE_MS = 200;
export const AFTER_MS = 100;

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Latencies in microseconds, by the arrival of the reply in `[fromMs, toMs)`. */
export interface ReplySlice extends Span {
  readonly reads: hdr.Histogram;
  readonly writes: hdr.Histogram;
}

/** Null: no such replies. */
export interface ReplyTimes {
  readonly all: LatencySummary | null;
  readonly reads: LatencySummary | null;
  readonly writes: LatencySummary | null;
}

export interface SplitReplies {
  readonly whole: ReplyTimes;
  readonly during: ReplyTimes;
  readonly outside: ReplyTimes;
}

/** One of the worst slices: what to look at when a target is missed. */
export interface WorstMoment {
  /** Begin of the slice since the measured time began. */
  readonly atMs: number;
  readonly readMs: number | null;
  readonly writeMs: number | null;
  /** Number of the snapshot, from 1; null outside of all. */
  readonly snapshot: number | null;
  /** Begin of the slice since the snapshot's file was made; below 0: just before. */
  readonly sinceBeginMs: number | null;
  /** Begin of the slice before (negative) or after the snapshot's end. */
  readonly sinceEndMs: number | null;
}

/** True when replies of the slice may have met the snapshot. */
export function touches(slice: Span, snapshot: Span): boolean {
  return slice.toMs > snapshot.fromMs - BEFORE_MS && slice.fromMs < snapshot.toMs + AFTER_MS;
}

export function splitReplies(slices: readonly ReplySlice[], snapshots: readonly Span[]): SplitReplies {
  const isDuring = (slice: ReplySlice): boolean => snapshots.some((snapshot) => touches(slice, snapshot));
  return {
    whole: replyTimes(slices),
    during: replyTimes(slices.filter(isDuring)),
    outside: replyTimes(slices.filter((slice) => !isDuring(slice))),
  };
}

/** The `count` slices with the slowest replies, the worst first. */
export function worstMoments(
  slices: readonly ReplySlice[],
  snapshots: readonly Span[],
  count: number,
): WorstMoment[] {
  const beginMs = slices[0]?.fromMs ?? 0;
  return [...slices]
    .sort((a, b) => worstOf(b) - worstOf(a))
    .slice(0, count)
    .map((slice) => {
      const index = snapshots.findIndex((snapshot) => touches(slice, snapshot));
      const snapshot = snapshots[index];
      return {
        atMs: Math.round(slice.fromMs - beginMs),
        readMs: worstMs(slice.reads),
        writeMs: worstMs(slice.writes),
        snapshot: snapshot === undefined ? null : index + 1,
        sinceBeginMs: snapshot === undefined ? null : Math.round(slice.fromMs - snapshot.fromMs),
        sinceEndMs: snapshot === undefined ? null : Math.round(slice.fromMs - snapshot.toMs),
      };
    });
}

function replyTimes(slices: readonly ReplySlice[]): ReplyTimes {
  const reads = merged(slices.map((slice) => slice.reads));
  const writes = merged(slices.map((slice) => slice.writes));
  return {
    all: summarizeLatency(merged([reads, writes])),
    reads: summarizeLatency(reads),
    writes: summarizeLatency(writes),
  };
}

function merged(histograms: readonly hdr.Histogram[]): hdr.Histogram {
  const sum = newHistogram();
  for (const histogram of histograms) if (histogram.totalCount > 0) sum.add(histogram);
  return sum;
}

function worstOf({ reads, writes }: ReplySlice): number {
  return Math.max(worstMs(reads) ?? 0, worstMs(writes) ?? 0);
}

function worstMs(histogram: hdr.Histogram): number | null {
  return histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(100) / 1000;
}

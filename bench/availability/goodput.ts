/**
 * What a fault cost the load beside the probes. Pure arithmetic over requests by when they were due.
 *
 *     good per bucket   ▔▔▔▔▔▔▔▔╲____________╱▔▔▔▔▔▔▔
 *                  before |  fault      lost  | 95 % of before, on the mean of a second
 */
import type { FaultSpan } from './fault-figures.ts';

/** Times count from the beginning of the measured time. */
export interface GoodputSeries {
  readonly bucketMs: number;
  readonly startMs: number;
  readonly duePerBucket: number;
  /** Requests due in each bucket that were answered in time. */
  readonly good: readonly number[];
  readonly connectionsLostAtMs: readonly number[];
  readonly sessionsExpiredAtMs: readonly number[];
}

export interface LoadCost {
  /** From the fault until goodput was there again; 0 = it never fell below, null = not before the next fault. */
  readonly to95Ms: number | null;
  /** Good requests that there would have been more, in seconds of the load before the fault. */
  readonly lostSeconds: number;
  readonly connectionsLost: number;
  readonly sessionsExpired: number;
}

const SHARE = 0.95;
const STEADY_MS = 1_000;

/** Null without a load. */
export function loadCostOf(span: FaultSpan, series: GoodputSeries): LoadCost | null {
  const { bucketMs, startMs, good, connectionsLostAtMs, sessionsExpiredAtMs } = series;
  const bucketAt = (atMs: number): number => Math.max(0, Math.ceil((atMs - startMs) / bucketMs));
  const steady = STEADY_MS / bucketMs;
  // The bucket in which it comes belongs to the fault.
  const first = Math.max(0, bucketAt(span.fromMs) - 1);
  const end = Math.min(good.length, bucketAt(span.toMs));
  const before = meanOf(good.slice(Math.max(0, first - steady), first));
  if (before === 0) return null;
  const inSpan = (times: readonly number[]): number =>
    times.filter((atMs) => atMs >= span.fromMs && atMs < span.toMs).length;
  const during = good.slice(first, end);
  const isThere = (at: number): boolean =>
    during[at]! >= SHARE * before && meanOf(during.slice(at, at + steady)) >= SHARE * before;
  const fall = during.findIndex((count) => count < SHARE * before);
  const back = during.findIndex((_, at) => at > fall && isThere(at));
  return {
    to95Ms: fall < 0 ? 0 : back < 0 ? null : startMs + (first + back) * bucketMs - span.fromMs,
    lostSeconds:
      (during.reduce((sum, count) => sum + Math.max(0, before - count), 0) / before) * (bucketMs / 1000),
    connectionsLost: inSpan(connectionsLostAtMs),
    sessionsExpired: inSpan(sessionsExpiredAtMs),
  };
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

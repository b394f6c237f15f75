/**
 * What each fault cost each class of probes, and what that means per month. Pure arithmetic: bands of down time come from
 * measure/availability.ts, on one clock, in order.
 *
 *     injected        first failure                    up again             all serve (end)
 *        |--- latency ----|############ outage ############|--------------------|
 */
import type { OutageBand } from '../result/run-json.ts';
import type { Election } from './election-log.ts';

/** `fromMs` is when it was injected, `toMs` when the ensemble was whole again and had rested; outages may end later. */
export interface FaultSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FaultCost {
  /** From the fault to the first failed probe; null when none failed. */
  readonly firstFailureMs: number | null;
  /** Down time inside the span. */
  readonly downMs: number;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

const MONTH_MS = 30 * 24 * 3_600_000;

export function costOf(span: FaultSpan, outages: readonly OutageBand[]): FaultCost {
  let firstFailureMs: number | null = null;
  let downMs = 0;
  for (const { fromMs, toMs } of outages) {
    const from = Math.max(fromMs, span.fromMs);
    const to = Math.min(toMs, span.toMs);
    if (to <= from) continue;
    firstFailureMs ??= from - span.fromMs;
    downMs += to - from;
  }
  return { firstFailureMs, downMs };
}

/** Of those that made a leader in the span; a server that comes back to one elects too, and is not meant. */
export function longestElectionMs(span: FaultSpan, elections: readonly Election[]): number | null {
  const took = elections
    .filter(({ role, atMs }) => role === 'leading' && atMs >= span.fromMs && atMs < span.toMs)
    .map(({ tookMs }) => tookMs);
  return took.length === 0 ? null : Math.max(...took);
}

/** Null of nothing. The median of an even number is the mean of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  return { min: sorted[0]!, median, max: sorted.at(-1)! };
}

/** Up time / time of a month of 30 days in which so many faults cost `meanDownMs` each; never below 0. */
export function monthlyAvailability(meanDownMs: number, faultsPerMonth: number): number {
  return Math.max(0, 1 - (meanDownMs * faultsPerMonth) / MONTH_MS);
}

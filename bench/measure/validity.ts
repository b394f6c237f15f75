/**
 * May the figures of a phase be believed? Each rule that fails gives one sentence; a run with any is saved all
 * the same and marked. Pure.
 */
import type { PhasePlan, Scenario } from '../plan.ts';
import type { LatencySummary } from './latency-recorder.ts';

/** The generator must have this share of its threads' time to spare, or it may be what was measured. */
const GENERATOR_BUSY_MAX = 0.9;
const LITTLE_TOLERANCE = 0.05;
const LAG_P99_MS_MAX = 5;
const RATE_TOLERANCE = 0.02;

export interface PhaseFacts {
  readonly complete: boolean;
  readonly throughputPerSecond: number;
  readonly latency: LatencySummary | null;
  readonly lost: number;
  readonly unanswered: number;
  readonly disorder: number;
  readonly dropped: number;
  readonly errorCount: number;
  /** CPU time per wall time of one generator thread, on average. */
  readonly generatorBusy: number;
  readonly lag: LatencySummary | null;
}

/** Why the phase is not valid; empty when it is. */
export function findInvalidities(facts: PhaseFacts, plan: PhasePlan, scenario: Scenario): string[] {
  const found: string[] = [];
  if (!facts.complete) found.push('the phase was cut short');
  if (facts.latency === null) found.push('no request was answered');
  if (facts.errorCount > 0) found.push(`${facts.errorCount} requests were answered with an error`);
  if (facts.lost > 0) found.push(`${facts.lost} requests lost their connection; their outcome is unknown`);
  if (facts.unanswered > 0) found.push(`${facts.unanswered} requests were never answered`);
  if (facts.disorder > 0) found.push(`${facts.disorder} times replies came out of order`);
  if (facts.dropped > 0) found.push(`${facts.dropped} requests were due while the window was full`);
  if (facts.generatorBusy > GENERATOR_BUSY_MAX) {
    found.push(
      `the generator was ${percent(facts.generatorBusy)} busy: the server may be faster than this figure`,
    );
  }
  if (plan.arrival.kind === 'closed') found.push(...littlesLaw(facts, scenario));
  else found.push(...offeredRate(facts, plan.arrival.ratePerSecond));
  return found;
}

/** In a closed loop the requests in flight equal throughput x mean latency; otherwise a clock or a count is off. */
function littlesLaw(facts: PhaseFacts, scenario: Scenario): string[] {
  if (facts.latency === null || facts.errorCount > 0 || facts.lost > 0) return [];
  const inFlight = scenario.connectionCount * scenario.outstanding;
  const implied = (facts.throughputPerSecond * facts.latency.meanMs) / 1000;
  if (Math.abs(implied / inFlight - 1) <= LITTLE_TOLERANCE) return [];
  return [`throughput x mean latency is ${implied.toFixed(1)}, but ${inFlight} requests were in flight`];
}

function offeredRate(facts: PhaseFacts, ratePerSecond: number): string[] {
  const found: string[] = [];
  if (facts.throughputPerSecond < ratePerSecond * (1 - RATE_TOLERANCE)) {
    found.push(`${facts.throughputPerSecond.toFixed(0)}/s were answered of ${ratePerSecond}/s offered`);
  }
  if (facts.lag !== null && facts.lag.p99Ms > LAG_P99_MS_MAX) {
    found.push(`the generator was late by ${facts.lag.p99Ms} ms at p99`);
  }
  return found;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

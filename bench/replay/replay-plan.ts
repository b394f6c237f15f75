/**
 * A replay in the language of plans, for the reports: an empty mix, because the requests came from a file, in open
 * loop at the recorded rate, or in closed loop at full speed.
 */
import { basename, parse } from 'node:path';
import type { Arrival, PhasePlan, Plan, Reference } from '../plan/plan.ts';
import type { LatencySummary } from '../result/run-json.ts';
import type { ReplayOutcome } from './replay.ts';
import { AVAILABILITY_DEADLINE_MS, SERIES_STEP_MS } from './replay-curve.ts';

const REPLAY_PHASE = 'replay';

export interface RecordedFigures {
  readonly recordedLatency: LatencySummary | null;
  readonly recordedPerSecond: number | null;
}

/** The recorded figures are references: drawn in grey, part of no verdict. */
export function replayPlan(outcome: ReplayOutcome, phase: PhasePlan, recorded: RecordedFigures): Plan {
  const { tally, speed } = outcome;
  const file = parse(outcome.file).name;
  const at = speed === 'max' ? 'at full speed' : `at ${speed} x the recorded speed`;
  return {
    name: `replay-${file.replace(/[^\w.-]+/g, '-')}`,
    description: `A recorded workload, replayed ${at}`,
    seed: 0,
    tree: { root: '/', keyCount: 0, directories: 1, values: { kind: 'fixed', bytes: 0 } },
    connectionCount: tally.openConnectionsMax,
    outstanding: outcome.outstandingMax,
    workerCount: 1,
    sessionTimeoutMs: 0,
    connectTo: 'spread',
    phases: [phase],
    probes: { periodMs: SERIES_STEP_MS, deadlineMs: AVAILABILITY_DEADLINE_MS },
    sloMs: null,
    check: false,
    references: references(basename(outcome.file), recorded),
    sweep: [],
    search: null,
  };
}

function references(file: string, { recordedLatency, recordedPerSecond }: RecordedFigures): Reference[] {
  const about = { label: 'recorded', source: file, phase: REPLAY_PHASE, at: null };
  const found: Reference[] = [];
  if (recordedPerSecond !== null) found.push({ ...about, metric: 'throughput', value: recordedPerSecond });
  if (recordedLatency === null) return found;
  return [
    ...found,
    { ...about, metric: 'latencyMeanMs', value: recordedLatency.meanMs },
    { ...about, metric: 'p99Ms', value: recordedLatency.p99Ms },
  ];
}

export function replayPhase(outcome: ReplayOutcome): PhasePlan {
  return {
    name: REPLAY_PHASE,
    load: {
      kind: 'mix',
      entries: [],
      keys: { kind: 'uniform' },
      values: { kind: 'fixed', bytes: 0 },
      arrival: arrivalOf(outcome),
    },
    warmupMs: 0,
    measureMs: Math.round(outcome.elapsedMs),
    rampMs: 0,
  };
}

/** On average: a recorded load comes as it came. */
function arrivalOf({ speed, tally, recordedMs, elapsedMs }: ReplayOutcome): Arrival {
  if (speed === 'max') return { kind: 'closed', thinkTimeMs: 0 };
  const steps = [{ ratePerSecond: ratePerSecond(tally.sentCount, recordedMs / speed), forMs: elapsedMs }];
  return { kind: 'open', gaps: 'poisson', steps, late: 'backlog' };
}

/** 0 where there was no time. */
export function ratePerSecond(count: number, ms: number): number {
  return ms > 0 ? (count / ms) * 1000 : 0;
}

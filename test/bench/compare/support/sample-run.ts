/** A run's result with the figures that comparisons look at; everything else as an idle, sound run would have it. */
import type { PhasePlan, Plan } from '../../../../bench/plan/plan.ts';
import {
  type LatencySummary,
  type PhaseResult,
  RUN_SCHEMA,
  RUN_SCHEMA_VERSION,
  type RunResult,
} from '../../../../bench/result/run-json.ts';

export interface SampleFigures {
  readonly throughput?: number;
  readonly cpuMicros?: number | null;
  /** Scales all percentiles: p50 = 1x, p99 = 4x, p99.9 = 10x, mean = 1.2x. Null: nothing was answered. */
  readonly p50Ms?: number | null;
  readonly p99Ms?: number;
  readonly valid?: boolean;
  readonly complete?: boolean;
  readonly failure?: string | null;
  /** Names of phases that are missing. */
  readonly without?: readonly string[];
}

export const CLOSED: PhasePlan = {
  name: 'read',
  load: {
    kind: 'mix',
    entries: [{ weight: 1, label: 'get', op: 'get' }],
    keys: { kind: 'uniform' },
    values: { kind: 'fixed', bytes: 100 },
    arrival: { kind: 'closed', thinkTimeMs: 0 },
  },
  warmupMs: 1_000,
  measureMs: 10_000,
  rampMs: 0,
};

export function openPhase(name: string, ratePerSecond: number): PhasePlan {
  if (CLOSED.load.kind !== 'mix') throw new Error('the sample is a mix');
  const arrival = {
    kind: 'open',
    gaps: 'constant',
    late: 'drop',
    steps: [{ ratePerSecond, forMs: 11_000 }],
  } as const;
  return { ...CLOSED, name, load: { ...CLOSED.load, arrival } };
}

export const PLAN: Plan = {
  name: 'sample',
  description: '',
  seed: 1,
  tree: { root: '/bench', keyCount: 100, directories: 1, values: { kind: 'fixed', bytes: 100 } },
  connectionCount: 10,
  outstanding: 10,
  workerCount: 1,
  sessionTimeoutMs: 30_000,
  connectTo: 'spread',
  phases: [CLOSED],
  probes: { periodMs: 100, deadlineMs: 200 },
  sloMs: null,
  check: false,
  references: [],
  sweep: [],
  search: null,
};

const AVAILABLE = { byTime: 1, classes: {} };

export function sampleRun(side: string, plan: Plan, figures: SampleFigures = {}): RunResult {
  const { without = [] } = figures;
  return {
    schema: RUN_SCHEMA,
    schemaVersion: RUN_SCHEMA_VERSION,
    startedAt: '2026-11-20T10:00:00.000Z',
    command: 'bench run sample',
    complete: figures.complete ?? true,
    target: { name: side, description: `${side} 1.0`, failure: figures.failure ?? null },
    plan,
    environment: {
      cpuModel: 'sample',
      cpuCount: 2,
      memoryBytes: 1,
      kernel: 'Linux',
      nodeVersion: 'v26.0.0',
      commit: 'abcdef0123456789',
      dirty: false,
      dataFilesystem: 'ext4',
    },
    availability: AVAILABLE,
    probeLagMsMax: 0,
    phases: plan.phases
      .filter(({ name }) => !without.includes(name))
      .map((phase) => phaseResult(phase, figures)),
  };
}

function phaseResult(plan: PhasePlan, figures: SampleFigures): PhaseResult {
  const { throughput = 10_000, cpuMicros = 20, p50Ms = 1, valid = true } = figures;
  const latency = p50Ms === null ? null : latencyAround(p50Ms, figures.p99Ms ?? 4 * p50Ms);
  return {
    plan,
    valid,
    findings: valid ? [] : [{ rule: 'sample', kind: 'void', text: 'made up' }],
    steady: { reached: true, cutMs: 1_000, variation: 0.01, drift: 0 },
    measuredMs: plan.measureMs,
    requests: (throughput * plan.measureMs) / 1000,
    throughputPerSecond: throughput,
    latency,
    uncorrected: latency,
    ops: [],
    goodputPerSecond: null,
    errors: {},
    lost: 0,
    unanswered: 0,
    waited: null,
    disorder: 0,
    dropped: 0,
    eventsBeforeAck: 0,
    scheduleLag: null,
    server:
      cpuMicros === null
        ? null
        : { cpuMicrosPerOp: cpuMicros, cpuCores: 1, contextSwitchesPerOp: 1, rssBytes: 1, rssPeakBytes: 1 },
    metrics: null,
    samples: [],
    generator: {
      cpuMicrosPerOp: 1,
      busy: 0.1,
      nullPerSecond: null,
      ceilingPerSecond: null,
      gcPauseMaxMs: 0,
      bytesSent: 0,
      bytesReceived: 0,
    },
    cpuPressure: null,
    othersCores: null,
    warming: null,
    availability: AVAILABLE,
    treeSize: { before: 100, after: 100 },
    seriesStepMs: 100,
    series: [],
    errorSeries: [],
    latencySeries: [],
    check: null,
  };
}

function latencyAround(p50Ms: number, p99Ms: number): LatencySummary {
  return {
    count: 1_000,
    meanMs: 1.2 * p50Ms,
    p50Ms,
    p90Ms: 2 * p50Ms,
    p99Ms,
    p999Ms: 2.5 * p99Ms,
    p9999Ms: 3 * p99Ms,
    maxMs: 4 * p99Ms,
  };
}

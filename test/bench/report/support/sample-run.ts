/**
 * A run as the engine would save it: an open-loop mix of eight operations with an outage of 1.7 s that breaks two rules,
 * and a closed-loop phase that breaks none. Changes are given as arguments, for comparisons and sweeps.
 */
import type { PhasePlan, Plan } from '../../../../bench/plan/plan.ts';
import {
  type AvailabilityResult,
  type AvailabilitySummary,
  type PhaseResult,
  RUN_SCHEMA,
  RUN_SCHEMA_VERSION,
  type RunResult,
} from '../../../../bench/result/run-json.ts';
import { Prng } from '../../../../src/base/prng.ts';
import {
  mergedLatency,
  normal,
  type OpShape,
  type Outage,
  sampleErrors,
  sampleLatencySeries,
  sampleOp,
  sampleSeries,
  type Times,
} from './sample-load.ts';

const STEP_MS = 100;
const CLASSES = ['write', 'read', 'freshRead', 'session'] as const;

const MIXED_OPS: readonly OpShape[] = [
  { label: 'get', kind: 'get', share: 0.6, medianMs: 0.31, spread: 0.55 },
  { label: 'list', kind: 'getChildren', share: 0.08, medianMs: 0.52, spread: 0.6 },
  { label: 'set', kind: 'set', share: 0.2, medianMs: 1.15, spread: 0.45 },
  { label: 'create', kind: 'create', share: 0.05, medianMs: 1.3, spread: 0.45 },
  { label: 'multi', kind: 'multi', share: 0.05, medianMs: 1.9, spread: 0.5 },
  { label: 'watch', kind: 'watch', share: 0.02, medianMs: 0.34, spread: 0.55 },
];
const WATCH_EVENT: OpShape = {
  label: 'watch event',
  kind: 'event',
  share: 0.02,
  medianMs: 0.22,
  spread: 0.7,
};
const READ_OPS: readonly OpShape[] = [{ label: 'get', kind: 'get', share: 1, medianMs: 2.6, spread: 0.22 }];

const MIXED: PhasePlan = {
  name: 'mixed',
  load: {
    kind: 'mix',
    entries: [
      { op: 'get', label: 'get', weight: 60 },
      { op: 'getChildren', label: 'list', weight: 8 },
      { op: 'set', label: 'set', weight: 20 },
      { op: 'create', label: 'create', weight: 5, mode: 'ephemeralSequential', ttlMs: 0 },
      { op: 'multi', label: 'multi', weight: 5, of: 'set', count: { min: 3, max: 7 } },
      { op: 'watch', label: 'watch', weight: 2, on: 'data' },
    ],
    keys: { kind: 'zipf', exponent: 0.99 },
    values: { kind: 'uniform', min: 0, max: 162 },
    arrival: {
      kind: 'open',
      gaps: 'poisson',
      steps: [{ ratePerSecond: 20_000, forMs: 60_000 }],
      late: 'backlog',
    },
  },
  warmupMs: 5_000,
  measureMs: 55_000,
  rampMs: 2_000,
};

const READ: PhasePlan = {
  name: 'read',
  load: {
    kind: 'mix',
    entries: [{ op: 'get', label: 'get', weight: 1 }],
    keys: { kind: 'uniform' },
    values: { kind: 'fixed', bytes: 1024 },
    arrival: { kind: 'closed', thinkTimeMs: 0 },
  },
  warmupMs: 3_000,
  measureMs: 17_000,
  rampMs: 0,
};

export const SAMPLE_PLAN: Plan = {
  name: 'sample-mix',
  description: 'A mix of reads, writes and watches at a fixed rate, then reads as fast as they go',
  seed: 7,
  tree: { root: '/bench', keyCount: 10_000, directories: 10, values: { kind: 'fixed', bytes: 1024 } },
  connectionCount: 50,
  outstanding: 100,
  workerCount: 1,
  sessionTimeoutMs: 30_000,
  connectTo: 'spread',
  phases: [MIXED, READ],
  probes: { periodMs: 20, deadlineMs: 200 },
  sloMs: 10,
  check: true,
  references: [
    {
      label: 'ZooKeeper, 3 servers',
      source: 'Hunt et al., ATC 2010, table 1',
      phase: 'read',
      metric: 'throughput',
      value: 87_000,
      at: null,
    },
  ],
  sweep: [],
  search: null,
};

export interface SampleOptions {
  readonly seed?: number;
  readonly targetName?: string;
  readonly startedAt?: string;
  readonly complete?: boolean;
  /** Null = nothing goes wrong and the run is valid. */
  readonly outage?: Outage | null;
  /** Throughput of the closed loop, and inverse of all latencies; 1 = as written. */
  readonly speed?: number;
  readonly plan?: Partial<Plan>;
}

const SAMPLE_OUTAGE: Outage = { fromMs: 27_400, toMs: 29_100 };

export function sampleRun(options: SampleOptions = {}): RunResult {
  const { seed = 7, targetName = 'embedded', complete = true, speed = 1 } = options;
  const outage = options.outage === undefined ? SAMPLE_OUTAGE : options.outage;
  const plan: Plan = { ...SAMPLE_PLAN, seed, ...options.plan };
  const apache = targetName === 'apache';
  const phases = plan.phases.map((phase, index) =>
    samplePhase(phase, seed + index * 100, index === 0 ? outage : null, speed),
  );
  return {
    schema: RUN_SCHEMA,
    schemaVersion: RUN_SCHEMA_VERSION,
    startedAt: options.startedAt ?? '2026-11-20T07:32:59.120Z',
    command: `ringkeeper bench run ${plan.name}${apache ? ' --target apache' : ''}`,
    complete,
    target: {
      name: targetName,
      description: apache ? 'Apache ZooKeeper 3.8.0 (Debian), heap 1 GiB' : 'ringkeeper 0.1.0, mode shared',
      failure: null,
    },
    plan,
    environment: SAMPLE_ENVIRONMENT,
    availability: availabilityOf(80_000, outage),
    probeLagMsMax: 3.2,
    phases,
  };
}

export const SAMPLE_ENVIRONMENT: RunResult['environment'] = {
  cpuModel: 'Example CPU @ 2.40GHz',
  cpuCount: 2,
  memoryBytes: 8 * 1024 ** 3,
  kernel: 'Linux 6.1.0',
  nodeVersion: 'v26.10.0',
  commit: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
  dirty: false,
  dataFilesystem: 'ext4',
  pressureAtStart: { cpu: { avg10: 0.02, avg60: 0.01 }, io: { avg10: 0, avg60: 0 } },
  serverSettings: { tickTime: '2000', mode: 'shared' },
};

function samplePhase(plan: PhasePlan, seed: number, outage: Outage | null, speed: number): PhaseResult {
  const open = plan.load.kind === 'mix' && plan.load.arrival.kind === 'open';
  const noise = Math.exp(0.015 * normal(new Prng(seed)));
  const ratePerSecond = open ? 20_000 : 1_780_000 * speed * noise;
  const times: Times = { warmupMs: plan.warmupMs, totalMs: plan.warmupMs + plan.measureMs, stepMs: STEP_MS };
  const shapes = (open ? [...MIXED_OPS, WATCH_EVENT] : READ_OPS).map((shape) => ({
    ...shape,
    medianMs: shape.medianMs / speed / noise,
  }));
  const load = { ratePerSecond, measuredMs: plan.measureMs, outage };
  const ops = shapes.map((shape, index) => sampleOp(shape, { ...load, seed: seed + index }));
  const requests = ops.filter(({ kind }) => kind !== 'event');
  const latency = mergedLatency(requests);
  const series = sampleSeries(seed, ratePerSecond, times, outage);
  const findings = outage === null ? [] : SAMPLE_FINDINGS;
  return {
    plan,
    valid: findings.length === 0,
    findings,
    steady: {
      reached: true,
      cutMs: plan.warmupMs,
      variation: outage === null ? 0.012 : 0.048,
      drift: -0.004,
    },
    measuredMs: plan.measureMs,
    requests: Math.round((ratePerSecond * plan.measureMs) / 1000),
    throughputPerSecond: ratePerSecond,
    latency,
    uncorrected: open ? requests[0]!.uncorrected : latency,
    ops,
    goodputPerSecond: ratePerSecond * (outage === null ? 0.9998 : 0.968),
    errors: outage === null ? {} : { ConnectionLoss: 41, OperationTimeout: 12 },
    lost: outage === null ? 0 : 41,
    unanswered: 0,
    waited: outage === null ? null : { count: 41, longestMs: 912 },
    disorder: 0,
    dropped: 0,
    events: open ? 25_300 : 0,
    eventsBeforeAck: open ? 118 : 0,
    scheduleLag: open ? { ...latency, p50Ms: 0.07, p99Ms: 0.69, maxMs: 3.1 } : null,
    ...costs(seed, ratePerSecond, open, speed, times, outage),
    cpuPressure: 0.11,
    othersCores: 0.32,
    warming: open ? null : { durationMs: 6_000, cpuMicrosPerOp: [3.1, 1.9, 1.4, 1.38], level: true },
    availability: availabilityOf(plan.measureMs, outage),
    treeSize: { before: 10_011, after: 10_011 },
    seriesStepMs: STEP_MS,
    series,
    errorSeries: sampleErrors(series.length, STEP_MS, outage),
    latencySeries: sampleLatencySeries(seed, shapes[0]!.medianMs, times, outage, ratePerSecond),
    check: open
      ? {
          passed: true,
          operations: 1_100_000,
          keys: 64,
          truncated: false,
          rules: [{ rule: 'session order', violations: 0, examples: [] }],
        }
      : null,
  };
}

const SAMPLE_FINDINGS: PhaseResult['findings'] = [
  { rule: 'lost', kind: 'void', text: '41 requests lost their connection; their outcome is unknown' },
  { rule: 'errors', kind: 'void', text: '53 requests were answered with an error' },
];

type Costs = Pick<PhaseResult, 'server' | 'metrics' | 'samples' | 'generator'>;

function costs(
  seed: number,
  ratePerSecond: number,
  open: boolean,
  speed: number,
  times: Times,
  outage: Outage | null,
): Costs {
  const random = new Prng(seed + 50);
  const cores = open ? 0.46 / speed : 1.02;
  const samples = Array.from({ length: Math.floor(times.totalMs / 1000) }, (_, second) => {
    const atMs = second * 1000 + 1000;
    const frozen = outage !== null && atMs > outage.fromMs + 300 && atMs < outage.toMs + 300;
    return {
      atMs,
      cpuCores: frozen ? 0.01 : Math.max(0, cores * (1 + 0.05 * normal(random))),
      rssBytes: (148 + 22 * (1 - Math.exp(-second / 12)) + random.fraction()) * 1024 ** 2,
      outstanding: open ? (frozen ? 16_000 : Math.round(30 + 20 * random.fraction())) : null,
    };
  });
  return {
    server: {
      cpuMicrosPerOp: (cores / ratePerSecond) * 1e6,
      cpuCores: cores,
      contextSwitchesPerOp: open ? 0.212 : 0.004,
      rssBytes: 170 * 1024 ** 2,
      rssPeakBytes: 181 * 1024 ** 2,
    },
    metrics: {
      packetsReceived: Math.round((ratePerSecond * times.totalMs) / 1000),
      fsyncMeanMs: open ? 0.41 : null,
      fsyncMaxMs: open ? 11.7 : null,
      gcPauseMaxMs: 4.2,
      gcPauseTotalMs: 38.5,
      values: {
        znode_count: 10_011,
        watch_count: open ? 400 : 0,
        outstanding_requests: 12,
        ...stageValues(ratePerSecond * (times.totalMs / 1000), times.totalMs - times.warmupMs, open),
      },
    },
    samples,
    generator: {
      cpuMicrosPerOp: 0.14,
      busy: open ? 0.08 : 0.31,
      nullPerSecond: open ? 20_000 : 3_950_000,
      ceilingPerSecond: open ? 250_000 : 5_740_000,
      gcPauseMaxMs: 1.4,
      bytesSent: ratePerSecond * 60 * (open ? 96 : 44),
      bytesReceived: ratePerSecond * 60 * (open ? 240 : 1_112),
    },
  };
}

/** What ringkeeper tells of its stages: an idle server in the open loop, a full core otherwise. */
function stageValues(requests: number, measuredMs: number, open: boolean): Record<string, number> {
  const values: Record<string, number> = {
    thread_io_core_busy_ms: measuredMs * (open ? 0.4 : 0.98),
    thread_io_core_cpu_ms: measuredMs * (open ? 0.38 : 0.97),
    core_requests: requests,
    core_request_ms: requests * 0.0006,
    core_in_flight_max: open ? 31 : 5_000,
    log_queue_bytes_capacity: 8 * 1024 ** 2,
  };
  if (open) {
    Object.assign(values, {
      thread_log_busy_ms: measuredMs * 0.6,
      thread_log_cpu_ms: measuredMs * 0.1,
      log_records: requests * 0.3,
      log_batches: requests * 0.1,
      log_append_ms: requests * 0.0003,
      log_write_ms: requests * 0.006,
      log_fsync_ms: requests * 0.012,
      log_queue_bytes_max: 3 * 1024 ** 2,
      log_queue_full: 2,
      core_commits: requests * 0.3,
      core_commit_ms: requests * 0.0003,
      snapshot_count: 2,
      snapshot_ms: 700,
    });
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`ringkeeper_${name}`, Math.round(value)]),
  );
}

function availabilityOf(totalMs: number, outage: Outage | null): AvailabilityResult {
  const classes = Object.fromEntries(
    CLASSES.map((name, index) => [
      name,
      classSummary(totalMs, outage === null ? null : shifted(outage, index * 20)),
    ]),
  );
  const downMs = outage === null ? 0 : outage.toMs - outage.fromMs + 60;
  return { byTime: 1 - downMs / totalMs, classes };
}

function shifted({ fromMs, toMs }: Outage, ms: number): Outage {
  return { fromMs: fromMs + ms, toMs: toMs + ms };
}

function classSummary(totalMs: number, outage: Outage | null): AvailabilitySummary {
  const downMs = outage === null ? 0 : outage.toMs - outage.fromMs;
  const probes = totalMs / 20;
  const bad = downMs / 20;
  const worst = (windowMs: number): number => Math.max(0, 1 - downMs / windowMs);
  return {
    byTime: 1 - downMs / totalMs,
    byCount: (probes - bad) / probes,
    outcomes: { ok: probes - bad, late: Math.min(10, bad), failed: Math.max(0, bad - 10), unknown: 0 },
    outages: outage === null ? [] : [outage],
    downMs,
    longestOutageMs: downMs,
    worstWindow: { '100': worst(100), '1000': worst(1000), '10000': worst(10_000) },
  };
}

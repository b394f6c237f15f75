/**
 * One soak: peak on a server of its own, then one server under the paced mix and the session storm for as long as asked,
 * looked at once a period; then the verdict. Whatever happens after a server has started, it is stopped again.
 *
 *     peak (closed loop) -> rate -> server up -> [ mixed | sessions | watch of the server ] -> server down -> rules
 *
 * Snapshots come by themselves: `snapCount` is set to what the writes of some seconds amount to, and the purge keeps
 * the disk from filling up.
 */
import type * as hdr from 'hdr-histogram-js';
import { phaseLine, planLine } from '../../figures/describe.ts';
import { isRequest } from '../../figures/run-tables.ts';
import type { IntervalHistogram } from '../../latency/hdr-files.ts';
import { newHistogram } from '../../latency/latency-recorder.ts';
import { captureMachine } from '../../measure/environment.ts';
import type { Plan } from '../../plan/plan.ts';
import type { PhaseResult } from '../../result/run-json.ts';
import type { Progress } from '../../run/progress.ts';
import { type RunOutcome, runPlan } from '../../run/run-plan.ts';
import { startTarget } from '../../target/start-target.ts';
import { parseTargetSpec } from '../../target/target-spec.ts';
import { pacedPlan, peakPlan, type SoakTimes, sessionsPlan, writeShare } from './loads.ts';
import { judgeSoak } from './rules.ts';
import { ServerWatch } from './server-watch.ts';
import { runSideBySide } from './side-by-side.ts';
import {
  type PeriodLatency,
  type ServerSample,
  SOAK_SCHEMA,
  SOAK_SCHEMA_VERSION,
  type SoakLoad,
  type SoakResult,
} from './soak-json.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** Of the mixed load; null = `peakShare` of the measured peak. */
  readonly ratePerSecond: number | null;
  readonly peakShare: number;
  readonly sessionClients: number;
  /** Between two snapshots, on average. */
  readonly snapshotSeconds: number;
  /** Of the server whose peak is measured; the soak's own warm-up is minutes. */
  readonly warmUpMsMax: number;
  /** Where servers keep their data. */
  readonly tempParent: string;
  readonly command: string;
  readonly abort: AbortSignal;
  readonly progress: Progress;
  readonly onSample: (sample: ServerSample) => void;
}

const PERIOD_MS_MAX = 60_000;
const PERIOD_MS_MIN = 1_000;
const PERIODS = 30;
const WARMUP_SHARE = 0.05;
const WARMUP_MS_MAX = 30_000;
const PEAK_MS_MAX = 10_000;
/** A snapshot comes after a random count between half of `snapCount` and all of it. */
const SNAP_COUNT_MEAN = 0.75;
/** Below it a snapshot would follow on the heels of the one before. */
const SNAP_COUNT_MIN = 1_000;
/** Retained are three snapshots and the logs they need: some more than that lies on the disk until the next purge. */
const PURGE_INTERVAL = '20s';
/**
 * Rules of single runs: that the generator is not what limits a load needs no proof at a fixed rate, and two loads at
 * once change each other's tree; that it does not grow is a rule of soaks.
 */
const NOT_FOR_SOAKS: ReadonlySet<string> = new Set(['ceiling', 'treeSize']);
/** A period with less of its time under load says nothing. */
const PERIOD_SHARE_MIN = 0.5;

/** Null when it was aborted before anything was measured. */
export async function soak(options: SoakOptions): Promise<SoakResult | null> {
  const startedAt = new Date().toISOString();
  const peakPerSecond = options.ratePerSecond === null ? await measurePeak(options) : null;
  const ratePerSecond =
    options.ratePerSecond ?? Math.max(1, Math.round((peakPerSecond ?? 0) * options.peakShare));
  if (options.abort.aborted) return null;
  const times = timesOf(options.minutes * 60_000);
  const periodMs = periodOf(times.measureMs);
  const plans = [pacedPlan(ratePerSecond, times), sessionsPlan(options.sessionClients, times)];
  const target = await startTarget(parseTargetSpec(targetText(plans[0]!, ratePerSecond, options)), {
    serverArgs: [],
    tempParent: options.tempParent,
    valueBytes: 0,
    extendedTypes: false,
  });
  try {
    const environment = captureMachine(target.dataDir);
    const watch = new ServerWatch(target, periodMs, options.onSample);
    const watched = { ...options, progress: watchedProgress(options.progress, watch, times) };
    const outcomes = await runSideBySide(plans, target.addresses[0]!, watched).finally(() => watch.close());
    if (outcomes === null) return null;
    const facts = {
      periodMs,
      failure: target.failure,
      samples: watch.samples,
      latencies: latenciesByPeriod(outcomes[0]!, periodMs),
      loads: outcomes.map(({ run }) => loadOf(run.plan, run.phases[0]!)),
    };
    return {
      schema: SOAK_SCHEMA,
      schemaVersion: SOAK_SCHEMA_VERSION,
      startedAt,
      command: options.command,
      complete: !options.abort.aborted,
      environment,
      minutes: options.minutes,
      target: target.description,
      peakPerSecond,
      ratePerSecond,
      missedSamples: watch.missed,
      ...facts,
      verdict: judgeSoak(facts),
    };
  } finally {
    await target.stop();
  }
}

/** The mixed load's progress tells when its measured time begins and ends. */
function watchedProgress(progress: Progress, watch: ServerWatch, { warmupMs }: SoakTimes): Progress {
  return {
    start: (totalMs) => progress.start(totalMs),
    stage: (what) => progress.stage(what),
    update: (doneMs, state) => {
      if (doneMs >= warmupMs) watch.begin();
      progress.update(doneMs, state);
    },
    stop: () => {
      watch.end();
      progress.stop();
    },
  };
}

async function measurePeak(options: SoakOptions): Promise<number | null> {
  const measureMs = Math.min(PEAK_MS_MAX, Math.max(1_000, options.minutes * 6_000));
  const plan = peakPlan({ warmupMs: measureMs / 2, measureMs });
  const { tempParent, command, abort, progress, warmUpMsMax } = options;
  const target = parseTargetSpec('embedded');
  const outcome = await runPlan(plan, {
    ...{ target, serverArgs: [], tempParent, command, abort, progress, warmUpMsMax, ceilings: null },
  });
  return outcome === null ? null : outcome.run.phases[0]!.throughputPerSecond;
}

function targetText(plan: Plan, ratePerSecond: number, { snapshotSeconds }: SoakOptions): string {
  const writes = ratePerSecond * writeShare(plan) * snapshotSeconds;
  const snapCount = Math.max(SNAP_COUNT_MIN, Math.round(writes / SNAP_COUNT_MEAN));
  return `embedded:snapCount=${snapCount},autopurge.snapRetainCount=3,autopurge.purgeInterval=${PURGE_INTERVAL}`;
}

function timesOf(totalMs: number): SoakTimes {
  const warmupMs = Math.round(Math.min(WARMUP_MS_MAX, totalMs * WARMUP_SHARE));
  return { warmupMs, measureMs: Math.round(totalMs - warmupMs) };
}

/** A minute, or less in a short soak. */
function periodOf(measureMs: number): number {
  return Math.min(PERIOD_MS_MAX, Math.max(PERIOD_MS_MIN, Math.round(measureMs / PERIODS)));
}

/** All requests of the mix together, event delays left out. */
export function latenciesByPeriod({ run, intervals }: RunOutcome, periodMs: number): PeriodLatency[] {
  const phase = run.phases[0]!;
  const requests = new Set(phase.ops.filter(isRequest).map(({ label }) => label));
  const periods = new Map<number, { histogram: hdr.Histogram; coveredMs: number }>();
  let firstMs: number | null = null;
  let seenMs = -1;
  for (const interval of intervals) {
    firstMs ??= interval.startMs;
    const at = Math.floor((interval.startMs - firstMs) / periodMs);
    const period = periods.get(at) ?? { histogram: newHistogram(), coveredMs: 0 };
    periods.set(at, period);
    // One entry per label: an interval's time counts once.
    if (interval.startMs !== seenMs) period.coveredMs += lengthOf(interval);
    seenMs = interval.startMs;
    if (requests.has(interval.label)) period.histogram.add(interval.histogram);
  }
  return [...periods].flatMap(([at, { histogram, coveredMs }]): PeriodLatency[] => {
    if (histogram.totalCount === 0 || coveredMs < periodMs * PERIOD_SHARE_MIN) return [];
    const ms = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000;
    const atMs = phase.steady.cutMs - phase.plan.warmupMs + (at + 1) * periodMs;
    return [{ atMs, count: histogram.totalCount, p50Ms: ms(50), p99Ms: ms(99), maxMs: ms(100) }];
  });
}

function lengthOf({ startMs, endMs }: IntervalHistogram): number {
  return endMs - startMs;
}

function loadOf(plan: Plan, phase: PhaseResult): SoakLoad {
  const { throughputPerSecond, latency, errors, lost, unanswered, disorder } = phase;
  return {
    name: plan.name,
    load: `${planLine(plan)}; ${phaseLine(phase.plan)}`,
    throughputPerSecond,
    latency,
    errors,
    lost,
    unanswered,
    disorder,
    findings: phase.findings.filter(({ rule }) => !NOT_FOR_SOAKS.has(rule)),
    ops: phase.ops.map(({ label, perSecond, latency: ofOp }) => ({ label, perSecond, latency: ofOp })),
  };
}

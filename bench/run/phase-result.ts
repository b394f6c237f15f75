/**
 * From what was counted during a phase to its result: finds where its steady part begins, cuts everything there by the
 * same rule, and gives the verdict.
 */
import * as hdr from 'hdr-histogram-js';
import { errorName } from '../../src/wire/error-codes.ts';
import { addressText } from '../base/address.ts';
import type { WorkerPhaseReport } from '../generator/worker-messages.ts';
import type { IntervalHistogram } from '../latency/hdr-files.ts';
import { foldCounts, newHistogram, summarizeLatency } from '../latency/latency-recorder.ts';
import { SERIES_STEP_MS } from '../load/phase-counters.ts';
import { goodCount } from '../measure/goodput.ts';
import type { AvailabilityProbes } from '../measure/probes.ts';
import { findFindings } from '../measure/validity.ts';
import type { Plan } from '../plan/plan.ts';
import { endsByWork } from '../recipe/recipes.ts';
import {
  type AvailabilityResult,
  type GeneratorUsage,
  type LatencyPoint,
  type LatencySummary,
  type OpResult,
  type PhaseResult,
  type SteadyState,
  verdictOfPhase,
} from '../result/run-json.ts';
import { detectSteadyState } from '../stats/steady-state.ts';
import type { Ceiling } from './ceiling.ts';
import type { MeasuredPhase } from './run-phase.ts';

export interface ResultContext {
  readonly plan: Plan;
  readonly probes: AvailabilityProbes;
  /** Why the server's process ended by itself; null when it did not. */
  readonly failure: string | null;
  readonly ceiling: Ceiling | null;
}

export function phaseResult(phase: MeasuredPhase, context: ResultContext): PhaseResult {
  const { load, reports, measureEndMs, grid } = phase;
  const { collector } = load;
  const requestLabels = labelsOf(phase, ({ kind }) => kind !== 'event' && kind !== 'step');
  const steady = steadyState(phase, requestLabels);
  const fromMs = grid.startMs + steady.cutMs;
  const measuredMs = measureEndMs - fromMs;
  const counts = collector.counts(requestLabels, fromMs, measureEndMs);
  const requests = counts.reduce((sum, count) => sum + count, 0);
  const perSecond = (count: number): number => (measuredMs > 0 ? (count / measuredMs) * 1000 : 0);
  const generator = generatorUsage(phase, requests, context.ceiling, perSecond(requests));
  const figures = {
    steady,
    measuredMs,
    requests,
    throughputPerSecond: perSecond(requests),
    latency: summarizeLatency(collector.histogram(requestLabels, fromMs, 'corrected')),
    uncorrected: summarizeLatency(collector.histogram(requestLabels, fromMs, 'uncorrected')),
    errors: mergeErrors(reports),
    lost: sumOf(reports, ({ lost }) => lost),
    unanswered: sumOf(reports, ({ unanswered }) => unanswered),
    waited: waited(collector.waited(requestLabels, fromMs)),
    disorder: sumOf(reports, ({ disorder }) => disorder),
    dropped: sumOf(reports, ({ dropped }) => dropped),
    scheduleLag: scheduleLag(phase),
    treeSize: phase.treeSize,
    check: phase.check,
    cpuPressure: phase.cpuPressure,
    othersCores: phase.othersCores,
    warming: phase.warming,
    ...(phase.leaderKill === undefined ? {} : { leaderKill: phase.leaderKill }),
  };
  const findings = findFindings(
    {
      ...figures,
      complete: !phase.aborted,
      targetFailure: context.failure,
      generatorBusy: generator.busy,
      ceilingPerSecond: generator.ceilingPerSecond,
    },
    phase.plan,
    context.plan,
  );
  return {
    plan: phase.plan,
    valid: verdictOfPhase({ findings }) !== 'void',
    findings,
    ...figures,
    ops: opResults(phase, fromMs, perSecond),
    goodputPerSecond: context.plan.sloMs === null ? null : perSecond(goodCount(counts, context.plan.sloMs)),
    events: sumOf(reports, ({ events }) => events),
    eventsBeforeAck: sumOf(reports, ({ eventsBeforeAck }) => eventsBeforeAck),
    server: phase.sampler.usage(fromMs, measureEndMs),
    metrics: phase.sampler.metrics(fromMs, measureEndMs),
    samples: phase.sampler.samples(grid.startMs, measureEndMs),
    ...serverParts(phase, fromMs),
    generator,
    availability: sinceStart(context.probes.result(fromMs, measureEndMs), steady.cutMs),
    seriesStepMs: SERIES_STEP_MS,
    series: mergeSeries(phase, ({ series }) => series),
    errorSeries: mergeSeries(phase, ({ errorSeries }) => errorSeries),
    latencySeries: latencySeries(phase, requestLabels),
  };
}

/** Of a service of several servers: what each of them had of it. The load's shares are of all its measured time. */
function serverParts(phase: MeasuredPhase, fromMs: number): Pick<PhaseResult, 'servers'> {
  const { load, reports, sampler, grid, measureEndMs } = phase;
  const facts = sampler.parts(grid.startMs, fromMs, measureEndMs);
  if (facts.length < 2) return {};
  const places = load.addresses.map(addressText);
  const areCounted = reports.every((report) => report.servers.every((share) => share.answered !== null));
  const seconds = (measureEndMs - grid.measureStartMs) / 1000;
  const servers = facts.map((fact) => {
    const at = places.indexOf(fact.address);
    const shares = reports.flatMap(({ servers: all }) => all[at] ?? []);
    const answered = areCounted ? sumOf(shares, (share) => share.answered ?? 0) : null;
    return {
      ...fact,
      connections: sumOf(shares, (share) => share.connections),
      answeredPerSecond: answered === null || seconds <= 0 ? null : answered / seconds,
    };
  });
  return { servers };
}

function waited(histogram: hdr.Histogram): PhaseResult['waited'] {
  const { totalCount, maxValue } = histogram;
  return totalCount === 0 ? null : { count: totalCount, longestMs: maxValue / 1000 };
}

/** Of the measured time, for the `.hlog`: what its percentiles are computed from. Made one by one, each is large. */
export function* intervalHistograms(
  phase: MeasuredPhase,
  cutMs: number,
  epochOffsetMs: number,
): Generator<IntervalHistogram> {
  const { collector, labels, grid } = phase.load;
  for (const interval of collector.allIntervals) {
    if (interval.fromMs < grid.startMs + cutMs - 1) continue;
    for (const [label, { name }] of labels.entries()) {
      const histogram = collector.intervalHistogram(interval, [label]);
      if (histogram.totalCount === 0) continue;
      const startMs = interval.fromMs + epochOffsetMs;
      yield { phase: phase.plan.name, label: name, startMs, endMs: interval.toMs + epochOffsetMs, histogram };
    }
  }
}

/** Outages of the measured time, which the probes count from its beginning, by the time of the phase. */
function sinceStart(result: AvailabilityResult, cutMs: number): AvailabilityResult {
  const classes = Object.entries(result.classes).map(([name, summary]) => {
    const outages = summary.outages.map(({ fromMs, toMs }) => ({
      fromMs: fromMs + cutMs,
      toMs: toMs + cutMs,
    }));
    return [name, { ...summary, outages }] as const;
  });
  return { ...result, classes: Object.fromEntries(classes) };
}

/** By the replies per interval. A load whose servers or rate changes by plan, or that ends with its work, has no steady state. */
function steadyState(phase: MeasuredPhase, requestLabels: readonly number[]): SteadyState {
  const { load } = phase.plan;
  const stepped = load.kind === 'mix' && load.arrival.kind === 'open' && load.arrival.steps.length > 1;
  const none = { reached: true, cutMs: phase.plan.warmupMs, variation: null, drift: null, reason: null };
  // Where the leader is killed the outage is what is looked for: nothing of it is cut.
  if (stepped || phase.plan.killLeaderMs !== undefined || (load.kind !== 'mix' && endsByWork(load)))
    return none;
  const { measureStartMs, intervalMs } = phase.grid;
  const count = Math.floor((phase.measureEndMs - measureStartMs + 1) / intervalMs);
  const windows = Array.from({ length: count }, (_, k) => {
    const fromMs = measureStartMs + k * intervalMs;
    return phase.load.collector
      .counts(requestLabels, fromMs, fromMs + intervalMs)
      .reduce((sum, replies) => sum + replies, 0);
  });
  const { cutWindows, ...finding } = detectSteadyState(windows);
  return { ...finding, cutMs: phase.plan.warmupMs + cutWindows * intervalMs };
}

function opResults(phase: MeasuredPhase, fromMs: number, perSecond: (count: number) => number): OpResult[] {
  const { collector, labels } = phase.load;
  return labels.flatMap(({ name, kind }, label): OpResult[] => {
    const histogram = collector.histogram([label], fromMs, 'corrected');
    const latency = summarizeLatency(histogram);
    const uncorrected = summarizeLatency(collector.histogram([label], fromMs, 'uncorrected'));
    if (latency === null) return [];
    const count = collector.counts([label], fromMs, phase.measureEndMs).reduce((sum, n) => sum + n, 0);
    return [
      {
        label: name,
        kind,
        perSecond: perSecond(count),
        latency,
        uncorrected: uncorrected ?? latency, // due, and never sent
        histogram: hdr.encodeIntoCompressedBase64(histogram),
      },
    ];
  });
}

function generatorUsage(
  { reports, grid, measureEndMs }: MeasuredPhase,
  requests: number,
  ceiling: Ceiling | null,
  throughputPerSecond: number,
): GeneratorUsage {
  const cpuMicros = sumOf(reports, (report) => report.cpuMicros);
  const busy = cpuMicros / 1000 / Math.max(1, measureEndMs - grid.measureStartMs) / reports.length;
  return {
    cpuMicrosPerOp: requests > 0 ? (busy * reports.length * 1e6) / throughputPerSecond : null,
    busy,
    nullPerSecond: ceiling?.nullPerSecond ?? null,
    ceilingPerSecond: ceiling?.ceilingPerSecond ?? null,
    gcPauseMaxMs: Math.max(...reports.map(({ gcPauseMaxMs }) => gcPauseMaxMs)),
    bytesSent: sumOf(reports, ({ bytesSent }) => bytesSent),
    bytesReceived: sumOf(reports, ({ bytesReceived }) => bytesReceived),
  };
}

function scheduleLag({ load }: MeasuredPhase): LatencySummary | null {
  const histogram = newHistogram();
  for (const { lag } of load.counters) foldCounts(lag, histogram);
  return summarizeLatency(histogram);
}

function mergeErrors(reports: readonly WorkerPhaseReport[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const report of reports) {
    for (const [code, count] of report.errors) {
      const name = errorName(code);
      merged[name] = (merged[name] ?? 0) + count;
    }
  }
  return merged;
}

/** Zero where nothing came: an outage is a row of zeros, not a gap. */
function mergeSeries(
  { load, grid, measureEndMs }: MeasuredPhase,
  pick: (counters: MeasuredPhase['load']['counters'][number]) => Uint32Array,
): number[] {
  const steps = Math.floor((measureEndMs - grid.startMs + 1) / SERIES_STEP_MS);
  return Array.from({ length: steps }, (_, step) =>
    sumOf(load.counters, (counters) => pick(counters)[step] ?? 0),
  );
}

function latencySeries({ load, grid }: MeasuredPhase, requestLabels: readonly number[]): LatencyPoint[] {
  return load.collector.allIntervals.flatMap((interval) => {
    const histogram = load.collector.intervalHistogram(interval, requestLabels);
    const latency = summarizeLatency(histogram);
    if (latency === null) return [];
    return [
      {
        atMs: (interval.fromMs + interval.toMs) / 2 - grid.startMs,
        count: latency.count,
        p50Ms: latency.p50Ms,
        p99Ms: latency.p99Ms,
        maxMs: latency.maxMs,
      },
    ];
  });
}

function labelsOf(
  { load }: MeasuredPhase,
  wanted: (label: MeasuredPhase['load']['labels'][number]) => boolean,
): number[] {
  return load.labels.flatMap((label, number) => (wanted(label) ? [number] : []));
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

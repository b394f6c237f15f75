/**
 * One run: a fresh target, the scenario's phases one after another, availability probes beside them, and the
 * result. Main thread. Whatever happens after the target has started, it is stopped again; an abort ends the
 * running phase and gives what was measured until then.
 *
 *     target up -> sessions -> tree -> probes on -> phase, phase, ... -> probes off -> (tree off) -> target down
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as hdr from 'hdr-histogram-js';
import { errorName } from '../src/wire/error-codes.ts';
import { LoadController, type RunningPhase } from './load/controller.ts';
import { monotonicMs } from './load/phase-clock.ts';
import { SERIES_STEP_MS } from './load/phase-counters.ts';
import type { WorkerPhaseReport } from './load/worker-messages.ts';
import { combinedAvailability, findOutages, summarizeAvailability } from './measure/availability.ts';
import { captureEnvironment } from './measure/environment.ts';
import {
  foldCounts,
  type LatencySummary,
  newHistogram,
  summarizeLatency,
} from './measure/latency-recorder.ts';
import { AvailabilityProbes, PROBE_CLASSES, type ProbeClass } from './measure/probes.ts';
import { readCpuPressureMicros, readProcessUsage } from './measure/process-usage.ts';
import { findInvalidities } from './measure/validity.ts';
import { LOAD_OPS, type PhasePlan, plannedMs, type Scenario } from './plan.ts';
import type { Progress } from './report/progress.ts';
import {
  type GeneratorUsage,
  type OpResult,
  type PhaseAvailability,
  type PhaseResult,
  RUN_SCHEMA,
  RUN_SCHEMA_VERSION,
  type RunResult,
  type ServerUsage,
} from './report/run-json.ts';
import { startTarget } from './target/start-target.ts';
import type { Target, TargetSetting } from './target/target.ts';

const PROGRESS_PERIOD_MS = 250;

export interface RunOptions {
  readonly targetName: string;
  readonly setting: TargetSetting;
  readonly command: string;
  readonly progress: Progress;
  readonly abort: AbortSignal;
}

/** A phase as measured, before the probes have had their last word. */
interface MeasuredPhase {
  readonly plan: PhasePlan;
  readonly startMs: number;
  readonly measureStartMs: number;
  readonly measureEndMs: number;
  readonly load: RunningPhase;
  readonly reports: readonly WorkerPhaseReport[];
  readonly server: ServerUsage | null;
  readonly cpuPressure: number | null;
}

/** Null when the run was aborted before anything was measured. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<RunResult | null> {
  const startedAt = new Date().toISOString();
  const target = await startTarget(options.targetName, options.setting);
  try {
    const environment = captureEnvironment(target.dataDir);
    const controller = await LoadController.open(scenario, target.address);
    try {
      await controller.createTree();
      const probes = new AvailabilityProbes(target.address, scenario.probes, `${scenario.tree.root}/probe`);
      await probes.start();
      let phases: MeasuredPhase[];
      try {
        phases = await runPhases(scenario, controller, target, options);
      } finally {
        await probes.stop();
      }
      if (target.pid === null) await removeTree(controller);
      if (phases.length === 0) return null;
      const last = phases[phases.length - 1]!;
      return {
        schema: RUN_SCHEMA,
        schemaVersion: RUN_SCHEMA_VERSION,
        startedAt,
        command: options.command,
        complete: !options.abort.aborted,
        target: { name: target.name, description: target.description, failure: target.failure },
        scenario,
        environment,
        availability: availabilityOf(probes, phases[0]!.startMs, last.measureEndMs),
        probeLagMsMax: probes.lagMsMax,
        phases: phases.map((phase) => phaseResult(phase, probes, scenario)),
      };
    } finally {
      await controller.close();
    }
  } finally {
    await target.stop();
  }
}

async function runPhases(
  scenario: Scenario,
  controller: LoadController,
  target: Target,
  options: RunOptions,
): Promise<MeasuredPhase[]> {
  const { progress, abort } = options;
  const measured: MeasuredPhase[] = [];
  let doneMs = 0;
  progress.start(plannedMs(scenario));
  try {
    for (let index = 0; index < scenario.phases.length && !abort.aborted; index++) {
      const phase = await runPhase(index, doneMs, { scenario, controller, target, options });
      if (phase.measureEndMs > phase.measureStartMs) measured.push(phase);
      doneMs += phase.plan.warmupMs + phase.plan.measureMs;
    }
  } finally {
    progress.stop();
  }
  return measured;
}

interface PhaseContext {
  readonly scenario: Scenario;
  readonly controller: LoadController;
  readonly target: Target;
  readonly options: RunOptions;
}

async function runPhase(index: number, doneBeforeMs: number, context: PhaseContext): Promise<MeasuredPhase> {
  const { controller, target, options } = context;
  const plan = context.scenario.phases[index]!;
  const load = controller.startPhase(index);
  const stop = (): void => controller.stopPhase();
  options.abort.addEventListener('abort', stop);
  const ticker = startTicker(plan, load, doneBeforeMs, options.progress);
  try {
    const measureStartMs = load.startMs + plan.warmupMs;
    await waitUntil(measureStartMs, options.abort);
    const before = sample(target, load);
    await waitUntil(measureStartMs + plan.measureMs, options.abort);
    const after = sample(target, load);
    const reports = await load.reports;
    return {
      plan,
      startMs: load.startMs,
      measureStartMs,
      measureEndMs: measureStartMs + Math.max(...reports.map((report) => report.measuredMs)),
      load,
      reports,
      server: serverUsage(before, after),
      cpuPressure: pressureShare(before, after),
    };
  } finally {
    clearInterval(ticker);
    options.abort.removeEventListener('abort', stop);
  }
}

function startTicker(
  plan: PhasePlan,
  load: RunningPhase,
  doneBeforeMs: number,
  progress: Progress,
): NodeJS.Timeout {
  let lastMs = load.startMs;
  let lastDone = 0;
  return setInterval(() => {
    const nowMs = monotonicMs();
    if (nowMs <= load.startMs) return;
    const done = load.counters.reduce((sum, counters) => sum + counters.done, 0);
    const elapsedMs = Math.min(nowMs - load.startMs, plan.warmupMs + plan.measureMs);
    progress.update(doneBeforeMs + elapsedMs, {
      label: plan.name,
      ratePerSecond: ((done - lastDone) / (nowMs - lastMs)) * 1000,
      errors: load.counters.reduce((sum, counters) => sum + counters.errors, 0),
    });
    lastMs = nowMs;
    lastDone = done;
  }, PROGRESS_PERIOD_MS);
}

/** Wakes at the instant, or early on abort. */
async function waitUntil(atMs: number, abort: AbortSignal): Promise<void> {
  if (abort.aborted) return;
  await delay(Math.max(0, atMs - monotonicMs()), undefined, { signal: abort }).catch(() => {});
}

function sample(target: Target, load: RunningPhase) {
  return {
    atMs: monotonicMs(),
    done: load.counters.reduce((sum, counters) => sum + counters.done, 0),
    usage: target.pid === null ? null : readProcessUsage(target.pid),
    pressureMicros: readCpuPressureMicros(),
  };
}

type Sample = ReturnType<typeof sample>;

/** CPU and requests of the same two instants: the quotient does not depend on when exactly they were. */
function serverUsage(before: Sample, after: Sample): ServerUsage | null {
  if (before.usage === null || after.usage === null) return null;
  const cpuMicros = after.usage.cpuMicros - before.usage.cpuMicros;
  const done = after.done - before.done;
  return {
    cpuMicrosPerOp: done > 0 ? cpuMicros / done : null,
    cpuCores: cpuMicros / 1000 / Math.max(1, after.atMs - before.atMs),
    rssBytes: after.usage.rssBytes,
    rssPeakBytes: after.usage.rssPeakBytes,
  };
}

function pressureShare(before: Sample, after: Sample): number | null {
  if (before.pressureMicros === null || after.pressureMicros === null) return null;
  return (after.pressureMicros - before.pressureMicros) / 1000 / Math.max(1, after.atMs - before.atMs);
}

/** Best effort: a target that is gone keeps its tree. */
async function removeTree(controller: LoadController): Promise<void> {
  try {
    await controller.deleteTree();
  } catch (error) {
    process.stderr.write(`the tree could not be removed: ${(error as Error).message}\n`);
  }
}

function phaseResult(phase: MeasuredPhase, probes: AvailabilityProbes, scenario: Scenario): PhaseResult {
  const { plan, load, reports, measureStartMs, measureEndMs } = phase;
  const measuredMs = measureEndMs - measureStartMs;
  const total = newHistogram();
  const ops = LOAD_OPS.flatMap((op, number): OpResult[] => {
    const histogram = newHistogram();
    for (const counters of load.counters) foldCounts(counters.latencyOf(number), histogram);
    const latency = summarizeLatency(histogram);
    if (latency === null) return [];
    total.add(histogram);
    return [{ op, latency, histogram: hdr.encodeIntoCompressedBase64(histogram) }];
  });
  const requests = sumOf(reports, (report) => report.replies);
  const generator = generatorUsage(reports, requests, measuredMs);
  const facts = {
    complete: measuredMs >= plan.measureMs - 1,
    throughputPerSecond: (requests / measuredMs) * 1000,
    latency: summarizeLatency(total),
    lost: sumOf(reports, (report) => report.lost),
    unanswered: sumOf(reports, (report) => report.unanswered),
    disorder: sumOf(reports, (report) => report.disorder),
    dropped: sumOf(reports, (report) => report.dropped),
    errorCount: sumOf(reports, (report) => [...report.errors.values()].reduce((a, b) => a + b, 0)),
    generatorBusy: generator.busy,
    lag: scheduleLag(load),
  };
  const findings = findInvalidities(facts, plan, scenario);
  return {
    plan,
    valid: findings.length === 0,
    findings,
    measuredMs,
    requests,
    throughputPerSecond: facts.throughputPerSecond,
    latency: facts.latency,
    ops,
    errors: mergeErrors(reports),
    lost: facts.lost,
    unanswered: facts.unanswered,
    disorder: facts.disorder,
    dropped: facts.dropped,
    scheduleLag: facts.lag,
    server: phase.server,
    generator,
    cpuPressure: phase.cpuPressure,
    availability: availabilityOf(probes, measureStartMs, measureEndMs),
    seriesStepMs: SERIES_STEP_MS,
    series: mergeSeries(load, measuredMs),
  };
}

function generatorUsage(
  reports: readonly WorkerPhaseReport[],
  requests: number,
  measuredMs: number,
): GeneratorUsage {
  const cpuMicros = sumOf(reports, (report) => report.cpuMicros);
  return {
    cpuMicrosPerOp: requests > 0 ? cpuMicros / requests : null,
    busy: cpuMicros / 1000 / measuredMs / reports.length,
  };
}

function scheduleLag(load: RunningPhase): LatencySummary | null {
  const histogram = newHistogram();
  for (const counters of load.counters) foldCounts(counters.lag, histogram);
  return summarizeLatency(histogram);
}

function mergeErrors(reports: readonly WorkerPhaseReport[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const report of reports) {
    for (const [code, count] of report.errors) {
      merged[errorName(code)] = (merged[errorName(code)] ?? 0) + count;
    }
  }
  return merged;
}

/** Zero where nothing came: an outage is a row of zeros, not a gap. */
function mergeSeries(load: RunningPhase, measuredMs: number): number[] {
  const steps = Math.floor(measuredMs / SERIES_STEP_MS);
  return Array.from({ length: steps }, (_, step) =>
    sumOf(load.counters, (counters) => counters.series[step]!),
  );
}

function availabilityOf(probes: AvailabilityProbes, startMs: number, endMs: number): PhaseAvailability {
  const resultsOf = (kind: ProbeClass) => probes.tracks[kind].results;
  const outages = PROBE_CLASSES.flatMap((kind) => findOutages(resultsOf(kind), startMs, endMs));
  return {
    byTime: combinedAvailability(outages, startMs, endMs),
    classes: {
      write: summarizeAvailability(resultsOf('write'), startMs, endMs),
      read: summarizeAvailability(resultsOf('read'), startMs, endMs),
      session: summarizeAvailability(resultsOf('session'), startMs, endMs),
    },
  };
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

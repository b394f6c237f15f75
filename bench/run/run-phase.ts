/** Drives one phase from the main thread: starts it on all workers, shows progress, gathers what belongs to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../base/phase-clock.ts';
import type { LoadController, RunningPhase } from '../generator/controller.ts';
import type { WorkerPhaseReport } from '../generator/worker-messages.ts';
import type { PhaseGrid } from '../load/load-phase.ts';
import { othersCores, readMachine } from '../measure/machine-load.ts';
import { readCpuPressureMicros } from '../measure/process-usage.ts';
import type { ServerSampler } from '../measure/server-sampler.ts';
import type { PhasePlan, Plan } from '../plan/plan.ts';
import type { CheckResult, LeaderKill, TreeSize, Warming } from '../result/run-json.ts';
import type { Progress } from '../run/progress.ts';
import { readNodeCount } from '../target/leader.ts';
import { pidsOf, type Target } from '../target/target.ts';
import { killLeader } from './leader-kill.ts';
import { PhaseCheck } from './phase-check.ts';
import { warmUp } from './warm-up.ts';

const PROGRESS_PERIOD_MS = 250;

export interface PhaseContext {
  readonly plan: Plan;
  readonly controller: LoadController;
  readonly target: Target;
  readonly sampler: ServerSampler;
  /** Planned time of the phases before this one. */
  readonly doneBeforeMs: number;
  /** Requests of earlier phases have no outcome: lost with their connection, or never answered. */
  readonly openWrites: boolean;
  /** 0: the server is not warmed before the phase. */
  readonly warmUpMsMax: number;
  readonly onStart: (running: RunningPhase) => void;
  readonly progress: Progress;
  readonly abort: AbortSignal;
}

/** A phase as measured, before it is known where its steady part begins. Instants on the monotonic clock. */
export interface MeasuredPhase {
  readonly index: number;
  readonly plan: PhasePlan;
  readonly grid: PhaseGrid;
  /** Earlier than planned after an abort, when the server ended, or when a recipe's work was done. */
  readonly measureEndMs: number;
  readonly aborted: boolean;
  readonly load: RunningPhase;
  readonly reports: readonly WorkerPhaseReport[];
  readonly sampler: ServerSampler;
  /** Share of the measured time in which some task of the machine waited for a CPU. */
  readonly cpuPressure: number | null;
  /** Of everything on the machine but server and engine, in the same time. */
  readonly othersCores: number | null;
  readonly warming: Warming | null;
  readonly treeSize: TreeSize;
  readonly check: CheckResult | null;
  readonly leaderKill?: LeaderKill | null;
}

export async function runPhase(index: number, context: PhaseContext): Promise<MeasuredPhase> {
  const { plan, controller, target, sampler, abort } = context;
  const phase = plan.phases[index]!;
  const warmed = await warmUp(index, context);
  const check =
    plan.check && phase.load.kind === 'mix'
      ? await PhaseCheck.begin(plan, target.addresses, {
          openWrites: context.openWrites || warmed?.openWrites === true,
          watchesBefore: index > 0 || warmed !== null,
        })
      : null;
  const before = await readNodeCount(target.addresses);
  const load = controller.startPhase(index);
  context.onStart(load);
  const stop = (): void => controller.stopPhase();
  abort.addEventListener('abort', stop);
  const ticker = startTicker(phase, load, context);
  try {
    const { grid } = load;
    await waitUntil(grid.measureStartMs, load, abort);
    const pressureBefore = readCpuPressureMicros();
    const machineBefore = readMachine(pidsOf(target));
    sampler.sampleNow();
    const leaderKill = await killDuring(phase, context, load);
    await waitUntil(grid.measureEndMs, load, abort);
    const pressureAfter = readCpuPressureMicros();
    const machineAfter = readMachine(pidsOf(target));
    sampler.sampleNow();
    const reports = await load.reports;
    const measuredMs = Math.max(...reports.map((report) => report.measuredMs));
    const after = await readNodeCount(target.addresses);
    return {
      index,
      plan: phase,
      grid,
      measureEndMs: grid.measureStartMs + measuredMs,
      aborted: abort.aborted,
      load,
      reports,
      sampler,
      cpuPressure: pressureShare(pressureBefore, pressureAfter, measuredMs),
      // What a killed server has used is gone with it, and would count as that of others.
      othersCores: leaderKill.leaderKill ? null : othersCores(machineBefore, machineAfter),
      warming: warmed?.warming ?? null,
      treeSize: { before, after },
      check: check === null ? null : await check.finish(load.histories),
      ...leaderKill,
    };
  } finally {
    clearInterval(ticker);
    abort.removeEventListener('abort', stop);
  }
}

function startTicker(phase: PhasePlan, load: RunningPhase, context: PhaseContext): NodeJS.Timeout {
  const totalMs = phase.warmupMs + phase.measureMs;
  const requests = load.labels.flatMap(({ kind }, label) =>
    kind === 'step' || kind === 'event' ? [] : [label],
  );
  let lastMs = load.grid.startMs;
  let lastDone = 0;
  return setInterval(() => {
    // Nothing more can be measured: the rest would be a long row of zeros.
    if (context.target.failure !== null) context.controller.stopPhase();
    const nowMs = monotonicMs();
    if (nowMs <= load.grid.startMs) return;
    const done = load.counters.reduce((sum, counters) => sum + counters.done, 0);
    const interval = load.collector.intervals[load.collector.intervals.length - 1];
    const latest = interval === undefined ? null : load.collector.intervalHistogram(interval, requests);
    context.progress.update(context.doneBeforeMs + Math.min(nowMs - load.grid.startMs, totalMs), {
      label: phase.name,
      ratePerSecond: ((done - lastDone) / (nowMs - lastMs)) * 1000,
      p99Ms: latest === null || latest.totalCount === 0 ? null : latest.getValueAtPercentile(99) / 1000,
      errors: load.counters.reduce((sum, counters) => sum + counters.errors, 0),
    });
    lastMs = nowMs;
    lastDone = done;
  }, PROGRESS_PERIOD_MS);
}

/** Empty unless the plan asks for it. */
async function killDuring(
  { killLeaderMs }: PhasePlan,
  { target, abort }: PhaseContext,
  load: RunningPhase,
): Promise<Pick<MeasuredPhase, 'leaderKill'>> {
  if (killLeaderMs === undefined) return {};
  const { startMs, measureStartMs, measureEndMs } = load.grid;
  await waitUntil(measureStartMs + killLeaderMs, load, abort);
  return { leaderKill: await killLeader(target, { startMs, untilMs: measureEndMs }, abort) };
}

/** Wakes at the instant, or early on abort and when the phase is over before its time. */
async function waitUntil(atMs: number, load: RunningPhase, abort: AbortSignal): Promise<void> {
  if (abort.aborted) return;
  const early = new AbortController();
  const wait = delay(Math.max(0, atMs - monotonicMs()), undefined, {
    signal: AbortSignal.any([abort, early.signal]),
  }).catch(() => {}); // woken early: the caller looks for itself
  const over = load.reports.then(
    () => early.abort(),
    () => early.abort(), // the failure is thrown where the reports are awaited
  );
  await Promise.race([wait, over]);
}

function pressureShare(before: number | null, after: number | null, measuredMs: number): number | null {
  if (before === null || after === null) return null;
  return (after - before) / 1000 / Math.max(1, measuredMs);
}

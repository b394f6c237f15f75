/**
 * Before a phase, on a server that was started here: the phase's own load until the server's CPU per request is level
 * (stats/warm-up.ts), or until the time for it is over. Ours and others alike. Nothing of it is in the figures but that
 * it was done, how long it took and what it did to the cost.
 *
 *     slice | slice | ... | level -> stop, drain -> the phase
 *     each slice: half a second or more, until the server has used enough CPU for its clock ticks to mean something
 *
 * A load so light that this takes long cannot show whether the server is warm, and is not kept waiting for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../base/phase-clock.ts';
import type { LoadController, RunningPhase } from '../generator/controller.ts';
import { ServerProcesses } from '../measure/server-processes.ts';
import type { Plan } from '../plan/plan.ts';
import { endsByWork } from '../recipe/recipes.ts';
import type { Warming } from '../result/run-json.ts';
import { isLevel, recentFall } from '../stats/warm-up.ts';
import type { Target } from '../target/target.ts';
import type { Progress } from './progress.ts';

/** It answers with fixed bytes, for tests of the engine. */
const NULL_TARGET = 'null';
const SLICE_MS = 500;
/** Twenty ticks of /proc: a slice is known to 5 %. */
const SLICE_CPU_MICROS_MIN = 200_000;
const LOOK_MS = 100;
/** Who waits sees that it goes on. */
const SAY_EVERY_MS = 3_000;
/** A first slice that takes longer than this: the load is light. */
const FIRST_SLICE_MS_MAX = 5_000;

export interface WarmUpContext {
  readonly plan: Plan;
  readonly controller: LoadController;
  readonly target: Target;
  /** 0: no warming. */
  readonly warmUpMsMax: number;
  readonly progress: Progress;
  readonly abort: AbortSignal;
}

export interface WarmUp {
  readonly warming: Warming;
  /** Some of its requests have no outcome: they may still take effect. */
  readonly openWrites: boolean;
}

/** Null where it was not asked for, where the server's CPU cannot be seen, and for work that is done only once. */
export async function warmUp(index: number, context: WarmUpContext): Promise<WarmUp | null> {
  const { plan, controller, target, warmUpMsMax, progress, abort } = context;
  const phase = plan.phases[index]!;
  if (warmUpMsMax === 0 || !target.isOurs || target.name === NULL_TARGET) return null;
  if (phase.load.kind !== 'mix' && endsByWork(phase.load)) return null;
  progress.stage(`${phase.name}: warming until CPU per request is level, at most ${warmUpMsMax / 1000} s`);
  const load = await controller.startWarmUp(index, warmUpMsMax);
  const { costs, level } = await watch(load, new ServerProcesses(target.servers), abort, (seconds, cost) =>
    progress.stage(
      `${phase.name}: warming, ${seconds.toFixed(0)} s, ${cost.toPrecision(3)} us of CPU per request`,
    ),
  );
  controller.stopPhase();
  const reports = await load.reports;
  const durationMs = Math.max(...reports.map(({ measuredMs }) => measuredMs));
  return {
    warming: { durationMs, cpuMicrosPerOp: costs, level },
    openWrites: reports.some(({ lost, unanswered }) => lost + unanswered > 0),
  };
}

/** Until the cost is level, the load has ended by itself, or the run is to end. */
async function watch(
  load: RunningPhase,
  servers: ServerProcesses,
  abort: AbortSignal,
  say: (seconds: number, costMicros: number) => void,
): Promise<{ costs: number[]; level: boolean | null }> {
  const costs: number[] = [];
  const ended = new AbortController();
  load.reports.then(
    () => ended.abort(),
    () => ended.abort(), // the failure is thrown where the reports are awaited
  );
  const over = AbortSignal.any([abort, ended.signal]);
  await pause(Math.max(0, load.grid.startMs - monotonicMs()), over);
  let before = read(load, servers);
  let saidMs = monotonicMs();
  while (!over.aborted && before !== null) {
    await pause(LOOK_MS, over);
    const now = read(load, servers);
    if (now === null) break;
    const cpuMicros = now.cpuMicros - before.cpuMicros;
    if (costs.length === 0 && now.atMs - before.atMs > FIRST_SLICE_MS_MAX) break;
    if (now.atMs - before.atMs < SLICE_MS || cpuMicros < SLICE_CPU_MICROS_MIN) continue;
    if (now.done > before.done) costs.push(cpuMicros / (now.done - before.done));
    before = now;
    const latest = costs[costs.length - 1];
    if (latest !== undefined && now.atMs - saidMs >= SAY_EVERY_MS) {
      saidMs = now.atMs;
      say((now.atMs - load.grid.startMs) / 1000, latest);
    }
    if (isLevel(costs)) return { costs, level: true };
  }
  return { costs, level: recentFall(costs) === null ? null : false };
}

interface Reading {
  readonly atMs: number;
  readonly cpuMicros: number;
  readonly done: number;
}

/** Null when no server is left. */
function read(load: RunningPhase, servers: ServerProcesses): Reading | null {
  const usage = servers.read().all;
  if (usage === null) return null;
  const done = load.counters.reduce((sum, counters) => sum + counters.done, 0);
  return { atMs: monotonicMs(), cpuMicros: usage.cpuMicros, done };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {}); // woken early: the caller looks for itself
}

/**
 * How long the runs of a sweep will take, before the first one: planned time, and what lies around it. The constants are
 * means of runs on two cores; what was measured since then corrects them.
 *
 *     start | ceiling, once per load | tree | warm, phase | warm, phase | stop
 */
import type { PlannedRun } from '../compare/sweep.ts';
import { type PhasePlan, plannedMs } from '../plan/plan.ts';
import { endsByWork } from '../recipe/recipes.ts';
import type { ListedTarget } from '../target/target-list.ts';

const START_MS = { ringkeeper: 800, apache: 1_800 } as const;
/** Sessions, tree, drain, stop. */
const AROUND_MS = 2_500;
const CEILING_MS = 2_000;
/** Until the CPU per request is level: of the first phase, and of those on a server that is warm from others. */
const FIRST_WARMING_MS = { ringkeeper: 5_500, apache: 9_000 } as const;
const NEXT_WARMING_MS = 5_500;
/** A phase that ends when its work is done, whatever its time limit is. */
const WORK_MS = 30_000;

export interface TimeSetting {
  readonly ceiling: boolean;
  /** 0: servers are not warmed. */
  readonly warmUpMsMax: number;
}

export interface RunTime {
  readonly expectedMs: number;
  /** When each warm-up, and each phase that ends with its work, takes all that it may. */
  readonly atMostMs: number;
}

/** Of each run, in their order; `targets` by their texts. */
export function runTimes(
  runs: readonly PlannedRun[],
  targets: ReadonlyMap<string, ListedTarget>,
  setting: TimeSetting,
): RunTime[] {
  const seen = new Set<string>();
  return runs.map(({ side, plan }) => {
    const { spec, voters, observers } = targets.get(side)!;
    const isWarmed = spec.kind !== 'external' && spec.kind !== 'null';
    const count = spec.kind === 'external' ? 0 : voters + observers;
    const kind = /^(?:apache|mixed)/.test(side) ? 'apache' : 'ringkeeper';
    const isNew = !seen.has(JSON.stringify(plan));
    seen.add(JSON.stringify(plan));
    const ceilingMs = setting.ceiling && isNew ? CEILING_MS * plan.phases.length : 0;
    const fixedMs = AROUND_MS + count * START_MS[kind] + ceilingMs;
    const loads = plan.phases.filter((phase) => !endsWhenDone(phase));
    const warmings = isWarmed ? loads.length : 0;
    const warmingMs = loads
      .slice(0, warmings)
      .map((_, at) => Math.min(setting.warmUpMsMax, at === 0 ? FIRST_WARMING_MS[kind] : NEXT_WARMING_MS));
    const workMs = (plan.phases.length - loads.length) * WORK_MS;
    return {
      expectedMs: fixedMs + plannedMs({ ...plan, phases: loads }) + workMs + sumOf(warmingMs),
      atMostMs: fixedMs + plannedMs(plan) + warmings * setting.warmUpMsMax,
    };
  });
}

/** Not warmed either. */
function endsWhenDone({ load }: PhasePlan): boolean {
  return load.kind !== 'mix' && endsByWork(load);
}

function sumOf(all: readonly number[]): number {
  return all.reduce((sum, ms) => sum + ms, 0);
}

/** Of the runs that are left, at the pace of those that were made and took `tookMs`. */
export function restMs(left: readonly RunTime[], made: readonly RunTime[], tookMs: number): number {
  const planned = expectedMs(made);
  return expectedMs(left) * (planned > 0 ? tookMs / planned : 1);
}

export function expectedMs(times: readonly RunTime[]): number {
  return sumOf(times.map((time) => time.expectedMs));
}

export function atMostMs(times: readonly RunTime[]): number {
  return sumOf(times.map((time) => time.atMostMs));
}

/**
 * How long the runs of a sweep will take, before the first one: planned time, and what lies around it. The constants are
 * means of runs on two cores; what was measured since then corrects them.
 *
 *     start | ceiling, once per load | tree | warm, phase | warm, phase | stop
 */
import type { PlannedRun } from '../compare/sweep.ts';
import { plannedMs } from '../plan/plan.ts';
import type { ListedTarget } from '../target/target-list.ts';

const START_MS = { ringkeeper: 800, apache: 1_800 } as const;
/** Sessions, tree, drain, stop. */
const AROUND_MS = 2_500;
const CEILING_MS = 2_000;
/** Until the CPU per request is level: of the first phase, and of those on a server that is warm from others. */
const FIRST_WARMING_MS = { ringkeeper: 5_500, apache: 9_000 } as const;
const NEXT_WARMING_MS = 5_500;

export interface TimeSetting {
  readonly ceiling: boolean;
  /** 0: servers are not warmed. */
  readonly warmUpMsMax: number;
}

export interface RunTime {
  readonly expectedMs: number;
  /** When each warm-up takes all that it may. */
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
    const fixedMs = AROUND_MS + count * START_MS[kind] + ceilingMs + plannedMs(plan);
    const warmings = isWarmed ? plan.phases.length : 0;
    const warmingMs = plan.phases
      .slice(0, warmings)
      .map((_, at) => Math.min(setting.warmUpMsMax, at === 0 ? FIRST_WARMING_MS[kind] : NEXT_WARMING_MS));
    return {
      expectedMs: fixedMs + warmingMs.reduce((sum, ms) => sum + ms, 0),
      atMostMs: fixedMs + warmings * setting.warmUpMsMax,
    };
  });
}

/** Of the runs behind the first `done`, at the pace of those from `from` on, which took `tookMs`. */
export function restMs(times: readonly RunTime[], done: number, from: number, tookMs: number): number {
  const planned = expectedMs(times.slice(from, done));
  const pace = planned > 0 ? tookMs / planned : 1;
  return expectedMs(times.slice(done)) * pace;
}

export function expectedMs(times: readonly RunTime[]): number {
  return times.reduce((sum, time) => sum + time.expectedMs, 0);
}

export function atMostMs(times: readonly RunTime[]): number {
  return times.reduce((sum, time) => sum + time.atMostMs, 0);
}

/**
 * Every mode against the default, load by load, in pairs of fresh servers (`bench/compare`). How far equal servers differ
 * here is measured once per load, with the first mode, and holds for the others: it is the default against itself.
 *
 *     load 1   floor | default - mode 1 | default - mode 2 | ...      load 2   floor | ...
 */
import { type ComparedRun, compareTargets } from '../../compare/compare-targets.ts';
import type { Measure } from '../../compare/measure.ts';
import { comparePhases, type RunPair } from '../../compare/phase-comparison.ts';
import { planLine } from '../../figures/describe.ts';
import type { Plan } from '../../plan/plan.ts';
import type { PhaseComparison } from '../../result/compare-json.ts';
import { type RunResult, verdictOfRun } from '../../result/run-json.ts';
import { DEFAULT_MIN_EFFECT } from '../../stats/decide.ts';
import type { ModeName } from './modes.ts';

/** Side A of every comparison. */
export const DEFAULT_SIDE = 'default';

export interface ModeComparison {
  readonly mode: ModeName;
  readonly plan: string;
  /** The load in words. */
  readonly load: string;
  readonly pairs: number;
  readonly floorPairs: number;
  readonly runs: number;
  readonly invalidRuns: number;
  /** Rule of validity -> phases of runs that broke it. */
  readonly brokenRules: Readonly<Record<string, number>>;
  /** B is the mode. */
  readonly phases: readonly PhaseComparison[];
}

export interface CompareModesOptions {
  readonly modes: readonly ModeName[];
  readonly plans: readonly Plan[];
  readonly pairs: number;
  readonly floorPairs: number;
  readonly command: string;
  readonly abort: AbortSignal;
}

/** `measure` is asked for `DEFAULT_SIDE` and for modes by name. Ends early when a run fails or is aborted. */
export async function compareModes(
  options: CompareModesOptions,
  measure: Measure,
  onDone: (comparison: ModeComparison) => void,
): Promise<{ comparisons: ModeComparison[]; failure: Error | null }> {
  const comparisons: ModeComparison[] = [];
  for (const plan of options.plans) {
    let floor: RunPair[] = [];
    for (const mode of options.modes) {
      if (options.abort.aborted) return { comparisons, failure: null };
      const runs: ComparedRun[] = [];
      const floorPairs = floor.length === 0 ? options.floorPairs : 0;
      const { failure } = await compareTargets(
        plan,
        { a: DEFAULT_SIDE, b: mode, pairs: options.pairs, floorPairs, command: options.command },
        measure,
        (run) => void runs.push(run),
      );
      if (floor.length === 0) floor = floorOf(runs);
      const comparison = comparisonOf(mode, plan, runs, floor);
      if (comparison !== null) {
        comparisons.push(comparison);
        onDone(comparison);
      }
      if (failure !== null) return { comparisons, failure };
    }
  }
  return { comparisons, failure: null };
}

/** Null without a whole pair. */
function comparisonOf(
  mode: ModeName,
  plan: Plan,
  runs: readonly ComparedRun[],
  floor: readonly RunPair[],
): ModeComparison | null {
  const pairs = pairsOf(runs);
  if (pairs.length === 0) return null;
  return {
    mode,
    plan: plan.name,
    load: planLine(plan),
    pairs: pairs.length,
    floorPairs: floor.length,
    runs: runs.length,
    invalidRuns: runs.filter(({ result }) => verdictOfRun(result) === 'void').length,
    brokenRules: brokenRules(runs),
    phases: comparePhases(pairs, floor, DEFAULT_MIN_EFFECT),
  };
}

function brokenRules(runs: readonly ComparedRun[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { result } of runs) {
    for (const { findings } of result.phases) {
      for (const { rule } of findings) counts[rule] = (counts[rule] ?? 0) + 1;
    }
  }
  return counts;
}

/** Whole ones. */
function pairsOf(runs: readonly ComparedRun[]): RunPair[] {
  const bySide = (side: 'a' | 'b'): Map<number, RunResult> =>
    new Map(runs.flatMap((run) => (run.side === side ? [[run.pair, run.result] as const] : [])));
  const b = bySide('b');
  return [...bySide('a')].flatMap(([pair, a]) => (b.has(pair) ? [{ a, b: b.get(pair)! }] : []));
}

/** The default against itself: which of two comes first changes from pair to pair, as between the sides. */
function floorOf(runs: readonly ComparedRun[]): RunPair[] {
  const floor = runs.filter(({ side }) => side === 'floor');
  return floor.flatMap((first, index) => {
    const second = floor[index + 1];
    if (index % 2 === 1 || second === undefined) return [];
    return first.pair % 2 === 1
      ? [{ a: first.result, b: second.result }]
      : [{ a: second.result, b: first.result }];
  });
}

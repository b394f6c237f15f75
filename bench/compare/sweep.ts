/**
 * Runs a plan once for every combination of the values of its axes. The values are put into the plan as it was written
 * and each result is checked like any plan, all of them before the first run: a wrong value at the last point must not
 * cost the runs before it.
 *
 *     axes x, y:   (x1 y1) (x1 y2) (x2 y1) (x2 y2)      the last axis changes fastest
 *     replicates:  forth, back, forth ...               so that a drift of the machine does not look like an axis
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import { describedFurther, type Plan, type SweepAxis } from '../plan/plan.ts';
import { documentAt, sweepPoints } from '../plan/sweep.ts';
import { SWEEP_SCHEMA, SWEEP_SCHEMA_VERSION, type Sweep, type SweepPoint } from '../result/compare-json.ts';
import type { RunResult } from '../result/run-json.ts';
import { type Measure, type NumberedRun, RunLedger } from './measure.ts';
import { type SweptPoint, sweepKnees } from './sweep-knee.ts';

const POINTS_MAX = 1_000;
const REPLICATES_MAX = 100;

export interface SweepOptions {
  /** Name of the target, for `measure`. */
  readonly side: string;
  /** Runs per point, default 1. */
  readonly replicates?: number;
  /** That repeats the sweep. */
  readonly command: string;
}

export interface SweepRun extends NumberedRun {
  /** Value per axis. */
  readonly at: readonly (number | string)[];
  /** From 1. */
  readonly replicate: number;
  /** Of all runs of the sweep. */
  readonly runCount: number;
}

export interface SweepOutcome {
  /** Null when nothing was measured. Points without a whole run are missing. */
  readonly sweep: Sweep | null;
  /** Why a run, or saving it, failed: to be reported once the sweep has been saved. */
  readonly failure: Error | null;
}

interface PlannedPoint {
  readonly at: readonly (number | string)[];
  readonly plan: Plan;
  readonly runs: NumberedRun[];
}

/**
 * @param planDocument The plan as it was written, parsed but not checked. @param buildPlan Checks and completes it.
 * @throws ConfigFailure for axes that do not fit the plan, and what `buildPlan` throws for the document itself.
 */
export async function sweepPlan(
  planDocument: unknown,
  axes: readonly SweepAxis[],
  options: SweepOptions,
  buildPlan: (document: unknown) => Plan,
  measure: Measure,
  onPoint: (run: SweepRun) => void | Promise<void>,
): Promise<SweepOutcome> {
  const replicates = options.replicates ?? 1;
  if (!(Number.isInteger(replicates) && replicates >= 1 && replicates <= REPLICATES_MAX)) {
    throw new ConfigFailure(`sweep: replicates = ${replicates}; allowed: 1 to ${REPLICATES_MAX}`);
  }
  const plan = buildPlan(planDocument);
  const points = planPoints(planDocument, axes, buildPlan);
  const ledger = new RunLedger(measure);
  const runCount = points.length * replicates;
  for (let replicate = 1; replicate <= replicates && !ledger.stopped; replicate++) {
    for (const point of replicate % 2 === 1 ? points : points.toReversed()) {
      const run = await ledger.run(options.side, point.plan, 'point', async (numbered) => {
        const made = { ...numbered, at: point.at, replicate, runCount };
        await onPoint(made);
        return made;
      });
      if (run?.result.complete) point.runs.push(run);
      if (ledger.stopped) break;
    }
  }
  const { first, failure, stopped } = ledger;
  const sweep = first === null ? null : sweepDocument(first, plan, options.command, !stopped, axes, points);
  return { sweep, failure };
}

function planPoints(
  planDocument: unknown,
  axes: readonly SweepAxis[],
  buildPlan: (document: unknown) => Plan,
): PlannedPoint[] {
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count === 0 || count > POINTS_MAX) {
    throw new ConfigFailure(`sweep: ${count} combinations of values; allowed: 1 to ${POINTS_MAX}`);
  }
  return [...sweepPoints(axes)].map((at) => {
    const document = documentAt(planDocument, axes, at);
    const plan = checkedPlan(document, axes, at, buildPlan);
    return { at, plan: describedFurther(plan, `At ${valuesText(axes, at)}`), runs: [] };
  });
}

/** `connections = 8, tree.values = 100B`. */
function valuesText(axes: readonly SweepAxis[], at: readonly (number | string)[]): string {
  return axes.map(({ path }, axis) => `${path} = ${at[axis]}`).join(', ');
}

/** Says at which point of the sweep the plan is wrong. */
function checkedPlan(
  document: unknown,
  axes: readonly SweepAxis[],
  at: readonly (number | string)[],
  buildPlan: (document: unknown) => Plan,
): Plan {
  try {
    return buildPlan(document);
  } catch (error) {
    if (!(error instanceof ConfigFailure)) throw error;
    throw new ConfigFailure(`sweep at ${valuesText(axes, at)}: ${error.message}`, { cause: error });
  }
}

function sweepDocument(
  first: RunResult,
  plan: Plan,
  command: string,
  complete: boolean,
  axes: readonly SweepAxis[],
  points: readonly PlannedPoint[],
): Sweep {
  const measured = points.filter(({ runs }) => runs.length > 0);
  return {
    ...emptySweep(first, plan, command, complete),
    axes,
    points: measured.map(({ at, runs }): SweepPoint => {
      return { at, runs: runs.map(({ dir, result }) => ({ dir, phases: result.phases })) };
    }),
    knee: sweepKnees(measured.map(sweptPoint)),
  };
}

/** A sweep without points, to be completed; start, machine and target are those of its first run. */
export function emptySweep(first: RunResult, plan: Plan, command: string, complete: boolean): Sweep {
  return {
    schema: SWEEP_SCHEMA,
    schemaVersion: SWEEP_SCHEMA_VERSION,
    startedAt: first.startedAt,
    command,
    complete,
    target: first.target,
    plan,
    environment: first.environment,
    axes: [],
    points: [],
    search: null,
    knee: [],
  };
}

function sweptPoint({ at, plan, runs }: PlannedPoint): SweptPoint {
  const throughputs = new Map<string, number[]>();
  for (const { result } of runs) {
    for (const phase of result.phases) {
      const measured = throughputs.get(phase.plan.name) ?? [];
      throughputs.set(phase.plan.name, [...measured, phase.throughputPerSecond]);
    }
  }
  return { at, plan, throughputs };
}

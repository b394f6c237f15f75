/**
 * Runs a plan once for every combination of the values of its axes, and on every service. The values are put into the plan
 * as it was written and each result is checked like any plan, all of them before the first run: a wrong value at the last
 * point must not cost the runs before it.
 *
 *     axes x, y:   (x1 y1) (x1 y2) (x2 y1) (x2 y2)      the last axis changes fastest; services change faster still
 *     replicates:  forth, back, forth ...               so that a drift of the machine does not look like an axis
 *
 * The runs have their order and their places before the first one is made, so that a sweep that was interrupted goes on:
 * those that are whole are kept.
 */
import { ConfigFailure, Failure } from '../../src/base/failure.ts';
import { describedFurther, type Plan, type SweepAxis } from '../plan/plan.ts';
import { documentAt, sweepPoints } from '../plan/sweep.ts';
import {
  SWEEP_SCHEMA,
  SWEEP_SCHEMA_VERSION,
  type Sweep,
  type SweepPoint,
  type SweptService,
} from '../result/compare-json.ts';
import type { RunResult } from '../result/run-json.ts';
import { type Measure, type NumberedRun, runDir } from './measure.ts';
import { type SweptPoint, sweepKnees } from './sweep-knee.ts';
import type { TargetAxes } from './target-axes.ts';

const POINTS_MAX = 1_000;
const REPLICATES_MAX = 100;
const NAME_LENGTH_MAX = 60;

export interface SweepOptions {
  /** The service, or several. */
  readonly targets: TargetAxes;
  /** Runs per point, default 1. */
  readonly replicates?: number;
}

/** A run that is to be made. */
export interface PlannedRun {
  /** From 1, in the order of the runs. */
  readonly number: number;
  /** Below the directory of the whole. */
  readonly dir: string;
  readonly side: string;
  /** Value per axis. */
  readonly at: readonly (number | string)[];
  /** From 1. */
  readonly replicate: number;
  readonly plan: Plan;
}

export interface PlannedSweep {
  readonly plan: Plan;
  /** Those of the plan, then those of the services. */
  readonly axes: readonly SweepAxis[];
  readonly runs: readonly PlannedRun[];
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

interface MeasuredPoint {
  readonly at: readonly (number | string)[];
  readonly plan: Plan;
  readonly runs: NumberedRun[];
}

/**
 * @param planDocument The plan as it was written, parsed but not checked. @param buildPlan Checks and completes it.
 * @throws ConfigFailure for axes that do not fit the plan, and what `buildPlan` throws for the document itself.
 */
export function planSweep(
  planDocument: unknown,
  planAxes: readonly SweepAxis[],
  { targets, replicates = 1 }: SweepOptions,
  buildPlan: (document: unknown) => Plan,
): PlannedSweep {
  if (!(Number.isInteger(replicates) && replicates >= 1 && replicates <= REPLICATES_MAX)) {
    throw new ConfigFailure(`sweep: replicates = ${replicates}; allowed: 1 to ${REPLICATES_MAX}`);
  }
  const plan = buildPlan(planDocument);
  const points = planPoints(planDocument, planAxes, buildPlan).flatMap((point) =>
    targets.targets.map(({ side, label, at }) => ({
      side,
      label,
      at: [...point.at, ...at],
      plan: point.plan,
    })),
  );
  refuseCount(points.length);
  const runs: PlannedRun[] = [];
  for (let replicate = 1; replicate <= replicates; replicate++) {
    for (const { label, ...point } of replicate % 2 === 1 ? points : points.toReversed()) {
      const number = runs.length + 1;
      runs.push({ number, dir: runDir(number, label), replicate, ...point });
    }
  }
  return { plan, axes: [...planAxes, ...targets.axes], runs };
}

/** What of a sweep's runs is told, and done with. */
export interface SweepWork {
  /** That repeats the sweep. */
  readonly command: string;
  readonly measure: Measure;
  readonly onStart?: (run: PlannedRun) => void;
  /** Of each run as soon as it is done; awaited. What it throws ends the sweep. */
  readonly onPoint: (run: SweepRun) => void | Promise<void>;
  /** A service failed: its other runs are left out. */
  readonly onFailure?: (run: PlannedRun, error: Failure) => void;
  /** Whole results of an earlier time, each at the place of its run; null: to be measured. */
  readonly kept?: readonly (RunResult | null)[];
  readonly abort?: AbortSignal;
}

/**
 * Makes the runs one after another. A service that does not start or ends costs its own points, not those of the others; an
 * abort, and every other error, ends the sweep.
 */
export async function runSweep({ plan, axes, runs }: PlannedSweep, work: SweepWork): Promise<SweepOutcome> {
  const points = new Map<string, MeasuredPoint>();
  const results: { side: string; result: RunResult }[] = [];
  const failed = new Set<string>();
  let failure: Error | null = null;
  for (const run of runs) {
    const kept = work.kept?.[run.number - 1] ?? null;
    if (kept === null && failed.has(run.side)) continue;
    if (kept === null) work.onStart?.(run);
    const { result, error } =
      kept === null ? await makeRun(run, runs.length, work) : { result: kept, error: null };
    failure ??= error;
    if (result !== null) {
      results.push({ side: run.side, result });
      if (result.complete) addTo(points, run, result);
    }
    if (error === null && result?.complete) continue;
    const isOfService = error instanceof SideFailure || (result !== null && result.target.failure !== null);
    if (!isOfService || work.abort?.aborted) break;
    failed.add(run.side);
    if (error instanceof SideFailure) work.onFailure?.(run, error.cause);
  }
  const first = results[0]?.result;
  if (failure instanceof SideFailure) failure = failure.cause;
  if (first === undefined) return { sweep: null, failure };
  const made = [...points.values()];
  const complete = made.reduce((sum, point) => sum + point.runs.length, 0) === runs.length;
  const sweep = sweepDocument(first, plan, work.command, complete, axes, made);
  return { sweep: withServices(sweep, runs, results), failure };
}

/** The service of a run did not start, or could not be measured. */
class SideFailure extends Error {
  override readonly cause: Failure;

  constructor(cause: Failure) {
    super(cause.message);
    this.cause = cause;
  }
}

/** Null and no error: an abort before anything was measured. */
async function makeRun(
  { number, dir, side, at, replicate, plan }: PlannedRun,
  runCount: number,
  { measure, onPoint }: SweepWork,
): Promise<{ readonly result: RunResult | null; readonly error: Error | null }> {
  let result: RunResult | null;
  try {
    result = await measure(side, plan);
  } catch (error) {
    return { result: null, error: error instanceof Failure ? new SideFailure(error) : asError(error) };
  }
  if (result === null) return { result, error: null };
  try {
    await onPoint({ number, dir, result, at, replicate, runCount });
    return { result, error: null };
  } catch (error) {
    return { result, error: asError(error) };
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function addTo(
  points: Map<string, MeasuredPoint>,
  { number, dir, at, plan }: PlannedRun,
  result: RunResult,
): void {
  const key = JSON.stringify(at);
  const point = points.get(key) ?? { at, plan, runs: [] };
  points.set(key, point);
  point.runs.push({ number, dir, result });
}

function planPoints(
  planDocument: unknown,
  axes: readonly SweepAxis[],
  buildPlan: (document: unknown) => Plan,
): { readonly at: readonly (number | string)[]; readonly plan: Plan }[] {
  refuseCount(axes.reduce((product, { values }) => product * values.length, 1));
  return [...sweepPoints(axes)].map((at) => {
    const plan = checkedPlan(documentAt(planDocument, axes, at), axes, at, buildPlan);
    return { at, plan: axes.length === 0 ? plan : describedFurther(plan, `At ${valuesText(axes, at)}`) };
  });
}

function refuseCount(count: number): void {
  if (count > 0 && count <= POINTS_MAX) return;
  throw new ConfigFailure(`sweep: ${count} combinations of values; allowed: 1 to ${POINTS_MAX}`);
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
  points: readonly MeasuredPoint[],
): Sweep {
  const measured = points.filter(({ runs }) => runs.length > 0);
  return {
    ...emptySweep(first, plan, command, complete),
    axes,
    points: inOrder(measured, axes).map(({ at, runs }): SweepPoint => {
      return { at, runs: runs.map(({ dir, result }) => ({ dir, phases: result.phases })) };
    }),
    knee: sweepKnees(measured.map(sweptPoint)),
  };
}

/** Of the values, whatever the order of the runs was. */
function inOrder(points: readonly MeasuredPoint[], axes: readonly SweepAxis[]): MeasuredPoint[] {
  const places = (point: MeasuredPoint): number[] =>
    axes.map(({ values }, axis) => values.indexOf(point.at[axis]!));
  return [...points].sort((a, b) => {
    const theirs = places(b);
    return places(a).reduce((order, place, axis) => order || place - theirs[axis]!, 0);
  });
}

/** Of several services there is one line each, and a name for all. */
function withServices(
  sweep: Sweep,
  planned: readonly PlannedRun[],
  results: readonly { readonly side: string; readonly result: RunResult }[],
): Sweep {
  const sides = [...new Set(planned.map(({ side }) => side))];
  if (sides.length < 2) return sweep;
  const services = sides.flatMap((text): SweptService[] => {
    const own = results.filter(({ side }) => side === text).map(({ result }) => result.target);
    if (own.length === 0) return [];
    const failure = own.find((target) => target.failure !== null)?.failure ?? null;
    return [{ text, target: { ...own[0]!, failure } }];
  });
  const failed = services.find(({ target }) => target.failure !== null);
  // Settings and Java are of each service; the machine is one.
  const { serverSettings: _, javaVersion: __, ...environment } = sweep.environment;
  return {
    ...sweep,
    environment,
    services,
    target: {
      name: nameOf(sides),
      description: sides.join(', '),
      failure: failed === undefined ? null : `${failed.text}: ${failed.target.failure}`,
    },
  };
}

/** `embedded-1-3-5-apache-1-3`: part of the name of a directory. */
function nameOf(sides: readonly string[]): string {
  const sizes = new Map<string, string[]>();
  for (const side of sides) {
    const [kind = side, size = ''] = side.split(':');
    sizes.set(kind, [...(sizes.get(kind) ?? []), size]);
  }
  const name = [...sizes]
    .map(([kind, all]) => [kind, ...all.filter((size) => size !== '')].join('-'))
    .join('-');
  return name.length <= NAME_LENGTH_MAX ? name : `${sides.length}-services`;
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

function sweptPoint({ at, plan, runs }: MeasuredPoint): SweptPoint {
  const throughputs = new Map<string, number[]>();
  for (const { result } of runs) {
    for (const phase of result.phases) {
      const measured = throughputs.get(phase.plan.name) ?? [];
      throughputs.set(phase.plan.name, [...measured, phase.throughputPerSecond]);
    }
  }
  return { at, plan, throughputs };
}

/** The axes of a sweep: ranges become lists, and every point must be a valid plan before the first one is run. */
import { Failure } from '../../src/base/failure.ts';
import { withValueAt } from './document-path.ts';
import { type AxisDocument, SWEEP_POINTS_MAX } from './document-schema.ts';
import { type PlanIssue, showPath } from './issue.ts';
import type { SweepAxis } from './plan.ts';

/** Digits kept of computed values, so that 0.1 + 0.2 is 0.3. */
const DIGITS = 12;

export function axesOf(
  sweep: readonly (readonly [path: string, axis: AxisDocument])[],
  issues: PlanIssue[],
): SweepAxis[] {
  const axes = sweep.map(([path, axis]) => ({ path, values: valuesOf(path, axis, issues) }));
  const points = axes.reduce((product, { values }) => product * values.length, 1);
  if (points > SWEEP_POINTS_MAX) {
    issues.push({ path: ['sweep'], message: `${points} points - allowed: at most ${SWEEP_POINTS_MAX}` });
  }
  return axes;
}

/** Every combination, the first axis changing slowest. */
export function* sweepPoints(axes: readonly SweepAxis[]): Generator<readonly (string | number)[]> {
  const [first, ...others] = axes;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const value of first.values) {
    for (const rest of sweepPoints(others)) yield [value, ...rest];
  }
}

/** The document of one point: each axis at its value, and no sweep any more. */
export function documentAt(
  document: unknown,
  axes: readonly SweepAxis[],
  at: readonly (string | number)[],
): unknown {
  const single = withValueAt(withValueAt(document, 'sweep', {}), 'references', []);
  return axes.reduce((changed, { path }, i) => withValueAt(changed, path, at[i]), single);
}

/** `issueOf` says what is wrong with the plan of one point, or null. */
export function checkSweepPoints(
  document: unknown,
  axes: readonly SweepAxis[],
  issueOf: (document: unknown) => PlanIssue | null,
  issues: PlanIssue[],
): void {
  if (axes.length === 0) return;
  for (const at of sweepPoints(axes)) {
    const issue = issueAt(document, axes, at, issueOf);
    if (issue === null) continue;
    const point = axes.map(({ path }, i) => `${path}=${at[i]}`).join(', ');
    const key = issue.path.length === 0 ? '' : `${showPath(issue.path)}: `;
    const where = axes.length === 1 ? ['sweep', axes[0]!.path] : ['sweep'];
    issues.push({ path: where, message: `at ${point}: ${key}${issue.message}` });
    return;
  }
}

function issueAt(
  document: unknown,
  axes: readonly SweepAxis[],
  at: readonly (string | number)[],
  issueOf: (document: unknown) => PlanIssue | null,
): PlanIssue | null {
  try {
    return issueOf(documentAt(document, axes, at));
  } catch (error) {
    if (error instanceof Failure) return { path: [], message: error.message };
    throw error;
  }
}

function valuesOf(path: string, axis: AxisDocument, issues: PlanIssue[]): readonly (string | number)[] {
  const at = ['sweep', path];
  if ('values' in axis) {
    if (axis.values.length === 0) issues.push({ path: at, message: 'no values - allowed: at least one' });
    if (new Set(axis.values).size < axis.values.length)
      issues.push({ path: at, message: 'the same value twice' });
    return axis.values;
  }
  const { from, to, step, factor } = axis.range;
  if (from >= to) issues.push({ path: [...at, 'from'], message: `${from} - allowed: less than to (${to})` });
  if ((step === undefined) === (factor === undefined)) {
    const found = step === undefined ? 'neither step nor factor' : 'both step and factor';
    issues.push({ path: at, message: `${found} - allowed: one of them` });
    return [];
  }
  if (factor !== undefined && from <= 0) {
    issues.push({ path: [...at, 'from'], message: `${from} - allowed with factor: more than 0` });
    return [];
  }
  const values = new Set<number>();
  // Computed from the start each time, so that errors of single steps do not add up.
  for (let i = 0, value = from; value < to && values.size <= SWEEP_POINTS_MAX; ) {
    values.add(value);
    i++;
    const next = step === undefined ? from * factor! ** i : from + step * i;
    value =
      step === undefined && Number.isInteger(from) ? Math.round(next) : Number(next.toPrecision(DIGITS));
  }
  return [...values, to];
}

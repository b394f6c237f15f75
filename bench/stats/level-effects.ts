/**
 * What each value of each parameter does, from runs in which many were changed at once: the logarithm of a pair's ratio
 * is taken for the sum of the effects of what differs from the default.
 *
 *     ln(candidate / default) = effect[flushDelay = 1] + effect[maxBatchSize = 300] + ... + noise
 *
 * Solved by least squares with a small ridge (Hoerl and Kennard, 1970): as if each effect had been seen near 0 once before, but
 * only a fiftieth of once. Effects that the runs do not determine, because two values always came together, stay near 0
 * so, and their intervals are wide: the posterior of that view is sigma^2 (X'X + ridge)^-1 (Lindley and Smith, 1972).
 * A pair that a neighbour on the machine disturbed is drawn in to where the middle of the others could be (Huber, 1964).
 * What parameters do to each other is no part of the sum: it counts as noise.
 */
import type { Interval } from './bootstrap.ts';
import { solveEquations } from './linear-equations.ts';
import { robustSigma } from './robust.ts';

const RIDGE = 0.02;
/** In robust standard deviations: what lies farther from the fit is drawn in. */
const FAR = 2;
const ROUNDS = 10;
/** Fewer residuals that are free say nothing of the noise. */
const FREEDOM_MIN = 3;
/** What was seen less often has no interval: who else was in those pairs may have done it. */
const COUNT_MIN = 3;
/** Student's t for 95 %, nearly. */
const tFor = (free: number): number => 1.96 + 2.4 / free + 3 / free ** 2;

export interface Observation {
  /** One per parameter; 0 is the default, of which the effect is 0. */
  readonly levels: readonly number[];
  /** Logarithm of the ratio to the default. */
  readonly value: number;
}

export interface LevelEffect {
  readonly parameter: number;
  /** 1 or more. */
  readonly level: number;
  /** Logarithm of the ratio to the default. */
  readonly effect: number;
  /** 95 %; null where there are too few observations for one. */
  readonly interval: Interval | null;
  /** Observations with this level. */
  readonly count: number;
}

/** Of all levels that were observed. */
export function levelEffects(observations: readonly Observation[]): LevelEffect[] {
  const columns = observedLevels(observations);
  if (columns.length === 0) return [];
  const rows = observations.map(({ levels }) =>
    columns.map(({ parameter, level }) => (levels[parameter] === level ? 1 : 0)),
  );
  const inverse = inverseOf(rows);
  const solver = inverse.map((line) => rows.map((row) => dot(line, row)));
  const values = drawnIn(
    rows,
    observations.map(({ value }) => value),
    solver,
  );
  const effects = solver.map((weights) => dot(weights, values));
  const noise = residualNoise(rows, values, solver, effects);
  const interval = (at: number): Interval | null => {
    if (noise === null || columns[at]!.count < COUNT_MIN) return null;
    const reach = tFor(noise.free) * noise.sigma * Math.sqrt(inverse[at]![at]!);
    return { low: effects[at]! - reach, high: effects[at]! + reach };
  };
  return columns.map(({ parameter, level, count }, at) => {
    return {
      parameter,
      level,
      effect: effects[at]!,
      interval: interval(at),
      count,
    };
  });
}

function observedLevels(observations: readonly Observation[]) {
  const counts = new Map<string, { parameter: number; level: number; count: number }>();
  for (const { levels } of observations) {
    for (const [parameter, level] of levels.entries()) {
      if (level === 0) continue;
      const known = counts.get(`${parameter} ${level}`) ?? { parameter, level, count: 0 };
      counts.set(`${parameter} ${level}`, { ...known, count: known.count + 1 });
    }
  }
  return [...counts.values()].sort((x, y) => x.parameter - y.parameter || x.level - y.level);
}

/** (X'X + ridge)^-1 */
function inverseOf(rows: readonly (readonly number[])[]): number[][] {
  const size = rows[0]!.length;
  return solveEquations(
    Array.from({ length: size }, (_, i) => [
      ...Array.from({ length: size }, (_, j) =>
        rows.reduce((sum, row) => sum + row[i]! * row[j]!, i === j ? RIDGE : 0),
      ),
      ...Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)),
    ]),
  );
}

function drawnIn(
  rows: readonly (readonly number[])[],
  observed: readonly number[],
  solver: readonly (readonly number[])[],
): readonly number[] {
  let values = observed;
  for (let round = 0; round < ROUNDS; round++) {
    const effects = solver.map((weights) => dot(weights, values));
    const fitted = rows.map((row) => dot(row, effects));
    const reach = FAR * robustSigma(observed.map((value, at) => value - fitted[at]!));
    values = observed.map(
      (value, at) => fitted[at]! + Math.max(-reach, Math.min(reach, value - fitted[at]!)),
    );
  }
  return values;
}

/** Of one observation; null where the effects take up all there is. */
function residualNoise(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  solver: readonly (readonly number[])[],
  effects: readonly number[],
): { readonly sigma: number; readonly free: number } | null {
  const used = rows.reduce(
    (sum, row, at) => sum + row.reduce((part, x, i) => part + x * solver[i]![at]!, 0),
    0,
  );
  const free = values.length - used;
  if (free < FREEDOM_MIN) return null;
  const squares = rows.reduce((sum, row, at) => sum + (values[at]! - dot(row, effects)) ** 2, 0);
  return { sigma: Math.sqrt(squares / free), free };
}

function dot(x: readonly number[], y: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < x.length; at++) sum += x[at]! * y[at]!;
  return sum;
}

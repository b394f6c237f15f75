/**
 * Linear regression by least absolute deviations: of all lines, the one whose distances to the points sum up to the
 * least, so that a far point pulls no harder than a near one. By iteratively reweighted least squares (Schlossmacher,
 * 1973): each round weighs a point with 1 / its distance in the round before. For a handful of coefficients.
 */
import { solveEquations } from './linear-equations.ts';

export interface LinearFit {
  readonly coefficients: readonly number[];
  /** Sum of the absolute deviations. */
  readonly deviation: number;
}

const ROUNDS_MAX = 200;
/** A round that shortens the distances by less than this share is the last. */
const GAIN_MIN = 1e-6;
/** A point on the line would weigh infinitely much. */
const DISTANCE_MIN = 1e-6;
/** Keeps the equations solvable where points do not determine a coefficient. */
const RIDGE = 1e-12;

/** @param rows One row of factors per value, all of the same length. */
export function fitLeastAbsolute(rows: readonly (readonly number[])[], values: readonly number[]): LinearFit {
  let weights = values.map(() => 1);
  let best: LinearFit = { coefficients: [], deviation: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const coefficients = fitLeastSquares(rows, values, weights);
    const distances = rows.map((row, at) => Math.abs(values[at]! - dot(row, coefficients)));
    const deviation = distances.reduce((sum, distance) => sum + distance, 0);
    const gain = best.deviation - deviation;
    if (gain > 0) best = { coefficients, deviation };
    if (gain <= GAIN_MIN * deviation) break;
    weights = distances.map((distance) => 1 / Math.max(distance, DISTANCE_MIN));
  }
  return best;
}

/** Normal equations, solved by elimination. */
function fitLeastSquares(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  weights: readonly number[],
): number[] {
  const size = rows[0]!.length;
  const matrix = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_, j) =>
      rows.reduce(
        (sum, row, at) => sum + weights[at]! * row[i]! * (j < size ? row[j]! : values[at]!),
        i === j ? RIDGE : 0,
      ),
    ),
  );
  return solveEquations(matrix).map(([coefficient]) => coefficient!);
}

function dot(x: readonly number[], y: readonly number[]): number {
  return x.reduce((sum, value, at) => sum + value * y[at]!, 0);
}

/**
 * Linear equations by Gauss-Jordan elimination with pivoting, with one or several right sides. For a few dozen unknowns.
 *
 *     [ A | b1 b2 ... ]  ->  rows of [ x1 x2 ... ], one per unknown
 */

/** @param matrix One row per unknown, the right sides behind its columns; it is used up. */
export function solveEquations(matrix: number[][]): number[][] {
  const size = matrix.length;
  for (let column = 0; column < size; column++) {
    const pivot = pivotRow(matrix, column);
    [matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!];
    const top = matrix[column]!;
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = matrix[row]![column]! / top[column]!;
      matrix[row] = matrix[row]!.map((value, at) => value - factor * top[at]!);
    }
  }
  return matrix.map((row, at) => row.slice(size).map((value) => value / row[at]!));
}

function pivotRow(matrix: readonly (readonly number[])[], column: number): number {
  let pivot = column;
  for (let row = column + 1; row < matrix.length; row++) {
    if (Math.abs(matrix[row]![column]!) > Math.abs(matrix[pivot]![column]!)) pivot = row;
  }
  return pivot;
}

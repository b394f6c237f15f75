/**
 * Isotonic regression: the non-decreasing curve with the least squared distance to noisy points (Ayer et al., 1955;
 * Barlow et al., *Statistical inference under order restrictions*, 1972). Pool-adjacent-violators finds it in one pass:
 * where a value is below the one before it, both become their common mean, backwards as far as needed.
 *
 *     values  1  3  2  4      blocks  [1] [3 2] [4]      fit  1  2.5  2.5  4
 *
 * Latency over load can only rise, so the fit takes out exactly the noise that says otherwise. As a curve, each block is
 * one knot at the mean of its places: a flat stretch, whose crossing would be anywhere, becomes a point.
 */

export interface Knot {
  readonly x: number;
  readonly y: number;
}

interface Block {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  readonly value: number;
}

/** Of values in the order of what they depend on; weights > 0, all 1 when left out. Same length as the values. */
export function isotonicFit(values: readonly number[], weights?: readonly number[]): number[] {
  return poolAdjacentViolators(values, weights).flatMap(({ from, to, value }) =>
    new Array<number>(to - from).fill(value),
  );
}

/** One knot per block of the fit; x strictly rising when `xs` does, y too. */
export function isotonicKnots(
  xs: readonly number[],
  values: readonly number[],
  weights?: readonly number[],
): Knot[] {
  return poolAdjacentViolators(values, weights).map(({ from, to, weight, value }) => {
    let x = 0;
    for (let at = from; at < to; at++) x += xs[at]! * ((weights?.[at] ?? 1) / weight);
    return { x, y: value };
  });
}

/** Where the line through the knots exceeds `level`: null when already the first does, the last x when none does. */
export function crossing(knots: readonly Knot[], level: number): number | null {
  const above = knots.findIndex(({ y }) => y > level);
  if (above === 0) return null;
  if (above < 0) return knots.at(-1)?.x ?? null;
  const [left, right] = [knots[above - 1]!, knots[above]!];
  return left.x + ((right.x - left.x) * (level - left.y)) / (right.y - left.y);
}

function poolAdjacentViolators(values: readonly number[], weights?: readonly number[]): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < values.length; at++) {
    let block: Block = { from: at, to: at + 1, weight: weights?.[at] ?? 1, value: values[at]! };
    for (let last = blocks.at(-1); last !== undefined && last.value >= block.value; last = blocks.at(-1)) {
      blocks.pop();
      const weight = last.weight + block.weight;
      const value = (last.value * last.weight + block.value * block.weight) / weight;
      block = { from: last.from, to: block.to, weight, value };
    }
    blocks.push(block);
  }
  return blocks;
}

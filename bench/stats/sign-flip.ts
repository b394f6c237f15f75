/**
 * Could equal sides have given these differences? If A and B are alike, each difference might as well have come with
 * the other sign. So all 2^n ways to put signs are tried, and p is the share of them whose sum is as far from zero as
 * the one that was seen, or farther (Fisher, *The design of experiments*, 1935; exact, no distribution is assumed).
 * n differences cannot give less than 2 / 2^n: 5 pairs 0.063, 6 pairs 0.031, 8 pairs 0.008.
 *
 * On signed ranks instead of the differences themselves it is Wilcoxon's signed-rank test (1945): one pair that a
 * neighbour on the machine disturbed then weighs no more than its rank.
 */
import { Prng } from '../../src/base/prng.ts';

/** All signs are tried up to 2^16 of them; beyond, as many are drawn. */
const EXACT_COUNT_MAX = 16;
const DRAWS = 2 ** 16;
/** Sums that differ by less than this share of the largest possible one are the same sum. */
const ROUNDING = 1e-12;

/** Two-sided, in (0, 1]; 1 when all values are 0 or there are none. Seeded where it draws. */
export function signFlipP(values: readonly number[], seed = 1): number {
  const sizes = Float64Array.from(values, Math.abs).filter((size) => size > 0);
  if (sizes.length === 0) return 1;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const observed = Math.abs(values.reduce((sum, value) => sum + value, 0));
  const reached = observed - total * ROUNDING;
  return sizes.length <= EXACT_COUNT_MAX ? exactP(sizes, reached) : drawnP(sizes, reached, new Prng(seed));
}

/** Rank of each |value| with the value's sign; equal sizes share the mean of their ranks, zeros have rank 0. */
export function signedRanks(values: readonly number[]): number[] {
  const ranks = new Array<number>(values.length).fill(0);
  const order = values.map((_, at) => at).filter((at) => values[at] !== 0);
  order.sort((x, y) => Math.abs(values[x]!) - Math.abs(values[y]!));
  for (let from = 0; from < order.length; ) {
    const size = Math.abs(values[order[from]!]!);
    let to = from;
    while (to < order.length && Math.abs(values[order[to]!]!) === size) to++;
    for (const at of order.slice(from, to)) ranks[at] = (Math.sign(values[at]!) * (from + 1 + to)) / 2;
    from = to;
  }
  return ranks;
}

/** Walks all signs in Gray code, one flip at a time; the first stays positive, as the mirrored half adds nothing. */
function exactP(sizes: Float64Array, reached: number): number {
  const ways = 2 ** (sizes.length - 1);
  const signs = new Int8Array(sizes.length).fill(1);
  let sum = sizes.reduce((all, size) => all + size, 0);
  let hits = 0;
  for (let step = 1; ; step++) {
    if (Math.abs(sum) >= reached) hits++;
    if (step === ways) return hits / ways;
    const flipped = 1 + Math.log2(step & -step);
    signs[flipped] = -signs[flipped]!;
    sum += 2 * signs[flipped]! * sizes[flipped]!;
  }
}

/** What was seen counts as one of the draws, so p is never 0 (Phipson and Smyth, 2010). */
function drawnP(sizes: Float64Array, reached: number, prng: Prng): number {
  let hits = 1;
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = 0;
    let bits = 0;
    for (let at = 0; at < sizes.length; at++) {
      if (at % 32 === 0) bits = prng.uint32();
      sum += bits & 1 ? sizes[at]! : -sizes[at]!;
      bits >>>= 1;
    }
    if (Math.abs(sum) >= reached) hits++;
  }
  return hits / (DRAWS + 1);
}

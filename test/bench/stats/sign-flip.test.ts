/** The permutation test against exact values from the literature and by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { signedRanks, signFlipP } from '../../../bench/stats/sign-flip.ts';

/** Heights of 15 pairs of plants, crossed minus self-fertilised, in eighths of an inch: Darwin, 1876; Fisher, 1935. */
const DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];

test("Fisher's example: 1726 of the 2^15 signs give a sum as large", () => {
  assert.equal(signFlipP(DARWIN), 1726 / 32768);
});

test("Wilcoxon's signed-rank test of the same: p = 0.0413", () => {
  assert.equal(signFlipP(signedRanks(DARWIN)).toFixed(4), '0.0413');
});

test('all on one side: 2 / 2^n, the least there is', () => {
  for (const [count, p] of [
    [1, 1],
    [2, 0.5],
    [5, 0.0625],
    [6, 0.03125],
    [8, 0.0078125],
  ] as const) {
    const values = Array.from({ length: count }, (_, at) => 0.01 + at / 7);
    assert.equal(signFlipP(values), p);
  }
});

test('by hand: of 1, 2, -3 every sum is as far from 0 as 0; of 1, 2, 4, -3 half are at least 4', () => {
  assert.equal(signFlipP([1, 2, -3]), 1);
  // Sums with +1: 1+2+4+3=10, 4, 2, -4; 6, 0, -2, -8: at least 4 in size are 10, 4, -4, 6, -8.
  assert.equal(signFlipP([1, 2, 4, -3]), 5 / 8);
});

test('no values and zeros show nothing', () => {
  assert.equal(signFlipP([]), 1);
  assert.equal(signFlipP([0, 0, 0]), 1);
  assert.equal(signFlipP([0, 0, 1, 2]), signFlipP([1, 2]));
});

test('beyond 16 values signs are drawn; the p is close to the exact one and repeats', () => {
  // 17 equal values, 13 positive: P(|2 Bin(17, 1/2) - 17| >= 9) = 2 P(Bin >= 13) = 0.04904.
  const values = Array.from({ length: 17 }, (_, at) => (at < 13 ? 1 : -1));
  const p = signFlipP(values);
  assert.ok(Math.abs(p - 0.04904) < 0.004, String(p));
  assert.equal(signFlipP(values), p);
  assert.ok(signFlipP(new Array<number>(40).fill(1)) > 0);
});

test('ranks share ties and keep signs', () => {
  assert.deepEqual(signedRanks([-5, 0, 2, 2, -9]), [-3, 0, 1.5, 1.5, -4]);
});

test('p is in (0, 1], the same for the other direction, in another order and another unit', () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 10 });
  fc.assert(
    fc.property(values, (sample) => {
      const p = signFlipP(sample);
      assert.ok(p > 0 && p <= 1);
      assert.equal(signFlipP(sample.map((value) => -value)), p);
      assert.equal(signFlipP(sample.toReversed()), p);
      assert.equal(signFlipP(sample.map((value) => value * 0.1)), p);
    }),
  );
});

/** Ratios of pairs, and how many pairs a wanted precision takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { estimateRatio, halfWidth, pairSpread, pairsNeeded } from '../../../bench/stats/ratio.ts';

test('the ratio is the median of the pairs, not the quotient of the medians', () => {
  const estimate = estimateRatio([
    [1, 10],
    [4, 20],
    [10, 90],
  ])!;
  assert.equal(estimate.ratio.toFixed(9), '9.000000000');
  assert.deepEqual([estimate.low, estimate.high].map(Math.round), [5, 10]);
  assert.deepEqual(estimate.each, [10, 5, 9]);
  assert.equal(estimate.pairs, 3);
  assert.equal(estimate.p, 0.25);
});

test('between two pairs lies their geometric mean: twice and half are equally far from 1', () => {
  const estimate = estimateRatio([
    [1, 2],
    [2, 1],
  ])!;
  assert.equal(estimate.ratio, 1);
  assert.equal(estimate.p, 1);
});

test('a pair without a ratio leaves no estimate, rather than one without the pair that failed', () => {
  assert.equal(estimateRatio([]), null);
  for (const bad of [
    [1, null],
    [null, 1],
    [0, 1],
    [1, 0],
    [1, Number.NaN],
    [1, Number.POSITIVE_INFINITY],
  ] as const) {
    assert.equal(estimateRatio([[1, 2], bad]), null, String(bad));
  }
});

test('one disturbed pair moves the ratio little', () => {
  const pairs = [1.1, 1.12, 1.08, 1.11, 1.09, 1.1, 0.3].map((b) => [1, b] as const);
  assert.equal(estimateRatio(pairs)!.ratio.toFixed(2), '1.10');
});

test('swapped sides give the inverse ratio and interval, and the same p', () => {
  const figure = fc.double({ min: 0.001, max: 1e6, noNaN: true });
  const pairs = fc.array(fc.tuple(figure, figure), { minLength: 1, maxLength: 12 });
  const near = (x: number, y: number): void => assert.ok(Math.abs(x / y - 1) < 1e-9, `${x} and ${y}`);
  fc.assert(
    fc.property(pairs, (sample) => {
      const straight = estimateRatio(sample)!;
      const swapped = estimateRatio(sample.map(([a, b]) => [b, a]))!;
      near(swapped.ratio, 1 / straight.ratio);
      near(swapped.low, 1 / straight.high);
      near(swapped.high, 1 / straight.low);
      assert.ok(straight.low <= straight.ratio * (1 + 1e-9) && straight.ratio <= straight.high * (1 + 1e-9));
      assert.ok(straight.p >= 2 / 2 ** sample.length);
    }),
    { numRuns: 40 },
  );
});

test('half width of an interval', () => {
  assert.equal(halfWidth({ low: 1 / 1.02, high: 1.02 }).toFixed(9), '0.020000000');
});

test('spread of pairs is that of their log ratios', () => {
  assert.equal(pairSpread({ each: [1] }), null);
  // Logs 0 and 0.1: standard deviation 0.1 / sqrt(2).
  assert.equal(pairSpread({ each: [1, Math.exp(0.1)] })!.toFixed(9), (0.1 / Math.SQRT2).toFixed(9));
});

test('pairs needed, as the method page has them', () => {
  assert.equal(pairsNeeded(0.04, 0.02), 16);
  assert.equal(pairsNeeded(0.1, 0.05), 16);
  assert.equal(pairsNeeded(0.04, 0.03), 8);
  assert.equal(pairsNeeded(0, 0.02), 2);
});

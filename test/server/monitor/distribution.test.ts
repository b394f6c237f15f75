/** A distribution is exact in count, sum and extremes, and near in percentiles, however large or many the values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BUCKETS, Distribution } from '../../../src/server/monitor/distribution.ts';

const SHARES = [0, 0.5, 0.95, 0.99, 0.999, 1] as const;

/** By definition: the smallest value that at least `share` of all do not exceed. */
function truePercentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!;
}

function near(actual: number, expected: number): boolean {
  return actual >= expected && actual <= expected * (1 + 1 / 32);
}

test('count, sum and extremes are exact, percentiles within a bucket', () => {
  const value = fc.oneof(fc.nat(63), fc.nat(5000), fc.nat(2 ** 31 - 1));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
      const distribution = new Distribution();
      for (const one of values) distribution.add(one);
      const sorted = values.toSorted((a, b) => a - b);
      assert.equal(distribution.count, values.length);
      assert.equal(
        distribution.sum,
        values.reduce((sum, one) => sum + one, 0),
      );
      assert.deepEqual([distribution.min, distribution.max], [sorted[0], sorted.at(-1)]);
      for (const share of SHARES) {
        const expected = truePercentile(sorted, share);
        const actual = distribution.percentile(share);
        assert.ok(near(actual, expected), `p${share}: ${actual} for ${expected}`);
      }
    }),
  );
});

test('what is added many times at once, and what another one has recorded, count as if one by one', () => {
  const [once, weighted, half, rest] = Array.from({ length: 4 }, () => new Distribution());
  for (let i = 0; i < 100; i++) {
    for (let n = 0; n < 3; n++) once!.add(i * i);
    weighted!.add(i * i, 3);
    (i < 50 ? half! : rest!).add(i * i, 3);
  }
  half!.addAll(new Distribution());
  half!.addAll(rest!);
  for (const other of [weighted!, half!]) {
    assert.deepEqual([other.count, other.sum, other.min, other.max], [300, once!.sum, 0, 99 * 99]);
    for (const share of SHARES) assert.equal(other.percentile(share), once!.percentile(share));
  }
});

test('nothing recorded, and after a reset, is 0 everywhere', () => {
  const distribution = new Distribution();
  const zeros = (): void => {
    const { count, sum, min, max } = distribution;
    assert.deepEqual([count, sum, min, max, distribution.percentile(0.99)], [0, 0, 0, 0, 0]);
  };
  zeros();
  distribution.add(5, 7);
  distribution.reset();
  zeros();
  distribution.add(9);
  assert.deepEqual([distribution.count, distribution.min, distribution.max], [1, 9, 9]);
});

test('values off the scale count, and stay inside', () => {
  const distribution = new Distribution();
  distribution.add(-3);
  distribution.add(2 ** 40);
  assert.deepEqual([distribution.count, distribution.min, distribution.max], [2, 0, 2 ** 40]);
  assert.equal(distribution.percentile(0.5), 0);
  assert.equal(distribution.percentile(1), 2 ** 31 - 1, 'the end of the scale');
});

test('buckets never overflow: the past weighs less, its shape remains', () => {
  const distribution = new Distribution(new Uint32Array(BUCKETS));
  for (let i = 0; i < 3; i++) {
    distribution.add(10, 2 ** 30);
    distribution.add(50, 2 ** 29);
  }
  assert.equal(distribution.count, 3 * (2 ** 30 + 2 ** 29));
  assert.equal(distribution.percentile(0.5), 10);
  assert.equal(distribution.percentile(0.9), 50);
});

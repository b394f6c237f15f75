/** The bootstrap interval against values worked out by hand, and its coverage in a simulation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootstrapMedian } from '../../../bench/stats/bootstrap.ts';
import { Prng } from '../../../src/base/prng.ts';

const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 40 });
const few = { resamples: 500 };

test('up to five values, the interval goes from the smallest to the largest', () => {
  for (const count of [1, 2, 3, 4, 5]) {
    const sample = [7, 3, 9, 1, 4].slice(0, count);
    const expected = { low: Math.min(...sample), high: Math.max(...sample) };
    assert.deepEqual(bootstrapMedian(sample), expected, `${count} values`);
  }
});

test('with seven values the ends are where the binomial distribution puts them', () => {
  // P(median of a resample is the smallest value) = P(Bin(7, 1/7) >= 4) = 0.0103 < 0.025;
  // ... one of the two smallest: P(Bin(7, 2/7) >= 4) = 0.099 > 0.025. So the second value from either end.
  assert.deepEqual(bootstrapMedian([70, 10, 30, 20, 50, 60, 40]), { low: 20, high: 60 });
});

test('a confidence of 50 % is narrower', () => {
  // P(Bin(7, 3/7) >= 4) = 0.37 > 0.25 > 0.099: the third value from either end.
  assert.deepEqual(bootstrapMedian([1, 2, 3, 4, 5, 6, 7], { confidence: 0.5 }), { low: 3, high: 5 });
});

test('with an even count the median lies between the middle two', () => {
  // Medians of resamples of 0 and 1: 0 and 1 a quarter each, 0.5 the other half, which is the middle of them all.
  assert.deepEqual(bootstrapMedian([0, 1], { confidence: 0.4 }), { low: 0.5, high: 0.5 });
});

test('the same values give the same interval, in any order', () => {
  fc.assert(
    fc.property(values, (sample) => {
      assert.deepEqual(bootstrapMedian(sample, few), bootstrapMedian(sample.toReversed(), few));
    }),
  );
});

test('negated values give the negated interval', () => {
  fc.assert(
    fc.property(values, (sample) => {
      const { low, high } = bootstrapMedian(sample, few);
      const negated = bootstrapMedian(
        sample.map((value) => -value),
        few,
      );
      assert.equal(negated.low + 0, -high + 0);
      assert.equal(negated.high + 0, -low + 0);
    }),
  );
});

test('the interval holds the true median in nine of ten samples or more, also of skewed ones', () => {
  const prng = new Prng(11);
  const samples = 600;
  let held = 0;
  for (let at = 0; at < samples; at++) {
    const sample = Array.from({ length: 12 }, () => -Math.log(1 - prng.fraction()));
    const { low, high } = bootstrapMedian(sample, { resamples: 2_000, seed: at });
    if (low <= Math.LN2 && high >= Math.LN2) held++;
  }
  assert.ok(held / samples > 0.9 && held / samples < 0.975, `${held} of ${samples}`);
});

test('no values are an error', () => {
  assert.throws(() => bootstrapMedian([]), RangeError);
});

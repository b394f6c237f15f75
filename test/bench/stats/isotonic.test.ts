/** Isotonic regression against textbook examples, and what must hold for any values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crossing, isotonicFit, isotonicKnots } from '../../../bench/stats/isotonic.ts';

test('examples by hand', () => {
  assert.deepEqual(isotonicFit([1, 3, 2, 4]), [1, 2.5, 2.5, 4]);
  assert.deepEqual(isotonicFit([3, 2, 1]), [2, 2, 2]);
  assert.deepEqual(isotonicFit([1, 2, 3]), [1, 2, 3]);
  assert.deepEqual(isotonicFit([]), []);
});

test('pooling goes backwards as far as needed', () => {
  assert.deepEqual(isotonicFit([1, 2, 6, 4, 2, 8]), [1, 2, 4, 4, 4, 8]);
  assert.deepEqual(isotonicFit([2, 3, 4, -1, 8]), [2, 2, 2, 2, 8]);
});

test('weights pull a pool towards the heavy value', () => {
  assert.deepEqual(isotonicFit([4, 1], [1, 2]), [2, 2]);
  // A weight of 2 is the value twice.
  assert.deepEqual(isotonicFit([4, 1, 1]).slice(0, 2), [2, 2]);
});

const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 30 });

test('the fit never falls, keeps the mean, and fitting it again changes nothing', () => {
  const sum = (sample: readonly number[]): number => sample.reduce((total, value) => total + value, 0);
  fc.assert(
    fc.property(values, (sample) => {
      const fit = isotonicFit(sample);
      assert.equal(fit.length, sample.length);
      for (let at = 1; at < fit.length; at++) assert.ok(fit[at]! >= fit[at - 1]!);
      assert.ok(Math.abs(sum(fit) - sum(sample)) < 1e-6);
      assert.deepEqual(
        isotonicFit(fit).map((value) => value.toFixed(6)),
        fit.map((value) => value.toFixed(6)),
      );
    }),
  );
});

test('no other rising sequence is nearer to the values', () => {
  const distance = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((total, value, at) => total + (value - y[at]!) ** 2, 0);
  fc.assert(
    fc.property(values, values, (sample, other) => {
      const rising = sample.map((_, at) => other[at % other.length]!).sort((x, y) => x - y);
      assert.ok(distance(sample, isotonicFit(sample)) <= distance(sample, rising) + 1e-6);
    }),
  );
});

test('a pool is one knot in its middle', () => {
  assert.deepEqual(isotonicKnots([10, 20, 30, 40], [1, 3, 2, 4]), [
    { x: 10, y: 1 },
    { x: 25, y: 2.5 },
    { x: 40, y: 4 },
  ]);
});

test('where the curve crosses a level', () => {
  const knots = [
    { x: 10, y: -1 },
    { x: 20, y: 0 },
    { x: 40, y: 4 },
  ];
  assert.equal(crossing(knots, 0), 20);
  assert.equal(crossing(knots, 2), 30);
  assert.equal(crossing(knots, 4), 40);
  assert.equal(crossing(knots, 9), 40);
  assert.equal(crossing(knots, -2), null);
  assert.equal(crossing([], 0), null);
});

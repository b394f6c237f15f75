/** Slope and spread against values by hand, and with wild values among them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { robustSigma, theilSen } from '../../../bench/stats/robust.ts';

test('a straight line has its slope, with no doubt', () => {
  assert.deepEqual(theilSen([1, 3, 5, 7, 9, 11, 13, 15]), { slope: 2, low: 2, high: 2 });
});

test('by hand: slopes of 1, 2, 9, 4', () => {
  // (2-1)/1, (9-1)/2, (9-2)/1, (4-1)/3, (4-2)/2, (4-9)/1 = 1, 4, 7, 1, 1, -5: median 1.
  assert.deepEqual(theilSen([1, 2, 9, 4]), { slope: 1, low: -5, high: 7 });
});

test('a quarter of wild values does not turn the slope', () => {
  const values = Array.from({ length: 20 }, (_, at) => (at % 5 === 2 ? 1e6 : 3 * at));
  assert.ok(Math.abs(theilSen(values).slope - 3) < 0.5);
});

test('the interval includes 0 without a trend, and excludes it with one', () => {
  const wiggle = [1, -1, 0, 2, -2, 1, -1, 0, 1, -1, 0, 1];
  const flat = theilSen(wiggle);
  assert.ok(flat.low < 0 && flat.high > 0);
  assert.ok(theilSen(wiggle.map((value, at) => value + at)).low > 0);
});

test('spread does not see one wild value', () => {
  assert.equal(robustSigma([1, 2, 3, 4, 1e9]), 1.4826);
});

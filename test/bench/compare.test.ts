/** The statistics of a paired comparison against values worked out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, pairOrder, summarizeRatios } from '../../bench/compare.ts';

test('pairs alternate which side goes first', () => {
  assert.equal(pairOrder(4).flat().join(''), 'abbaabba');
});

test('median of odd and even counts', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
});

test('the ratio is the median of the pairs, not the quotient of medians', () => {
  const pairs = [
    [10, 1],
    [20, 4],
    [90, 10],
  ] as const;
  assert.deepEqual(summarizeRatios(pairs), { median: 9, min: 5, max: 10 });
});

test('a missing figure makes no ratio', () => {
  assert.equal(summarizeRatios([[1, null]]), null);
  assert.equal(
    summarizeRatios([
      [1, 2],
      [1, 0],
    ]),
    null,
  );
  assert.equal(summarizeRatios([]), null);
});

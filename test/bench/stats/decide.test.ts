/** All four words, and each of their conditions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canDecide, decide, floorReach } from '../../../bench/stats/decide.ts';
import { estimateRatio } from '../../../bench/stats/ratio.ts';

const HIGHER = { better: 'higher' } as const;
const LOWER = { better: 'lower' } as const;

function ratios(...each: readonly number[]) {
  return estimateRatio(each.map((ratio) => [1, ratio]))!;
}

const quiet = ratios(1.01, 0.99, 1.005, 0.995);
const noisy = ratios(1.2, 0.8, 1.05, 0.97);
const eight = (middle: number) =>
  ratios(...[-0.02, -0.015, -0.01, -0.005, 0.005, 0.01, 0.015, 0.02].map((off) => middle + off));

test('faster and slower, by the direction of the figure', () => {
  assert.equal(decide(eight(1.2), quiet, HIGHER), 'faster');
  assert.equal(decide(eight(0.8), quiet, HIGHER), 'slower');
  assert.equal(decide(eight(1.2), quiet, LOWER), 'slower');
  assert.equal(decide(eight(0.8), quiet, LOWER), 'faster');
});

test('equal sides cannot be told apart', () => {
  assert.equal(decide(eight(1), quiet, HIGHER), 'cannot tell');
});

test('an interval that holds 1 shows nothing', () => {
  const wide = ratios(1.5, 1.4, 0.7, 1.3, 0.8, 1.45);
  assert.ok(wide.low < 1 && wide.ratio > 1.2);
  assert.equal(decide(wide, quiet, HIGHER), 'cannot tell');
  assert.equal(decide({ ...eight(1.2), low: 0.99 }, quiet, HIGHER), 'cannot tell');
});

test('an effect within the reach of the noise floor shows nothing, however sure', () => {
  const small = eight(1.03);
  assert.ok(small.low > 1 && small.p < 0.05);
  assert.equal(decide(small, quiet, HIGHER), 'faster');
  assert.equal(decide(small, ratios(1.04, 0.99, 1, 1.01), HIGHER), 'cannot tell');
});

test('p must be below 0.05 also where the interval excludes 1', () => {
  const disputed = ratios(1.2, 1.21, 1.22, 1.23, 1.24, 1.25, 0.5, 0.4);
  const estimate = { ...disputed, low: 1.05 };
  assert.ok(estimate.p > 0.05);
  assert.equal(decide(estimate, quiet, HIGHER), 'cannot tell');
});

test('unstable when equal things differ by more than the effect asked for', () => {
  assert.equal(decide(eight(1), noisy, HIGHER), 'unstable');
  assert.equal(decide(null, noisy, HIGHER), 'unstable');
  assert.equal(decide(eight(1), noisy, { ...HIGHER, minEffect: 0.5 }), 'cannot tell');
  assert.equal(decide(eight(1), quiet, { ...HIGHER, minEffect: 0.005 }), 'unstable');
});

test('a floor of one pair is no interval: it shows neither a quiet machine nor an unstable one', () => {
  assert.equal(decide(eight(1), ratios(1.3), HIGHER), 'cannot tell');
  assert.equal(decide(eight(1.04), ratios(1.0001), HIGHER), 'cannot tell', 'minEffect stands in');
  assert.equal(decide(eight(1.2), ratios(1.3), HIGHER), 'cannot tell', 'equal things differed more');
  assert.equal(decide(eight(1.2), ratios(1.01), HIGHER), 'faster');
});

test('an effect that clears a wide floor is reported all the same', () => {
  assert.equal(decide(eight(3), noisy, HIGHER), 'faster');
  assert.equal(decide(eight(1.22), noisy, HIGHER), 'unstable');
});

test('a floor that lies to one side reaches as far as its farther end', () => {
  assert.equal(floorReach({ low: 0.9, high: 0.95 }).toFixed(4), '0.1111');
  assert.equal(floorReach({ low: 0.98, high: 1.03 }).toFixed(4), '0.0300');
});

test('without a floor the smallest effect asked for stands in for it', () => {
  assert.equal(decide(eight(1.2), null, HIGHER), 'faster');
  assert.equal(decide(eight(1.04), null, HIGHER), 'cannot tell');
  assert.equal(decide(eight(1.04), null, { ...HIGHER, minEffect: 0.02 }), 'faster');
});

test('fewer than six pairs win by rank against the floor, or not at all', () => {
  assert.equal(decide(ratios(1.2, 1.3), quiet, HIGHER), 'faster');
  assert.equal(decide(ratios(0.8, 0.7, 0.75), quiet, HIGHER), 'slower');
  // One pair inside the floor's range, one on the other side, no floor, one pair alone.
  assert.equal(decide(ratios(1.2, 1.3, 1.009), quiet, HIGHER), 'cannot tell');
  assert.equal(decide(ratios(1.2, 1.3, 0.7), quiet, HIGHER), 'cannot tell');
  assert.equal(decide(ratios(1.2, 1.3, 1.4, 1.5, 1.6), null, HIGHER), 'cannot tell');
  assert.equal(decide(ratios(9), quiet, HIGHER), 'cannot tell');
});

test('whether any effect could be shown', () => {
  assert.deepEqual(
    [
      [0, 4],
      [1, 4],
      [2, 4],
      [2, 3],
      [3, 2],
      [3, 3],
      [5, 0],
      [5, 1],
      [6, 0],
    ].map(([pairs, floor]) => canDecide(pairs!, floor!)),
    // (2/4) / C(5,2) = 0.05 is not below 0.05; (2/8) / C(5,3) = 0.025; (2/32) / C(6,5) = 0.0104.
    [false, false, true, false, true, true, false, true, true],
  );
});

test('a missing figure cannot be told', () => {
  assert.equal(decide(null, quiet, HIGHER), 'cannot tell');
  assert.equal(decide(null, null, HIGHER), 'cannot tell');
});

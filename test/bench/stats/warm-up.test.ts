/** When a server counts as warm: on made-up costs per request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLevel, LEVEL_SLICES, recentFall } from '../../../bench/stats/warm-up.ts';

const slices = (count: number, cost: (at: number) => number): number[] =>
  Array.from({ length: count }, (_, at) => cost(at));

test('too few slices are never level', () => {
  assert.equal(isLevel([]), false);
  assert.equal(isLevel(slices(LEVEL_SLICES - 1, () => 3)), false);
  assert.equal(isLevel(slices(LEVEL_SLICES, () => 3)), true);
});

test('a cost that still falls is not level, one that rises is', () => {
  assert.equal(isLevel(slices(20, (at) => 10 * 0.97 ** at)), false);
  assert.equal(isLevel(slices(20, (at) => 10 * 1.02 ** at)), true);
  assert.ok(Math.abs(recentFall(slices(8, (at) => 100 - at))! - 7 / 96.5) < 1e-9);
});

test('the compiler of a fresh Apache: level when it has come to rest, not before', () => {
  // Seen as reads/s in successive runs of 6 s: 16,000, 40,000, 55,000, 70,000. Half-lives of some seconds.
  const cost = (at: number): number => 14 + 48 * Math.exp(-at / 10);
  const first = slices(200, cost).findIndex((_, at) => isLevel(slices(at + 1, cost)));
  assert.ok(first > 25, String(first));
  assert.ok(cost(first) < 14 * 1.12, `${first}: ${cost(first)}`);
});

test('disturbed slices neither end the warming early nor keep it going for ever', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.97, max: 1.03, noNaN: true }), { minLength: 60, maxLength: 60 }),
      fc.nat(59),
      (noise, disturbed) => {
        const costs = noise.map((factor, at) => (at === disturbed ? 9 : 3) * factor);
        assert.ok(costs.some((_, at) => isLevel(costs.slice(0, at + 1))));
        const falling = noise.map((factor, at) => 10 * 0.95 ** at * factor);
        assert.ok(!falling.some((_, at) => isLevel(falling.slice(0, at + 1))));
      },
    ),
  );
});

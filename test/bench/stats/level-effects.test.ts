/** Effects of many parameters that were changed at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levelEffects, type Observation } from '../../../bench/stats/level-effects.ts';
import { Prng } from '../../../src/base/prng.ts';
import { gaussian } from '../compare/support/noisy-machine.ts';

const TRUTH: Readonly<Record<string, number>> = { '0 1': 0.2, '1 2': -0.3, '3 1': 0.05 };
const LEVELS = [2, 3, 3, 2];

function truthOf(levels: readonly number[]): number {
  return levels.reduce((sum, level, at) => sum + (TRUTH[`${at} ${level}`] ?? 0), 0);
}

function observe(seed: number, count: number, noise: number): Observation[] {
  const prng = new Prng(seed);
  return Array.from({ length: count }, () => {
    const levels = LEVELS.map((each) => prng.below(each));
    return { levels, value: truthOf(levels) + noise * gaussian(prng) };
  });
}

test('without noise the effects are what they are', () => {
  for (const { parameter, level, effect } of levelEffects(observe(1, 60, 0)))
    assert.ok(Math.abs(effect - (TRUTH[`${parameter} ${level}`] ?? 0)) < 0.005, `${parameter} ${level}`);
});

test('the interval holds the effect about as often as it says', () => {
  let held = 0;
  let all = 0;
  for (let seed = 1; seed <= 60; seed++) {
    for (const { parameter, level, interval } of levelEffects(observe(seed, 30, 0.05))) {
      const truth = TRUTH[`${parameter} ${level}`] ?? 0;
      if (interval !== null && interval.low <= truth && truth <= interval.high) held++;
      all++;
    }
  }
  assert.ok(held / all > 0.9 && held / all < 0.99, `${held} of ${all}`);
});

test('one wild pair moves nothing far', () => {
  const observations = observe(3, 40, 0.02);
  const wild = observations.map((one, at) => (at === 5 ? { ...one, value: one.value - 1 } : one));
  for (const { parameter, level, effect } of levelEffects(wild))
    assert.ok(
      Math.abs(effect - (TRUTH[`${parameter} ${level}`] ?? 0)) < 0.06,
      `${parameter} ${level} ${effect}`,
    );
});

test('values that always came together share the effect, and their intervals say that it is not known whose it is', () => {
  const prng = new Prng(7);
  const together = Array.from({ length: 20 }, () => {
    const level = prng.below(2);
    return { levels: [level, level], value: 0.2 * level + 0.01 * gaussian(prng) };
  });
  const [one, other] = levelEffects(together);
  assert.ok(Math.abs(one!.effect + other!.effect - 0.2) < 0.02);
  assert.ok(one!.interval!.high - one!.interval!.low > 0.1);
});

test('no interval from next to nothing', () => {
  const few = levelEffects([
    { levels: [1], value: 0.1 },
    { levels: [1], value: 0.2 },
    { levels: [0], value: 0 },
  ]);
  assert.equal(few[0]!.interval, null);
  assert.deepEqual(levelEffects([]), []);
});

/** The arithmetic of faults against a count of milliseconds one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf, monthlyAvailability, spreadOf } from '../../../bench/availability/fault-figures.ts';
import { expectedMs, victimsOf } from '../../../bench/availability/fault-run.ts';
import type { Victim } from '../../../bench/availability/faults.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { Prng } from '../../../src/base/prng.ts';

test('what a fault costs is the down time inside its span, from the first of it', () => {
  const prng = new Prng(77);
  for (let round = 0; round < 500; round++) {
    const outages: { fromMs: number; toMs: number }[] = [];
    for (let atMs = prng.below(20); atMs < 100; ) {
      const toMs = atMs + 1 + prng.below(15);
      outages.push({ fromMs: atMs, toMs });
      atMs = toMs + 1 + prng.below(30);
    }
    const fromMs = prng.below(60);
    const span = { fromMs, toMs: fromMs + 1 + prng.below(60) };
    const down = Array.from({ length: span.toMs - fromMs }, (_, i) =>
      outages.some((band) => fromMs + i >= band.fromMs && fromMs + i < band.toMs),
    );
    const first = down.indexOf(true);
    assert.deepEqual(costOf(span, outages), {
      firstFailureMs: first < 0 ? null : first,
      downMs: down.filter(Boolean).length,
    });
  }
});

test('spread: ends and middle, of nothing nothing', () => {
  assert.equal(spreadOf([]), null);
  assert.deepEqual(spreadOf([30, 10, 20]), { min: 10, median: 20, max: 30 });
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { min: 1, median: 2.5, max: 4 });
});

test('how long a run takes: a step for each server where each fails in turn', () => {
  const pace = { rounds: 2, downMs: 3_000, restMs: 1_000 };
  const faults = [
    { kind: 'kill', victim: 'leader' },
    { kind: 'stop', victim: 'each' },
  ] as const;
  const one = 1_000 + 4_500 + 1_000;
  assert.equal(expectedMs({ ...pace, faults: faults.slice(0, 1) }, 3), 1_000 + 2 * one);
  assert.equal(expectedMs({ ...pace, faults }, 3), 1_000 + 2 * (one + one + 9_000));
});

test('victims: two fail at once, each in turn with the leader last; a role that nobody has is an error', () => {
  const members = ['a', 'b', 'c', 'd'];
  const modes = ['follower', 'leader', 'observer', 'follower'];
  const of = (victim: Victim): string[][] => victimsOf(members, modes, victim, new Prng(5));
  assert.deepEqual(of('leader'), [['b']]);
  assert.deepEqual(of('observer'), [['c']]);
  assert.deepEqual(of('two-followers')[0]!.toSorted(), ['a', 'd']);
  const [[leader, follower]] = of('leader+follower') as [[string, string]];
  assert.equal(leader, 'b');
  assert.ok(['a', 'd'].includes(follower));
  assert.deepEqual(of('each'), [['c'], ['a'], ['d'], ['b']]);
  assert.throws(
    () => victimsOf(members, ['leader', null, null, null], 'follower', new Prng(5)),
    ConfigFailure,
  );
});

test('a month: 4 faults of 10.8 s are 1 minute in 60,000; more than all of it is down is 0', () => {
  assert.ok(Math.abs(monthlyAvailability(10_800, 4) - (1 - 1 / 60_000)) < 1e-12);
  assert.equal(monthlyAvailability(0, 1_000), 1);
  assert.equal(monthlyAvailability(3_600_000, 1_000), 0);
});

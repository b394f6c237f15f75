/** What is decided before requests fly: keys, values, arrival times, decks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ArrivalSchedule } from '../../../bench/load/arrival.ts';
import { dealDeck } from '../../../bench/load/entry-deck.ts';
import { makeKeyChooser } from '../../../bench/load/key-chooser.ts';
import { KeySpace } from '../../../bench/load/key-space.ts';
import { ValueSource } from '../../../bench/load/value-source.ts';
import type { KeyChoice, Sizes } from '../../../bench/plan/plan.ts';
import { Prng } from '../../../src/base/prng.ts';

const anyChoice = fc.oneof(
  fc.constant<KeyChoice>({ kind: 'uniform' }),
  fc.constant<KeyChoice>({ kind: 'sequential' }),
  fc.record({ kind: fc.constant('zipf' as const), exponent: fc.double({ min: 0.1, max: 3, noNaN: true }) }),
  fc.record({
    kind: fc.constant('hotSet' as const),
    keyShare: fc.double({ min: 0.001, max: 1, noNaN: true }),
    requestShare: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
);

test('choosers stay in range and repeat with the seed', () => {
  fc.assert(
    fc.property(anyChoice, fc.integer({ min: 1, max: 500 }), fc.integer(), (kind, keyCount, seed) => {
      const first = makeKeyChooser(kind, keyCount, seed);
      const second = makeKeyChooser(kind, keyCount, seed);
      for (let i = 0; i < 50; i++) {
        const key = first.next();
        assert.ok(Number.isInteger(key) && key >= 0 && key < keyCount);
        assert.equal(second.next(), key);
      }
    }),
  );
});

test('sequential visits every key once a round', () => {
  const chooser = makeKeyChooser({ kind: 'sequential' }, 10, 3);
  assert.equal(new Set(Array.from({ length: 10 }, () => chooser.next())).size, 10);
});

test('zipf gives ranks their share', () => {
  const chooser = makeKeyChooser({ kind: 'zipf', exponent: 1 }, 4, 9);
  const counts = [0, 0, 0, 0];
  const draws = 50_000;
  for (let i = 0; i < draws; i++) counts[chooser.next()]!++;
  const harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4;
  const byRank = counts.sort((a, b) => b - a).map((count) => count / draws);
  byRank.forEach((share, rank) => {
    assert.ok(Math.abs(share - 1 / (rank + 1) / harmonic) < 0.02);
  });
});

test('a hot set gets its share of the requests, the others the rest', () => {
  const chooser = makeKeyChooser({ kind: 'hotSet', keyShare: 0.01, requestShare: 0.9 }, 1000, 5);
  let hot = 0;
  for (let i = 0; i < 20_000; i++) if (chooser.next() < 10) hot++;
  assert.ok(Math.abs(hot / 20_000 - 0.9) < 0.01);
});

test('constant arrivals keep the rate without drift; poisson ones keep it on average', () => {
  const steps = (ratePerSecond: number) => [{ ratePerSecond, forMs: 1e9 }];
  const constant = new ArrivalSchedule(
    { kind: 'open', gaps: 'constant', steps: steps(16), late: 'drop' },
    1000,
    0,
    0.5,
    1,
  );
  for (let i = 1; i <= 100; i++) {
    assert.equal(constant.dueMs, 1000 + i * 125);
    constant.advance();
  }
  const poisson = new ArrivalSchedule(
    { kind: 'open', gaps: 'poisson', steps: steps(1000), late: 'drop' },
    0,
    0,
    1,
    1,
  );
  let last = 0;
  for (let i = 0; i < 20_000; i++) {
    assert.ok(poisson.dueMs >= last);
    last = poisson.dueMs;
    poisson.advance();
  }
  assert.ok(Math.abs(last / 20_000 - 1) < 0.05);
});

test('steps follow one another, the last one lasts; a ramp rises to the first', () => {
  const steps = [
    { ratePerSecond: 100, forMs: 1000 },
    { ratePerSecond: 1000, forMs: 500 },
    { ratePerSecond: 10, forMs: 1 },
  ];
  const schedule = new ArrivalSchedule({ kind: 'open', gaps: 'constant', steps, late: 'drop' }, 0, 0, 1, 1);
  const counts = [0, 0, 0];
  for (; schedule.dueMs < 2500; schedule.advance()) {
    counts[schedule.dueMs < 1000 ? 0 : schedule.dueMs < 1500 ? 1 : 2]!++;
  }
  assert.deepEqual(
    counts.map((count, i) => Math.abs(count - [100, 500, 10][i]!) <= 1),
    [true, true, true],
    String(counts),
  );
  const ramped = new ArrivalSchedule(
    { kind: 'open', gaps: 'constant', steps: [{ ratePerSecond: 1000, forMs: 1e9 }], late: 'drop' },
    0,
    1000,
    1,
    1,
  );
  const halves = [0, 0];
  for (; ramped.dueMs < 1000; ramped.advance()) halves[ramped.dueMs < 500 ? 0 : 1]!++;
  assert.ok(halves[0]! * 2 < halves[1]! && halves[0]! + halves[1]! < 600, `a rising rate: ${halves}`);
});

test('a deck holds the weights exactly', () => {
  const deck = dealDeck([70, 30], 1000, new Prng(1));
  assert.equal(
    deck.reduce((sum, entry) => sum + (entry === 0 ? 1 : 0), 0),
    700,
  );
  const firstHundred = deck.subarray(0, 100).reduce((sum, entry) => sum + (entry === 0 ? 1 : 0), 0);
  assert.ok(firstHundred > 50 && firstHundred < 90, 'shuffled');
});

test('value sizes keep their bounds and their weights', () => {
  const sizesOf = (sizes: Sizes): number[] => {
    const source = new ValueSource(sizes, new Prng(2));
    return Array.from({ length: 10_000 }, () => source.next().length);
  };
  assert.ok(sizesOf({ kind: 'fixed', bytes: 7 }).every((size) => size === 7));
  const uniform = sizesOf({ kind: 'uniform', min: 3, max: 5 });
  assert.deepEqual([...new Set(uniform)].sort(), [3, 4, 5]);
  const weighted = sizesOf({
    kind: 'weighted',
    choices: [
      { bytes: 10, weight: 3 },
      { bytes: 1000, weight: 1 },
    ],
  });
  assert.ok(Math.abs(weighted.filter((size) => size === 10).length / 10_000 - 0.75) < 0.02);
});

test('paths and target numbers belong together', () => {
  for (const directories of [1, 7]) {
    const space = new KeySpace({
      root: '/a/b',
      keyCount: 100,
      directories,
      values: { kind: 'fixed', bytes: 1 },
    });
    assert.equal(new Set(Array.from({ length: 100 }, (_, key) => space.keyPath(key))).size, 100);
    for (let key = 0; key < 100; key++) {
      const path = space.keyPath(key);
      assert.equal(path.slice(0, path.lastIndexOf('/')), space.directoryPath(space.directoryOfPath(path)));
    }
    assert.equal(space.subdirectories.length, directories === 1 ? 0 : directories);
    assert.equal(space.targetCount, 100 + directories);
  }
});

test('a path belongs to its key or directory, and to nothing else', () => {
  for (const directories of [1, 3]) {
    const values = { kind: 'fixed', bytes: 1 } as const;
    const space = new KeySpace({ root: '/r', keyCount: 20, directories, values });
    for (let key = 0; key < 20; key++) assert.equal(space.targetOf(space.keyPath(key)), key);
    for (let i = 0; i < directories; i++) {
      assert.equal(space.targetOf(space.directoryPath(i)), space.directoryTarget(i));
    }
    for (const other of ['/r/n3-17', '/r/0000020', '/x/0000001', '/r/d0009', '/r/d0000/m1', '/']) {
      assert.equal(space.targetOf(other), -1, other);
    }
  }
});

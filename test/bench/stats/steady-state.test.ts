/** Where the steady part begins, and what must not pass for one. Replies per window, with seeded noise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detectSteadyState } from '../../../bench/stats/steady-state.ts';
import { Prng } from '../../../src/base/prng.ts';

const LENGTHS = [6, 10, 20, 60, 300, 600];

/** 1,000 replies per window, times `level` of the place in the phase (0 to 1), and noise of about 3 %. */
function windowsOf(count: number, level: (place: number) => number, seed = 1): number[] {
  const prng = new Prng(seed);
  const noise = (): number => 1 + 0.1 * (prng.fraction() - 0.5);
  return Array.from({ length: count }, (_, at) => Math.round(1_000 * level((at + 0.5) / count) * noise()));
}

test('a level load is steady from the start', () => {
  for (const count of LENGTHS) {
    const found = detectSteadyState(windowsOf(count, () => 1));
    assert.equal(found.reached, true, `${count}: ${found.reason}`);
    assert.equal(found.cutWindows, 0);
    assert.equal(found.reason, null);
    assert.ok(found.variation! < 0.05 && Math.abs(found.drift!) < 0.1);
  }
});

test('a slow start is cut off, and not more than a few windows with it', () => {
  for (const count of LENGTHS) {
    const found = detectSteadyState(windowsOf(count, (place) => (place < 0.2 ? 0.6 : 1)));
    assert.equal(found.reached, true, `${count}: ${found.reason}`);
    const share = found.cutWindows / count;
    assert.ok(share >= 0.15 && share <= 0.3, `${count}: cut ${found.cutWindows}`);
  }
});

test('a ramp is cut off', () => {
  const ramp = (place: number): number => Math.min(1, 0.2 + place * 3);
  for (const count of [20, 60, 600]) {
    const { reached, cutWindows } = detectSteadyState(windowsOf(count, ramp));
    assert.equal(reached, true);
    assert.ok(cutWindows / count >= 0.2 && cutWindows / count <= 0.4, `${count}: cut ${cutWindows}`);
  }
});

test('throughput that rises or falls until the end is never steady', () => {
  for (const count of [60, 600]) {
    for (const level of [(place: number) => 0.5 + place, (place: number) => 1.3 - 0.5 * place]) {
      const found = detectSteadyState(windowsOf(count, level));
      assert.equal(found.reached, false);
      assert.equal(found.cutWindows, 0);
      assert.ok(Math.abs(found.drift!) > 0.2);
      assert.match(found.reason!, /varied|rose|fell|level/);
    }
  }
});

test('an outage in the middle is not warm-up, wherever it is', () => {
  for (const count of [10, 30, 600]) {
    for (const from of [0.2, 0.4, 0.6, 0.8]) {
      const found = detectSteadyState(
        windowsOf(count, (place) => (place >= from && place < from + 0.15 ? 0 : 1)),
      );
      assert.equal(found.reached, false, `${count} windows, from ${from}`);
      assert.equal(found.cutWindows, 0);
      assert.match(found.reason!, /fell to \d/);
    }
  }
});

test('an outage behind a warm-up is not hidden by the cut of the warm-up', () => {
  const level = (place: number): number => (place < 0.15 ? 0.5 : place >= 0.35 && place < 0.45 ? 0 : 1);
  const found = detectSteadyState(windowsOf(60, level));
  assert.deepEqual([found.reached, found.cutWindows], [false, 0]);
  assert.match(found.reason!, /when \d+ % of the measured time were over/);
});

test('a service that gets slower after a good start did not warm up', () => {
  const found = detectSteadyState(windowsOf(60, (place) => (place < 0.4 ? 1 : 0.75)));
  assert.deepEqual([found.reached, found.cutWindows], [false, 0]);
});

test('a step up behind the middle would need a cut of more than half: not steady', () => {
  const bare = Array.from({ length: 20 }, (_, at) => (at < 12 ? 820 : 1_000));
  for (const windows of [bare, windowsOf(600, (place) => (place < 0.6 ? 0.82 : 1))]) {
    const found = detectSteadyState(windows);
    assert.deepEqual([found.reached, found.cutWindows], [false, 0]);
  }
});

test('a burst of the first moments is cut off', () => {
  const found = detectSteadyState(windowsOf(60, (place) => (place < 0.05 ? 1.5 : 1)));
  assert.equal(found.reached, true);
  assert.ok(found.cutWindows >= 3 && found.cutWindows <= 6);
});

test('one hiccup does not end a steady state, and is not cut', () => {
  const windows = windowsOf(60, () => 1);
  windows[20] = 600;
  assert.deepEqual([detectSteadyState(windows).reached, detectSteadyState(windows).cutWindows], [true, 0]);
});

test('the permitted variation is the caller’s choice', () => {
  const prng = new Prng(5);
  const windows = Array.from({ length: 20 }, () => 10_000 * (1 + 0.24 * (prng.fraction() - 0.5)));
  const strict = detectSteadyState(windows, { variationMax: 0.05 });
  assert.equal(strict.reached, false);
  assert.match(strict.reason!, /varied by ± \d\.\d % .* up to 5\.0 % is steady/);
  assert.equal(detectSteadyState(windows).reached, true);
});

test('few replies per window vary by counting alone', () => {
  const prng = new Prng(3);
  // Poisson counts of mean 16 vary by 25 %: sums of 160 chances of 1 in 10 are near enough.
  const windows = Array.from(
    { length: 20 },
    () => Array.from({ length: 160 }, () => prng.chance(0.1)).filter(Boolean).length,
  );
  const found = detectSteadyState(windows);
  assert.ok(found.variation! > 0.15);
  assert.equal(found.reached, true, found.reason ?? '');
});

test('nothing answered, and too few windows', () => {
  const silent = detectSteadyState(new Array<number>(30).fill(0));
  assert.deepEqual(silent, {
    reached: false,
    cutWindows: 0,
    variation: null,
    drift: null,
    reason: 'nothing was answered most of the time',
  });
  assert.match(detectSteadyState([1, 1, 1, 1]).reason!, /too short to tell/);
  assert.equal(detectSteadyState([]).reached, false);
  assert.equal(detectSteadyState([9, 9, 9, 9, 9]).reached, true);
});

test('a phase that ends in silence is not steady', () => {
  const found = detectSteadyState(windowsOf(30, (place) => (place < 0.3 ? 1 : 0)));
  assert.equal(found.reached, false);
});

test('never cuts more than half, and nothing when not reached', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 80 });
  // Steps of up to a fifth, which are no outage, anywhere.
  const steps = fc
    .tuple(
      fc.integer({ min: 800, max: 1_000 }),
      fc.integer({ min: 5, max: 80 }),
      fc.integer({ min: 0, max: 80 }),
    )
    .map(([before, length, at]) => Array.from({ length }, (_, window) => (window < at ? before : 1_000)));
  fc.assert(
    fc.property(fc.oneof(counts, steps), (windows) => {
      const { reached, cutWindows, reason } = detectSteadyState(windows);
      assert.ok(cutWindows * 2 <= windows.length);
      assert.equal(reached, reason === null);
      if (!reached) assert.equal(cutWindows, 0);
    }),
  );
});

test('a step at the start is found at its place', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 20, max: 80 }), (at, level) => {
      const windows = Array.from({ length: 20 }, (_, window) => (window < at ? level * 10 : 1_000));
      assert.deepEqual(
        [detectSteadyState(windows).reached, detectSteadyState(windows).cutWindows],
        [true, at],
      );
    }),
  );
});

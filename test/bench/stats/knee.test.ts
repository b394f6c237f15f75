/** Knees of made-up services, with and without noise, and curves that have none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKnee } from '../../../bench/stats/knee.ts';
import { fitLeastAbsolute } from '../../../bench/stats/least-absolute.ts';
import { Prng } from '../../../src/base/prng.ts';

const DOUBLING = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const EVEN = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

function curve(loads: readonly number[], throughput: (load: number) => number, noise = 0, seed = 1) {
  const prng = new Prng(seed);
  return loads.map((load) => ({
    load,
    throughputPerSecond: throughput(load) * (1 + noise * (2 * prng.fraction() - 1)),
  }));
}

const within = (value: number, wanted: number, share: number): void =>
  assert.ok(Math.abs(value / wanted - 1) <= share, `${value} instead of ${wanted}`);

test('an ideal server bends where its capacity is', () => {
  for (const loads of [DOUBLING, EVEN]) {
    const knee = findKnee(curve(loads, (load) => 500 * Math.min(load, 40)))!;
    within(knee.at, 40, 0.03);
    within(knee.throughputPerSecond, 20_000, 0.03);
  }
});

test('points may come in any order', () => {
  const points = curve(DOUBLING, (load) => Math.min(load, 40));
  assert.deepEqual(findKnee(points.toReversed()), findKnee(points));
});

test('a server that collapses under load bends at its peak', () => {
  within(findKnee(curve(DOUBLING, (load) => (load < 40 ? load : 1_600 / load)))!.at, 40, 0.03);
});

test('a soft curve bends near its half-way load', () => {
  const knee = findKnee(curve(DOUBLING, (load) => load / (load + 20)))!;
  assert.ok(knee.at > 10 && knee.at < 40, String(knee.at));
});

test('curves that never bend have no knee', () => {
  for (const loads of [DOUBLING, EVEN]) {
    assert.equal(findKnee(curve(loads, (load) => load)), null);
    assert.equal(findKnee(curve(loads, (load) => load ** 0.7)), null);
  }
});

test('a service that is full from the first load on has no knee in the curve', () => {
  assert.equal(findKnee(curve(DOUBLING, () => 1_000)), null);
});

test('noise of 10 % neither hides a knee nor makes one', () => {
  for (let seed = 1; seed <= 30; seed++) {
    within(findKnee(curve(DOUBLING, (load) => Math.min(load, 40), 0.1, seed))!.at, 40, 0.35);
    assert.equal(findKnee(curve(DOUBLING, (load) => load, 0.1, seed)), null, `seed ${seed}`);
    assert.equal(findKnee(curve(EVEN, (load) => load ** 0.8, 0.1, seed)), null, `seed ${seed}`);
  }
});

test('one disturbed point does not move the knee', () => {
  const points = curve(DOUBLING, (load) => Math.min(load, 40), 0.02);
  points[8]!.throughputPerSecond /= 3;
  within(findKnee(points)!.at, 40, 0.15);
});

test('fewer than five usable points are too few', () => {
  const points = curve([1, 2, 4, 8, 16], (load) => Math.min(load, 4));
  assert.notEqual(findKnee(points), null);
  assert.equal(findKnee(points.slice(1)), null);
  assert.equal(findKnee([{ load: 0, throughputPerSecond: 0 }, ...points.slice(1)]), null);
  assert.equal(findKnee([]), null);
});

test('least absolute deviations go through the points that agree', () => {
  const rows = [0, 1, 2, 3, 4].map((x) => [1, x]);
  const { coefficients, deviation } = fitLeastAbsolute(rows, [1, 3, 5, 7, 109]);
  assert.deepEqual(
    coefficients.map((value) => value.toFixed(3)),
    ['1.000', '2.000'],
  );
  assert.equal(Math.round(deviation), 100);
});

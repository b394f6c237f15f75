/** A replay over time: rate, percentiles, and availability from what befell its requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarizeAvailability } from '../../../bench/measure/availability.ts';
import { ReplayCurve } from '../../../bench/replay/replay-curve.ts';

const START = 50_000;

test('replies and errors fall into steps of 100 ms, with zeros where nothing came', () => {
  const curve = new ReplayCurve(START);
  for (const atMs of [0, 99, 100, 450]) curve.onReply(START + atMs, 1_000);
  curve.onError(START + 250);
  assert.deepEqual(curve.series(curve.replies, START + 700), [2, 1, 0, 0, 1, 0, 0]);
  assert.deepEqual(curve.series(curve.errors, START + 700), [0, 0, 1, 0, 0, 0, 0]);
});

test('percentiles are given by the second, and seconds without replies have none', () => {
  const curve = new ReplayCurve(START);
  for (let us = 1; us <= 100; us++) curve.onReply(START + us, us * 10);
  curve.onReply(START + 3_500, 7_000);
  const points = curve.takeLatencyPoints();
  assert.deepEqual(
    points.map(({ atMs, count, p50Ms, p99Ms, maxMs }) => [atMs, count, p50Ms, p99Ms, maxMs]),
    [
      [500, 100, 0.5, 0.99, 1],
      [3_500, 1, 7.003, 7.003, 7.003],
    ],
  );
});

test('a step is down when a request that was due in it was not served in time; three good ones end the outage', () => {
  const curve = new ReplayCurve(START);
  for (let step = 0; step < 20; step++) {
    const dueMs = START + step * 100 + 10;
    const late = step >= 5 && step < 9;
    curve.onAnswered(dueMs + (late ? 1_001 : 1_000), { dueMs, handedMs: dueMs, order: null });
    // One bad request of many is enough.
    if (step === 6) curve.onJudged(dueMs, 'failed');
    curve.onAnswered(dueMs + 1, { dueMs, handedMs: dueMs, order: null });
    // Late by the replay's own fault: the service answered at once.
    curve.onAnswered(dueMs + 5_001, { dueMs, handedMs: dueMs + 5_000, order: null });
  }
  const { outcomes, outages, byTime } = summarizeAvailability(curve.history, 0, 2_000);
  assert.deepEqual(outcomes, { ok: 16, late: 3, failed: 1, unknown: 0 });
  assert.deepEqual(outages, [{ fromMs: 500, toMs: 900 }]);
  assert.equal(byTime, 0.8);
});

test('steps in which nothing was due say nothing', () => {
  const curve = new ReplayCurve(START);
  for (const dueMs of [START, START + 900])
    curve.onAnswered(dueMs + 5, { dueMs, handedMs: dueMs, order: null });
  assert.equal(curve.history.count, 2);
  assert.equal(curve.history.dueMsAt(1), 900);
});

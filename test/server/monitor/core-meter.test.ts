/** The core's own figures on a replica whose time the test owns: who is counted, and with which latency. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreMeter } from '../../../src/server/monitor/core-meter.ts';
import type { Distribution } from '../../../src/server/monitor/distribution.ts';
import { ReplicaHarness } from '../../core/support/replica-harness.ts';
import { create, getData, PING } from '../../core/support/requests.ts';
import { StoreScene } from '../../core/support/store-scene.ts';

const MS = 1000;

function figures({ count, sum, min, max }: Distribution): object {
  return { count, sum: Math.round(sum), min: Math.round(min), max: Math.round(max) };
}

test('reads take as long as their batch, writes from their arrival to the end of their commit', () => {
  const h = new ReplicaHarness();
  const meter = new CoreMeter(h.incarnations);
  const c = h.connect();
  const clearReads = [getData('/zookeeper'), PING];

  // Two reads and two writes in one batch of 4 ms.
  meter.beginRequests(h.nowMs);
  c.send(...clearReads, create('/a'), create('/b'));
  for (let i = 0; i < 4; i++) meter.onRequest(20);
  assert.equal(meter.isInBatch, true);
  meter.endRequests(h.nowMs + 4);
  assert.equal(meter.isInBatch, false);
  assert.deepEqual(figures(meter.requestBatches), { count: 1, sum: 4, min: 4, max: 4 });
  assert.deepEqual(figures(meter.requestTimes), { count: 4, sum: 4 * MS, min: MS, max: MS });
  assert.deepEqual(figures(meter.readLatency), { count: 2, sum: 8 * MS, min: 4 * MS, max: 4 * MS });
  assert.equal(meter.requestBytes, 4 * 24);
  assert.equal(meter.inFlightMax, 2);

  // 10 ms later a third write, and a read behind it.
  h.pass(10);
  meter.beginRequests(h.nowMs);
  c.send(create('/c'), getData('/a'));
  meter.onRequest(20);
  meter.onRequest(20);
  meter.endRequests(h.nowMs);
  assert.equal(meter.readLatency.count, 2, 'the read waits');
  assert.equal(meter.inFlightMax, 3);

  // 30 ms later the log is through; committing takes 6 ms.
  h.pass(30);
  meter.beginCommits(h.nowMs);
  h.settle();
  meter.endCommits(h.nowMs + 6);
  assert.deepEqual(figures(meter.commitBatches), { count: 1, sum: 3, min: 3, max: 3 });
  assert.deepEqual(figures(meter.commitTimes), { count: 3, sum: 6 * MS, min: 2 * MS, max: 2 * MS });
  assert.deepEqual(figures(meter.updateLatency), {
    count: 3,
    sum: (46 + 46 + 36) * MS,
    min: 36 * MS,
    max: 46 * MS,
  });
  assert.deepEqual(figures(meter.durableWaits), {
    count: 3,
    sum: (40 + 40 + 30) * MS,
    min: 30 * MS,
    max: 40 * MS,
  });
  assert.deepEqual(figures(meter.readLatency), {
    count: 3,
    sum: (4 + 4 + 36) * MS,
    min: 4 * MS,
    max: 36 * MS,
  });

  meter.reset();
  assert.deepEqual(figures(meter.updateLatency), { count: 0, sum: 0, min: 0, max: 0 });
  assert.deepEqual([meter.requestBytes, meter.inFlightMax, meter.readLatency.count], [0, 0, 0]);
});

test('nothing to commit is no batch', () => {
  const h = new ReplicaHarness();
  const meter = new CoreMeter(h.incarnations);
  meter.beginCommits(h.nowMs);
  meter.endCommits(h.nowMs + 1);
  assert.equal(meter.commitBatches.count, 0);
  assert.equal(meter.commitTimes.count, 0);
});

test('compaction is counted since the last reset', () => {
  const scene = new StoreScene();
  const meter = new CoreMeter(scene.h.incarnations);
  assert.deepEqual(meter.compaction, { rounds: 0, movedBytes: 0 });
  scene.commit([scene.create('/p', 10)]);
  scene.thin('/p', 12_000, 1500, 20);
  scene.compact();
  const { rounds, movedBytes } = meter.compaction;
  assert.ok(rounds > 0 && movedBytes > 100 * 1500, `${rounds} rounds, ${movedBytes} bytes`);
  meter.reset();
  assert.deepEqual(meter.compaction, { rounds: 0, movedBytes: 0 });
});

test('the longest turn: from its begin to the last reading of the clock in it', () => {
  const h = new ReplicaHarness();
  const meter = new CoreMeter(h.incarnations);
  h.turn(() => {
    meter.beginRequests(h.nowMs);
    meter.onRequest(20);
    meter.endRequests(h.nowMs + 4);
    meter.beginCommits(h.nowMs + 4);
    meter.endCommits(h.nowMs + 7);
    meter.endTurn();
  });
  assert.equal(meter.turnMax, 7 * MS);
  h.pass(10);
  h.turn(() => {
    meter.endTick(h.nowMs + 5);
    meter.endTurn();
  });
  assert.equal(meter.turnMax, 7 * MS);
  // The clock was not read in it: nothing was done that could take long.
  h.pass(10);
  h.turn(() => meter.endTurn());
  assert.equal(meter.turnMax, 7 * MS);
  meter.reset();
  assert.equal(meter.turnMax, 0);
});

/** What a thread costs, measured on this one: each figure moves when it must, and adds up. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ProfiledGcPauses } from '../../../src/server/monitor/gc-pauses.ts';
import {
  createThreadMeter,
  EventLoopMeter,
  ThreadMeter,
  ThreadMeterReader,
  TurnMeter,
} from '../../../src/server/monitor/thread-meter.ts';
import { createNodeBlocking } from '../../../src/server/platform/node-blocking.ts';
import { nodeLoopPlatform } from '../../../src/server/platform/node-loop.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Uses the processor until the kernel has noticed. */
function work(): void {
  const before = process.threadCpuUsage();
  let spent = 0;
  while (spent < 20_000) {
    const { user, system } = process.threadCpuUsage(before);
    spent = user + system;
  }
}

describe('a thread meter', () => {
  test('counts each collection of garbage once, when asked', () => {
    const handle = createThreadMeter('core');
    const meter = new ThreadMeter(handle, new ProfiledGcPauses(), () => 0);
    const reader = new ThreadMeterReader(handle);
    collectGarbage();
    collectGarbage();
    assert.equal(reader.gcPauses().count, 0);
    meter.publish(0, false);
    assert.equal(reader.gcPauses().count, 0, 'not every time');
    meter.publish(0, true);
    const pauses = reader.gcPauses();
    assert.ok(pauses.count >= 2);
    assert.ok(pauses.max > 0 && pauses.sum >= pauses.max);
    collectGarbage();
    meter.publish(60_000, false);
    assert.ok(reader.gcPauses().count > pauses.count, 'but once in a while');
  });

  test('shows the processor time that this thread uses, since the last reset', () => {
    const handle = createThreadMeter('log');
    const meter = new ThreadMeter(handle, new ProfiledGcPauses(), () => 0);
    const reader = new ThreadMeterReader(handle);
    meter.publish(0, true);
    const before = reader.cpuMicros;
    assert.ok(before > 0);
    work();
    meter.publish(0, true);
    assert.ok(reader.cpuMicros >= before + 20_000);
    reader.reset();
    assert.equal(reader.cpuMicros, 0);
    assert.equal(reader.gcPauses().count, 0);
  });

  test('of a role adds up over the threads that had it', () => {
    const handle = createThreadMeter('snapshot');
    const reader = new ThreadMeterReader(handle);
    for (const busyMs of [5, 7])
      new ThreadMeter(handle, new ProfiledGcPauses(), () => busyMs).publish(0, true);
    assert.equal(reader.busyMicros, 12_000);
  });
});

test('a blocking thread is busy in its turns', () => {
  const handle = createThreadMeter('log');
  const meter = new TurnMeter(handle, createNodeBlocking().threadUsage());
  const reader = new ThreadMeterReader(handle);
  meter.onTurn(1000, 1002);
  meter.publishSometimes(1002);
  assert.equal(reader.busyMicros, 2000);
  meter.onTurn(1002.25, 1002.75);
  meter.publishSometimes(1002.75);
  assert.equal(reader.busyMicros, 2000, 'not every time');
  meter.onTurn(1010, 1013);
  meter.publishSometimes(1013);
  assert.equal(reader.busyMicros, 5500);
  meter.onTurn(1013, 1013.5);
  meter.publish(1013.5);
  assert.equal(reader.busyMicros, 6000, 'somebody asks');
  assert.equal(reader.timerDelays().count, 0, 'it has no timers');
});

test('an event loop samples itself, and is late when it is blocked', async (t) => {
  const handle = createThreadMeter('io_0');
  const reader = new ThreadMeterReader(handle);
  const sampled = Promise.withResolvers<void>();
  const meter = new EventLoopMeter(handle, nodeLoopPlatform, () => {
    meter.publish(true);
    // The entry of a collection comes with a turn of the loop.
    if (reader.gcPauses().count > 0) sampled.resolve();
  });
  t.after(() => meter.close());
  const keepsAlive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(keepsAlive));
  collectGarbage();
  // More work than the time to the first sample: that comes late by the rest.
  for (let i = 0; i < 8; i++) work();
  await sampled.promise;
  const delays = reader.timerDelays();
  assert.ok(delays.count >= 1);
  assert.ok(delays.max > 0);
  assert.ok(reader.busyMicros > 0);
  assert.ok(reader.gcPauses().max > 0);
});

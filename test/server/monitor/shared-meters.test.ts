/** What one thread counts and another reads and resets: nothing is lost, nothing counts twice. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { QueueGauge } from '../../../src/server/monitor/queue-gauge.ts';
import {
  createDistribution,
  DistributionReader,
  DistributionRecorder,
} from '../../../src/server/monitor/shared-distribution.ts';
import { createTotals, Totals, TotalsReader } from '../../../src/server/monitor/totals.ts';

describe('a shared distribution', () => {
  test('is seen when it is published', () => {
    const handle = createDistribution();
    const [recorder, reader] = [new DistributionRecorder(handle), new DistributionReader(handle)];
    recorder.add(10, 3);
    recorder.add(1000);
    assert.equal(reader.read().count, 0);
    recorder.publish();
    const { count, sum, min, max } = reader.read();
    assert.deepEqual({ count, sum, min, max }, { count: 4, sum: 1030, min: 10, max: 1000 });
    assert.equal(reader.read().percentile(0.5), 10);
  });

  test('begins afresh with a reset, whenever the recorder comes to hear of it', () => {
    const handle = createDistribution();
    const [recorder, reader] = [new DistributionRecorder(handle), new DistributionReader(handle)];
    recorder.add(70);
    recorder.publish();
    reader.reset();
    assert.equal(reader.read().count, 0, 'at once');
    recorder.publish();
    assert.equal(reader.read().count, 0, 'what is published now is from before');
    recorder.add(5);
    recorder.publish();
    const after = reader.read();
    assert.deepEqual([after.count, after.sum, after.max, after.percentile(1)], [1, 5, 5, 5]);
    reader.reset();
    reader.reset();
    recorder.add(6);
    recorder.publish();
    assert.deepEqual([reader.read().count, reader.read().max], [1, 6]);
  });

  test('goes on with the next recorder', () => {
    const handle = createDistribution();
    const reader = new DistributionReader(handle);
    for (let thread = 1; thread <= 3; thread++) {
      const recorder = new DistributionRecorder(handle);
      recorder.add(thread);
      recorder.publish();
    }
    const { count, sum, min, max } = reader.read();
    assert.deepEqual({ count, sum, min, max }, { count: 3, sum: 6, min: 1, max: 3 });
    assert.equal(reader.read().percentile(0.5), 2);
  });
});

describe('totals', () => {
  const Field = { requests: 0, bytes: 1, open: 2 } as const;

  test('grow from the last reset on; what goes up and down is read as it is', () => {
    const handle = createTotals(Field);
    const [totals, reader] = [new Totals(handle), new TotalsReader(handle)];
    totals.add(Field.requests, 2);
    totals.add(Field.requests, 3);
    totals.set(Field.open, 7);
    assert.equal(reader.since(Field.requests), 0, 'not published');
    totals.publish();
    assert.deepEqual([reader.since(Field.requests), reader.now(Field.open)], [5, 7]);
    reader.reset();
    assert.deepEqual([reader.since(Field.requests), reader.now(Field.open)], [0, 7]);
    totals.add(Field.requests, 1);
    totals.set(Field.open, 4);
    totals.publish();
    assert.deepEqual([reader.since(Field.requests), reader.now(Field.open)], [1, 4]);
    assert.equal(reader.since(Field.bytes), 0);
  });

  test('go on with the next writer, beyond 32 bits', () => {
    const handle = createTotals(Field);
    for (let thread = 0; thread < 3; thread++) {
      const totals = new Totals(handle);
      totals.add(Field.bytes, 2 ** 33);
      totals.publish();
    }
    assert.equal(new TotalsReader(handle).since(Field.bytes), 3 * 2 ** 33);
  });
});

test('a queue gauge keeps the highest level it was shown, until it is reset', () => {
  let used = 0;
  const gauge = new QueueGauge(100, () => used);
  for (used of [10, 60, 20]) gauge.look();
  gauge.fullCount++;
  assert.deepEqual([gauge.bytesNow, gauge.bytesMax, gauge.fullCount, gauge.capacityBytes], [20, 60, 1, 100]);
  gauge.reset();
  assert.deepEqual([gauge.bytesNow, gauge.bytesMax, gauge.fullCount], [20, 0, 0]);
});

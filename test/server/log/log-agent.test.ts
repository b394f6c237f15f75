import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StorageFailure } from '../../../src/base/failure.ts';
import { makeZxid } from '../../../src/base/zxid.ts';
import { BatchEnd } from '../../../src/server/monitor/batch-pace.ts';
import { LogTotal } from '../../../src/server/monitor/log-meter.ts';
import { EpochKind, readEpoch } from '../../../src/storage/epoch-files.ts';
import { readSyncedZxid } from '../../../src/storage/synced-zxid.ts';
import { MemoryDisk } from '../../storage/support/memory-disk.ts';
import { DIRECTORY, LogHarness, type LogHarnessOptions, readLog } from './support/log-harness.ts';

function harnessOn(disk: MemoryDisk, options?: LogHarnessOptions): LogHarness {
  disk.putDirectory(DIRECTORY);
  return new LogHarness(disk, options);
}

test('everything that is there becomes one batch: one write, one sync, one durable zxid', () => {
  const disk = new MemoryDisk();
  const log = harnessOn(disk);
  log.propose(1);
  log.propose(2);
  log.propose(3, 2000);
  assert.equal(log.agent.doWork(0), 0, 'not before the end of the core’s turn');
  log.port.flush();
  assert.equal(log.agent.doWork(0), 3);
  assert.equal(log.port.durableZxid, 3);
  assert.deepEqual([log.batches().count, log.batches().sum, log.batches().max], [1, 3, 3]);
  assert.equal(log.syncs().count, 2, 'of the new file and of the batch');
  assert.equal(log.agent.doWork(0), 0);
  // The file exists by now, so the only sync left is the batch's own.
  disk.syncsLeft = 1;
  log.propose(4);
  log.propose(5);
  log.port.flush();
  log.agent.doWork(0);
  assert.equal(disk.syncsLeft, 0);
  assert.deepEqual([log.batches().count, log.batches().sum, log.batches().min], [2, 5, 2]);
  assert.equal(log.syncs().count, 3);
  assert.equal(log.port.durableZxid, 5);
  assert.deepEqual(readLog(disk, DIRECTORY), [
    { zxid: 1, length: 100 },
    { zxid: 2, length: 100 },
    { zxid: 3, length: 2000 },
    { zxid: 4, length: 100 },
    { zxid: 5, length: 100 },
  ]);
});

test('what is durable is noted beside the log each second, also when nothing more comes', () => {
  const disk = new MemoryDisk();
  const log = harnessOn(disk);
  log.agent.doWork(5000);
  log.propose(1);
  log.port.flush();
  log.agent.doWork(5100);
  assert.equal(log.port.durableZxid, 1);
  assert.ok(readSyncedZxid(disk, DIRECTORY) < 1, 'not with each batch');
  log.agent.doWork(6100);
  assert.equal(readSyncedZxid(disk, DIRECTORY), 1);
});

test('a batch ends at maxBatchSize', () => {
  const disk = new MemoryDisk();
  const log = harnessOn(disk, { batching: { recordsMax: 10 } });
  for (let zxid = 1; zxid <= 25; zxid++) log.propose(zxid);
  log.port.flush();
  const durable: number[] = [];
  while (log.agent.doWork(0) > 0) durable.push(log.port.durableZxid);
  assert.deepEqual(durable, [10, 20, 25]);
});

test('each batch is counted by what ended it, and a second later it is told what group commit has come to', () => {
  const log = harnessOn(new MemoryDisk(), { batching: { recordsMax: 10 } });
  log.agent.doWork(5000);
  for (let zxid = 1; zxid <= 25; zxid++) log.propose(zxid);
  log.port.flush();
  while (log.agent.doWork(5500) > 0);
  log.port.truncate(25);
  log.propose(26);
  log.port.saveEpoch(EpochKind.current, 1);
  log.port.flush();
  while (log.agent.doWork(5600) > 0);
  assert.deepEqual(log.paces, []);
  log.agent.doWork(6000);
  assert.deepEqual(log.paces, [
    { endedBy: BatchEnd.size, recordsPerBatch: 6.5, flushMs: 0, recordsPerSecond: 26 },
  ]);
  const counts = [LogTotal.endedByLoad, LogTotal.endedBySize, LogTotal.endedByDelay, LogTotal.endedByCommand];
  assert.deepEqual(
    counts.map((total) => log.total(total)),
    [1, 2, 0, 1],
  );
  assert.deepEqual([log.total(LogTotal.paceMilliRecords), log.total(LogTotal.paceRate)], [6500, 26]);
  log.agent.doWork(7000);
  assert.equal(log.total(LogTotal.paceRate), 0);
  assert.equal(log.total(LogTotal.paceMilliRecords), 6500, 'as it was when there was something to do');
});

test('with a flush delay a batch waits for company, but no longer than the poll time or the delay', () => {
  const log = harnessOn(new MemoryDisk(), { batching: { flushDelayMs: 30, pollTimeMs: 10 } });
  const propose = (zxid: number): void => {
    log.propose(zxid);
    log.port.flush();
  };
  propose(1);
  log.agent.doWork(1000);
  assert.equal(log.port.durableZxid, 1, 'the last flush is long ago');
  propose(2);
  log.agent.doWork(1005);
  log.agent.doWork(1014);
  assert.equal(log.port.durableZxid, 1);
  log.agent.doWork(1015);
  assert.equal(log.port.durableZxid, 2, 'nothing came for the poll time');
  for (let i = 0; i < 5; i++) {
    propose(3 + i);
    log.agent.doWork(1020 + i * 5);
    assert.equal(log.port.durableZxid, 2);
  }
  propose(8);
  log.agent.doWork(1045);
  assert.equal(log.port.durableZxid, 8, 'the delay is over though writes keep coming');
});

test('a claim that is given back leaves no trace; a full ring says so and the log makes room', () => {
  const disk = new MemoryDisk();
  const log = harnessOn(disk, { ringBytes: 4096 });
  assert.notEqual(log.port.claim(500), -1);
  log.port.abort();
  let zxid = 1;
  while (log.propose(zxid, 200)) zxid++;
  assert.ok(zxid > 10);
  const { queue } = log.port;
  assert.equal(queue.fullCount, 1);
  assert.equal(queue.bytesNow, queue.bytesMax);
  assert.ok(queue.bytesMax > 10 * 200 && queue.bytesMax <= queue.capacityBytes);
  // The refused claim has published what was in front of it.
  log.agent.doWork(0);
  assert.equal(log.port.durableZxid, zxid - 1);
  assert.equal(queue.bytesNow, 0);
  assert.equal(log.propose(zxid, log.port.payloadBytesMax), true);
  log.port.flush();
  log.agent.doWork(0);
  assert.equal(log.port.durableZxid, zxid);
  assert.equal(readLog(disk, DIRECTORY).at(-1)!.length, log.port.payloadBytesMax);
});

test('a snapshot becomes due with the log: a new file and a count', () => {
  const disk = new MemoryDisk();
  const log = harnessOn(disk, { snapCount: 20 });
  for (let zxid = 1; zxid <= 100; zxid++) {
    log.propose(zxid);
    log.port.flush();
    log.agent.doWork(0);
  }
  const due = log.port.snapshotsDue;
  assert.ok(due >= 4 && due <= 9, `${due} snapshots due in 100 txns with snapCount 20`);
  assert.equal(disk.list(DIRECTORY).filter((name) => name.startsWith('log.')).length, due + 1);
  assert.equal(readLog(disk, DIRECTORY).length, 100);
});

test('commands are done in the order of the ring, when all in front of them is durable', () => {
  const disk = new MemoryDisk();
  const log = harnessOn(disk, { batching: { flushDelayMs: 1000, pollTimeMs: 1000 } });
  log.propose(1);
  log.port.flush();
  log.agent.doWork(5000);
  for (const zxid of [2, 3, 4, 5]) log.propose(zxid);
  assert.ok(log.port.saveEpoch(EpochKind.accepted, 7));
  assert.ok(log.port.truncate(3));
  log.propose(makeZxid(7, 1));
  assert.ok(log.port.roll());
  assert.ok(log.port.saveEpoch(EpochKind.current, 7));
  log.propose(makeZxid(7, 2));
  log.port.flush();
  assert.equal(log.port.commandsGiven, 4);
  const seen: unknown[] = [];
  while (log.agent.doWork(5001) > 0) {
    seen.push([log.port.commandsDone, log.port.durableZxid, readEpoch(disk, DIRECTORY, EpochKind.accepted)]);
  }
  assert.deepEqual(seen, [
    [0, 5, null], // no delay: a command waits behind them
    [2, makeZxid(7, 1), 7],
    [4, makeZxid(7, 1), 7],
  ]);
  assert.equal(readEpoch(disk, DIRECTORY, EpochKind.current), 7);
  log.agent.onClose();
  assert.deepEqual(
    readLog(disk, DIRECTORY).map(({ zxid }) => zxid),
    [1, 2, 3, makeZxid(7, 1), makeZxid(7, 2)],
  );
  const logs = disk.list(DIRECTORY).filter((name) => name.startsWith('log.'));
  assert.deepEqual(logs.sort(), ['log.1', 'log.700000001', 'log.700000002']);
});

test('a full ring takes no command, says so, and the log makes room', () => {
  const log = harnessOn(new MemoryDisk(), { ringBytes: 4096 });
  for (let zxid = 1; log.propose(zxid, 40); zxid++);
  while (log.port.roll());
  assert.equal(log.port.truncate(1), false);
  assert.equal(log.port.saveEpoch(EpochKind.current, 1), false);
  const given = log.port.commandsGiven;
  while (log.agent.doWork(0) > 0);
  assert.equal(log.port.commandsDone, given);
  assert.equal(log.port.truncate(1), true);
  log.port.flush();
  while (log.agent.doWork(0) > 0);
  assert.equal(log.port.durableZxid, 1);
});

test('closing makes the rest durable', () => {
  const disk = new MemoryDisk();
  const log = harnessOn(disk, { batching: { flushDelayMs: 1000, pollTimeMs: 1000 } });
  log.propose(1);
  log.port.flush();
  log.agent.doWork(2000);
  log.propose(2);
  log.port.close();
  log.agent.doWork(2001);
  assert.equal(log.port.durableZxid, 1);
  log.agent.onClose();
  assert.equal(log.port.durableZxid, 2);
});

test('after a failed write or sync nothing more is called durable, and what was is there after a crash', () => {
  fc.assert(
    fc.property(
      fc.record({
        batches: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 12 }),
        syncsLeft: fc.integer({ min: 0, max: 12 }),
        bytesFree: fc.integer({ min: 0, max: 8000 }),
        failsBy: fc.constantFrom('sync' as const, 'space' as const),
      }),
      ({ batches, syncsLeft, bytesFree, failsBy }) => {
        const disk = new MemoryDisk();
        const log = harnessOn(disk);
        if (failsBy === 'sync') disk.syncsLeft = syncsLeft;
        else disk.bytesFree = bytesFree;
        let zxid = 0;
        let failed = false;
        for (const size of batches) {
          for (let i = 0; i < size; i++) log.propose(++zxid);
          log.port.flush();
          const before = log.port.durableZxid;
          try {
            while (log.agent.doWork(0) > 0);
            assert.equal(failed, false, 'a log that has failed must not work on');
            assert.equal(log.port.durableZxid, zxid);
          } catch (error) {
            assert.ok(error instanceof StorageFailure, String(error));
            assert.equal(log.port.durableZxid, before);
            failed = true;
          }
        }
        if (!failed) return;
        const durable = log.port.durableZxid;
        const logged = readLog(disk, DIRECTORY).map((txn) => txn.zxid);
        for (let known = 1; known <= durable; known++) assert.ok(logged.includes(known));
      },
    ),
    { numRuns: 200 },
  );
});

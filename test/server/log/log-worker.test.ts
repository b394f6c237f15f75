/** The real thread, the real disk. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createLogLink, type LogLinkHandle } from '../../../src/server/log/log-link.ts';
import { RingLogPort } from '../../../src/server/log/log-port.ts';
import type { LogWorkerMessage, LogWorkerSetup } from '../../../src/server/log/log-thread.ts';
import { Bell, createBell } from '../../../src/shm/bell.ts';
import { NodeDisk } from '../../../src/storage/node-disk.ts';
import { readLog, writeTxn } from './support/log-harness.ts';

const ENTRY = new URL('../../../src/server/log/log-worker.ts', import.meta.url);

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function startWorker(link: LogLinkHandle, directory: string): Worker {
  const workerData: LogWorkerSetup = {
    link,
    directory,
    epochDirectory: directory,
    lastZxid: 0,
    txnlog: { preallocBytes: 65536, fileBytesMax: 0, direct: true, forceSync: true, slowSyncMs: 60_000 },
    snapshots: { snapCount: 1000, snapBytesMax: 0 },
    seed: 1,
    batching: { recordsMax: 1000, flushDelayMs: 0, pollTimeMs: 0 },
    wakeByMessage: false,
  };
  return new Worker(ENTRY, { workerData });
}

test('ten thousand proposals through a small ring are all on disk when the worker has ended', async (t) => {
  const COUNT = 10_000;
  const directory = temporaryDirectory(t);
  const link = createLogLink({ proposalRingBytes: 64 * 1024, coreBell: createBell(), lastZxid: 0 });
  const port = new RingLogPort(link);
  const worker = startWorker(link, directory);
  const exit = once(worker, 'exit');
  const bell = new Bell(link.coreBell, setImmediate);
  const finished = Promise.withResolvers<void>();
  let proposed = 0;
  let seen = 0;
  // The core's turn: propose until the ring is full, then wait for the durable zxid to move.
  const turn = (): void => {
    seen = port.durableZxid;
    while (proposed < COUNT) {
      const length = 50 + (proposed % 500);
      const offset = port.claim(length);
      if (offset === -1) break;
      writeTxn(port.bytes, port.view, offset, proposed + 1, length);
      port.commit(++proposed, length);
    }
    port.flush();
    if (seen === COUNT) finished.resolve();
    else bell.parkAsync(() => port.durableZxid > seen, turn);
  };
  turn();
  await finished.promise;
  assert.ok(port.snapshotsDue >= 10);
  port.close();
  assert.deepEqual(await exit, [0]);
  const logged = readLog(new NodeDisk(), directory);
  assert.deepEqual(
    logged,
    Array.from({ length: COUNT }, (_, i) => ({ zxid: i + 1, length: 50 + (i % 500) })),
  );
});

test('a disk that fails ends the worker with one message and the storage exit status', async (t) => {
  const directory = join(temporaryDirectory(t), 'missing');
  const link = createLogLink({ proposalRingBytes: 64 * 1024, coreBell: createBell(), lastZxid: 7 });
  const port = new RingLogPort(link);
  const worker = startWorker(link, directory);
  const exit = once(worker, 'exit');
  const messages: LogWorkerMessage[] = [];
  worker.on('message', (message: LogWorkerMessage) => messages.push(message));
  const offset = port.claim(100);
  writeTxn(port.bytes, port.view, offset, 8, 100);
  port.commit(8, 100);
  port.flush();
  assert.deepEqual(await exit, [10]);
  const [started, failure, ...more] = messages;
  assert.deepEqual([started, more], [{ type: 'started' }, []]);
  assert.ok(failure?.type === 'failed');
  assert.equal(failure.code, 'RK_STORAGE');
  assert.equal(failure.role, 'log');
  assert.ok(failure.message.includes(directory));
  assert.equal(port.durableZxid, 7);
});

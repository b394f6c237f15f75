/**
 * A disk that stands still in the middle of a snapshot: the tree is let go while the real thread is still in its call,
 * so that replaced records do not pile up; nothing of the unfinished file stays, and the next snapshot is whole.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../../src/server/logging/logging.ts';
import { CoreMeter } from '../../../src/server/monitor/core-meter.ts';
import { SnapshotKeeper } from '../../../src/server/snapshot/snapshot-keeper.ts';
import { createSnapshotLink, SnapshotLink } from '../../../src/server/snapshot/snapshot-link.ts';
import type { SnapshotJob } from '../../../src/server/snapshot/write-snapshot.ts';
import { createBell } from '../../../src/shm/bell.ts';
import { listSnapshots } from '../../../src/storage/data-files.ts';
import { NodeDisk } from '../../../src/storage/node-disk.ts';
import { readSnapshot } from '../../../src/storage/snapshot-reader.ts';
import { ReplicaHarness } from '../../core/support/replica-harness.ts';
import { create, setData } from '../../core/support/requests.ts';
import { checkQuiet } from '../../core/support/tree-dump.ts';
import { SnapshotCollector } from '../../storage/support/collect.ts';
import { until } from '../../support/until.ts';
import type { StuckThreadSetup } from './support/stuck-thread.ts';

const STALL_MS = 5000;
const TICK_MS = 50;
const VALUE = 'x'.repeat(20_000);
/** More than one chunk of the writer, so that it syncs before it has read everything. */
const NODES = 200;

let directory: string;
let worker: Worker;
const link = createSnapshotLink(createBell());
const gate = new Int32Array(new SharedArrayBuffer(8));
const errors: string[] = [];
const log: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (text) => void errors.push(text),
};

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
  const setup: StuckThreadSetup = { link, gate: gate.buffer as SharedArrayBuffer };
  worker = new Worker(new URL('./support/stuck-thread.ts', import.meta.url), { workerData: setup });
});

after(async () => {
  openGate();
  await worker.terminate();
  rmSync(directory, { recursive: true });
});

function openGate(): void {
  Atomics.store(gate, 0, 0);
  Atomics.notify(gate, 0);
}

function unfinishedFiles(): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('tmp.'));
}

describe('a snapshot whose disk stands still', () => {
  const harness = new ReplicaHarness();
  const client = harness.connect();
  const meter = new CoreMeter(harness.incarnations);
  const { tree } = harness.parts;
  const keeper = new SnapshotKeeper({
    incarnations: harness.incarnations,
    link: new SnapshotLink(link),
    meter,
    log,
    stallMs: STALL_MS,
    begin: (request) => {
      const job: SnapshotJob = { request, directory, compression: '', digestEnabled: true };
      worker.postMessage(job);
    },
  });
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      harness.nowMs += TICK_MS;
      keeper.onTick(harness.nowMs);
    }
  };
  const overwriteAll = (): void => {
    for (let i = 0; i < NODES; i++) client.send(setData(`/n${i}`, VALUE));
    harness.settle();
    client.take();
  };

  it('is let go of while its thread is still in the call, and memory is level from then on', async () => {
    for (let i = 0; i < NODES; i++) client.send(create(`/n${i}`, VALUE));
    harness.settle();
    client.take();
    const liveBytes = tree.arena.usedBytes;
    Atomics.store(gate, 0, 1);
    keeper.start(harness.nowMs);
    await until(async () => Atomics.load(gate, 1) === 1);
    overwriteAll();
    const heldBytes = tree.arena.usedBytes;
    assert.ok(heldBytes > 1.5 * liveBytes, 'replaced versions are held for the snapshot');

    // The first look finds progress; the last one finds the thread outside the tree.
    pass(STALL_MS + 2 * TICK_MS);
    assert.equal(meter.givenUpSnapshots, 1);
    assert.ok(meter.snapshotAgeMs >= STALL_MS, 'its age is shown while the thread is away');
    assert.equal(errors.length, 1);
    assert.match(errors[0]!, /given up/);
    harness.settle();
    assert.ok(tree.arena.usedBytes < 1.1 * liveBytes, 'and given back');
    for (let round = 0; round < 5; round++) overwriteAll();
    assert.ok(tree.arena.usedBytes < 1.1 * liveBytes, 'nothing more is held');
    assert.equal(Atomics.load(gate, 1), 1, 'the thread is still in its call');
    assert.equal(unfinishedFiles().length, 1);
  });

  it('leaves no file behind when the thread comes back, and is tried again', async () => {
    openGate();
    await until(async () => keeper.hasEnded);
    keeper.onEnded(harness.nowMs);
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(meter.snapshotAgeMs, 0);
    for (let ticks = 0; ticks < 1000 && meter.runningSnapshots === 0; ticks++) pass(TICK_MS);
    await until(async () => keeper.hasEnded);
    keeper.onEnded(harness.nowMs);
    const disk = new NodeDisk();
    const [file, ...others] = listSnapshots(disk, directory);
    assert.deepEqual(others, []);
    assert.deepEqual(unfinishedFiles(), []);
    const sink = new SnapshotCollector();
    readSnapshot(disk, directory, file!, sink, { onWarning: (warning) => assert.fail(warning) });
    assert.equal(sink.nodes.filter(({ path }) => path.startsWith('/n')).length, NODES);
    harness.settle();
    checkQuiet(harness.parts);
    assert.equal(errors.length, 1);
  });
});

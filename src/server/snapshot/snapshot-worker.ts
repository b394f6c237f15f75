/**
 * Entry of the snapshot thread: writes the snapshots it is given, one at a time. It stays between them, because a
 * fresh thread costs more (start, compilation, cold code) than writing a small tree. A failure is fatal for the
 * server: a disk that takes no snapshot will soon take no log either, and must not be filled up quietly.
 *
 *     supervisor → worker   a SnapshotJob
 *     worker → supervisor   written, or failed (then the worker ends with the exit status)
 *     worker → core         the snapshot link: ended
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { NodeDisk } from '../../storage/node-disk.ts';
import { ProfiledGcPauses } from '../monitor/gc-pauses.ts';
import { SnapshotMeter } from '../monitor/snapshot-meter.ts';
import { ThreadMeter } from '../monitor/thread-meter.ts';
import { describeFailure, type WorkerFailure } from '../worker-failure.ts';
import { SnapshotLink, type SnapshotLinkHandle } from './snapshot-link.ts';
import { type SnapshotJob, writeSnapshot } from './write-snapshot.ts';

export interface SnapshotWorkerSetup {
  readonly link: SnapshotLinkHandle;
  /** As for the log worker: the core's bell is rung by message. */
  readonly wakeByMessage: boolean;
}

export type SnapshotWorkerMessage =
  | {
      readonly type: 'written';
      readonly name: string;
      readonly nodes: number;
      readonly fileBytes: number;
      readonly elapsedMs: number;
    }
  | WorkerFailure;

function run(setup: SnapshotWorkerSetup): void {
  const port = parentPort;
  assert(port !== null, 'snapshot-worker.ts runs in a worker');
  const post = (message: SnapshotWorkerMessage): void => port.postMessage(message);
  const link = new SnapshotLink(setup.link, setup.wakeByMessage ? { port } : {});
  const meter = new SnapshotMeter(setup.link.meter);
  let busyMs = 0;
  const thread = new ThreadMeter(setup.link.meter.thread, new ProfiledGcPauses(), () => busyMs);
  port.on('message', (job: SnapshotJob) => {
    const startMs = performance.now();
    try {
      const { name, nodes, fileBytes } = writeSnapshot(new NodeDisk(), job);
      const elapsedMs = performance.now() - startMs;
      busyMs += elapsedMs;
      meter.onWritten(nodes, fileBytes, elapsedMs);
      thread.publish(performance.now(), true);
      post({ type: 'written', name, nodes, fileBytes, elapsedMs });
      link.setEnded();
    } catch (error) {
      const failure = describeFailure('snapshot', error);
      post(failure);
      process.exit(failure.exitStatus);
    }
  });
}

run(workerData as SnapshotWorkerSetup);

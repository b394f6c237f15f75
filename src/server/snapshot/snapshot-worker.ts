/**
 * Entry of the snapshot thread: writes one snapshot and ends. A failure is fatal for
 * the server: a disk that takes no snapshot will soon take no log either, and must not be filled up quietly.
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { NodeDisk } from '../../storage/node-disk.ts';
import { describeFailure, type WorkerFailure } from '../worker-failure.ts';
import { SnapshotLink, type SnapshotLinkHandle } from './snapshot-link.ts';
import { type SnapshotJob, writeSnapshot } from './write-snapshot.ts';

export interface SnapshotWorkerSetup {
  readonly link: SnapshotLinkHandle;
  readonly job: SnapshotJob;
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
  const startMs = performance.now();
  try {
    const { name, nodes, fileBytes } = writeSnapshot(new NodeDisk(), setup.job);
    post({ type: 'written', name, nodes, fileBytes, elapsedMs: performance.now() - startMs });
    new SnapshotLink(setup.link).setEnded();
  } catch (error) {
    const failure = describeFailure('snapshot', error);
    post(failure);
    process.exit(failure.exitStatus);
  }
}

run(workerData as SnapshotWorkerSetup);

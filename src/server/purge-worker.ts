/** Entry of a short-lived worker: removes snapshots and logs that are no longer needed (autopurge). */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import type { DataDirs } from '../storage/data-dir.ts';
import { NodeDisk } from '../storage/node-disk.ts';
import { purge } from '../storage/purge.ts';
import { describeFailure, type WorkerFailure } from './worker-failure.ts';

export interface PurgeWorkerSetup {
  readonly dirs: DataDirs;
  readonly retainCount: number;
}

export type PurgeWorkerMessage = { readonly type: 'purged'; readonly files: number } | WorkerFailure;

const port = parentPort;
assert(port !== null, 'purge-worker.ts runs in a worker');
const { dirs, retainCount } = workerData as PurgeWorkerSetup;
try {
  const plan = purge(new NodeDisk(), dirs, retainCount);
  port.postMessage({
    type: 'purged',
    files: plan.snapshots.length + plan.logs.length,
  } satisfies PurgeWorkerMessage);
} catch (error) {
  port.postMessage(describeFailure('purge', error));
}

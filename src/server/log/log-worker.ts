/**
 * Entry of the log worker: a thread without sockets that blocks on its bell and on the disk. Ends when the core has
 * closed the log's bell and everything is synced.
 *
 *     worker → supervisor   started    clients may be accepted
 *                           null       the core's bell, in mode `shared`
 *                           slowSync   a sync took longer than the warning threshold
 *                           pace       group commit has come to something else
 *                           failed     then the worker ends with the exit status
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { AgentLoop } from '../../shm/agent.ts';
import { describeFailure } from '../logging/worker-failure.ts';
import { createNodeBlocking } from '../platform/node-blocking.ts';
import { createLogLoop, type LogWorkerSetup } from './log-thread.ts';

const port = parentPort;
assert(port !== null, 'log-worker.ts runs in a worker');
try {
  new AgentLoop(createLogLoop(workerData as LogWorkerSetup, createNodeBlocking(), port)).run();
} catch (error) {
  const failure = describeFailure('log', error);
  port.postMessage(failure);
  process.exit(failure.exitStatus);
}

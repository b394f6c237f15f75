/**
 * Entry of the core worker (modes `pipeline` and `dedicated`): recovers, then runs the duty cycle over the request
 * rings and the log's counter, sleeping in a blocking wait when there is nothing to do.
 *
 *     worker → supervisor   recovered   lastZxid; the log worker may start
 *                           snapshot    start a snapshot thread with this job
 *                           log         a line for the log
 *                           failed      then the worker ends with the exit status
 *     supervisor → worker   the core's bell, closed: finish what is in flight, close the log, end
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { AgentLoop } from '../../shm/agent.ts';
import { describeFailure } from '../logging/worker-failure.ts';
import { createNodeBlocking } from '../platform/node-blocking.ts';
import { type CoreWorkerMessage, type CoreWorkerSetup, createCoreLoop } from './core-thread.ts';

const port = parentPort;
assert(port !== null, 'core-worker.ts runs in a worker');
const post = (message: CoreWorkerMessage): void => port.postMessage(message);
try {
  new AgentLoop(
    createCoreLoop(workerData as CoreWorkerSetup, { platform: createNodeBlocking(), post }),
  ).run();
} catch (error) {
  const failure = describeFailure('core', error);
  post(failure);
  process.exit(failure.exitStatus);
}

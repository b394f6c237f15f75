/**
 * Entry of an io worker (mode `dedicated`): gives an io thread its event loop and the port to the supervisor. Everything
 * else goes through the rings.
 *
 *     supervisor → worker   'quiesce'   stop accepting and taking requests
 *                           'close'     send what is committed, close every socket, end
 *     worker → supervisor   listening   the port, once
 *                           log         a line for the log
 *                           failed      then the worker ends with the exit status
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { describeFailure } from '../logging/worker-failure.ts';
import { nodeLoopPlatform } from '../platform/node-loop.ts';
import { IoThread, type IoWorkerCommand, type IoWorkerMessage, type IoWorkerSetup } from './io-thread.ts';

async function run(setup: IoWorkerSetup): Promise<void> {
  const port = parentPort;
  assert(port !== null, 'io-worker.ts runs in a worker');
  const post = (message: IoWorkerMessage): void => port.postMessage(message);
  const fail = (error: unknown): void => {
    const failure = describeFailure(`io-${setup.link.io}`, error);
    post(failure);
    process.exit(failure.exitStatus);
  };
  process.on('uncaughtException', fail);
  try {
    const thread = new IoThread(setup, nodeLoopPlatform, post, () => port.close());
    port.on('message', (command: IoWorkerCommand) => {
      thread.onCommand(command).catch(fail);
    });
    await thread.listen();
  } catch (error) {
    fail(error);
  }
}

await run(workerData as IoWorkerSetup);

/**
 * Entry of an io worker (mode `dedicated`): builds a ring io agent from the posted handles, listens, and obeys the
 * supervisor. Everything else goes through the rings.
 *
 *     supervisor → worker   'quiesce'   stop accepting and taking requests
 *                           'close'     send what is committed, close every socket, end
 *     worker → supervisor   listening   the port, once
 *                           log         a line for the log
 *                           failed      then the worker ends with the exit status
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import type { ListenOptions } from '../../net/transport.ts';
import type { LogLevel } from '../config/server-config.ts';
import { type LogLine, ThreadLog } from '../logging/logging.ts';
import { describeFailure, type WorkerFailure } from '../logging/worker-failure.ts';
import { nodeLoopPlatform } from '../platform/node-loop.ts';
import type { IoLinkHandle } from './io-link.ts';
import { RingIo, type RingIoOptions } from './ring-io.ts';

export interface IoWorkerSetup {
  readonly link: IoLinkHandle;
  readonly options: RingIoOptions;
  readonly listen: ListenOptions;
  readonly logLevel: LogLevel;
}

export type IoWorkerCommand = 'quiesce' | 'close';

export type IoWorkerMessage = { readonly type: 'listening'; readonly port: number } | LogLine | WorkerFailure;

async function run(setup: IoWorkerSetup): Promise<void> {
  const port = parentPort;
  assert(port !== null, 'io-worker.ts runs in a worker');
  const post = (message: IoWorkerMessage): void => port.postMessage(message);
  const log = new ThreadLog(`io-${setup.link.io}`, setup.logLevel, post);
  const fail = (error: unknown): void => {
    const failure = describeFailure(`io-${setup.link.io}`, error);
    post(failure);
    process.exit(failure.exitStatus);
  };
  process.on('uncaughtException', fail);
  try {
    const io = new RingIo(setup.link, setup.options, nodeLoopPlatform, log);
    port.on('message', (command: IoWorkerCommand) => {
      if (command === 'quiesce') {
        io.agent.quiesce();
        return;
      }
      io.close().then(() => port.close(), fail);
    });
    post({ type: 'listening', port: await io.agent.listen(setup.listen) });
  } catch (error) {
    fail(error);
  }
}

await run(workerData as IoWorkerSetup);

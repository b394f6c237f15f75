/** Node as a platform for threads with an event loop and sockets. */
import { performance } from 'node:perf_hooks';
import type { EventLoop, LoopTimer } from '../../base/event-loop.ts';
import { nodeTransport } from '../../net/node-transport.ts';
import { ObservedGcPauses } from '../monitor/gc-pauses.ts';
import { cpuMicros } from '../monitor/thread-usage.ts';
import { nodeClock } from './node-blocking.ts';
import type { LoopPlatform } from './platform.ts';

const nodeLoop: EventLoop = {
  soon: setImmediate,
  after: (delayMs, callback) => timer(setTimeout(callback, delayMs)),
  every: (intervalMs, callback) => timer(setInterval(callback, intervalMs)),
};

function timer(timeout: NodeJS.Timeout): LoopTimer {
  timeout.unref();
  return { cancel: () => clearTimeout(timeout) };
}

export const nodeLoopPlatform: LoopPlatform = {
  clock: nodeClock,
  loop: nodeLoop,
  transport: nodeTransport,
  isWokenByMessage: false,
  loopUsage: () => ({
    gc: new ObservedGcPauses(),
    cpuMicros,
    busyMs: () => performance.eventLoopUtilization().active,
  }),
};

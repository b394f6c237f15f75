/** Node as a platform for threads that block: core and log workers, and the part of the main thread that is alike. */
import { createHash, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../../base/clock.ts';
import { NodeDisk } from '../../storage/node-disk.ts';
import { ProfiledGcPauses } from '../monitor/gc-pauses.ts';
import { cpuMicros } from '../monitor/thread-usage.ts';
import type { BlockingPlatform } from './platform.ts';

export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

export function createNodeBlocking(): BlockingPlatform {
  return {
    clock: nodeClock,
    disk: new NodeDisk(),
    entropy: () => randomBytes(4).readUInt32LE(),
    digestBase64: (algorithm, bytes) => createHash(algorithm).update(bytes).digest('base64'),
    threadUsage: () => ({ gc: new ProfiledGcPauses(), cpuMicros }),
  };
}

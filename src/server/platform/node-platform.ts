/** Node as the platform of a whole server; for the main thread. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DataDirLock } from '../../storage/data-dir-lock.ts';
import { openFileCountMax } from '../monitor/environment.ts';
import { createNodeBlocking } from './node-blocking.ts';
import { nodeLoopPlatform } from './node-loop.ts';
import type { Platform } from './platform.ts';

/** Workers keep their state in typed arrays; with its usual 48 MiB the collector lets small garbage pile up that far. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4 };

export function createNodePlatform(): Platform {
  return {
    ...createNodeBlocking(),
    ...nodeLoopPlatform,
    coreCount: availableParallelism(),
    openFileCountMax: openFileCountMax(),
    startThread: (entry, role, data) =>
      new Worker(workerUrl(entry), { name: role, workerData: data, resourceLimits: RESOURCE_LIMITS }),
    lockDirectories: (dataDir, dataLogDir) => DataDirLock.acquire(dataDir, dataLogDir),
    onUncaught: (handler) => {
      process.on('uncaughtException', handler);
      return () => process.off('uncaughtException', handler);
    },
  };
}

/** Workers run from source in a checkout and compiled when installed: the same ending as this file. */
function workerUrl(entry: string): URL {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  return new URL(`../${entry}${extension}`, import.meta.url);
}

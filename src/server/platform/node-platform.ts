/** Node as the platform of a whole server; for the main thread. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DataDirLock } from '../../storage/data-dir-lock.ts';
import { openFileCountMax } from '../monitor/environment.ts';
import { surveyFiles } from '../monitor/file-survey.ts';
import { createNodeBlocking } from './node-blocking.ts';
import { NodeJobThread } from './node-job-thread.ts';
import { nodeLoopPlatform } from './node-loop.ts';
import type { Platform } from './platform.ts';
import { WORKER_LIMITS, workerUrl } from './worker-entry.ts';

export function createNodePlatform(): Platform {
  return {
    ...createNodeBlocking(),
    ...nodeLoopPlatform,
    coreCount: availableParallelism(),
    openFileCountMax: openFileCountMax(),
    surveyFiles,
    startThread: (entry, role, data) =>
      new Worker(workerUrl(entry), { name: role, workerData: data, resourceLimits: WORKER_LIMITS }),
    startJobs: (setup, onWake, onLost) => new NodeJobThread(setup, onWake, onLost),
    lockDirectories: (dataDir, dataLogDir) => DataDirLock.acquire(dataDir, dataLogDir),
    onUncaught: (handler) => {
      process.on('uncaughtException', handler);
      return () => process.off('uncaughtException', handler);
    },
  };
}

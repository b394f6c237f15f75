/**
 * The thread of background jobs on Node: a kept pool of one (piscina). Main thread.
 *
 * The thread is there before the server is ready and stays until it stops. It is neither let go when it rests nor
 * replaced when it is lost: a new one would read its program from the disk, where another version may lie by then, or
 * none. A lost thread is reported and ends the server, as any other does.
 */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { JobArgument, JobName, JobReport, JobSetup } from '../jobs/jobs.ts';
import type { JobThread } from './platform.ts';
import { WORKER_LIMITS, workerUrl } from './worker-entry.ts';

export class NodeJobThread implements JobThread {
  private readonly pool: Piscina;
  private isClosing = false;

  constructor(setup: JobSetup, onWake: () => void, onLost: (error: Error) => void) {
    this.pool = new Piscina({
      filename: fileURLToPath(workerUrl('platform/job-worker')),
      workerData: setup,
      resourceLimits: WORKER_LIMITS,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      workerHistogram: false,
    });
    this.pool.on('message', onWake);
    this.pool.on('error', onLost);
    this.pool.on('workerDestroy', () => {
      if (!this.isClosing) onLost(new Error('the thread has ended'));
    });
  }

  run<N extends JobName>(name: N, job: JobArgument<N>): Promise<JobReport> {
    return this.pool.run(job, { name });
  }

  close(): Promise<void> {
    this.isClosing = true;
    return this.pool.destroy();
  }
}

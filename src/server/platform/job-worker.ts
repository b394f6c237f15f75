/**
 * Entry of the thread of jobs, which piscina starts before the server is ready and which stays: each export is a job that
 * the pool asks for by name. Between two of them the thread sleeps in a blocking wait.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { type JobReport, type JobSetup, Jobs, type PurgeJob } from '../jobs/jobs.ts';
import type { SnapshotJob } from '../snapshot/write-snapshot.ts';
import { createNodeBlocking } from './node-blocking.ts';

const port = parentPort;
assert(port !== null, 'job-worker.ts runs in a worker');
const setup = workerData as JobSetup;
const jobs = new Jobs(setup, createNodeBlocking(), setup.wakeByMessage ? { port } : {});

export function load(job: null): JobReport {
  return jobs.load(job);
}

export function snapshot(job: SnapshotJob): JobReport {
  return jobs.snapshot(job);
}

export function purge(job: PurgeJob): JobReport {
  return jobs.purge(job);
}

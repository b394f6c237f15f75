/**
 * What is tried where the command line does not say: parameters of batching, threads and limits that leave every promise as
 * it is. `forceSync` is none of them.
 */
import type { Parameter } from './space.ts';

/** How long a write may wait for others; both servers read these in one way. */
const GROUP_COMMIT: readonly Parameter[] = [
  { key: 'flushDelay', values: ['1', '2', '5'] },
  { key: 'maxWriteQueuePollTime', values: ['1'], onlyWith: { key: 'flushDelay' } },
  { key: 'maxBatchSize', values: ['100', '300', '5000'] },
];

/** In mode `shared` these rings are not there. */
const THREADS_APART = { key: 'ringkeeper.threadingMode', values: ['pipeline', 'dedicated'] };

const RINGKEEPER: readonly Parameter[] = [
  ...GROUP_COMMIT,
  { key: 'globalOutstandingLimit', values: ['1000', '4000', '64000'] },
  { key: 'ringkeeper.threadingMode', values: ['shared', 'pipeline', 'dedicated'] },
  {
    key: 'ringkeeper.ioThreads',
    values: ['2', '4'],
    onlyWith: { key: 'ringkeeper.threadingMode', values: ['dedicated'] },
  },
  { key: 'ringkeeper.connectionWindowRequests', values: ['100', '4000'] },
  { key: 'ringkeeper.connectionWindowBytes', values: ['262144', '8388608'] },
  { key: 'ringkeeper.requestRingBytes', values: ['16777216'], onlyWith: THREADS_APART },
  { key: 'ringkeeper.replyRingBytes', values: ['16777216'], onlyWith: THREADS_APART },
  { key: 'ringkeeper.proposalRingBytes', values: ['33554432'] },
  { key: 'ringkeeper.directIo', values: ['false'] },
  { key: 'preAllocSize', values: ['8192', '262144'] },
  { key: 'snapCount', values: ['1000000'] },
];

const APACHE: readonly Parameter[] = [
  ...GROUP_COMMIT,
  { key: 'globalOutstandingLimit', values: ['100', '4000', '16000'] },
  { key: 'nio.numSelectorThreads', values: ['1', '2', '4'] },
  { key: 'nio.numWorkerThreads', values: ['2', '8', '16'] },
  { key: 'preAllocSize', values: ['8192', '262144'] },
  { key: 'snapCount', values: ['1000000'] },
];

/** Alone, a server of Apache has no such stage. */
const APACHE_ENSEMBLE: readonly Parameter[] = [
  ...APACHE,
  { key: 'commitProcessor.numWorkerThreads', values: ['0', '1', '8'] },
  { key: 'commitProcessor.maxReadBatchSize', values: ['1', '32'] },
  { key: 'commitProcessor.maxCommitBatchSize', values: ['10', '100'] },
];

export type SpaceName = 'ringkeeper' | 'apache' | 'apache-ensemble' | 'mixed';

export const SPACES: Readonly<Record<SpaceName, readonly Parameter[]>> = {
  ringkeeper: RINGKEEPER,
  apache: APACHE,
  'apache-ensemble': APACHE_ENSEMBLE,
  // Each line is given to servers of both kinds.
  mixed: [...GROUP_COMMIT, { key: 'globalOutstandingLimit', values: ['1000', '4000', '64000'] }],
};

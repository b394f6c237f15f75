/**
 * Entry of the log worker: a thread without sockets that blocks on its bell and on the disk. Ends when the core has
 * closed the log's bell and everything is synced.
 *
 *     worker → supervisor   null       the core's bell, in mode `shared`
 *                           slowSync   a sync took longer than the warning threshold
 *                           failed     then the worker ends with the exit status
 */
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { Prng } from '../../base/prng.ts';
import { AgentLoop } from '../../shm/agent.ts';
import { Bell } from '../../shm/bell.ts';
import { NodeDisk } from '../../storage/node-disk.ts';
import { SnapshotTrigger, type SnapshotTriggerOptions } from '../../storage/snapshot-trigger.ts';
import { TxnlogAppender, type TxnlogOptions } from '../../storage/txnlog-appender.ts';
import { LogMeter } from '../monitor/log-meter.ts';
import { describeFailure, type WorkerFailure } from '../worker-failure.ts';
import { LogAgent, type LogBatching } from './log-agent.ts';
import type { LogLinkHandle } from './log-link.ts';

export interface LogWorkerSetup {
  readonly link: LogLinkHandle;
  /** The `version-2` folder of the log. */
  readonly directory: string;
  readonly lastZxid: number;
  readonly txnlog: Omit<TxnlogOptions, 'nowMs' | 'times' | 'onSlowSync'>;
  readonly snapshots: SnapshotTriggerOptions;
  /** Spreads the snapshots of several servers. */
  readonly seed: number;
  readonly batching: LogBatching;
  /** The core sits on the supervisor's event loop: a message wakes that sooner and cheaper than a notify. */
  readonly wakeByMessage: boolean;
  /** Idle turns before sleeping; 0 unless the thread has a core to itself. */
  readonly idleTurnsMax: number;
}

export type LogWorkerMessage =
  | { readonly type: 'slowSync'; readonly elapsedMs: number; readonly path: string }
  | WorkerFailure;

function run(setup: LogWorkerSetup): void {
  const port = parentPort;
  assert(port !== null, 'log-worker.ts runs in a worker');
  const post = (message: LogWorkerMessage): void => port.postMessage(message);
  const nowMs = (): number => performance.now();
  try {
    const meter = new LogMeter(setup.link.meter);
    const trigger = new SnapshotTrigger(setup.snapshots, new Prng(setup.seed));
    const appender = new TxnlogAppender(new NodeDisk(), setup.directory, setup.lastZxid, trigger, {
      ...setup.txnlog,
      nowMs,
      times: meter,
      onSlowSync: (elapsedMs, path) => post({ type: 'slowSync', elapsedMs, path }),
    });
    const agent = new LogAgent({
      link: setup.link,
      appender,
      batching: setup.batching,
      meter,
      clockMs: nowMs,
      toCore: setup.wakeByMessage ? { port } : {},
    });
    new AgentLoop({
      agent,
      bell: new Bell(setup.link.logBell),
      hasWork: agent.hasWork,
      nowMs,
      parkMsMax: agent.parkMsMax,
      idleTurnsMax: setup.idleTurnsMax,
    }).run();
  } catch (error) {
    const failure = describeFailure('log', error);
    post(failure);
    process.exit(failure.exitStatus);
  }
}

run(workerData as LogWorkerSetup);

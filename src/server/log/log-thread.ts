/**
 * What the log thread runs, apart from the thread: its agent with disk and clock, and what wakes it. The log worker
 * runs it in a blocking loop of its own, the simulator turn by turn.
 */
import { Prng } from '../../base/prng.ts';
import type { AgentLoopOptions } from '../../shm/agent.ts';
import { Bell, type BellChannel } from '../../shm/bell.ts';
import { saveEpoch } from '../../storage/epoch-files.ts';
import { SnapshotTrigger, type SnapshotTriggerOptions } from '../../storage/snapshot-trigger.ts';
import { TxnlogAppender, type TxnlogOptions } from '../../storage/txnlog-appender.ts';
import type { WorkerFailure } from '../logging/worker-failure.ts';
import type { PaceReport } from '../monitor/batch-pace.ts';
import { LogMeter } from '../monitor/log-meter.ts';
import type { BlockingPlatform } from '../platform/platform.ts';
import { LogAgent, type LogBatching } from './log-agent.ts';
import type { LogLinkHandle } from './log-link.ts';

export interface LogWorkerSetup {
  readonly link: LogLinkHandle;
  /** The `version-2` folder of the log. */
  readonly directory: string;
  /** The `version-2` folder of the snapshots, where the epochs are. */
  readonly epochDirectory: string;
  readonly lastZxid: number;
  readonly txnlog: Omit<TxnlogOptions, 'nowMs' | 'times' | 'onSlowSync'>;
  readonly snapshots: SnapshotTriggerOptions;
  /** Spreads the snapshots of several servers. */
  readonly seed: number;
  readonly batching: LogBatching;
  /** The core sits on the supervisor's event loop: a message wakes that sooner and cheaper than a notify. */
  readonly wakeByMessage: boolean;
  /** Idle turns before sleeping; 0 unless the thread has a core to itself. */
}

export type LogWorkerMessage =
  /** Everything that this thread will ever load has been loaded. */
  | { readonly type: 'started' }
  | { readonly type: 'slowSync'; readonly elapsedMs: number; readonly path: string }
  | { readonly type: 'pace'; readonly report: PaceReport }
  | WorkerFailure;

/** The thread's end of the channel to the supervisor; `null` rings the core's bell. */
export interface LogWorkerPort {
  postMessage(message: LogWorkerMessage | null): void;
}

export function createLogLoop(
  setup: LogWorkerSetup,
  platform: Pick<BlockingPlatform, 'clock' | 'disk' | 'threadUsage'>,
  port: LogWorkerPort,
): AgentLoopOptions {
  const nowMs = platform.clock.monotonicMs;
  const meter = new LogMeter(setup.link.meter, platform.threadUsage());
  const trigger = new SnapshotTrigger(setup.snapshots, new Prng(setup.seed));
  const appender = new TxnlogAppender(platform.disk, setup.directory, setup.lastZxid, trigger, {
    ...setup.txnlog,
    nowMs,
    times: meter,
    onSlowSync: (elapsedMs, path) => port.postMessage({ type: 'slowSync', elapsedMs, path }),
  });
  const toCore: BellChannel = setup.wakeByMessage ? { port } : {};
  const agent = new LogAgent({
    link: setup.link,
    appender,
    batching: setup.batching,
    meter,
    clockMs: nowMs,
    saveEpoch: (kind, epoch) => saveEpoch(platform.disk, setup.epochDirectory, kind, epoch),
    toCore,
    onPace: (report) => port.postMessage({ type: 'pace', report }),
  });
  port.postMessage({ type: 'started' });
  return {
    agent,
    bell: new Bell(setup.link.logBell),
    hasWork: agent.hasWork,
    nowMs,
    parkMsMax: agent.parkMsMax,
  };
}

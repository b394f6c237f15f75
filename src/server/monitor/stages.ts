/**
 * The figures of all stages and threads, as the thread that answers the four-letter words finds them: its own at
 * hand, those of others in shared memory. `core-metrics.ts` and `stage-metrics.ts` give them their names.
 */

import type { CoreMeter } from './core-meter.ts';
import { Distribution } from './distribution.ts';
import type { IoMeterHandle } from './io-meter.ts';
import type { LogMeterHandle } from './log-meter.ts';
import type { QueueGauge } from './queue-gauge.ts';
import { DistributionReader } from './shared-distribution.ts';
import type { SnapshotMeterHandle } from './snapshot-meter.ts';
import { type ThreadMeterHandle, ThreadMeterReader } from './thread-meter.ts';
import { TotalsReader } from './totals.ts';

/** The rings between threads, each by the stage that it leads to; there are none between stages of one thread. */
export interface StageQueues {
  readonly core: QueueGauge[];
  readonly log: QueueGauge[];
  readonly io: QueueGauge[];
}

export interface StageMeters {
  /** As `ringkeeper.threadingMode` names it. */
  readonly threading: string;
  readonly io: readonly IoMeterHandle[];
  readonly log: LogMeterHandle;
  readonly snapshot: SnapshotMeterHandle;
  /** Null where the core shares the thread of the io side. */
  readonly coreThread: ThreadMeterHandle | null;
}

class IoReader {
  readonly totals: TotalsReader;
  readonly batches: DistributionReader;

  constructor(handle: IoMeterHandle) {
    this.totals = new TotalsReader(handle.totals);
    this.batches = new DistributionReader(handle.batches);
  }
}

class LogReader {
  readonly totals: TotalsReader;
  readonly batches: DistributionReader;
  readonly flushes: DistributionReader;
  readonly syncs: DistributionReader;
  readonly recordTimes: DistributionReader;

  constructor(handle: LogMeterHandle) {
    this.totals = new TotalsReader(handle.totals);
    this.batches = new DistributionReader(handle.batches);
    this.flushes = new DistributionReader(handle.flushes);
    this.syncs = new DistributionReader(handle.syncs);
    this.recordTimes = new DistributionReader(handle.recordTimes);
  }
}

class SnapshotReader {
  readonly totals: TotalsReader;
  readonly durations: DistributionReader;

  constructor(handle: SnapshotMeterHandle) {
    this.totals = new TotalsReader(handle.totals);
    this.durations = new DistributionReader(handle.durations);
  }
}

export class Stages {
  readonly threading: string;
  readonly core: CoreMeter;
  readonly queues: StageQueues;
  readonly io: readonly IoReader[];
  readonly log: LogReader;
  readonly snapshot: SnapshotReader;
  readonly threads: readonly ThreadMeterReader[];

  constructor(meters: StageMeters, core: CoreMeter, queues: StageQueues) {
    this.threading = meters.threading;
    this.core = core;
    this.queues = queues;
    this.io = meters.io.map((handle) => new IoReader(handle));
    this.log = new LogReader(meters.log);
    this.snapshot = new SnapshotReader(meters.snapshot);
    const threads = meters.io.map((handle) => handle.thread);
    if (meters.coreThread !== null) threads.push(meters.coreThread);
    threads.push(meters.log.thread, meters.snapshot.thread);
    this.threads = threads.map((handle) => new ThreadMeterReader(handle));
  }

  /** Of all io threads since the last reset. */
  ioSince(total: number): number {
    return this.io.reduce((sum, { totals }) => sum + totals.since(total), 0);
  }

  ioNow(total: number): number {
    return this.io.reduce((sum, { totals }) => sum + totals.now(total), 0);
  }

  ioBatches(): Distribution {
    return together(this.io.map(({ batches }) => batches.read()));
  }

  /** How late the timers of the event loops came. */
  timerDelays(): Distribution {
    return together(this.threads.map((thread) => thread.timerDelays()));
  }

  reset(): void {
    const { log, snapshot, queues } = this;
    this.core.reset();
    for (const { totals, batches } of this.io) {
      totals.reset();
      batches.reset();
    }
    for (const part of [log.totals, log.batches, log.flushes, log.syncs, log.recordTimes]) part.reset();
    snapshot.totals.reset();
    snapshot.durations.reset();
    for (const thread of this.threads) thread.reset();
    for (const gauge of [...queues.core, ...queues.log, ...queues.io]) gauge.reset();
  }
}

function together(parts: readonly Distribution[]): Distribution {
  const all = new Distribution();
  for (const part of parts) all.addAll(part);
  return all;
}

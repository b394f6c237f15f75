/**
 * What the log thread measures, once per batch.
 *
 *     turn begins      commit begins                                   durable
 *         │── append ──────│── write ──────────│── fdatasync ────────────│
 *         │                │──────────────── flush ──────────────────────│
 *
 * A turn's records that do not fit into the appender's buffer are written and synced while others are appended;
 * append time is therefore what of the whole is neither.
 */
import type { CountersHandle } from '../../shm/counters.ts';
import type { DiskTimes } from '../../storage/txnlog-appender.ts';
import { type BatchEnd, BatchPace, type PaceReport } from './batch-pace.ts';
import { createDistribution, type DistributionHandle, DistributionRecorder } from './shared-distribution.ts';
import { createThreadMeter, type ThreadMeterHandle, TurnMeter } from './thread-meter.ts';
import type { ThreadUsage } from './thread-usage.ts';
import { createTotals, Totals } from './totals.ts';

export const LogTotal = {
  /** Taking records from the ring, framing and checksums. */
  appendMicros: 0,
  writeMicros: 1,
  /** Of records with their frames. */
  bytes: 2,
  /** Batches by what ended them, in the order of BatchEnd. */
  endedByLoad: 3,
  endedBySize: 4,
  endedByDelay: 5,
  endedByCommand: 6,
  /** What group commit has come to, over the last second with a batch: a BatchEnd, 1/1000 records, us, records per second. */
  paceEnd: 7,
  paceMilliRecords: 8,
  paceFlushMicros: 9,
  paceRate: 10,
} as const;

/** Times in microseconds. */
export interface LogMeterHandle {
  readonly thread: ThreadMeterHandle;
  readonly totals: CountersHandle;
  /** Records per batch. */
  readonly batches: DistributionHandle;
  readonly flushes: DistributionHandle;
  readonly syncs: DistributionHandle;
  /** The time from the begin of the turn to durable, divided among the records of the batch. */
  readonly recordTimes: DistributionHandle;
}

export function createLogMeter(): LogMeterHandle {
  return {
    thread: createThreadMeter('log'),
    totals: createTotals(LogTotal),
    batches: createDistribution(),
    flushes: createDistribution(),
    syncs: createDistribution(),
    recordTimes: createDistribution(),
  };
}

export class LogMeter implements DiskTimes {
  private readonly turns: TurnMeter;
  private readonly totals: Totals;
  private readonly batches: DistributionRecorder;
  private readonly flushes: DistributionRecorder;
  private readonly syncs: DistributionRecorder;
  private readonly recordTimes: DistributionRecorder;
  private readonly pace = new BatchPace();
  /** Of the batch that is being made. */
  private diskMs = 0;

  constructor(handle: LogMeterHandle, usage: ThreadUsage) {
    this.turns = new TurnMeter(handle.thread, usage);
    this.totals = new Totals(handle.totals);
    this.batches = new DistributionRecorder(handle.batches);
    this.flushes = new DistributionRecorder(handle.flushes);
    this.syncs = new DistributionRecorder(handle.syncs);
    this.recordTimes = new DistributionRecorder(handle.recordTimes);
  }

  onWrite(elapsedMs: number): void {
    this.diskMs += elapsedMs;
    this.totals.add(LogTotal.writeMicros, elapsedMs * 1000);
  }

  onSync(elapsedMs: number): void {
    this.diskMs += elapsedMs;
    this.syncs.add(elapsedMs * 1000);
  }

  /** `records` are durable, `bytes` in all since the start; published before they are acknowledged. */
  onBatch(
    records: number,
    bytes: number,
    turnMs: number,
    beginMs: number,
    endMs: number,
    end: BatchEnd,
  ): void {
    this.totals.add(LogTotal.endedByLoad + end, 1);
    this.pace.onBatch(records, endMs - beginMs, end);
    this.totals.add(LogTotal.appendMicros, (endMs - turnMs - this.diskMs) * 1000);
    this.diskMs = 0;
    this.totals.set(LogTotal.bytes, bytes);
    this.batches.add(records);
    this.flushes.add((endMs - beginMs) * 1000);
    this.recordTimes.add(((endMs - turnMs) * 1000) / records, records);
    this.totals.publish();
    this.batches.publish();
    this.flushes.publish();
    this.syncs.publish();
    this.recordTimes.publish();
    this.turns.onTurn(turnMs, endMs);
    this.turns.publishSometimes(endMs);
  }

  /** Once a second. Returns what group commit has come to where that is worth a line in the log. */
  onSecond(nowMs: number): PaceReport | null {
    const report = this.pace.look(nowMs);
    this.totals.set(LogTotal.paceRate, report?.recordsPerSecond ?? 0);
    if (report !== null) {
      this.totals.set(LogTotal.paceEnd, report.endedBy);
      this.totals.set(LogTotal.paceMilliRecords, report.recordsPerBatch * 1000);
      this.totals.set(LogTotal.paceFlushMicros, report.flushMs * 1000);
    }
    this.totals.publish();
    return report !== null && this.pace.isNews(report, nowMs) ? report : null;
  }
}

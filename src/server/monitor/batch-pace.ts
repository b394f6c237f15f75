/**
 * Group commit sizes itself: a batch is what has come while the disk was at the one before, so it grows with the arrival rate
 * and with the time of a sync. This keeps what it has come to over the last second or more, and why batches ended, for
 * `mntr`; and says when that has become something else, for the log.
 *
 *     batches of a second -> records per batch, sync, records per second, what ended most of them
 *          another reason, or 8 times as large or small as was said last -> a line, at most one a minute
 */

/** Indices; the first one is the machine at its ease, the others are a bound. */
export const BatchEnd = { load: 0, size: 1, delay: 2, command: 3 } as const;
export type BatchEnd = (typeof BatchEnd)[keyof typeof BatchEnd];

/** For `mntr`, by index. */
export const BATCH_END_NAMES = ['load', 'max_batch_size', 'flush_delay', 'command'] as const;

export interface PaceReport {
  readonly endedBy: BatchEnd;
  readonly recordsPerBatch: number;
  readonly flushMs: number;
  readonly recordsPerSecond: number;
}

const SAID_EVERY_MS = 60_000;
const WORTH_SAYING = 8;

/** Until something else is said: single writes. */
const QUIET: PaceReport = { endedBy: BatchEnd.load, recordsPerBatch: 1, flushMs: 0, recordsPerSecond: 0 };

export class BatchPace {
  private readonly ends = new Float64Array(BATCH_END_NAMES.length);
  private records = 0;
  private flushMs = 0;
  private sinceMs = 0;
  private said = QUIET;
  private saidMs = Number.NEGATIVE_INFINITY;

  onBatch(records: number, flushMs: number, end: BatchEnd): void {
    this.ends[end]!++;
    this.records += records;
    this.flushMs += flushMs;
  }

  /** Of the time since the last look; null when there was no batch. */
  look(nowMs: number): PaceReport | null {
    const batches = this.ends.reduce((sum, count) => sum + count, 0);
    const elapsedMs = Math.max(1, nowMs - this.sinceMs);
    this.sinceMs = nowMs;
    if (batches === 0) return null;
    const report: PaceReport = {
      endedBy: this.ends.indexOf(Math.max(...this.ends)) as BatchEnd,
      recordsPerBatch: this.records / batches,
      flushMs: this.flushMs / batches,
      recordsPerSecond: (this.records * 1000) / elapsedMs,
    };
    this.ends.fill(0);
    this.records = 0;
    this.flushMs = 0;
    return report;
  }

  /** Whether it differs enough from what was said last; it counts as said then. Commands end few batches, and are no pace. */
  isNews(report: PaceReport, nowMs: number): boolean {
    const { said } = this;
    const factor = report.recordsPerBatch / said.recordsPerBatch;
    const differs = report.endedBy !== said.endedBy || factor >= WORTH_SAYING || factor <= 1 / WORTH_SAYING;
    if (!differs || report.endedBy === BatchEnd.command || nowMs - this.saidMs < SAID_EVERY_MS) return false;
    this.said = report;
    this.saidMs = nowMs;
    return true;
  }
}

/** `group commit: 12 records a batch, as many as came during a sync` */
export function paceText({ endedBy, recordsPerBatch }: PaceReport): string {
  return `group commit: ${recordsPerBatch.toFixed(recordsPerBatch < 10 ? 1 : 0)} records a batch, ${REASONS[endedBy]}`;
}

/** Beside the text. */
export function paceFields({ flushMs, recordsPerSecond }: PaceReport): Readonly<Record<string, number>> {
  return { flushMs: Number(flushMs.toFixed(3)), recordsPerSecond: Math.round(recordsPerSecond) };
}

const REASONS = [
  'as many as came during a sync',
  'no more because of maxBatchSize',
  'as many as came within flushDelay or maxWriteQueuePollTime',
  'ended by commands',
] as const;

/**
 * The log thread's duty cycle, adaptive group commit: take every proposal that is there, then one write and one
 * fdatasync for all of them, then publish the durable zxid and wake the core. While the disk is busy the next batch
 * collects in the ring, so batches grow with the load and a lone write waits for nobody.
 *
 *     drain ──▶ append* ──▶ due? ──▶ commit ──▶ durableZxid ──▶ roll if the snapshot trigger fired ──▶ core's bell
 *       ▲                    │ no
 *       └────────────────────┘
 *
 * Due, in Apache's terms: `maxBatchSize` records are waiting; or, with flushDelay = 0, the ring is empty; or, with
 * flushDelay > 0, that long has passed since the last flush, or `maxWriteQueuePollTime` since the last arrival.
 *
 * Each second, and a second after the last batch, word is left on the disk of what is durable (synced-zxid.ts): a write of
 * 20 bytes into the page cache, which nobody waits for.
 *
 * A command in the ring (truncate, save an epoch, roll) waits until what was in front of it is synced, which it makes due at
 * once; then it is done, durably, and counted. So the core sees both in the order in which it gave them.
 *
 * A StorageFailure goes through: nothing after it may be called durable, and the thread must end.
 */
import { assert } from '../../base/assert.ts';
import type { Agent } from '../../shm/agent.ts';
import { Bell, type BellChannel } from '../../shm/bell.ts';
import { Counters } from '../../shm/counters.ts';
import { type RecordHandler, RingConsumer } from '../../shm/ring.ts';
import { EpochKind } from '../../storage/epoch-files.ts';
import type { TxnlogAppender } from '../../storage/txnlog-appender.ts';
import { BatchEnd, type PaceReport } from '../monitor/batch-pace.ts';
import type { LogMeter } from '../monitor/log-meter.ts';
import { LogCounter, type LogLinkHandle, LogRecordKind, ZXID_BYTES } from './log-link.ts';

const NOTE_MS = 1000;
const NOT_DUE = -1;

export interface LogBatching {
  /** maxBatchSize */
  readonly recordsMax: number;
  /** 0 = flush as soon as the ring is empty. */
  readonly flushDelayMs: number;
  /** maxWriteQueuePollTime; only with a flush delay. */
  readonly pollTimeMs: number;
}

export interface LogAgentOptions {
  readonly link: LogLinkHandle;
  readonly appender: TxnlogAppender;
  readonly batching: LogBatching;
  readonly meter: LogMeter;
  /** Times the disk; it may be finer than the `nowMs` of `doWork`. */
  readonly clockMs: () => number;
  /** Makes an epoch durable. */
  readonly saveEpoch: (kind: EpochKind, epoch: number) => void;
  /** How the core is woken. */
  readonly toCore: BellChannel;
  /** Group commit has come to something else than what was told last. */
  readonly onPace: (report: PaceReport) => void;
}

export class LogAgent implements Agent, RecordHandler {
  readonly role = 'log';
  private readonly ring: RingConsumer;
  private readonly coreBell: Bell;
  private readonly counters: Counters;
  private readonly appender: TxnlogAppender;
  private readonly batching: LogBatching;
  private readonly meter: LogMeter;
  private readonly clockMs: () => number;
  private readonly saveEpoch: LogAgentOptions['saveEpoch'];
  private readonly onPace: LogAgentOptions['onPace'];
  private stagedCount = 0;
  private commandWaits = false;
  private arrivedMs = 0;
  private flushedMs = 0;
  private notedMs = 0;

  constructor({ link, appender, batching, meter, clockMs, saveEpoch, toCore, onPace }: LogAgentOptions) {
    this.ring = new RingConsumer(link.proposals);
    this.coreBell = new Bell(link.coreBell, undefined, toCore);
    this.counters = new Counters(link.counters);
    this.appender = appender;
    this.batching = batching;
    this.meter = meter;
    this.clockMs = clockMs;
    this.saveEpoch = saveEpoch;
    this.onPace = onPace;
  }

  /** For the loop around this agent: is there anything in the ring? */
  readonly hasWork = (): boolean => !this.ring.isEmpty;

  /** How long the loop may sleep: a staged batch has a deadline with a flush delay, what is durable is noted in any case. */
  get parkMsMax(): number {
    return this.batching.flushDelayMs > 0
      ? Math.min(NOTE_MS, Math.max(1, this.batching.pollTimeMs))
      : NOTE_MS;
  }

  /** @throws StorageFailure */
  doWork(nowMs: number): number {
    const before = this.stagedCount;
    this.commandWaits = false;
    const consumed = this.ring.drain(this, this.batching.recordsMax - before);
    const count = this.stagedCount - before;
    if (count > 0) {
      // The delay counts from the first record of a batch at the earliest: an idle log owes nobody a flush.
      if (before === 0) this.flushedMs = Math.max(this.flushedMs, nowMs - this.batching.flushDelayMs);
      this.arrivedMs = nowMs;
    }
    if (nowMs - this.notedMs >= NOTE_MS) {
      this.notedMs = nowMs;
      this.appender.noteSynced();
      const news = this.meter.onSecond(nowMs);
      if (news !== null) this.onPace(news);
    }
    if (this.stagedCount === 0) return consumed;
    const end = this.dueBy(nowMs);
    if (end === NOT_DUE) return consumed;
    const flushed = this.stagedCount;
    this.flush(nowMs, end);
    return flushed;
  }

  /** From the ring: one proposal, or a command, which must find nothing staged. */
  onRecord(kind: number, offset: number, length: number): boolean {
    if (kind !== LogRecordKind.proposal) return this.onCommand(kind, offset);
    const zxid = this.ring.view.getFloat64(offset, true);
    this.appender.append(zxid, this.ring.bytes, offset + ZXID_BYTES, length - ZXID_BYTES);
    this.stagedCount++;
    return true;
  }

  private onCommand(kind: number, offset: number): boolean {
    if (this.stagedCount > 0) {
      this.commandWaits = true;
      return false;
    }
    const { view } = this.ring;
    if (kind === LogRecordKind.truncate) {
      this.appender.truncate(view.getFloat64(offset, true));
      this.counters.set(LogCounter.durableZxid, this.appender.durableZxid);
    } else if (kind === LogRecordKind.saveEpoch) {
      const isCurrent = view.getInt32(offset + ZXID_BYTES, true) === 1;
      this.saveEpoch(isCurrent ? EpochKind.current : EpochKind.accepted, view.getFloat64(offset, true));
    } else {
      assert(kind === LogRecordKind.roll, 'a record of the proposal ring has a known kind');
      this.appender.roll();
    }
    this.counters.add(LogCounter.commandsDone, 1);
    this.coreBell.ring();
    return true;
  }

  /** @throws StorageFailure */
  onClose(): void {
    if (this.stagedCount > 0) this.flush(this.clockMs(), BatchEnd.command);
    this.appender.close();
  }

  private dueBy(nowMs: number): BatchEnd | typeof NOT_DUE {
    const { recordsMax, flushDelayMs, pollTimeMs } = this.batching;
    if (this.stagedCount >= recordsMax) return BatchEnd.size;
    if (this.commandWaits) return BatchEnd.command;
    if (flushDelayMs <= 0) return this.ring.isEmpty ? BatchEnd.load : NOT_DUE;
    const isOver = nowMs - this.flushedMs >= flushDelayMs || nowMs - this.arrivedMs >= pollTimeMs;
    return isOver ? BatchEnd.delay : NOT_DUE;
  }

  private flush(nowMs: number, end: BatchEnd): void {
    const startMs = this.clockMs();
    const durableZxid = this.appender.commit();
    this.meter.onBatch(this.stagedCount, this.appender.byteCount, nowMs, startMs, this.clockMs(), end);
    this.stagedCount = 0;
    this.counters.set(LogCounter.durableZxid, durableZxid);
    this.flushedMs = nowMs;
    if (this.appender.rollDue) {
      this.appender.roll();
      this.counters.add(LogCounter.snapshotsDue, 1);
    }
    this.coreBell.ring();
  }
}

/**
 * The core's side of the log: claims are made in the proposal ring itself, so a transaction is encoded once, where
 * the log thread reads it. Core thread only.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { LogPort } from '../../core/ports/ports.ts';
import { Bell } from '../../shm/bell.ts';
import { Counters } from '../../shm/counters.ts';
import { RingProducer } from '../../shm/ring.ts';
import { BATCH_MARK_BYTES } from '../../storage/batch-mark.ts';
import { EpochKind } from '../../storage/epoch-files.ts';
import { APPEND_BYTES_MAX } from '../../storage/txnlog-appender.ts';
import { QueueGauge } from '../monitor/queue-gauge.ts';
import {
  EPOCH_COMMAND_BYTES,
  LogCounter,
  type LogLinkHandle,
  LogRecordKind,
  ZXID_BYTES,
} from './log-link.ts';

export class RingLogPort implements LogPort {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly payloadBytesMax: number;
  readonly queue: QueueGauge;
  private readonly ring: RingProducer;
  private readonly logBell: Bell;
  private readonly counters: Counters;
  /** Commands so far. */
  commandsGiven = 0;
  protected claimOffset = 0;

  /** `recordBytesMax`: what readers of the log accept, beyond what the ring and the log's format can take. */
  constructor(link: LogLinkHandle, recordBytesMax = Number.POSITIVE_INFINITY) {
    this.ring = new RingProducer(link.proposals);
    this.queue = new QueueGauge(link.proposals.capacity, () => this.ring.usedBytes);
    this.logBell = new Bell(link.logBell);
    this.counters = new Counters(link.counters);
    this.bytes = this.ring.bytes;
    this.view = this.ring.view;
    // The log may put its mark behind it, and readers count that too.
    const readableMax = recordBytesMax - BATCH_MARK_BYTES;
    this.payloadBytesMax = Math.min(this.ring.recordBytesMax - ZXID_BYTES, APPEND_BYTES_MAX, readableMax);
  }

  claim(length: number): number {
    const offset = this.ring.claim(LogRecordKind.proposal, ZXID_BYTES + length);
    if (offset === -1) {
      this.queue.fullCount++;
      // Records not yet published would stay, and the log could never make room.
      this.flush();
      return -1;
    }
    this.claimOffset = offset;
    return offset + ZXID_BYTES;
  }

  commit(zxid: Zxid, length: number): void {
    this.view.setFloat64(this.claimOffset, zxid, true);
    this.ring.commit(ZXID_BYTES + length);
  }

  abort(): void {
    this.ring.abort();
  }

  /**
   * Commands to the log, in the order of the proposals. Each is done when `commandsDone` has reached what
   * `commandsGiven` was behind it; false: the ring is full, ask again after the durable zxid has moved.
   *
   * Nothing behind `zxid` remains in the log; the durable zxid goes back.
   */
  truncate(zxid: Zxid): boolean {
    const offset = this.claimCommand(LogRecordKind.truncate, ZXID_BYTES);
    if (offset === -1) return false;
    this.view.setFloat64(offset, zxid, true);
    return this.give(ZXID_BYTES);
  }

  saveEpoch(kind: EpochKind, epoch: number): boolean {
    const offset = this.claimCommand(LogRecordKind.saveEpoch, EPOCH_COMMAND_BYTES);
    if (offset === -1) return false;
    this.view.setFloat64(offset, epoch, true);
    this.view.setInt32(offset + ZXID_BYTES, kind === EpochKind.current ? 1 : 0, true);
    return this.give(EPOCH_COMMAND_BYTES);
  }

  /** The next proposal begins a new file. */
  roll(): boolean {
    return this.claimCommand(LogRecordKind.roll, ZXID_BYTES) !== -1 && this.give(ZXID_BYTES);
  }

  flush(): void {
    if (!this.ring.publish()) return;
    this.queue.look();
    this.logBell.ring();
  }

  /** The log thread syncs what it has been given and ends; nothing may be claimed after this. */
  close(): void {
    this.flush();
    this.logBell.close();
  }

  get commandsDone(): number {
    return this.counters.get(LogCounter.commandsDone);
  }

  get durableZxid(): Zxid {
    return this.counters.get(LogCounter.durableZxid);
  }

  get snapshotsDue(): number {
    return this.counters.get(LogCounter.snapshotsDue);
  }

  private claimCommand(kind: LogRecordKind, length: number): number {
    const offset = this.ring.claim(kind, length);
    if (offset !== -1) return offset;
    this.queue.fullCount++;
    this.flush();
    return -1;
  }

  private give(length: number): true {
    this.ring.commit(length);
    this.commandsGiven++;
    return true;
  }
}

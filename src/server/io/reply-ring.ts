/**
 * The way back from the core to one io thread over a ring. The core side is a `ReplySink` that always finds room:
 * what does not fit into the ring goes to a queue in the core's memory, in order, and `congested` is true until that
 * queue has drained. The io side copies reply bytes into the connections' slabs.
 *
 *     kind      payload (int32 little-endian)
 *     BYTES     conn | 1 = completes a reply | the bytes
 *     CLOSE     conn
 *     RELEASE   conn
 */
import { assert, unreachable } from '../../base/assert.ts';
import { CONN_SLOT_MASK, type ConnId, PIECE_BYTES_MAX, type ReplySink } from '../../core/ports/ports.ts';
import type { ConnectionTable } from '../../net/connection-table.ts';
import type { BacklogObserver } from '../../net/request-port.ts';
import { Bell, type BellChannel } from '../../shm/bell.ts';
import { type RecordHandler, RingConsumer, RingProducer } from '../../shm/ring.ts';
import { QueueGauge } from '../monitor/queue-gauge.ts';
import { CORE_WAITS, type IoLinkHandle, settledBytes, starvedFlags, waitWords } from './io-link.ts';
import { RecordQueue } from './record-queue.ts';

const ReplyKind = { bytes: 1, close: 2, release: 3 } as const;
type ReplyKind = (typeof ReplyKind)[keyof typeof ReplyKind];

// Copies without making a view; any Uint8Array will do as `this`.
const { copy } = Buffer.prototype;

const CONN_BYTES = 4;
const HEAD_BYTES = 8;

/** Core side. */
export class ReplyRingSink implements ReplySink {
  bytes: Uint8Array;
  view: DataView;
  readonly queue: QueueGauge;
  private readonly ring: RingProducer;
  private readonly overflow = new RecordQueue(HEAD_BYTES + PIECE_BYTES_MAX);
  private readonly ioBell: Bell;
  private readonly waits: Int32Array;
  private readonly settled: Int32Array;
  private readonly starved: Int32Array;
  /** Reply bytes committed per slot since start; wraps like `settled`. */
  private readonly committed: Int32Array;
  private readonly backlogBytesMax: number;
  private claimOffset = 0;
  private claimOverflows = false;

  constructor(link: IoLinkHandle, replyBacklogBytesMax: number, toIo: BellChannel = {}) {
    this.ring = new RingProducer(link.replies);
    assert(
      this.ring.recordBytesMax >= HEAD_BYTES + PIECE_BYTES_MAX,
      () => `a reply ring of ${link.replies.capacity} bytes is too small`,
    );
    this.queue = new QueueGauge(link.replies.capacity, () => this.ring.usedBytes);
    this.ioBell = new Bell(link.ioBell, undefined, toIo);
    this.waits = waitWords(link);
    this.settled = settledBytes(link);
    this.starved = starvedFlags(link);
    this.committed = new Int32Array(link.slotCount);
    this.backlogBytesMax = replyBacklogBytesMax;
    this.bytes = this.ring.bytes;
    this.view = this.ring.view;
  }

  get congested(): boolean {
    return !this.overflow.isEmpty;
  }

  /** Something overflowed, and the io thread has drained since: a `flush` will make progress. */
  get roomCame(): boolean {
    return !this.overflow.isEmpty && Atomics.load(this.waits, CORE_WAITS) === 0;
  }

  claim(conn: ConnId, length: number): number {
    const offset = this.claimRecord(ReplyKind.bytes, HEAD_BYTES + length);
    this.view.setInt32(offset, conn, true);
    return offset + HEAD_BYTES;
  }

  commit(length: number, completesReply: boolean): void {
    const slot = this.view.getInt32(this.claimOffset, true) & CONN_SLOT_MASK;
    this.view.setInt32(this.claimOffset + CONN_BYTES, completesReply ? 1 : 0, true);
    this.committed[slot]! += length;
    this.commitRecord(HEAD_BYTES + length);
  }

  room(conn: ConnId): number {
    const slot = conn & CONN_SLOT_MASK;
    const room = this.roomNow(slot);
    if (room > 0) return room;
    // Announce, then look again: bytes settled in between would otherwise never be reported.
    Atomics.store(this.starved, slot, 1);
    const again = this.roomNow(slot);
    if (again > 0) Atomics.store(this.starved, slot, 0);
    return again;
  }

  close(conn: ConnId): void {
    this.control(ReplyKind.close, conn);
  }

  release(conn: ConnId): void {
    Atomics.store(this.starved, conn & CONN_SLOT_MASK, 0);
    this.control(ReplyKind.release, conn);
  }

  flush(): void {
    if (!this.overflow.isEmpty && !this.overflow.moveTo(this.ring)) {
      this.publish();
      Atomics.store(this.waits, CORE_WAITS, 1);
      this.overflow.moveTo(this.ring);
    }
    this.publish();
  }

  private roomNow(slot: number): number {
    return this.backlogBytesMax - ((this.committed[slot]! - Atomics.load(this.settled, slot)) | 0);
  }

  private control(kind: ReplyKind, conn: ConnId): void {
    const offset = this.claimRecord(kind, CONN_BYTES);
    this.view.setInt32(offset, conn, true);
    this.commitRecord(CONN_BYTES);
  }

  private claimRecord(kind: ReplyKind, length: number): number {
    let offset = this.overflow.isEmpty ? this.ring.claim(kind, length) : -1;
    this.claimOverflows = offset === -1;
    if (this.claimOverflows) {
      if (this.overflow.isEmpty) this.queue.fullCount++;
      this.publish(); // what is in the ring must move before more fits
      offset = this.overflow.claim(kind, length);
      this.bytes = this.overflow.bytes;
      this.view = this.overflow.view;
    } else {
      this.bytes = this.ring.bytes;
      this.view = this.ring.view;
    }
    this.claimOffset = offset;
    return offset;
  }

  private commitRecord(length: number): void {
    if (this.claimOverflows) this.overflow.commit(length);
    else this.ring.commit(length);
  }

  private publish(): void {
    if (!this.ring.publish()) return;
    this.queue.look();
    this.ioBell.ring();
  }
}

/** Io side. */
export class ReplyRingReader implements RecordHandler, BacklogObserver {
  private readonly ring: RingConsumer;
  private readonly coreBell: Bell;
  private readonly waits: Int32Array;
  private readonly settled: Int32Array;
  private readonly starved: Int32Array;
  private readonly table: ConnectionTable;
  private readonly onDrained: (conn: ConnId) => void;

  /** `onDrained`: the core waits for room on this connection, and there is some. */
  constructor(link: IoLinkHandle, table: ConnectionTable, onDrained: (conn: ConnId) => void) {
    this.ring = new RingConsumer(link.replies);
    this.coreBell = new Bell(link.coreBell);
    this.waits = waitWords(link);
    this.settled = settledBytes(link);
    this.starved = starvedFlags(link);
    this.table = table;
    this.onDrained = onDrained;
  }

  get isEmpty(): boolean {
    return this.ring.isEmpty;
  }

  /** Takes up to `limit` records; the caller flushes the table afterwards. */
  poll(limit: number): number {
    const count = this.ring.drain(this, limit);
    if (count > 0 && Atomics.load(this.waits, CORE_WAITS) === 1) {
      Atomics.store(this.waits, CORE_WAITS, 0);
      this.coreBell.ring();
    }
    return count;
  }

  onRecord(kind: number, offset: number, length: number): boolean {
    const view = this.ring.view;
    const slot = view.getInt32(offset, true) & CONN_SLOT_MASK;
    switch (kind) {
      case ReplyKind.bytes:
        this.onBytes(slot, offset, length);
        return true;
      case ReplyKind.close:
        this.table.shutdown(slot);
        return true;
      case ReplyKind.release:
        this.table.release(slot);
        return true;
      default:
        unreachable(`reply ring record of unknown kind ${kind}`);
    }
  }

  onSettled(slot: number, bytes: number): void {
    Atomics.add(this.settled, slot, bytes);
    if (Atomics.load(this.starved, slot) === 0 || this.table.isClosing(slot)) return;
    // The core may have more bytes under way than this side knows of; it then asks again, and those bytes settle too.
    if (this.table.backlogBytes(slot) * 2 > this.table.limits.replyBacklogBytesMax) return;
    Atomics.store(this.starved, slot, 0);
    this.onDrained(this.table.idBase + slot);
  }

  private onBytes(slot: number, offset: number, length: number): void {
    const bytes = length - HEAD_BYTES;
    if (this.table.isClosing(slot)) {
      this.onSettled(slot, bytes);
      return;
    }
    const slab = this.table.claim(slot, bytes);
    copy.call(this.ring.bytes, slab.bytes, slab.used, offset + HEAD_BYTES, offset + length);
    this.table.commit(slot, bytes, this.ring.view.getInt32(offset + CONN_BYTES, true) === 1);
  }
}

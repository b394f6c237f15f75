/**
 * The way from an io thread to the core over a ring: the writer is the io thread's `RequestPort`, the reader turns
 * records back into `CorePort` calls on the core thread, in the same order.
 *
 *     kind              payload (int32 little-endian unless said otherwise)
 *     CONNECT           conn | port | address, Latin-1
 *     FRAME             conn | the frame's payload
 *     DISCONNECT        conn
 *     DRAINED           conn
 *     FOUR_LETTER_WORD  conn | word | hasArgument | 0 | argument int64
 *
 * A full ring refuses frames only (they wait in their connection, whose socket is paused). The other kinds cannot be
 * refused: they are held in a queue, at most a few per connection, and while that queue is not empty frames are
 * refused too, so that nothing overtakes. No polling: the writer announces that it waits and looks again, the
 * reader looks for the announcement after it has given room back; see shm/bell.ts for why that loses nothing.
 */
import { assert, unreachable } from '../../base/assert.ts';
import type { CorePort } from '../../core/ports/core-port.ts';
import type { ConnId } from '../../core/ports/ports.ts';
import type { RequestPort } from '../../net/request-port.ts';
import { Bell, type BellChannel } from '../../shm/bell.ts';
import { type RecordHandler, RingConsumer, RingProducer } from '../../shm/ring.ts';
import type { IoMeter } from '../monitor/io-meter.ts';
import { QueueGauge } from '../monitor/queue-gauge.ts';
import { IO_WAITS, type IoLinkHandle, waitWords } from './io-link.ts';

const RequestKind = { connect: 1, frame: 2, disconnect: 3, drained: 4, fourLetterWord: 5 } as const;
type RequestKind = (typeof RequestKind)[keyof typeof RequestKind];

// Copies without making a view; any Uint8Array will do as `this`.
const { copy } = Buffer.prototype;

const CONN_BYTES = 4;
const ADDRESS_OFFSET = 8;
const WORD_BYTES = 24;
const WORD_ARGUMENT_OFFSET = 16;

interface HeldRecord {
  readonly kind: RequestKind;
  readonly payload: Buffer;
}

/** Io side. */
export class RequestRingWriter implements RequestPort {
  private readonly ring: RingProducer;
  private readonly coreBell: Bell;
  private readonly waits: Int32Array;
  private readonly held: HeldRecord[] = [];
  private waiting = false;
  private readonly meter: IoMeter;

  constructor(link: IoLinkHandle, frameBytesMax: number, meter: IoMeter) {
    this.ring = new RingProducer(link.requests);
    assert(
      this.ring.recordBytesMax >= CONN_BYTES + frameBytesMax,
      () => `a request ring of ${link.requests.capacity} bytes is too small for frames of ${frameBytesMax}`,
    );
    this.coreBell = new Bell(link.coreBell);
    this.waits = waitWords(link);
    this.meter = meter;
  }

  onFrame(conn: ConnId, bytes: Uint8Array, _view: DataView, start: number, end: number): boolean {
    const length = CONN_BYTES + end - start;
    const offset = this.claim(RequestKind.frame, length);
    if (offset === -1) return false;
    this.ring.view.setInt32(offset, conn, true);
    copy.call(bytes, this.ring.bytes, offset + CONN_BYTES, start, end);
    this.ring.commit(length);
    this.meter.onRequest(end - start);
    return true;
  }

  onConnect(conn: ConnId, address: string, port: number): void {
    const payload = Buffer.alloc(ADDRESS_OFFSET + address.length);
    payload.writeInt32LE(conn, 0);
    payload.writeInt32LE(port, CONN_BYTES);
    payload.write(address, ADDRESS_OFFSET, 'latin1');
    this.send({ kind: RequestKind.connect, payload });
  }

  onDisconnect(conn: ConnId): void {
    this.send(connRecord(RequestKind.disconnect, conn));
    this.publish();
  }

  onDrained(conn: ConnId): void {
    this.send(connRecord(RequestKind.drained, conn));
    this.publish();
  }

  onFourLetterWord(conn: ConnId, word: number, argument: bigint | null): void {
    this.meter.publish(true);
    const payload = Buffer.alloc(WORD_BYTES);
    payload.writeInt32LE(conn, 0);
    payload.writeInt32LE(word, CONN_BYTES);
    payload.writeInt32LE(argument === null ? 0 : 1, 8);
    payload.writeBigInt64LE(argument ?? 0n, WORD_ARGUMENT_OFFSET);
    this.send({ kind: RequestKind.fourLetterWord, payload });
  }

  onChunkEnd(): void {
    this.meter.onChunkEnd();
    this.publish();
  }

  /** Something was refused or held, and the core has drained since. */
  get roomCame(): boolean {
    return this.waiting && Atomics.load(this.waits, IO_WAITS) === 0;
  }

  /** After `roomCame`: writes what was held. True when frames may come again. */
  onRoom(): boolean {
    this.waiting = false;
    let count = 0;
    while (count < this.held.length && this.tryWrite(this.held[count]!)) count++;
    this.held.splice(0, count);
    this.publish();
    return this.held.length === 0;
  }

  private send(record: HeldRecord): void {
    if (this.held.length > 0 || !this.tryWrite(record)) this.held.push(record);
  }

  private tryWrite(record: HeldRecord): boolean {
    const offset = this.claimOrWait(record.kind, record.payload.length);
    if (offset === -1) return false;
    record.payload.copy(this.ring.bytes, offset);
    this.ring.commit(record.payload.length);
    return true;
  }

  private claim(kind: RequestKind, length: number): number {
    return this.held.length > 0 ? -1 : this.claimOrWait(kind, length);
  }

  private claimOrWait(kind: RequestKind, length: number): number {
    const offset = this.ring.claim(kind, length);
    if (offset !== -1) return offset;
    // Unpublished records in front would never be drained; then announce, and look once more.
    this.publish();
    this.waiting = true;
    Atomics.store(this.waits, IO_WAITS, 1);
    return this.ring.claim(kind, length);
  }

  private publish(): void {
    if (this.ring.publish()) this.coreBell.ring();
  }
}

/** Core side. */
export class RequestRingReader implements RecordHandler {
  readonly queue: QueueGauge;
  private readonly ring: RingConsumer;
  private readonly ioBell: Bell;
  private readonly waits: Int32Array;
  private readonly core: CorePort;
  private readonly replies: { readonly congested: boolean };
  private marked = 0;

  /** `replies`: the same io thread's sink; while it is congested no frame is taken. */
  constructor(
    link: IoLinkHandle,
    core: CorePort,
    replies: { readonly congested: boolean },
    toIo: BellChannel = {},
  ) {
    this.ring = new RingConsumer(link.requests);
    this.queue = new QueueGauge(link.requests.capacity, () => this.ring.usedBytes);
    this.ioBell = new Bell(link.ioBell, undefined, toIo);
    this.waits = waitWords(link);
    this.core = core;
    this.replies = replies;
  }

  /** `poll` would deliver nothing now; a thread may sleep on that, the bell rings when it changes. */
  get isEmpty(): boolean {
    return this.replies.congested || this.ring.isEmpty;
  }

  /** Remembers the last record that is there now; `isPastMark` once it has been delivered. */
  mark(): void {
    this.marked = this.ring.tail;
  }

  get isPastMark(): boolean {
    return ((this.ring.head - this.marked) | 0) >= 0;
  }

  /** Delivers up to `limit` records; returns how many. */
  poll(limit: number): number {
    this.queue.look();
    const count = this.ring.drain(this, limit);
    if (count > 0 && Atomics.load(this.waits, IO_WAITS) === 1) {
      Atomics.store(this.waits, IO_WAITS, 0);
      this.ioBell.ring();
    }
    return count;
  }

  onRecord(kind: number, offset: number, length: number): boolean {
    const { bytes, view } = this.ring;
    const conn = view.getInt32(offset, true);
    switch (kind) {
      case RequestKind.frame:
        if (this.replies.congested) return false;
        this.core.onFrame(conn, bytes, view, offset + CONN_BYTES, offset + length);
        return true;
      case RequestKind.connect:
        this.core.onConnect(
          conn,
          latin1(bytes, offset + ADDRESS_OFFSET, offset + length),
          view.getInt32(offset + 4, true),
        );
        return true;
      case RequestKind.disconnect:
        this.core.onDisconnect(conn);
        return true;
      case RequestKind.drained:
        this.core.onDrained(conn);
        return true;
      case RequestKind.fourLetterWord: {
        const argument =
          view.getInt32(offset + 8, true) === 0
            ? null
            : view.getBigInt64(offset + WORD_ARGUMENT_OFFSET, true);
        this.core.onFourLetterWord(conn, view.getInt32(offset + CONN_BYTES, true), argument);
        return true;
      }
      default:
        unreachable(`request ring record of unknown kind ${kind}`);
    }
  }
}

function connRecord(kind: RequestKind, conn: ConnId): HeldRecord {
  const payload = Buffer.alloc(CONN_BYTES);
  payload.writeInt32LE(conn);
  return { kind, payload };
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

/**
 * The replies of one connection on their way out: a chain of slabs being filled, written to the socket at once as far
 * as the kernel takes them; only what it leaves becomes a write in flight, at most one. While that waits for room,
 * new replies join the last slab of the chain instead of becoming writes of their own, so a client that reads slowly
 * costs memory for its bytes, not for its number of replies. Io thread only.
 *
 *     claim/commit             flush
 *   ──────────────▶ [first → … → last] ──── taken by the kernel at once ─────▶ pool
 *                    being filled    │                                           ▲
 *                                    └─ the rest ─▶ [inFlight → …] ── callback ──┘
 *
 * `bytes` counts everything committed and not yet taken. A slab whose write failed is never used again: the
 * kernel may still look at it.
 */
import { type ReplySlab, SLAB_BYTES, type SlabPool } from './reply-slab.ts';
import type { SocketPort } from './transport.ts';

export interface BacklogOwner {
  /** `bytes` left the backlog: in `flush`, in `discard`, or on a stack of its own. */
  onSettled(bytes: number): void;
}

// 2 MiB a flush, and then a write: fills any socket buffer, but a client that reads as fast as this thread writes does
// not keep it from the others.
const SLABS_PER_FLUSH_MAX = 16;

export class ReplyBacklog {
  bytes = 0;
  /** Taken by the kernel, or dropped, since the connection began. */
  sentBytes = 0;
  private readonly pool: SlabPool;
  private readonly socket: SocketPort;
  private readonly owner: BacklogOwner;
  private first: ReplySlab | null = null;
  private last: ReplySlab | null = null;
  private inFlight: ReplySlab | null = null;
  private inFlightBytes = 0;
  private seenSentBytes = 0;
  private seenQueuedBytes = 0;

  constructor(pool: SlabPool, socket: SocketPort, owner: BacklogOwner) {
    this.pool = pool;
    this.socket = socket;
    this.owner = owner;
  }

  /** Committed and not yet in the kernel: as `bytes`, but it also sees how far a write in flight has come. */
  get unsentBytes(): number {
    return this.bytes - this.inFlightBytes + this.socket.queuedBytes;
  }

  /** Has something to send of which nothing has left since it was asked last. */
  isStuck(): boolean {
    const { queuedBytes } = this.socket;
    const isStuck =
      this.inFlight !== null && this.sentBytes === this.seenSentBytes && queuedBytes === this.seenQueuedBytes;
    this.seenSentBytes = this.sentBytes;
    this.seenQueuedBytes = queuedBytes;
    return isStuck;
  }

  /** Slabs held. */
  get slabs(): number {
    let count = 0;
    for (let slab = this.inFlight; slab !== null; slab = slab.next) count++;
    for (let slab = this.first; slab !== null; slab = slab.next) count++;
    return count;
  }

  /** A slab with room for `length` bytes at its `used`. */
  claim(length: number): ReplySlab {
    const last = this.last;
    if (last !== null && SLAB_BYTES - last.used >= length) return last;
    const slab = this.pool.take();
    if (last === null) this.first = slab;
    else last.next = slab;
    this.last = slab;
    return slab;
  }

  /** Keeps the first `length` bytes of the last claim. */
  commit(length: number): void {
    this.last!.used += length;
    this.bytes += length;
  }

  /** Sends what is there, unless a write is in flight (its callback then goes on). */
  flush(): void {
    if (this.inFlight !== null) return;
    let sent = 0;
    for (let count = 0; this.first !== null && this.first.used > 0; count++) {
      const slab = this.first;
      const written = count < SLABS_PER_FLUSH_MAX ? this.socket.writeNow(slab.bytes, slab.used) : 0;
      sent += written;
      if (written < slab.used) {
        this.writeChain(slab, written);
        break;
      }
      this.first = slab.next;
      if (this.first === null) this.last = null;
      this.pool.give(slab);
    }
    if (sent > 0) this.settle(sent);
  }

  /** The socket is gone, nothing is claimed any more: everything still here counts as settled. */
  discard(): void {
    for (let slab = this.first; slab !== null; ) {
      const next: ReplySlab | null = slab.next;
      this.pool.give(slab);
      slab = next;
    }
    for (let slab = this.inFlight; slab !== null; slab = slab.next) this.pool.lose();
    this.first = null;
    this.last = null;
    this.inFlight = null;
    this.inFlightBytes = 0;
    const bytes = this.bytes;
    this.bytes = 0;
    if (bytes > 0) this.owner.onSettled(bytes);
  }

  // Corked, so that the chain leaves in one gathering write; only the last slab carries the callback.
  private writeChain(first: ReplySlab, offset: number): void {
    this.inFlight = first;
    this.inFlightBytes = -offset;
    this.socket.cork();
    let slab = first;
    for (let count = 1; ; count++) {
      this.inFlightBytes += slab.used;
      const isLast = slab.next === null || count === SLABS_PER_FLUSH_MAX;
      const bytes = slab.bytes.subarray(slab === first ? offset : 0, slab.used);
      this.socket.write(bytes, isLast ? (error) => this.onWritten(error) : undefined);
      if (slab.next === null || isLast) break;
      slab = slab.next;
    }
    this.socket.uncork();
    this.first = slab.next;
    if (this.first === null) this.last = null;
    slab.next = null;
  }

  private onWritten(error?: Error | null): void {
    if (error != null || this.inFlight === null) return; // `discard` settles the bytes when the socket closes
    for (let slab: ReplySlab | null = this.inFlight; slab !== null; ) {
      const next: ReplySlab | null = slab.next;
      this.pool.give(slab);
      slab = next;
    }
    const bytes = this.inFlightBytes;
    this.inFlight = null;
    this.inFlightBytes = 0;
    this.settle(bytes);
    this.flush();
  }

  private settle(bytes: number): void {
    this.bytes -= bytes;
    this.sentBytes += bytes;
    this.owner.onSettled(bytes);
  }
}

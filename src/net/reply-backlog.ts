/**
 * The replies of one connection on their way out: a chain of slabs being filled, and behind the socket at most one
 * write in flight. While a write is in flight new replies join the last slab of the chain instead of becoming
 * writes of their own, so a client that reads slowly costs memory for its bytes, not for its number of replies.
 * Io thread only.
 *
 *     claim/commit            flush                      write callback
 *   ──────────────▶ [first → … → last] ──────▶ [inFlight → …] ──────▶ pool
 *                    being filled               kernel reads them
 *
 * `bytes` counts everything committed and not yet called back. A slab whose write failed is never used again: the
 * kernel may still look at it.
 */
import type { Socket } from 'node:net';
import { type ReplySlab, SLAB_BYTES, type SlabPool } from './reply-slab.ts';

export interface BacklogOwner {
  /** `bytes` left the backlog; called outside of `flush`, on its own stack or from `discard`. */
  onSettled(bytes: number): void;
}

// 2 MiB a write: large enough for one system call to fill any socket buffer, small enough to hand slabs back soon.
const SLABS_PER_WRITE_MAX = 16;

export class ReplyBacklog {
  bytes = 0;
  private readonly pool: SlabPool;
  private readonly socket: Socket;
  private readonly owner: BacklogOwner;
  private first: ReplySlab | null = null;
  private last: ReplySlab | null = null;
  private inFlight: ReplySlab | null = null;
  private inFlightBytes = 0;

  constructor(pool: SlabPool, socket: Socket, owner: BacklogOwner) {
    this.pool = pool;
    this.socket = socket;
    this.owner = owner;
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

  /** Hands the chain to the socket unless a write is in flight (its callback then goes on). */
  flush(): void {
    const first = this.first;
    if (first === null || this.inFlight !== null) return;
    let count = 1;
    let bytes = first.used;
    let end = first;
    while (end.next !== null && count < SLABS_PER_WRITE_MAX) {
      end = end.next;
      bytes += end.used;
      count++;
    }
    if (bytes === 0) return; // claimed and not used yet
    this.first = end.next;
    if (this.first === null) this.last = null;
    end.next = null;
    this.inFlight = first;
    this.inFlightBytes = bytes;
    if (count === 1) this.socket.write(filled(first), this.onWritten);
    else this.writeChain(first);
  }

  /** The socket is gone, nothing is claimed any more: everything still here counts as settled. */
  discard(): void {
    for (let slab = this.first; slab !== null; ) {
      const next: ReplySlab | null = slab.next;
      this.pool.give(slab);
      slab = next;
    }
    this.first = null;
    this.last = null;
    this.inFlight = null;
    const bytes = this.bytes;
    this.bytes = 0;
    if (bytes > 0) this.owner.onSettled(bytes);
  }

  // Corked, so that the chain leaves in one gathering write; only the last slab carries the callback.
  private writeChain(first: ReplySlab): void {
    this.socket.cork();
    for (let slab: ReplySlab | null = first; slab !== null; slab = slab.next) {
      if (slab.next === null) this.socket.write(filled(slab), this.onWritten);
      else this.socket.write(filled(slab));
    }
    this.socket.uncork();
  }

  private readonly onWritten = (error?: Error | null): void => {
    if (error != null || this.inFlight === null) return; // `discard` settles the bytes when the socket closes
    for (let slab: ReplySlab | null = this.inFlight; slab !== null; ) {
      const next: ReplySlab | null = slab.next;
      this.pool.give(slab);
      slab = next;
    }
    const bytes = this.inFlightBytes;
    this.inFlight = null;
    this.inFlightBytes = 0;
    this.bytes -= bytes;
    this.flush();
    this.owner.onSettled(bytes);
  };
}

function filled(slab: ReplySlab): Buffer {
  return slab.used === SLAB_BYTES ? slab.bytes : slab.bytes.subarray(0, slab.used);
}

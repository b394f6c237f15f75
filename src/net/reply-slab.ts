/**
 * Fixed blocks in which replies are assembled. A connection holds slabs only while it has bytes to send, so ten
 * thousand idle connections cost none; the pool is last-in-first-out, so that a busy thread keeps writing into
 * the same few slabs, which the processor still has in its cache. One pool per io thread, not shared.
 */

/** Holds one 64 KiB piece at any fill level up to half, and a hundred replies of 1 KiB. */
export const SLAB_BYTES = 128 * 1024;
// 16 MiB kept for the next burst; what a burst needs beyond that goes back to the system.
const IDLE_SLABS_MAX = 128;

export class ReplySlab {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  readonly view: DataView = new DataView(this.bytes.buffer, this.bytes.byteOffset, SLAB_BYTES);
  used = 0;
  /** The slab written after this one on the same connection. */
  next: ReplySlab | null = null;
}

export class SlabPool {
  /** Takes bytes that nobody will read: replies to a connection that is gone. */
  readonly discard: ReplySlab = new ReplySlab();
  /** Taken and not given back. */
  inUse = 0;
  private idle: ReplySlab | null = null;
  private idleCount = 0;

  take(): ReplySlab {
    this.inUse++;
    const slab = this.idle;
    if (slab === null) return new ReplySlab();
    this.idle = slab.next;
    this.idleCount--;
    slab.next = null;
    return slab;
  }

  give(slab: ReplySlab): void {
    this.inUse--;
    if (this.idleCount === IDLE_SLABS_MAX) return;
    slab.used = 0;
    slab.next = this.idle;
    this.idle = slab;
    this.idleCount++;
  }

  /** It will not come back: the kernel may still look at it. */
  lose(): void {
    this.inUse--;
  }
}

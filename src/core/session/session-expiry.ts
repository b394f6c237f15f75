/**
 * Which sessions have not been heard of for too long. Core thread, pure: the caller brings the time (monotonic).
 *
 * A session expires at the end of a bucket of one tick, so that many expire together:
 *
 *     expiryTime = (floor((touched + timeout) / tick) + 1) × tick         between timeout and timeout + tick
 *
 * A touch moves nothing: it only makes `touchedMs` later. A session stands in the bucket computed when it was
 * last placed, which is never later than the true one; when that bucket comes due, a session that has been
 * touched since moves on to its true bucket and the others expire. So a session costs one move per timeout,
 * however many requests it makes. Only `renegotiate` may make the true bucket earlier, and places at once.
 *
 *     bucket 12000: s3 ⇄ s8        due: s3 was touched → bucket 16000, s8 was not → expired
 *     bucket 14000: s1
 */
import { assert } from '../../base/assert.ts';
import { EMPTY_RING, RingLinks } from '../collections/ring-links.ts';
import type { SessionSlot, SessionTable } from './session-table.ts';
import { NO_SESSION } from './session-table.ts';

const NO_BUCKET = -1;

export class SessionExpiry {
  private readonly sessions: SessionTable;
  private readonly tickMs: number;
  /** Bucket time -> head of the ring of its sessions. */
  private readonly buckets = new Map<number, SessionSlot>();
  /** By slot: the bucket it stands in. */
  private bucketMs = new Float64Array(0);
  private readonly links = new RingLinks();
  /** The next bucket to come due. */
  private nextMs: number;

  constructor(sessions: SessionTable, tickMs: number, nowMs: number) {
    assert(tickMs > 0, 'tick must be positive');
    this.sessions = sessions;
    this.tickMs = tickMs;
    this.nextMs = this.roundUp(nowMs);
  }

  /** When a session expires if it is not touched any more. */
  expiryTimeMs(slot: SessionSlot): number {
    return this.roundUp(this.sessions.touchedMs[slot]! + this.sessions.touchTimeoutMs[slot]!);
  }

  /** Starts to watch over a session that has just been created (and so touched). */
  add(slot: SessionSlot): void {
    this.reserveColumns();
    assert(this.bucketMs[slot] === NO_BUCKET, 'session is already in a bucket');
    // While there was nothing to watch the ticks were not counted.
    if (this.buckets.size === 0) {
      this.nextMs = Math.max(this.nextMs, this.roundUp(this.sessions.touchedMs[slot]!));
    }
    this.place(slot);
  }

  /** Stops to watch over it; nothing happens when it has expired already. */
  remove(slot: SessionSlot): void {
    if (slot < this.bucketMs.length && this.bucketMs[slot] !== NO_BUCKET) this.unlink(slot);
  }

  /** A reconnect agreed on a timeout that may be shorter: counts as a touch. */
  renegotiate(slot: SessionSlot, timeoutMs: number, nowMs: number): void {
    this.sessions.touchTimeoutMs[slot] = timeoutMs;
    this.sessions.touch(slot, nowMs);
    this.remove(slot);
    this.place(slot);
  }

  /** The server has just started, or leads: every known session that is not local gets its full original timeout. */
  restart(nowMs: number): void {
    this.nextMs = this.roundUp(nowMs);
    this.reserveColumns();
    for (let slot = this.sessions.next(0); slot !== NO_SESSION; slot = this.sessions.next(slot + 1)) {
      if (!this.sessions.isLocal(slot)) this.renegotiate(slot, this.sessions.timeoutMs[slot]!, nowMs);
    }
  }

  /**
   * Calls `onExpired` once for each session whose time has come and that is not closing already; it is then no
   * longer watched. The receiver may close, remove and create sessions, and says whether it takes more now.
   *
   * Looks at `countMax` sessions at most, because 100,000 may be due together. False: there are more, call again; one
   * that is touched until then goes on living.
   */
  expire(nowMs: number, countMax: number, onExpired: (slot: SessionSlot) => boolean): boolean {
    if (this.buckets.size === 0) this.nextMs = Math.max(this.nextMs, this.roundUp(nowMs));
    for (let left = countMax; ; ) {
      // The bucket in work is the one before `nextMs`: whatever is placed from here on lands in a later one.
      const dueMs = this.nextMs - this.tickMs;
      for (let slot = this.buckets.get(dueMs); slot !== undefined; slot = this.buckets.get(dueMs)) {
        if (left-- === 0) return false;
        this.unlink(slot);
        if (this.expiryTimeMs(slot) > dueMs) this.place(slot);
        else if (!this.sessions.isClosing(slot) && !onExpired(slot)) return false;
      }
      if (this.nextMs > nowMs) return true;
      this.nextMs += this.tickMs;
    }
  }

  /** When `expire` is worth calling next; Infinity while there is no session. */
  get deadlineMs(): number {
    return this.buckets.size === 0 ? Number.POSITIVE_INFINITY : this.nextMs;
  }

  /** For the `dump` word, as in Apache: the buckets that are there, those too that all sessions have left behind. */
  bucketTimes(): IterableIterator<number> {
    return this.buckets.keys();
  }

  /** Whether the session stands in a bucket. */
  isWatched(slot: SessionSlot): boolean {
    return slot < this.bucketMs.length && this.bucketMs[slot] !== NO_BUCKET;
  }

  private roundUp(timeMs: number): number {
    return (Math.floor(timeMs / this.tickMs) + 1) * this.tickMs;
  }

  private place(slot: SessionSlot): void {
    // A session that is added long after its last touch must not land in a bucket that has passed.
    const timeMs = Math.max(this.expiryTimeMs(slot), this.nextMs);
    this.bucketMs[slot] = timeMs;
    this.buckets.set(timeMs, this.links.append(this.buckets.get(timeMs) ?? EMPTY_RING, slot));
  }

  private unlink(slot: SessionSlot): void {
    const timeMs = this.bucketMs[slot]!;
    const head = this.links.remove(this.buckets.get(timeMs)!, slot);
    if (head === EMPTY_RING) this.buckets.delete(timeMs);
    else this.buckets.set(timeMs, head);
    this.bucketMs[slot] = NO_BUCKET;
  }

  private reserveColumns(): void {
    const capacity = this.sessions.touchedMs.length;
    const old = this.bucketMs;
    if (old.length === capacity) return;
    this.bucketMs = new Float64Array(capacity).fill(NO_BUCKET, old.length);
    this.bucketMs.set(old);
    this.links.reserve(capacity);
  }
}

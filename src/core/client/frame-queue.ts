/**
 * What one connection has waiting, in the order of its requests: a byte FIFO. Frames are copied because their
 * buffer belongs to the io side. Bounded by the io side's window per connection.
 *
 *   entry, 8-byte aligned: write float64 | receivedMs float64 | length int32 | pad 4 | frame bytes | pad 0-7
 *
 *   a request   that may run once `write` (its number, write-numbers.ts) is committed; UNEVALUATED: nobody has looked at it yet
 *   a marker    length −1: the place of write number `write`, proposed past the requests before it;
 *               its reply may leave only when the marker is at the head
 */
import { assert } from '../../base/assert.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { Frame } from './frame.ts';

/** Not looked at yet: evaluate it as if it had just arrived. */
export const UNEVALUATED = -1;

/** A write that has had its number and is to be made again. */
export interface ReturnedWrite {
  readonly write: number;
  readonly receivedMs: number;
  /** Header and record. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const HEAD_BYTES = 24;
const LENGTH_AT = 16;
const MARKER_LENGTH = -1;
const TAKEN_MARKERS_MAX = 1024;
const CAPACITY_MIN = 4096;
const CAPACITY_KEPT = 64 * CAPACITY_MIN;

export class FrameQueue {
  count = 0;
  /** How many requests have not been looked at yet. */
  unevaluated = 0;
  /** Numbers of the markers whose writes have not committed yet, from `markerAt` on. */
  private readonly markerWrites: number[] = [];
  private markerAt = 0;
  bytes = new Uint8Array(0);
  view = new DataView(this.bytes.buffer);
  private doubles = new Float64Array(0);
  private readAt = 0;
  private writeAt = 0;

  /** The write that must be committed before the head may run, or UNEVALUATED; a marker's own. */
  get headWrite(): number {
    return this.doubles[this.readAt >> 3]!;
  }
  get headIsMarker(): boolean {
    return this.view.getInt32(this.readAt + LENGTH_AT, true) === MARKER_LENGTH;
  }
  private get headEnd(): number {
    return this.readAt + HEAD_BYTES + Math.max(0, this.view.getInt32(this.readAt + LENGTH_AT, true));
  }

  /** The head has been looked at: it waits for this write. */
  evaluateHead(write: number): void {
    this.unevaluated--;
    this.doubles[this.readAt >> 3] = write;
  }

  push(request: Frame, afterWrite: number): void {
    const length = request.end - request.headerStart;
    const at = this.append(length, afterWrite, request.receivedMs);
    this.view.setInt32(at + LENGTH_AT, length, true);
    copyBytes(request.bytes, request.headerStart, length, this.bytes, at + HEAD_BYTES);
    if (afterWrite === UNEVALUATED) this.unevaluated++;
  }

  /** The request at the head; valid until something is pushed. */
  viewHead(into: Frame): void {
    const start = this.readAt + HEAD_BYTES;
    into.moveTo(this.bytes, this.view, start, this.headEnd, this.doubles[(this.readAt >> 3) + 1]!);
  }

  pushMarker(write: number): void {
    const at = this.append(0, write, 0);
    this.view.setInt32(at + LENGTH_AT, MARKER_LENGTH, true);
    this.markerWrites.push(write);
  }

  /** Whether the write that is about to commit left a marker. */
  isMarked(write: number): boolean {
    return this.markerWrites[this.markerAt] === write;
  }

  /** The marker at the head goes, with the commit of its write. */
  takeMarker(): void {
    assert(this.headIsMarker && this.isMarked(this.headWrite), 'not the marker of the oldest write');
    this.shift();
    this.markerAt++;
    if (this.markerAt === this.markerWrites.length) {
      this.forgetMarkers();
    } else if (this.markerAt === TAKEN_MARKERS_MAX) {
      this.markerWrites.splice(0, TAKEN_MARKERS_MAX);
      this.markerAt = 0;
    }
  }

  /** Writes behind `write` have been taken back: what is to wait for one of them waits for that. */
  waitAtMostFor(write: number): void {
    for (let at = this.readAt; at < this.writeAt; ) {
      if (this.doubles[at >> 3]! > write) this.doubles[at >> 3] = write;
      const length = Math.max(0, this.view.getInt32(at + LENGTH_AT, true));
      at += (HEAD_BYTES + length + 7) & ~7;
    }
  }

  /**
   * Nobody has looked at any of it: `writes`, the oldest first, have not been made after all and stand in their places among
   * the requests that were to run behind them.
   */
  beginAgain(writes: readonly ReturnedWrite[]): void {
    const { bytes, view, doubles, readAt, writeAt } = this;
    this.clear();
    this.adopt(new Uint8Array(0));
    const frame = new Frame();
    let next = 0;
    const returnUpTo = (number: number): void => {
      for (; next < writes.length && writes[next]!.write <= number; next++) {
        const { bytes: own, receivedMs } = writes[next]!;
        frame.moveTo(own, new DataView(own.buffer), 0, own.length, receivedMs);
        this.push(frame, UNEVALUATED);
      }
    };
    for (let at = readAt; at < writeAt; ) {
      const number = doubles[at >> 3]!;
      const length = view.getInt32(at + LENGTH_AT, true);
      const end = at + HEAD_BYTES + Math.max(0, length);
      returnUpTo(number === UNEVALUATED ? Number.POSITIVE_INFINITY : number);
      if (length !== MARKER_LENGTH) {
        frame.moveTo(bytes, view, at + HEAD_BYTES, end, doubles[(at >> 3) + 1]!);
        this.push(frame, UNEVALUATED);
      }
      at = (end + 7) & ~7;
    }
    returnUpTo(Number.POSITIVE_INFINITY);
  }

  shift(): void {
    assert(this.count > 0, 'shift of an empty frame queue');
    if (!this.headIsMarker && this.headWrite === UNEVALUATED) this.unevaluated--;
    this.readAt = (this.headEnd + 7) & ~7;
    this.count--;
    if (this.count === 0) this.rewind();
  }

  /** Forgets everything. */
  clear(): void {
    this.forgetMarkers();
    this.rewind();
  }

  private forgetMarkers(): void {
    this.markerWrites.length = 0;
    this.markerAt = 0;
  }

  // Nothing is left: begins again at the front, and gives a large buffer back.
  private rewind(): void {
    this.count = 0;
    this.unevaluated = 0;
    this.readAt = 0;
    this.writeAt = 0;
    if (this.bytes.length > CAPACITY_KEPT) this.adopt(new Uint8Array(0));
  }

  private append(length: number, write: number, receivedMs: number): number {
    const needed = (HEAD_BYTES + length + 7) & ~7;
    if (this.writeAt + needed > this.bytes.length) this.makeRoom(needed);
    const at = this.writeAt;
    this.doubles[at >> 3] = write;
    this.doubles[(at >> 3) + 1] = receivedMs;
    this.writeAt += needed;
    this.count++;
    return at;
  }

  // Slides the live bytes to the front, or moves them to a buffer twice as large.
  private makeRoom(needed: number): void {
    const live = this.writeAt - this.readAt;
    let capacity = Math.max(this.bytes.length, CAPACITY_MIN);
    while (live + needed > capacity / 2) capacity *= 2;
    if (capacity > this.bytes.length) {
      const larger = new Uint8Array(capacity);
      larger.set(this.bytes.subarray(this.readAt, this.writeAt));
      this.adopt(larger);
    } else {
      this.bytes.copyWithin(0, this.readAt, this.writeAt);
    }
    this.readAt = 0;
    this.writeAt = live;
  }

  private adopt(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.doubles = new Float64Array(bytes.buffer);
  }
}

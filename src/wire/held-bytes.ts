/**
 * Bytes of a stream that had to be copied, because what they begin is not complete or nobody takes it. One owner; memory grows
 * with the bytes that arrive, never with a length somebody merely declares.
 */
import { EMPTY_BYTES, EMPTY_VIEW } from './flyweight.ts';

// What a connection keeps for the next part; larger buffers go back to the heap with what was in them.
const BYTES_KEPT = 4096;
const BYTES_MIN = 256;

export class HeldBytes {
  /** They are `[start, end)` of it. */
  bytes: Uint8Array = EMPTY_BYTES;
  view: DataView = EMPTY_VIEW;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Appends a copy of `source[from, to)`. */
  append(source: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    if (this.start > 0) this.compact();
    const needed = this.end + to - from;
    if (needed > this.bytes.length) {
      // Doubling, so that a large record in many chunks is copied twice at most on average.
      const bigger = new Uint8Array(Math.max(needed, this.bytes.length * 2, BYTES_MIN));
      bigger.set(this.bytes.subarray(0, this.end));
      this.bytes = bigger;
      this.view = new DataView(bigger.buffer);
    }
    this.bytes.set(source.subarray(from, to), this.end);
    this.end = needed;
  }

  /** Forgets the first `count` bytes. */
  take(count: number): void {
    this.start += count;
  }

  clear(): void {
    this.start = 0;
    this.end = 0;
    this.bytes = EMPTY_BYTES;
    this.view = EMPTY_VIEW;
  }

  /** Moves what is left to the front, where a partial record has to begin, and gives a large buffer back. */
  compact(): void {
    const left = this.length;
    if (left > 0 && this.start > 0) this.bytes.copyWithin(0, this.start, this.end);
    this.start = 0;
    this.end = left;
    if (left === 0 && this.bytes.length > BYTES_KEPT) this.clear();
  }
}

/**
 * Requests of one connection that must wait, as a byte FIFO: a read behind the same session's uncommitted
 * write, or anything behind a write that the log has no room for. The bytes are copied because the frame's
 * buffer belongs to the io side. Bounded by the io side's window per connection.
 *
 *   entry, 8-byte aligned: afterZxid float64 | receivedMs float64 | length int32 | pad 4 | frame bytes | pad 0-7
 */
import { copyBytes } from '../../wire/copy-bytes.ts';
import { assert } from '../../base/assert.ts';

/** Not looked at yet: evaluate it as if it had just arrived. */
export const UNEVALUATED = -1;

const HEAD_BYTES = 24;
const LENGTH_AT = 16;
const CAPACITY_MIN = 4096;

export class FrameQueue {
  count = 0;
  /** How many entries have not been looked at yet. */
  unevaluated = 0;
  bytes = new Uint8Array(0);
  view = new DataView(this.bytes.buffer);
  private doubles = new Float64Array(0);
  private readAt = 0;
  private writeAt = 0;

  /** The zxid that must be committed before the head may run, or UNEVALUATED. */
  get headZxid(): number {
    return this.doubles[this.readAt >> 3]!;
  }
  /** The head has been looked at: it waits for this zxid. */
  evaluateHead(zxid: number): void {
    this.unevaluated--;
    this.doubles[this.readAt >> 3] = zxid;
  }
  get headReceivedMs(): number {
    return this.doubles[(this.readAt >> 3) + 1]!;
  }
  get headStart(): number {
    return this.readAt + HEAD_BYTES;
  }
  get headEnd(): number {
    return this.readAt + HEAD_BYTES + this.view.getInt32(this.readAt + LENGTH_AT, true);
  }

  push(bytes: Uint8Array, start: number, end: number, afterZxid: number, receivedMs: number): void {
    const length = end - start;
    const needed = (HEAD_BYTES + length + 7) & ~7;
    if (this.writeAt + needed > this.bytes.length) this.makeRoom(needed);
    this.doubles[this.writeAt >> 3] = afterZxid;
    this.doubles[(this.writeAt >> 3) + 1] = receivedMs;
    this.view.setInt32(this.writeAt + LENGTH_AT, length, true);
    copyBytes(bytes, start, length, this.bytes, this.writeAt + HEAD_BYTES);
    this.writeAt += needed;
    this.count++;
    if (afterZxid === UNEVALUATED) this.unevaluated++;
  }

  shift(): void {
    assert(this.count > 0, 'shift of an empty frame queue');
    if (this.headZxid === UNEVALUATED) this.unevaluated--;
    this.readAt = (this.headEnd + 7) & ~7;
    this.count--;
    if (this.count === 0) this.clear();
  }

  /** Forgets everything; gives a large buffer back. */
  clear(): void {
    this.count = 0;
    this.unevaluated = 0;
    this.readAt = 0;
    this.writeAt = 0;
    if (this.bytes.length > 64 * CAPACITY_MIN) this.adopt(new Uint8Array(0));
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

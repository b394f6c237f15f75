/**
 * The memory of the znode store: a list of fixed 64 MiB shared segments that only ever grows. One writer adds
 * segments and allocates inside them (`arena.ts`); any thread that got the buffers may read.
 *
 * An offset is a positive int32 that counts grains of 16 bytes over all segments:
 *
 *     31 30          22 21                  0
 *     |0| segment (9)  | grain (22)           |      512 segments x 64 MiB = 32 GiB
 *
 *     list[offset >>> SEGMENT_GRAIN_SHIFT], byte (offset & SEGMENT_GRAIN_MASK) << GRAIN_SHIFT
 *
 * 0 is never a valid offset. Fixed segments and not one growable buffer, because V8 reads a length-tracking view ten
 * times slower. A fresh segment (one that no store has given back) takes address space only: the system commits its pages when they are first touched.
 */
import { assert } from '../base/assert.ts';

export const GRAIN_SHIFT = 4;
export const SEGMENT_BYTES = 64 * 1024 * 1024;
export const SEGMENT_GRAIN_SHIFT = 22;
export const SEGMENT_GRAIN_MASK = (1 << SEGMENT_GRAIN_SHIFT) - 1;
export const SEGMENTS_MAX = 2 ** 31 / 2 ** SEGMENT_GRAIN_SHIFT;

/** One segment under the three views that its users need; all cover the whole of it. */
export interface Segment {
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;
}

/** Segments that a store has given back, for the next one: shared memory comes back from V8 late. */
export class SegmentPool {
  private readonly spare: SharedArrayBuffer[] = [];

  /** Bytes that nobody uses. */
  get bytes(): number {
    return this.spare.length * SEGMENT_BYTES;
  }

  /** With whatever its last user has left in it. */
  take(): SharedArrayBuffer {
    return this.spare.pop() ?? new SharedArrayBuffer(SEGMENT_BYTES);
  }

  giveBack(buffer: SharedArrayBuffer): void {
    this.spare.push(buffer);
  }
}

export class Segments {
  readonly list: Segment[] = [];
  private readonly pool: SegmentPool;

  /** Empty, or over the buffers of another thread's segments. */
  constructor(buffers: readonly SharedArrayBuffer[] = [], pool = new SegmentPool()) {
    this.pool = pool;
    for (const buffer of buffers) this.attach(buffer);
  }

  /** Adds a segment, whose content means nothing. Only the writer. */
  grow(): void {
    this.attach(this.pool.take());
  }

  /** The store is at its end, and no thread reads it any more: the memory goes back to the pool. */
  giveBack(): void {
    for (const { buffer } of this.list.splice(0)) this.pool.giveBack(buffer);
  }

  /** What a reader on another thread needs; segments added later are not in it. */
  buffers(): SharedArrayBuffer[] {
    return this.list.map((segment) => segment.buffer);
  }

  private attach(buffer: SharedArrayBuffer): void {
    assert(this.list.length < SEGMENTS_MAX, 'all segments are in use');
    assert(buffer.byteLength === SEGMENT_BYTES, 'a segment has a fixed size');
    const bytes = new Uint8Array(buffer);
    this.list.push({ buffer, bytes, words: new Int32Array(buffer), view: new DataView(buffer) });
  }
}

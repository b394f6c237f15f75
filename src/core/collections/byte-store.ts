/**
 * Many short byte strings in one growing buffer, for tables that keep paths by the hundred thousand: a Uint8Array
 * object apiece would cost several times the path. Core thread only.
 *
 * A string gets a block of its size class; freed blocks are linked through their first bytes and used again by
 * the next string of the class, so steady churn neither grows the buffer nor pauses to compact it.
 *
 *     classes 0..63: 16, 32, 48 ... 1024 bytes; then 2 KiB, 4 KiB ... doubling
 */
import { assert } from '../../base/assert.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { grownBytes } from './columns.ts';

const GRAIN = 16;
const LINEAR_CLASSES = 64;
const LINEAR_BYTES_MAX = GRAIN * LINEAR_CLASSES;
const DOUBLING_CLASSES = 21;
const NONE = -1;
/** Offsets are int32. */
const STORE_BYTES_MAX = 2 ** 31;

export class ByteStore {
  /** Changes when the buffer grows: read it anew after every `add`. */
  bytes = new Uint8Array(1024);
  private links = new Int32Array(this.bytes.buffer);
  private end = 0;
  private readonly bytesMax: number;
  /** Of the blocks that hold strings. */
  liveBytes = 0;
  private readonly freeHeads = new Int32Array(LINEAR_CLASSES + DOUBLING_CLASSES).fill(NONE);

  /** `bytesMax`: of all blocks, free ones too; at most what an offset can name. */
  constructor(bytesMax = STORE_BYTES_MAX) {
    this.bytesMax = Math.min(bytesMax, STORE_BYTES_MAX);
  }

  /** Stores a copy and returns its offset. */
  add(source: Uint8Array, start: number, length: number): number {
    const sizeClass = classOf(length);
    this.liveBytes += classBytes(sizeClass);
    let offset = this.freeHeads[sizeClass]!;
    if (offset === NONE) {
      offset = this.end;
      this.end += classBytes(sizeClass);
      if (this.end > this.bytes.length) this.grow();
    } else {
      this.freeHeads[sizeClass] = this.links[offset >> 2]!;
    }
    copyBytes(source, start, length, this.bytes, offset);
    return offset;
  }

  /** Gives back what `add` returned for a string of this length. */
  free(offset: number, length: number): void {
    const sizeClass = classOf(length);
    this.liveBytes -= classBytes(sizeClass);
    this.links[offset >> 2] = this.freeHeads[sizeClass]!;
    this.freeHeads[sizeClass] = offset;
  }

  /** Whether `add` has room for a string of this length; the callers' limit on what clients may pile up. */
  fits(length: number): boolean {
    const sizeClass = classOf(length);
    return this.freeHeads[sizeClass] !== NONE || this.end + classBytes(sizeClass) <= this.bytesMax;
  }

  /** Of all blocks, free ones too. */
  get usedBytes(): number {
    return this.end;
  }

  private grow(): void {
    let capacity = this.bytes.length * 2;
    while (capacity < this.end) capacity *= 2;
    assert(capacity <= STORE_BYTES_MAX, 'byte store is full');
    this.bytes = grownBytes(this.bytes, capacity);
    this.links = new Int32Array(this.bytes.buffer);
  }
}

function classOf(length: number): number {
  if (length <= LINEAR_BYTES_MAX) return length === 0 ? 0 : ((length + GRAIN - 1) >> 4) - 1;
  // 1025..2048 is the first doubling class: 32 - clz32(length - 1) is 11 there.
  return LINEAR_CLASSES + 21 - Math.clz32(length - 1);
}

function classBytes(sizeClass: number): number {
  if (sizeClass < LINEAR_CLASSES) return (sizeClass + 1) * GRAIN;
  return LINEAR_BYTES_MAX * 2 ** (sizeClass - LINEAR_CLASSES + 1);
}

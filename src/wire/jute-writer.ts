/**
 * Writing jute. `JuteWriter` is for values (clients, tests, tools) and grows as needed; `writeBytesAt` is for the
 * data plane, which has claimed its room and allocates nothing. Any thread; a writer has one owner.
 */
import { assert } from '../base/assert.ts';
import { highOf, lowOf, writeInt64 } from '../base/int64.ts';
import { copyBytes } from './copy-bytes.ts';
import { UTF8_BYTES_PER_UNIT_MAX, writeCesu8, writeUtf8 } from './utf8.ts';

/** A `buffer` or `ustring` from a slice, length -1 for null; returns the offset behind it. */
export function writeBytesAt(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  source: Uint8Array,
  sourceStart: number,
  length: number,
): number {
  view.setInt32(offset, length);
  if (length <= 0) return offset + 4;
  copyBytes(source, sourceStart, length, bytes, offset + 4);
  return offset + 4 + length;
}

/** How strings leave: clients write UTF-8, Apache's server CESU-8 (see utf8.ts). */
export type StringEncoding = 'utf8' | 'cesu8';

export class JuteWriter {
  /** Bytes written so far. */
  length = 0;
  private bytes: Uint8Array;
  private view: DataView;
  private readonly encode: typeof writeUtf8;

  constructor(capacity = 256, encoding: StringEncoding = 'utf8') {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.encode = encoding === 'utf8' ? writeUtf8 : writeCesu8;
  }

  writeBool(value: boolean): void {
    const offset = this.claim(1);
    this.bytes[offset] = value ? 1 : 0;
  }

  writeInt(value: number): void {
    const offset = this.claim(4);
    this.view.setInt32(offset, value);
  }

  writeLong(value: number): void {
    assert(Number.isSafeInteger(value), () => `${value} is no safe integer`);
    const offset = this.claim(8);
    writeInt64(this.view, offset, value);
  }

  writeBigLong(value: bigint): void {
    const offset = this.claim(8);
    this.view.setInt32(offset, highOf(value));
    this.view.setInt32(offset + 4, lowOf(value));
  }

  writeBuffer(value: Uint8Array | null): void {
    this.writeInt(value === null ? -1 : value.length);
    if (value === null) return;
    const offset = this.claim(value.length);
    this.bytes.set(value, offset);
  }

  writeString(value: string | null): void {
    if (value === null) {
      this.writeInt(-1);
      return;
    }
    const lengthAt = this.beginBuffer();
    const start = this.claim(value.length * UTF8_BYTES_PER_UNIT_MAX);
    this.length = this.encode(value, this.bytes, start);
    this.endBuffer(lengthAt);
  }

  writeVector<T>(items: readonly T[] | null, write: (writer: JuteWriter, item: T) => void): void {
    this.writeInt(items === null ? -1 : items.length);
    if (items === null) return;
    for (const item of items) write(this, item);
  }

  /**
   * Begins a `buffer` whose content is written next, and a frame, whose prefix is the same. `endBuffer` takes
   * the returned offset and fills in the length.
   */
  beginBuffer(): number {
    return this.claim(4);
  }

  endBuffer(lengthAt: number): void {
    this.view.setInt32(lengthAt, this.length - lengthAt - 4);
  }

  /** A copy of everything written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length) as Uint8Array<ArrayBuffer>;
  }

  /** Everything written, without a copy: valid until the next write. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Forgets what was written and keeps the room. */
  reset(): void {
    this.length = 0;
  }

  /** May replace `bytes` and `view`: claim first, then name them. */
  private claim(length: number): number {
    const start = this.length;
    const end = start + length;
    if (end > this.bytes.length) this.grow(end);
    this.length = end;
    return start;
  }

  private grow(needed: number): void {
    const bigger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bigger.set(this.bytes.subarray(0, this.length));
    this.bytes = bigger;
    this.view = new DataView(bigger.buffer);
  }
}

/** Element writer for `writeVector`. */
export function writeString(writer: JuteWriter, value: string | null): void {
  writer.writeString(value);
}

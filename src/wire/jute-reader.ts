/**
 * Jute primitives as values, for clients, tests and tools: reads forward over a slice of bytes and throws
 * MalformedRecord when it does not hold what is asked for. Everything it returns is a copy. The data plane uses
 * flyweights instead. Any thread.
 *
 *     bool 1 | int 4 | long 8, big endian
 *     buffer, ustring:  i32 n | n bytes          n = -1: null
 *     vector<T>:        i32 count | elements     count = -1: null, other negatives: empty
 */
import { joinHalves, readInt64 } from '../base/int64.ts';
import { decodeUtf8 } from './utf8.ts';

/** Bytes that are no record of the expected kind. */
export class MalformedRecord extends Error {
  override readonly name = 'MalformedRecord';
}

export class JuteReader {
  position: number;
  readonly end: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(
    bytes: Uint8Array,
    view: DataView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    start = 0,
    end: number = bytes.length,
  ) {
    this.bytes = bytes;
    this.view = view;
    this.position = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  readBool(): boolean {
    return this.view.getUint8(this.take(1, 'a boolean')) !== 0;
  }

  readInt(): number {
    return this.view.getInt32(this.take(4, 'an int'));
  }

  /** A long that has to be a safe integer: zxids, times, sizes. */
  readLong(): number {
    const start = this.take(8, 'a long');
    const value = readInt64(this.view, start);
    if (!Number.isSafeInteger(value)) this.fail('a long within 2^53', start);
    return value;
  }

  /** A long that may use all 64 bits: session ids, owners, digests. */
  readBigLong(): bigint {
    const start = this.take(8, 'a long');
    return joinHalves(this.view.getInt32(start), this.view.getInt32(start + 4));
  }

  readBuffer(): Uint8Array | null {
    const length = this.readLength('the length of a buffer');
    if (length === -1) return null;
    const start = this.take(length, 'the bytes of a buffer');
    return this.bytes.slice(start, start + length);
  }

  readString(): string | null {
    const length = this.readLength('the length of a string');
    if (length === -1) return null;
    const start = this.take(length, 'the bytes of a string');
    return decodeUtf8(this.bytes, start, start + length);
  }

  /** A string where null makes no sense. */
  readText(): string {
    const start = this.position;
    return this.readString() ?? this.fail('a string other than null', start);
  }

  /** `read` is called once per element; every jute element that a vector can hold takes at least 4 bytes. */
  readVector<T>(read: (reader: JuteReader) => T): T[] | null {
    const start = this.position;
    const count = this.readInt();
    if (count === -1) return null;
    if (count > this.remaining / 4) this.fail('a vector that fits into the record', start);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(this));
    return items;
  }

  /** A vector where null reads as empty. */
  readList<T>(read: (reader: JuteReader) => T): T[] {
    return this.readVector(read) ?? [];
  }

  /** @throws MalformedRecord always: what stands at `offset` is not `expected`. */
  fail(expected: string, offset: number = this.position): never {
    throw new MalformedRecord(`expected ${expected} at byte ${offset}, before the end at byte ${this.end}`);
  }

  private readLength(what: string): number {
    const start = this.position;
    const length = this.readInt();
    if (length < -1) this.fail(what, start);
    return length;
  }

  private take(length: number, what: string): number {
    const start = this.position;
    if (length > this.end - start) this.fail(what);
    this.position = start + length;
    return start;
  }
}

/** Element reader for `readVector`. */
export function readText(reader: JuteReader): string {
  return reader.readText();
}

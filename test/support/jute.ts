/**
 * Jute for tests: a growing writer and a reading cursor. Deliberately apart from src/wire, for two reasons: the
 * oracle of a codec must not share its bugs, and tests must be able to write what no correct encoder would.
 */

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

export class JuteWriter {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  byte(value: number): this {
    const at = this.grow(1);
    this.bytes[at] = value;
    return this;
  }

  bool(value: boolean): this {
    return this.byte(value ? 1 : 0);
  }

  int(value: number): this {
    const at = this.grow(4);
    this.view.setInt32(at, value);
    return this;
  }

  long(value: bigint): this {
    const at = this.grow(8);
    this.view.setBigInt64(at, value);
    return this;
  }

  /** Length and bytes; null is length -1. */
  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int(-1);
    return this.int(value.length).raw(value);
  }

  string(value: string | null): this {
    return this.buffer(value === null ? null : ENCODER.encode(value));
  }

  strings(values: readonly (string | null)[]): this {
    this.int(values.length);
    for (const value of values) this.string(value);
    return this;
  }

  /** Bytes as they are, without a length. */
  raw(value: Uint8Array): this {
    const at = this.grow(value.length);
    this.bytes.set(value, at);
    return this;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private grow(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Throws RangeError when the bytes end early: in a reply of a server that is a finding of its own. */
export class JuteReader {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  byte(): number {
    return this.view.getInt8(this.advance(1));
  }

  bool(): boolean {
    return this.byte() !== 0;
  }

  int(): number {
    return this.view.getInt32(this.advance(4));
  }

  long(): bigint {
    return this.view.getBigInt64(this.advance(8));
  }

  buffer(): Uint8Array | null {
    const length = this.int();
    if (length === -1) return null;
    const at = this.advance(length);
    return this.bytes.subarray(at, at + length);
  }

  string(): string | null {
    const bytes = this.buffer();
    return bytes === null ? null : DECODER.decode(bytes);
  }

  strings(): (string | null)[] {
    const count = this.int();
    const values: (string | null)[] = [];
    for (let i = 0; i < count; i++) values.push(this.string());
    return values;
  }

  private advance(count: number): number {
    const at = this.offset;
    if (count < 0 || at + count > this.bytes.length)
      throw new RangeError(`${count} bytes wanted at ${at} of ${this.bytes.length}`);
    this.offset = at + count;
    return at;
  }
}

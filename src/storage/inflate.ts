/**
 * Streaming DEFLATE decoder (RFC 1951) that works synchronously: Node's own offers whole buffers synchronously or
 * streams asynchronously, while recovery blocks its thread and a snapshot may not fit into memory twice.
 *
 *     block    1 bit final | 2 bits kind: 0 stored, 1 fixed codes, 2 dynamic codes
 *     output   +------------------------+--------------------------------------+-------+
 *              | 32 KiB already handed  | room for the next turn               | slack |
 *              +------------------------+--------------------------------------+-------+
 *              a match copies from at most 32 KiB back, so that much stays in front; slack = longest match
 *
 * Codes are decoded by one lookup: the table of a block has 2^longest entries `symbol << 4 | length`.
 * All input goes through the bit reader, including what surrounds the deflated data.
 */
import type { ByteWindow } from './byte-window.ts';

const HISTORY_BYTES = 32 * 1024;
const TURN_BYTES = 128 * 1024;
const MATCH_BYTES_MAX = 258;
const CODE_BITS_MAX = 15;
const END_OF_BLOCK = 256;

const LENGTH_BASE = Uint16Array.of(
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31],
  ...[35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258],
);
const LENGTH_EXTRA = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
);
const DISTANCE_BASE = Uint16Array.of(
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769],
  ...[1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577],
);
const DISTANCE_EXTRA = Uint8Array.of(
  ...[0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13],
);
const CODE_LENGTH_ORDER = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15);

/** Thrown for input that no encoder produces; the caller adds file and offset. */
export class InflateError extends Error {
  override readonly name = 'InflateError';
}

interface CodeTable {
  readonly entries: Uint16Array;
  readonly bits: number;
}

const BlockState = { header: 0, stored: 1, coded: 2, done: 3 } as const;
type BlockState = (typeof BlockState)[keyof typeof BlockState];

export class Inflater {
  /** Fresh output is `out[outStart, outEnd)` after each `decode`. */
  readonly out = new Uint8Array(HISTORY_BYTES + TURN_BYTES + MATCH_BYTES_MAX);
  outStart = 0;
  outEnd = 0;
  private readonly input: ByteWindow;
  private bitBuffer = 0;
  private bitCount = 0;
  private state: BlockState = BlockState.header;
  private finalBlock = false;
  private storedLeft = 0;
  private literals: CodeTable = FIXED_LITERALS;
  private distances: CodeTable = FIXED_DISTANCES;

  constructor(input: ByteWindow) {
    this.input = input;
  }

  /** Prepares for the next deflated stream in the same input. */
  reset(): void {
    this.state = BlockState.header;
    this.outStart = 0;
    this.outEnd = 0;
  }

  /** Whether no input is left, not even in the bit buffer; call after `alignToByte`. */
  atEnd(): boolean {
    return this.bitCount === 0 && !this.input.ensure(1);
  }

  alignToByte(): void {
    this.drop(this.bitCount & 7);
  }

  /** The next `count` <= 16 bits, least significant first. */
  bits(count: number): number {
    while (this.bitCount < count) this.loadByte();
    const value = this.bitBuffer & ((1 << count) - 1);
    this.drop(count);
    return value;
  }

  /** Decodes up to one turn of output; false when the stream is complete and nothing came. */
  decode(): boolean {
    this.slide();
    const limit = HISTORY_BYTES + TURN_BYTES;
    while (this.outEnd < limit && this.state !== BlockState.done) {
      if (this.state === BlockState.header) this.beginBlock();
      else if (this.state === BlockState.stored) this.copyStored(limit);
      else this.decodeSymbols(limit);
    }
    return this.outEnd > this.outStart;
  }

  private slide(): void {
    const keep = Math.min(this.outEnd, HISTORY_BYTES);
    this.out.copyWithin(0, this.outEnd - keep, this.outEnd);
    this.outStart = keep;
    this.outEnd = keep;
  }

  private beginBlock(): void {
    this.finalBlock = this.bits(1) === 1;
    const kind = this.bits(2);
    if (kind === 3) throw new InflateError('unknown block kind');
    if (kind === 0) {
      this.alignToByte();
      this.storedLeft = this.bits(16);
      if ((this.bits(16) ^ 0xffff) !== this.storedLeft) throw new InflateError('bad stored block length');
      this.state = BlockState.stored;
      return;
    }
    if (kind === 1) {
      this.literals = FIXED_LITERALS;
      this.distances = FIXED_DISTANCES;
    } else {
      this.readCodes();
    }
    this.state = BlockState.coded;
  }

  private endBlock(): void {
    this.state = this.finalBlock ? BlockState.done : BlockState.header;
  }

  private copyStored(limit: number): void {
    while (this.storedLeft > 0 && this.outEnd < limit) {
      if (this.bitCount > 0) {
        this.out[this.outEnd++] = this.bits(8);
        this.storedLeft--;
        continue;
      }
      const input = this.input;
      if (!input.ensure(1)) throw new InflateError('the data ends early');
      const count = Math.min(this.storedLeft, limit - this.outEnd, input.end - input.start);
      this.out.set(input.bytes.subarray(input.start, input.start + count), this.outEnd);
      input.start += count;
      this.outEnd += count;
      this.storedLeft -= count;
    }
    if (this.storedLeft === 0) this.endBlock();
  }

  private decodeSymbols(limit: number): void {
    const out = this.out;
    const { literals, distances } = this;
    let to = this.outEnd;
    while (to < limit) {
      const symbol = this.symbol(literals);
      if (symbol < END_OF_BLOCK) {
        out[to++] = symbol;
        continue;
      }
      if (symbol === END_OF_BLOCK) {
        this.endBlock();
        break;
      }
      const lengthCode = symbol - 257;
      if (lengthCode >= LENGTH_BASE.length) throw new InflateError('bad length code');
      const length = LENGTH_BASE[lengthCode]! + this.bits(LENGTH_EXTRA[lengthCode]!);
      const distanceCode = this.symbol(distances);
      if (distanceCode >= DISTANCE_BASE.length) throw new InflateError('bad distance code');
      const distance = DISTANCE_BASE[distanceCode]! + this.bits(DISTANCE_EXTRA[distanceCode]!);
      if (distance > to) throw new InflateError('a match reaches before the start');
      for (const stop = to + length; to < stop; to++) out[to] = out[to - distance]!;
    }
    this.outEnd = to;
  }

  // Looks ahead up to `table.bits`; near the end of the input fewer may exist, then zeros stand in, and a code
  // that would use them is an error.
  private symbol(table: CodeTable): number {
    while (this.bitCount < table.bits && this.tryLoadByte());
    const entry = table.entries[this.bitBuffer & ((1 << table.bits) - 1)]!;
    const length = entry & 15;
    if (length === 0) throw new InflateError('unknown code');
    if (length > this.bitCount) throw new InflateError('the data ends early');
    this.drop(length);
    return entry >>> 4;
  }

  private readCodes(): void {
    const literalCount = this.bits(5) + 257;
    const distanceCount = this.bits(5) + 1;
    const orderCount = this.bits(4) + 4;
    const orderLengths = new Uint8Array(CODE_LENGTH_ORDER.length);
    for (let i = 0; i < orderCount; i++) orderLengths[CODE_LENGTH_ORDER[i]!] = this.bits(3);
    const table = makeTable(orderLengths, 0, orderLengths.length);
    const total = literalCount + distanceCount;
    const lengths = new Uint8Array(total);
    let at = 0;
    while (at < total) {
      const symbol = this.symbol(table);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) throw new InflateError('a repeat without a length before');
      const value = symbol === 16 ? lengths[at - 1]! : 0;
      const repeat = symbol === 16 ? 3 + this.bits(2) : symbol === 17 ? 3 + this.bits(3) : 11 + this.bits(7);
      if (at + repeat > total) throw new InflateError('a repeat beyond the last code');
      lengths.fill(value, at, at + repeat);
      at += repeat;
    }
    this.literals = makeTable(lengths, 0, literalCount);
    this.distances = makeTable(lengths, literalCount, total);
  }

  private drop(count: number): void {
    this.bitBuffer >>>= count;
    this.bitCount -= count;
  }

  private loadByte(): void {
    if (!this.tryLoadByte()) throw new InflateError('the data ends early');
  }

  private tryLoadByte(): boolean {
    const input = this.input;
    if (input.start === input.end && !input.ensure(1)) return false;
    this.bitBuffer |= input.bytes[input.start++]! << this.bitCount;
    this.bitCount += 8;
    return true;
  }
}

/** Canonical code of `lengths[start, end)`: shorter codes first, then by symbol; bits are stored reversed. */
function makeTable(lengths: Uint8Array, start: number, end: number): CodeTable {
  const counts = new Uint16Array(CODE_BITS_MAX + 1);
  for (let i = start; i < end; i++) counts[lengths[i]!]!++;
  counts[0] = 0;
  let bits = CODE_BITS_MAX;
  while (bits > 1 && counts[bits] === 0) bits--;
  const nextCode = new Uint16Array(CODE_BITS_MAX + 1);
  let code = 0;
  for (let length = 1; length <= bits; length++) {
    code = (code + counts[length - 1]!) << 1;
    if (code + counts[length]! > 1 << length) throw new InflateError('more codes than bits');
    nextCode[length] = code;
  }
  const entries = new Uint16Array(1 << bits);
  for (let i = start; i < end; i++) {
    const length = lengths[i]!;
    if (length === 0) continue;
    const entry = ((i - start) << 4) | length;
    const step = 1 << length;
    for (let at = reverse(nextCode[length]!++, length); at < entries.length; at += step) entries[at] = entry;
  }
  return { entries, bits };
}

function reverse(code: number, length: number): number {
  let reversed = 0;
  for (let i = 0; i < length; i++) reversed = (reversed << 1) | ((code >>> i) & 1);
  return reversed;
}

const FIXED_LITERALS = makeTable(fixedLiteralLengths(), 0, 288);
const FIXED_DISTANCES = makeTable(new Uint8Array(30).fill(5), 0, 30);

function fixedLiteralLengths(): Uint8Array {
  return new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
}

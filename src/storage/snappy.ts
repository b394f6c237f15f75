/**
 * The stream format of Java's SnappyOutputStream, both ways; snapshot and recovery threads.
 *
 *     +----------------------------+-----------+-----------------+-----------+-----------------+ …
 *     | 82 "SNAPPY" 00 | 1 | 1     | int32 len | raw block       | int32 len | raw block       |
 *     +----------------------------+-----------+-----------------+-----------+-----------------+ …
 *      magic 8, version, compatible version (int32 each)
 *     block  varint uncompressed length, then elements, tag in the low two bits of the first byte:
 *            00 literal, 01/10/11 copy from `offset` bytes back (11-, 16-, 32-bit offset)
 *
 * Blocks are compressed by the `snappyjs` package. Decoding is our own, because the package's decoder never ends
 * on a literal whose length has its top bit set, and a flipped bit on disk must not hang a server.
 */
/// <reference path="./snappyjs.d.ts" />
import { compress } from 'snappyjs';
import { CorruptionFailure } from '../base/failure.ts';
import { type ByteSource, ByteWindow } from './byte-window.ts';

const MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
export const SNAPPY_MAGIC: Readonly<Uint8Array> = MAGIC;
const HEADER_BYTES = 16;
/** Java's block size. */
const BLOCK_BYTES = 32 * 1024;
/** Sanity bound on reading; Java's writer can be configured up to 512 MiB, ZooKeeper never does. */
const BLOCK_BYTES_MAX = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

export function snappyHeader(): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  const view = new DataView(header.buffer);
  view.setInt32(8, 1);
  view.setInt32(12, 1);
  return header;
}

/** Compresses `bytes[start, end)` block by block; each block is handed to `write` with its length in front. */
export function snappyBlocks(
  bytes: Uint8Array,
  start: number,
  end: number,
  write: (framed: Uint8Array) => void,
): void {
  for (let at = start; at < end; at += BLOCK_BYTES) {
    const block = compress(bytes.subarray(at, Math.min(at + BLOCK_BYTES, end)));
    const framed = new Uint8Array(4 + block.length);
    new DataView(framed.buffer).setInt32(0, block.length);
    framed.set(block, 4);
    write(framed);
  }
}

/** The uncompressed bytes of a snappy stream. */
export class SnappySource implements ByteSource {
  private readonly window: ByteWindow;
  private readonly path: string;
  private started = false;
  private block = new Uint8Array(BLOCK_BYTES);
  private blockAt = 0;
  private blockEnd = 0;

  constructor(source: ByteSource, path: string) {
    this.window = new ByteWindow(source, CHUNK_BYTES);
    this.path = path;
  }

  read(into: Uint8Array, at: number, length: number): number {
    if (!this.started) this.readHeader();
    while (this.blockAt === this.blockEnd) if (!this.readBlock()) return 0;
    const count = Math.min(length, this.blockEnd - this.blockAt);
    into.set(this.block.subarray(this.blockAt, this.blockAt + count), at);
    this.blockAt += count;
    return count;
  }

  private readHeader(): void {
    this.started = true;
    if (!this.window.ensure(HEADER_BYTES)) throw this.corrupt('the stream header is cut short');
    for (let i = 0; i < MAGIC.length; i++) {
      if (this.window.bytes[i] !== MAGIC[i]) throw this.corrupt('the magic number is wrong');
    }
    this.window.start += HEADER_BYTES;
  }

  private readBlock(): boolean {
    const window = this.window;
    if (!window.ensure(1)) return false;
    if (!window.ensure(4)) throw this.corrupt('a block length is cut short');
    const length = window.view.getInt32(window.start);
    if (length <= 0 || length > BLOCK_BYTES_MAX) throw this.corrupt(`unreasonable block length ${length}`);
    if (!window.ensure(4 + length)) throw this.corrupt('the last block is cut short');
    window.start += 4;
    this.decodeBlock(window.bytes, window.start, window.start + length);
    window.start += length;
    return true;
  }

  private decodeBlock(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    let uncompressed = 0;
    for (let shift = 0; ; shift += 7) {
      if (at === end || shift > 28) throw this.corrupt('a block has no valid length');
      const byte = bytes[at++]!;
      uncompressed += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (uncompressed > BLOCK_BYTES_MAX) throw this.corrupt(`unreasonable block of ${uncompressed} bytes`);
    if (uncompressed > this.block.length) this.block = new Uint8Array(uncompressed);
    if (!decodeElements(bytes, at, end, this.block, uncompressed)) throw this.corrupt('a block is damaged');
    this.blockAt = 0;
    this.blockEnd = uncompressed;
  }

  private corrupt(reason: string): CorruptionFailure {
    return new CorruptionFailure(`${this.path} is corrupt near offset ${this.window.offset}: ${reason}`);
  }
}

/** Decodes the elements of one block; false unless they fill exactly `out[0, outEnd)`. */
function decodeElements(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outEnd: number,
): boolean {
  let at = start;
  let to = 0;
  while (at < end) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    // Bytes of the number behind the tag: a literal's length if it exceeds 60, or a copy's offset.
    const extra = kind === 0 ? Math.max(0, (tag >>> 2) - 59) : kind === 3 ? 4 : kind;
    if (at + extra > end) return false;
    let number = 0;
    for (let i = extra - 1; i >= 0; i--) number = number * 256 + bytes[at + i]!;
    at += extra;
    if (kind === 0) {
      const length = 1 + (extra === 0 ? tag >>> 2 : number);
      if (at + length > end || to + length > outEnd) return false;
      out.set(bytes.subarray(at, at + length), to);
      at += length;
      to += length;
    } else {
      const length = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
      const offset = kind === 1 ? ((tag >>> 5) << 8) + number : number;
      if (offset === 0 || offset > to || to + length > outEnd) return false;
      // Source and target may overlap, that is how runs are coded: forward, byte by byte, at most 64.
      for (const stop = to + length; to < stop; to++) out[to] = out[to - offset]!;
    }
  }
  return to === outEnd;
}

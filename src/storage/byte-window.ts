/**
 * A sequential byte stream seen through a sliding buffer: the reader asks for the next n bytes to lie in one
 * piece and works on them in place. Shared by log reader, snapshot reader and decompressors; recovery thread.
 *
 *          0          start                 end         capacity
 *     +----+----------+---------------------+-----------+
 *     |  consumed     |  loaded, unread     |  free     |      streamOffset = position of byte 0 in the stream
 *     +---------------+---------------------+-----------+
 *
 * The buffer grows only as bytes really arrive, so a length field that lies cannot make it allocate.
 */
import type { DiskFile } from './disk.ts';

export interface ByteSource {
  /** Reads 1 to `length` bytes into `into[at…]`; 0 = end of stream, or nothing more there for now. */
  read(into: Uint8Array, at: number, length: number): number;
}

/** The bytes of a file from its start. */
export class FileSource implements ByteSource {
  private readonly file: DiskFile;
  private position = 0;

  constructor(file: DiskFile) {
    this.file = file;
  }

  read(into: Uint8Array, at: number, length: number): number {
    const count = this.file.read(into, at, length, this.position);
    this.position += count;
    return count;
  }
}

/** Bytes that come in pieces: a socket's. A piece is kept, not copied, until it has been read. */
export class ChunkSource implements ByteSource {
  private readonly chunks: Uint8Array[] = [];
  private position = 0;

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.chunks.push(chunk);
  }

  read(into: Uint8Array, at: number, length: number): number {
    const chunk = this.chunks[0];
    if (chunk === undefined) return 0;
    const count = Math.min(length, chunk.length - this.position);
    into.set(chunk.subarray(this.position, this.position + count), at);
    this.position += count;
    if (this.position === chunk.length) {
      this.chunks.shift();
      this.position = 0;
    }
    return count;
  }
}

export class ByteWindow {
  /** Replaced when the window grows: do not hold on to these across `ensure`. */
  bytes: Uint8Array;
  view: DataView;
  /** First unread byte; the reader advances it. */
  start = 0;
  end = 0;
  private streamOffset = 0;
  private readonly source: ByteSource;

  constructor(source: ByteSource, capacityBytes: number) {
    this.source = source;
    this.bytes = new Uint8Array(capacityBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Position in the stream of the first unread byte. */
  get offset(): number {
    return this.streamOffset + this.start;
  }

  /** Makes the next `length` bytes lie at `start`; false when the stream ends before. Moves `start`. */
  ensure(length: number): boolean {
    return this.end - this.start >= length || this.load(length);
  }

  private load(length: number): boolean {
    if (this.start > 0) {
      this.bytes.copyWithin(0, this.start, this.end);
      this.streamOffset += this.start;
      this.end -= this.start;
      this.start = 0;
    }
    while (this.end < length) {
      if (this.end === this.bytes.length) this.grow();
      const count = this.source.read(this.bytes, this.end, this.bytes.length - this.end);
      if (count === 0) return false;
      this.end += count;
    }
    return true;
  }

  private grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

/**
 * gzip (RFC 1952) for snapshots. Writing makes one member per chunk, so that memory stays bounded; members may
 * follow each other and Java's reader joins them. Reading takes any number of members of any size.
 *
 *     member   1f 8b | 08 | flags | mtime 4 | 2 | [extra][name][comment][crc16] | deflated data | crc32 | size
 *
 * Reading needs a decoder that works synchronously on a stream: recovery blocks its thread, a snapshot may not fit into
 * memory twice, and Node's own inflates whole buffers synchronously or streams asynchronously. `pako` is zlib in JavaScript with
 * zlib's own calls: it stops when the output given to it is full, and checks header and trailer of each member.
 */
import { gzipSync } from 'node:zlib';
import {
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateReset,
} from 'pako';
import { assert } from '../base/assert.ts';
import { CorruptionFailure } from '../base/failure.ts';
import { type ByteSource, ByteWindow } from './byte-window.ts';

export const GZIP_MAGIC: Readonly<Uint8Array> = Uint8Array.of(0x1f, 0x8b);
const CHUNK_BYTES = 64 * 1024;
/** The largest history, and 16: nothing but gzip. */
const GZIP_WINDOW_BITS = 15 + 16;

/** One complete member holding `bytes[start, end)`. */
export function gzipMember(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return gzipSync(bytes.subarray(start, end));
}

/** The uncompressed bytes of a gzip stream. */
export class GunzipSource implements ByteSource {
  private readonly window: ByteWindow;
  private readonly stream = new ZStream();
  private readonly path: string;
  private inMember = false;
  private memberCount = 0;

  constructor(source: ByteSource, path: string) {
    this.window = new ByteWindow(source, CHUNK_BYTES);
    this.path = path;
    assert(zlibInflateInit2(this.stream, GZIP_WINDOW_BITS) === Z_OK, 'the decoder takes gzip');
  }

  read(into: Uint8Array<ArrayBuffer>, at: number, length: number): number {
    const { window, stream } = this;
    stream.output = into;
    stream.next_out = at;
    stream.avail_out = length;
    while (stream.avail_out === length) {
      if (!window.ensure(1)) {
        if (this.inMember || this.memberCount === 0) throw this.corrupt('the data ends early');
        return 0;
      }
      if (!this.inMember) this.beginMember();
      stream.input = window.bytes;
      stream.next_in = window.start;
      stream.avail_in = window.end - window.start;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      window.start = stream.next_in;
      if (status === Z_STREAM_END) this.inMember = false;
      else if (status !== Z_OK && status !== Z_BUF_ERROR) throw this.corrupt(stream.msg);
    }
    return length - stream.avail_out;
  }

  private beginMember(): void {
    if (this.memberCount++ > 0) zlibInflateReset(this.stream);
    this.inMember = true;
  }

  private corrupt(reason: string): CorruptionFailure {
    return new CorruptionFailure(
      `${this.path} is corrupt near offset ${this.window.offset}: gzip: ${reason || 'no valid data'}`,
    );
  }
}

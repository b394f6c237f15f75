/**
 * Cuts a connection's byte stream into request frames without copying: a frame inside a chunk is reported where it
 * lies, and only one that a chunk's end cuts is put together elsewhere. One splitter per connection.
 *
 *     chunk:  ...rest of n | len xid op record | len xid op record | len xi       cut: kept until the rest comes
 *                            ^start        ^end
 */
import { FRAME_BYTES_SANE_MAX, FRAME_PREFIX_BYTES } from '../../src/wire/limits.ts';

const CUT_BYTES_FIRST = 256;

export class RequestSplitter {
  /** Where the frame lies that `next` reported: behind its length, `[start, end)`; valid until the next call. */
  bytes: Buffer;
  view: DataView;
  start = 0;
  end = 0;
  /** Set when the stream cannot be frames; the connection must be closed. */
  malformed = false;

  private chunk: Buffer;
  private chunkView: DataView;
  private position = 0;
  private cut: Buffer = Buffer.alloc(CUT_BYTES_FIRST);
  private cutView = viewOf(this.cut);
  private cutHave = 0;

  constructor() {
    this.bytes = this.chunk = this.cut;
    this.view = this.chunkView = this.cutView;
  }

  /** Starts on the next chunk of the stream. */
  begin(chunk: Buffer): void {
    this.chunk = chunk;
    this.chunkView = viewOf(chunk);
    this.position = 0;
  }

  /** True when there is a whole frame; false when the chunk is used up. */
  next(): boolean {
    if (this.cutHave > 0) return this.completeCut();
    const { position, chunkView } = this;
    const have = this.chunk.length - position;
    if (have < FRAME_PREFIX_BYTES) return this.keep(have);
    const length = chunkView.getInt32(position);
    if (length < 0 || length > FRAME_BYTES_SANE_MAX) return this.fail();
    if (have < FRAME_PREFIX_BYTES + length) return this.keep(have);
    if (this.bytes !== this.chunk) {
      this.bytes = this.chunk;
      this.view = chunkView;
    }
    this.start = position + FRAME_PREFIX_BYTES;
    this.end = this.position = position + FRAME_PREFIX_BYTES + length;
    return true;
  }

  private completeCut(): boolean {
    this.keep(Math.max(0, FRAME_PREFIX_BYTES - this.cutHave));
    if (this.cutHave < FRAME_PREFIX_BYTES) return false;
    const length = this.cutView.getInt32(0);
    if (length < 0 || length > FRAME_BYTES_SANE_MAX) return this.fail();
    this.keep(FRAME_PREFIX_BYTES + length - this.cutHave);
    if (this.cutHave < FRAME_PREFIX_BYTES + length) return false;
    this.bytes = this.cut;
    this.view = this.cutView;
    this.start = FRAME_PREFIX_BYTES;
    this.end = FRAME_PREFIX_BYTES + length;
    this.cutHave = 0;
    return true;
  }

  /** Moves up to `count` bytes of the chunk to the cut frame. */
  private keep(count: number): false {
    const take = Math.min(count, this.chunk.length - this.position);
    const needed = this.cutHave + take;
    if (needed > this.cut.length) {
      const bigger = Buffer.alloc(Math.max(needed, 2 * this.cut.length));
      bigger.set(this.cut.subarray(0, this.cutHave));
      this.cut = bigger;
      this.cutView = viewOf(bigger);
    }
    this.cut.set(this.chunk.subarray(this.position, this.position + take), this.cutHave);
    this.cutHave = needed;
    this.position += take;
    return false;
  }

  private fail(): false {
    this.malformed = true;
    this.position = this.chunk.length;
    return false;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

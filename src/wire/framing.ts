/**
 * Cuts a TCP stream into frames. A frame that lies wholly inside an arriving chunk is handed over where it is;
 * only a frame that spans chunks, and what is left when the handler stops, is copied. Memory grows with the
 * bytes that arrive, never with a length somebody merely declares, and a length outside the limit is refused as
 * soon as its four bytes are there. One splitter per connection, on its io thread; not reentrant: the handler
 * must not call `push` or `resume`.
 *
 *     frame:  i32 length | payload          0 <= length <= frameBytesMax
 *
 *                    handler returns false
 *        splitting ─────────────────────────▶ stopped   push: keeps the bytes
 *            │    ◀─────────────────────────     │
 *            │       resume, all taken           │
 *            └── bad length ──▶ refused ◀────────┘      push and resume do nothing
 */

import { HeldBytes } from './held-bytes.ts';
import { FRAME_PREFIX_BYTES } from './limits.ts';

export interface FrameHandler {
  /**
   * One payload, without its prefix, at `[start, end)`; the bytes are valid during the call only. False: stop
   * here, this frame is not taken; `resume` offers it again.
   */
  onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean;
}

export const FrameStatus = {
  ok: 0,
  /** The handler took no more; what is left is kept for `resume`. */
  stopped: 1,
  /** A negative length, or one over the limit: the stream cannot be trusted any more, close it. */
  tooLong: 2,
} as const;
export type FrameStatus = (typeof FrameStatus)[keyof typeof FrameStatus];

export class FrameSplitter {
  /** Of `tooLong`: what stood in place of the length. */
  badLength = 0;
  private readonly frameBytesMax: number;
  private readonly handler: FrameHandler;
  private status: FrameStatus = FrameStatus.ok;
  private view: DataView | null = null;
  // While splitting, at most one partial frame.
  private readonly held = new HeldBytes();

  constructor(frameBytesMax: number, handler: FrameHandler) {
    this.frameBytesMax = frameBytesMax;
    this.handler = handler;
  }

  /** Bytes received and not yet taken by the handler. */
  get bufferedBytes(): number {
    return this.held.length;
  }

  /** Takes the next bytes of the stream; `chunk` may be reused as soon as the call returns. */
  push(chunk: Uint8Array): FrameStatus {
    return this.pushFirst(chunk, this.viewOf(chunk), chunk.length);
  }

  /** Chunks of one client lie at the beginning of one buffer, again and again: its view is kept. */
  private viewOf(chunk: Uint8Array): DataView {
    const { buffer, byteOffset, byteLength } = chunk;
    if (byteOffset !== 0) return new DataView(buffer, byteOffset, byteLength);
    if (this.view?.buffer !== buffer) this.view = new DataView(buffer);
    return this.view;
  }

  /** As `push`, for the first `length` bytes of a buffer that has its view already. */
  pushFirst(bytes: Uint8Array, view: DataView, length: number): FrameStatus {
    let offset = 0;
    if (this.is(FrameStatus.ok) && this.held.end > 0) offset = this.completeHeld(bytes, length);
    if (this.is(FrameStatus.ok) && offset < length) offset = this.split(bytes, view, offset, length);
    if (!this.is(FrameStatus.tooLong)) this.held.append(bytes, offset, length);
    return this.status;
  }

  /** Goes on after `stopped`, from the frame that was not taken. */
  resume(): FrameStatus {
    if (this.status !== FrameStatus.stopped) return this.status;
    this.status = FrameStatus.ok;
    this.splitHeld();
    return this.status;
  }

  // A call, because the compiler takes a compared field for unchanged by the calls that follow.
  private is(status: FrameStatus): boolean {
    return this.status === status;
  }

  /** Hands over the whole frames of `[offset, end)` and returns where the first one not taken begins. */
  private split(bytes: Uint8Array, view: DataView, offset: number, end: number): number {
    while (end - offset >= FRAME_PREFIX_BYTES) {
      const length = view.getInt32(offset);
      if (length < 0 || length > this.frameBytesMax) {
        this.badLength = length;
        this.refuse();
        break;
      }
      const start = offset + FRAME_PREFIX_BYTES;
      if (length > end - start) break;
      if (!this.handler.onFrame(bytes, view, start, start + length)) {
        this.status = FrameStatus.stopped;
        break;
      }
      offset = start + length;
    }
    return offset;
  }

  /**
   * Moves just enough of the chunk behind the held partial frame to complete it and hands it over. Returns how
   * much of the chunk was used: all of it while the frame stays partial.
   */
  private completeHeld(chunk: Uint8Array, chunkLength: number): number {
    const { held } = this;
    let used = Math.min(Math.max(FRAME_PREFIX_BYTES - held.end, 0), chunkLength);
    held.append(chunk, 0, used);
    if (held.end < FRAME_PREFIX_BYTES) return used;
    const length = held.view.getInt32(0);
    if (length < 0 || length > this.frameBytesMax) {
      this.badLength = length;
      this.refuse();
      return used;
    }
    const missing = FRAME_PREFIX_BYTES + length - held.end;
    const more = Math.min(missing, chunkLength - used);
    held.append(chunk, used, used + more);
    used += more;
    if (more < missing) return used;
    this.splitHeld();
    return used;
  }

  private splitHeld(): void {
    const { held } = this;
    const offset = this.split(held.bytes, held.view, held.start, held.end);
    if (this.is(FrameStatus.tooLong)) return;
    held.take(offset - held.start);
    if (this.is(FrameStatus.ok)) held.compact();
  }

  private refuse(): void {
    this.status = FrameStatus.tooLong;
    this.held.clear();
  }
}

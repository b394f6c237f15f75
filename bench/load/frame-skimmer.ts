/**
 * Walks the frames of a byte stream and looks only at their heads, so that a 1 KB reply costs as much as an
 * empty one. It reads straight from the chunk; only a head that is cut by the end of a chunk is copied. One
 * skimmer per connection, on the thread of the socket.
 *
 *     chunk:   ...body of n | len w1 w2 w3 w4 body | len w1 w2 w3 w4 bo        replies: w1 = xid, w4 = err
 *                           ^-- head: 20 bytes --^                    requests (head 12): w1 = xid, w2 = op
 *
 * A frame is reported when its last byte has arrived, not when its head has.
 */

import { assert } from '../../src/base/assert.ts';
import { FRAME_BYTES_SANE_MAX, FRAME_PREFIX_BYTES } from '../../src/wire/limits.ts';
import { REPLY_HEADER_FRAME_BYTES } from '../../src/wire/reply-header.ts';
import { REQUEST_HEADER_BYTES } from '../../src/wire/requests.ts';

/** What is looked at: the length prefix and the header behind it. */
export const REPLY_HEAD_BYTES = REPLY_HEADER_FRAME_BYTES;
export const REQUEST_HEAD_BYTES = FRAME_PREFIX_BYTES + REQUEST_HEADER_BYTES;

export class FrameSkimmer {
  /** The words of the frame that `next` reported: the four bytes behind the length, and so on. */
  word1 = 0;
  word2 = 0;
  /** Only with heads of 20 bytes. */
  word4 = 0;
  /** Set when the stream cannot be frames; the connection must be closed. */
  malformed = false;

  private readonly headBytes: number;
  private readonly cutHead: DataView;
  private cutHave = 0;
  /** Bytes of the open frame that are still to come, behind its head. */
  private bodyLeft = 0;
  private view: DataView;
  private position = 0;
  private end = 0;

  constructor(headBytes: number) {
    assert(headBytes >= REQUEST_HEAD_BYTES, 'a head holds at least length, xid and op');
    this.headBytes = headBytes;
    this.cutHead = new DataView(new ArrayBuffer(headBytes));
    this.view = this.cutHead;
  }

  /** Starts on the next chunk of the stream: `view[start, end)`. */
  begin(view: DataView, start: number, end: number): void {
    this.view = view;
    this.position = start;
    this.end = end;
  }

  /** Forgets a half frame: the stream starts anew. */
  reset(): void {
    this.cutHave = 0;
    this.bodyLeft = 0;
    this.malformed = false;
  }

  /** True when a whole frame has passed; false when the chunk is used up. */
  next(): boolean {
    if (this.bodyLeft > 0) return this.skipBody();
    if (this.cutHave > 0) return this.completeHead();
    const position = this.position;
    const have = this.end - position;
    if (have < this.headBytes) return this.cut(have);
    const rest = this.readHead(this.view, position);
    if (rest < 0) return this.fail();
    if (rest > have - this.headBytes) {
      this.bodyLeft = rest - (have - this.headBytes);
      this.position = this.end;
      return false;
    }
    this.position = position + this.headBytes + rest;
    return true;
  }

  /** Returns the bytes behind the head, or a negative number when the length is impossible. */
  private readHead(view: DataView, at: number): number {
    const length = view.getInt32(at);
    this.word1 = view.getInt32(at + 4);
    this.word2 = view.getInt32(at + 8);
    if (this.headBytes === REPLY_HEAD_BYTES) this.word4 = view.getInt32(at + 16);
    return length > FRAME_BYTES_SANE_MAX ? -1 : length + 4 - this.headBytes;
  }

  private skipBody(): boolean {
    const have = this.end - this.position;
    if (have < this.bodyLeft) {
      this.bodyLeft -= have;
      this.position = this.end;
      return false;
    }
    this.position += this.bodyLeft;
    this.bodyLeft = 0;
    return true;
  }

  private cut(have: number): boolean {
    for (let i = 0; i < have; i++) this.cutHead.setUint8(this.cutHave++, this.view.getUint8(this.position++));
    return false;
  }

  private completeHead(): boolean {
    const take = Math.min(this.headBytes - this.cutHave, this.end - this.position);
    this.cut(take);
    if (this.cutHave < this.headBytes) return false;
    this.cutHave = 0;
    const rest = this.readHead(this.cutHead, 0);
    if (rest < 0) return this.fail();
    if (rest === 0) return true;
    this.bodyLeft = rest;
    return this.skipBody();
  }

  private fail(): boolean {
    this.malformed = true;
    this.position = this.end;
    return false;
  }
}

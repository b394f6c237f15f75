/**
 * What stands in front of every reply but the first of a connection.
 *
 *     frame:        i32 length | ReplyHeader | body
 *     ReplyHeader:  i32 xid | i64 zxid | i32 err        = 16 bytes
 *
 * A reply with an error has no body. Pure, any thread.
 */

import { writeInt64 } from '../base/int64.ts';
import type { Zxid } from '../base/zxid.ts';
import type { JuteReader } from './jute-reader.ts';
import { FRAME_PREFIX_BYTES } from './limits.ts';

export const REPLY_HEADER_BYTES = 16;
/** Where a header holds its zxid and its error. */
export const REPLY_ZXID = 4;
export const REPLY_ERROR = 12;

/** With the length prefix. */
export const REPLY_HEADER_FRAME_BYTES = FRAME_PREFIX_BYTES + REPLY_HEADER_BYTES;

/** For the data plane: prefix and header of a reply with `bodyLength` bytes to follow at the returned offset. */
export function writeReplyHeader(
  view: DataView,
  offset: number,
  bodyLength: number,
  xid: number,
  zxid: Zxid,
  err: number,
): number {
  view.setInt32(offset, REPLY_HEADER_BYTES + bodyLength);
  view.setInt32(offset + 4, xid);
  writeInt64(view, offset + 8, zxid);
  view.setInt32(offset + 16, err);
  return offset + REPLY_HEADER_FRAME_BYTES;
}

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: Zxid;
  readonly err: number;
}

export function readReplyHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.readInt(), zxid: reader.readLong(), err: reader.readInt() };
}

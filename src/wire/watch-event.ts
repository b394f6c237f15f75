/**
 * Watch notifications: frames the server sends unasked, with xid -1. Pure, any thread.
 *
 *     frame:         i32 length | ReplyHeader{-1, zxid of the txn, 0} | WatcherEvent
 *     WatcherEvent:  i32 type | i32 state | ustring path
 */
import type { Zxid } from '../base/zxid.ts';
import type { JuteReader } from './jute-reader.ts';
import { writeBytesAt } from './jute-writer.ts';
import { SpecialXid } from './opcodes.ts';
import { REPLY_HEADER_FRAME_BYTES, writeReplyHeader } from './reply-header.ts';

/** A server sends the four node events; the others are what client libraries make up. */
export const EventType = {
  none: -1,
  nodeCreated: 1,
  nodeDeleted: 2,
  nodeDataChanged: 3,
  nodeChildrenChanged: 4,
  dataWatchRemoved: 5,
  childWatchRemoved: 6,
  persistentWatchRemoved: 7,
} as const;

/** A server sends `syncConnected` and nothing else; the others are what client libraries make up. */
export const KeeperState = {
  disconnected: 0,
  syncConnected: 3,
  authFailed: 4,
  connectedReadOnly: 5,
  saslAuthenticated: 6,
  closed: 7,
  expired: -112,
} as const;

/** type, state and the length of the path. */
const EVENT_FIXED_BYTES = 12;

export function watchEventFrameBytes(pathLength: number): number {
  return REPLY_HEADER_FRAME_BYTES + EVENT_FIXED_BYTES + pathLength;
}

/** For the data plane: the whole frame; returns the offset behind it. */
export function writeWatchEvent(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  zxid: Zxid,
  type: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
): number {
  offset = writeReplyHeader(view, offset, EVENT_FIXED_BYTES + pathLength, SpecialXid.notification, zxid, 0);
  view.setInt32(offset, type);
  view.setInt32(offset + 4, KeeperState.syncConnected);
  return writeBytesAt(bytes, view, offset + 8, path, pathStart, pathLength);
}

export interface WatchEvent {
  readonly type: number;
  readonly state: number;
  readonly path: string;
}

export function readWatchEvent(reader: JuteReader): WatchEvent {
  return { type: reader.readInt(), state: reader.readInt(), path: reader.readText() };
}

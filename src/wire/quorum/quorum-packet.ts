/**
 * One packet between a learner and its master, in place and as bytes. Pure, any thread. There is no length in front: a packet
 * ends where its fields end, so it takes a look at three places to know how long it is (`packetLength`).
 *
 *     QuorumPacket:  i32 type | i64 zxid | buffer data | vector<Id{ustring scheme, ustring id}> authinfo
 *                    0          4          12            16 + data
 *
 *     smallest: 20 bytes (data and authinfo null): ACK, COMMIT, SYNC, UPTODATE, DIFF, TRUNC, SNAP
 */
import { readInt64, writeInt64 } from '../../base/int64.ts';
import type { Zxid } from '../../base/zxid.ts';
import { Flyweight } from '../flyweight.ts';

/** type, zxid and the length of the data. */
export const PACKET_HEAD_BYTES = 16;
/** A packet without data and authinfo, and what data adds its length to. */
export const PACKET_BYTES_MIN = 20;

/** Null scheme and null id. */
const ID_BYTES_MIN = 8;

/** What `packetLength` says of bytes that no packet begins with. */
export const PACKET_MALFORMED = 0;

/**
 * How long the packet at `offset` is, if it ends within `[offset, end)`; else -n: at least n bytes are missing. PACKET_MALFORMED
 * as soon as a length in it is negative or takes it beyond `bytesMax`: nobody waits for bytes that will be refused.
 */
export function packetLength(view: DataView, offset: number, end: number, bytesMax: number): number {
  let at = offset + PACKET_HEAD_BYTES;
  if (at > end) return end - at;
  const dataLength = view.getInt32(offset + 12);
  if (dataLength < -1 || PACKET_BYTES_MIN + dataLength > bytesMax) return PACKET_MALFORMED;
  at += Math.max(dataLength, 0) + 4;
  if (at > end) return end - at;
  const count = view.getInt32(at - 4);
  if (count > (bytesMax - (at - offset)) / ID_BYTES_MIN) return PACKET_MALFORMED;
  for (let strings = 2 * Math.max(count, 0); strings > 0; strings--) {
    at += 4;
    if (at > end) return end - at;
    const length = view.getInt32(at - 4);
    at += Math.max(length, 0);
    if (length < -1 || at - offset > bytesMax) return PACKET_MALFORMED;
  }
  return at <= end ? at - offset : end - at;
}

/** A packet where it lies; valid until the bytes are reused. */
export class QuorumPacket extends Flyweight {
  type = 0;
  /** Exact within 2^53; whoever stores it checks that. */
  zxid: Zxid = 0;
  dataStart = 0;
  /** -1: null. */
  dataLength = 0;
  /** The vector of Ids, count included: `[authStart, recordEnd)`. */
  authStart = 0;
  /** -1: null. */
  authCount = 0;

  /** `[start, start + length)` is one packet, as `packetLength` has found. */
  wrap(bytes: Uint8Array, view: DataView, start: number, length: number): void {
    this.attach(bytes, view);
    this.type = view.getInt32(start);
    this.zxid = readInt64(view, start + 4);
    this.dataLength = view.getInt32(start + 12);
    this.dataStart = start + PACKET_HEAD_BYTES;
    this.authStart = this.dataStart + Math.max(this.dataLength, 0);
    this.authCount = Math.max(view.getInt32(this.authStart), -1);
    this.recordEnd = start + length;
  }

  /** Null counts as empty. */
  get dataEnd(): number {
    return this.authStart;
  }
}

/** Everything in front of the data, whose length (-1: null) is told here; returns where the data goes. */
export function writePacketHead(
  view: DataView,
  offset: number,
  type: number,
  zxid: Zxid,
  dataLength: number,
): number {
  view.setInt32(offset, type);
  writeInt64(view, offset + 4, zxid);
  view.setInt32(offset + 12, dataLength);
  return offset + PACKET_HEAD_BYTES;
}

/** Behind the data: nobody's ids, as in all packets but REQUEST. Returns the offset behind the packet. */
export function writeNoAuth(view: DataView, offset: number): number {
  view.setInt32(offset, -1);
  return offset + 4;
}

/** A packet of PACKET_BYTES_MIN bytes. */
export function writeBarePacket(view: DataView, offset: number, type: number, zxid: Zxid): number {
  return writeNoAuth(view, writePacketHead(view, offset, type, zxid, -1));
}

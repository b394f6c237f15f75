/**
 * Byte layout of a transaction log file; pure. Used by appender, reader and tail inspection.
 *
 *     file   +------------------+--------+--------+ … +--------+---------------------------+
 *            | header 16 B      | record | record |   | record | zeros to preallocated end |
 *            +------------------+--------+--------+ … +--------+---------------------------+
 *     header   int32 magic "ZKLG" | int32 version 2 | int64 dbid: 0, or 0x524b62 "RKb" when batches are marked
 *
 *     record +----------------+--------------+----------------------------------+------+
 *            | int64 checksum | int32 length | payload : length bytes           | 'B'  |
 *            +----------------+--------------+----------------------------------+------+
 *            0                8              12                                 12+length
 *     checksum = Adler-32 of the payload alone, zero-extended
 *     payload  = TxnHeader (clientId 8, cxid 4, zxid 8, time 8, type 4) | txn | [TxnDigest 12] | [mark 11, batch-mark.ts]
 *
 * All integers are big-endian. A length of 0 is padding: end of the file.
 */

import { adler32 } from '../base/checksum.ts';
import { readInt64 } from '../base/int64.ts';
import type { Zxid } from '../base/zxid.ts';
import { TXN_HEADER_BYTES } from '../wire/txn-records.ts';

export const LOG_MAGIC = 0x5a4b4c47;
export const LOG_HEADER_BYTES = 16;
const LOG_VERSION = 2;

export const PAYLOAD_OFFSET = 12;
const LENGTH_OFFSET = 8;
export const END_OF_RECORD = 0x42;
/** Framing around a payload: checksum, length and end mark. */
export const RECORD_OVERHEAD_BYTES = 13;

const TXN_ZXID_OFFSET = 12;
/** Where a record holds its time, which is never zero. */
export const RECORD_TIME_OFFSET = PAYLOAD_OFFSET + 20;
/** No payload is shorter than its TxnHeader. */
const PAYLOAD_BYTES_MIN = TXN_HEADER_BYTES;
/**
 * Apache's own bound is twice jute.maxbuffer (2 MiB by default). A log written under a raised limit must stay
 * readable after the setting is lowered, so ours is a sanity bound only; the checksum does the rest.
 */
export const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The appender syncs after at most this many bytes (or one record, if that is larger): the stretch that a crash
 * can tear.
 */
export const LOG_WRITE_BYTES_MAX = 4 * 1024 * 1024;

/** Apache's servers read the dbid and do not look at it. */
const MARKED_DBID = 0x524b62;

export function writeLogHeader(view: DataView, at: number, isMarked: boolean): void {
  view.setInt32(at, LOG_MAGIC);
  view.setInt32(at + 4, LOG_VERSION);
  view.setInt32(at + 8, 0);
  view.setInt32(at + 12, isMarked ? MARKED_DBID : 0);
}

export function isMarkedHeader(view: DataView, at: number): boolean {
  return view.getInt32(at + 8) === 0 && view.getInt32(at + 12) === MARKED_DBID;
}

/** Puts the framing around a payload that lies at `at + PAYLOAD_OFFSET`. */
export function frameRecord(bytes: Uint8Array, view: DataView, at: number, payloadBytes: number): void {
  const payloadStart = at + PAYLOAD_OFFSET;
  const payloadEnd = payloadStart + payloadBytes;
  view.setInt32(at, 0);
  view.setInt32(at + 4, adler32(bytes, payloadStart, payloadEnd));
  view.setInt32(at + LENGTH_OFFSET, payloadBytes);
  bytes[payloadEnd] = END_OF_RECORD;
}

export function payloadLength(view: DataView, recordStart: number): number {
  return view.getInt32(recordStart + LENGTH_OFFSET);
}

export function isCredibleLength(payloadBytes: number): boolean {
  return payloadBytes >= PAYLOAD_BYTES_MIN && payloadBytes <= PAYLOAD_BYTES_MAX;
}

export function checksumMatches(
  bytes: Uint8Array,
  view: DataView,
  recordStart: number,
  payloadBytes: number,
): boolean {
  const payloadStart = recordStart + PAYLOAD_OFFSET;
  return (
    view.getInt32(recordStart) === 0 &&
    view.getUint32(recordStart + 4) === adler32(bytes, payloadStart, payloadStart + payloadBytes)
  );
}

export function recordZxid(view: DataView, recordStart: number): Zxid {
  return readInt64(view, recordStart + PAYLOAD_OFFSET + TXN_ZXID_OFFSET);
}

/** Distance to the padded end at which the file is extended. */
const PADDING_MARGIN_BYTES = 4096;

/**
 * The size a log file shall have before bytes are written at `position`: Apache's rule, so that sizes look the
 * same to tools. `stepBytes` 0 = no preallocation.
 */
export function paddedSize(position: number, paddedBytes: number, stepBytes: number): number {
  if (stepBytes === 0 || position + PADDING_MARGIN_BYTES < paddedBytes) return paddedBytes;
  if (position > paddedBytes) return Math.floor((position + stepBytes) / stepBytes) * stepBytes;
  return paddedBytes + stepBytes;
}

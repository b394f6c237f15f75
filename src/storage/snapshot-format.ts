/**
 * Byte layout of a snapshot; pure. Big-endian, strings and buffers carry an int32 length (-1 = null).
 *
 *     +-----------+-----------------+-----------------+--------+ … +-----+--------+-----------------+--------+
 *     | header 16 | sessions        | ACL cache       | node   |   | "/" | seal 1 | digest section  | seal 2 |
 *     +-----------+-----------------+-----------------+--------+ … +-----+--------+-----------------+--------+
 *     header    int32 magic "ZKSN" | int32 version 2 | int64 dbid -1
 *     sessions  int32 count | count × (int64 sessionId, int32 timeoutMs)
 *     ACLs      int32 count | count × (int64 aclId, vector<ACL>),  ACL = int32 perms, string scheme, string id
 *     node      string path | buffer data | int64 aclId | StatPersisted 60
 *     seal      int64 Adler-32 of all uncompressed bytes before this seal | string "/"
 *     digest    int64 zxid | int32 version 2 | int64 tree digest        (from 3.6; may be absent with its seal)
 *
 * Version 3.9 appends int64 lastProcessedZxid and a third seal; read, not written. The root's path is "", so the
 * path "/" can end the nodes.
 */

import { STAT_PERSISTED_BYTES } from '../wire/stat.ts';
import { TXN_DIGEST_VERSION } from '../wire/txn-records.ts';
export const SNAPSHOT_MAGIC = 0x5a4b534e;
export const SNAPSHOT_HEADER_BYTES = 16;
const SNAPSHOT_VERSION = 2;

/** Behind a node's data: aclId and StatPersisted. */
export const NODE_TAIL_BYTES = 8 + STAT_PERSISTED_BYTES;

const SLASH = 0x2f;
/** The string "/" that ends the nodes and every seal. */
export const END_STRING_BYTES = 5;
export const SEAL_BYTES = 8 + END_STRING_BYTES;
export const DIGEST_SECTION_BYTES = 20;
/** Digests before version 2 are hex strings over another formula: skipped, never compared. */
export const DIGEST_VERSION = TXN_DIGEST_VERSION;

export function writeSnapshotHeader(view: DataView, at: number): void {
  view.setInt32(at, SNAPSHOT_MAGIC);
  view.setInt32(at + 4, SNAPSHOT_VERSION);
  view.setInt32(at + 8, -1);
  view.setInt32(at + 12, -1);
}

export function writeEndString(view: DataView, at: number): void {
  view.setInt32(at, 1);
  view.setUint8(at + 4, SLASH);
}

export function writeSeal(view: DataView, at: number, checksum: number): void {
  view.setInt32(at, 0);
  view.setUint32(at + 4, checksum);
  writeEndString(view, at + 8);
}

/** Whether a string of `length` bytes at `start` is "/". */
export function isEndString(bytes: Uint8Array, start: number, length: number): boolean {
  return length === 1 && bytes[start] === SLASH;
}

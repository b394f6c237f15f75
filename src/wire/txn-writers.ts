/**
 * Transactions written at an offset, for the core's prep: straight into the claimed log record, nothing
 * allocated. The grammar is drawn in txn-records.ts. Every writer returns the offset behind what it wrote; the
 * caller has claimed enough room (`TXN_HEADER_BYTES` + the sizes below + `TXN_DIGEST_BYTES`).
 *
 * Sources are slices `(bytes, start, length)`: paths and data without their length prefix, length -1 writes
 * null; ACLs as the whole encoded vector, count in front, exactly as flyweights report them.
 */
import { writeInt64 } from '../base/int64.ts';
import type { Zxid } from '../base/zxid.ts';
import { copyBytes } from './copy-bytes.ts';
import { writeBytesAt } from './jute-writer.ts';
import { TXN_DIGEST_VERSION } from './txn-records.ts';

export function writeTxnHeader(
  view: DataView,
  offset: number,
  clientIdHigh: number,
  clientIdLow: number,
  cxid: number,
  zxid: Zxid,
  timeMs: number,
  type: number,
): number {
  view.setInt32(offset, clientIdHigh);
  view.setInt32(offset + 4, clientIdLow);
  view.setInt32(offset + 8, cxid);
  writeInt64(view, offset + 12, zxid);
  writeInt64(view, offset + 20, timeMs);
  view.setInt32(offset + 28, type);
  return offset + 32;
}

export function writeTxnDigest(view: DataView, offset: number, high: number, low: number): number {
  view.setInt32(offset, TXN_DIGEST_VERSION);
  view.setInt32(offset + 4, high);
  view.setInt32(offset + 8, low);
  return offset + 12;
}

/** path, data and acl: the common beginning of the three create records. */
function writeCreateFields(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
  data: Uint8Array,
  dataStart: number,
  dataLength: number,
  acl: Uint8Array,
  aclStart: number,
  aclLength: number,
): number {
  offset = writeBytesAt(bytes, view, offset, path, pathStart, pathLength);
  offset = writeBytesAt(bytes, view, offset, data, dataStart, dataLength);
  copyBytes(acl, aclStart, aclLength, bytes, offset);
  return offset + aclLength;
}

/** create, create2. */
export function writeCreateTxn(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
  data: Uint8Array,
  dataStart: number,
  dataLength: number,
  acl: Uint8Array,
  aclStart: number,
  aclLength: number,
  ephemeral: boolean,
  parentCVersion: number,
): number {
  // biome-ignore format: one slice per line
  offset = writeCreateFields(bytes, view, offset,
    path, pathStart, pathLength,
    data, dataStart, dataLength,
    acl, aclStart, aclLength);
  bytes[offset] = ephemeral ? 1 : 0;
  view.setInt32(offset + 1, parentCVersion);
  return offset + 5;
}

export function writeCreateContainerTxn(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
  data: Uint8Array,
  dataStart: number,
  dataLength: number,
  acl: Uint8Array,
  aclStart: number,
  aclLength: number,
  parentCVersion: number,
): number {
  // biome-ignore format: one slice per line
  offset = writeCreateFields(bytes, view, offset,
    path, pathStart, pathLength,
    data, dataStart, dataLength,
    acl, aclStart, aclLength);
  view.setInt32(offset, parentCVersion);
  return offset + 4;
}

export function writeCreateTtlTxn(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
  data: Uint8Array,
  dataStart: number,
  dataLength: number,
  acl: Uint8Array,
  aclStart: number,
  aclLength: number,
  parentCVersion: number,
  ttl: number,
): number {
  // biome-ignore format: one slice per line
  offset = writeCreateFields(bytes, view, offset,
    path, pathStart, pathLength,
    data, dataStart, dataLength,
    acl, aclStart, aclLength);
  view.setInt32(offset, parentCVersion);
  writeInt64(view, offset + 4, ttl);
  return offset + 12;
}

/** delete, deleteContainer. */
export function writeDeleteTxn(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
): number {
  return writeBytesAt(bytes, view, offset, path, pathStart, pathLength);
}

/** setData, reconfig; `version` is the new one. */
export function writeSetDataTxn(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
  data: Uint8Array,
  dataStart: number,
  dataLength: number,
  version: number,
): number {
  offset = writeBytesAt(bytes, view, offset, path, pathStart, pathLength);
  offset = writeBytesAt(bytes, view, offset, data, dataStart, dataLength);
  view.setInt32(offset, version);
  return offset + 4;
}

/** `version` is the new aversion. */
export function writeSetAclTxn(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
  acl: Uint8Array,
  aclStart: number,
  aclLength: number,
  version: number,
): number {
  offset = writeBytesAt(bytes, view, offset, path, pathStart, pathLength);
  copyBytes(acl, aclStart, aclLength, bytes, offset);
  view.setInt32(offset + aclLength, version);
  return offset + aclLength + 4;
}

/** Inside a multi only; `version` is the expected one + 1. */
export function writeCheckTxn(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  path: Uint8Array,
  pathStart: number,
  pathLength: number,
  version: number,
): number {
  offset = writeBytesAt(bytes, view, offset, path, pathStart, pathLength);
  view.setInt32(offset, version);
  return offset + 4;
}

export function writeErrorTxn(view: DataView, offset: number, err: number): number {
  view.setInt32(offset, err);
  return offset + 4;
}

export function writeCreateSessionTxn(view: DataView, offset: number, timeoutMs: number): number {
  view.setInt32(offset, timeoutMs);
  return offset + 4;
}

/** closeSession: the count, to be followed by exactly that many `writeBytesAt` of paths. */
export function writeCloseSessionTxn(view: DataView, offset: number, pathCount: number): number {
  view.setInt32(offset, pathCount);
  return offset + 4;
}

/** multi: the count, to be followed by exactly that many `beginSubTxn … endSubTxn`. */
export function writeMultiTxn(view: DataView, offset: number, subCount: number): number {
  view.setInt32(offset, subCount);
  return offset + 4;
}

/** Returns where the sub record begins; its length is written by `endSubTxn`. */
export function beginSubTxn(view: DataView, offset: number, type: number): number {
  view.setInt32(offset, type);
  return offset + 8;
}

/** `recordStart` is what `beginSubTxn` returned, `recordEnd` the offset behind the sub record. */
export function endSubTxn(view: DataView, recordStart: number, recordEnd: number): number {
  view.setInt32(recordStart - 4, recordEnd - recordStart);
  return recordEnd;
}

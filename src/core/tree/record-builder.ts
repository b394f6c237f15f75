/**
 * Builds znode records in the arena. Every function returns the offset of a finished, unpublished record; the
 * caller stages or publishes it, or frees it. No allocation on the JavaScript heap.
 */

import { StoreFullFailure } from '../../base/failure.ts';
import { writeInt64 } from '../../base/int64.ts';
import type { Arena } from '../../shm/arena.ts';
import type { Segments } from '../../shm/segments.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { STAT_BYTES, StatOffset } from '../../wire/stat.ts';
import { nodeDigest } from './digest.ts';
import type { Offset } from './record.ts';
import {
  CHILDREN_ONLY,
  ownerKind,
  RECORD_FIXED_BYTES,
  RECORD_PATH_START,
  TOMBSTONE_ACL,
  ZnodeCursor,
} from './record.ts';

const SLASH = 47;

export class RecordBuilder {
  private readonly arena: Arena;
  private readonly digest: boolean;
  private readonly extendedTypes: boolean;
  private readonly from: ZnodeCursor;
  private readonly to: ZnodeCursor;

  constructor(segments: Segments, arena: Arena, options: { digest: boolean; extendedTypes: boolean }) {
    this.arena = arena;
    this.digest = options.digest;
    this.extendedTypes = options.extendedTypes;
    this.from = new ZnodeCursor(segments);
    this.to = new ZnodeCursor(segments);
  }

  /** A new node: versions 0, czxid = mzxid = pzxid, ctime = mtime. `dataLength` −1 = null data. */
  create(
    nodeId: number,
    pathHash: number,
    path: Uint8Array,
    pathStart: number,
    pathLength: number,
    data: Uint8Array,
    dataStart: number,
    dataLength: number,
    aclId: number,
    ownerHigh: number,
    ownerLow: number,
    zxid: number,
    timeMs: number,
  ): Offset {
    const dataBytes = Math.max(dataLength, 0);
    const offset = this.allocate(RECORD_FIXED_BYTES + pathLength + dataBytes);
    const node = this.to;
    this.writeHead(nodeId, pathHash, path, pathStart, pathLength, aclId, ownerHigh, ownerLow);
    const body = node.base + RECORD_PATH_START + pathLength;
    const view = node.view;
    view.setInt32(body, dataLength);
    copyBytes(data, dataStart, dataBytes, node.bytes, body + 4);
    const stat = body + 4 + dataBytes;
    writeInt64(view, stat + StatOffset.czxid, zxid);
    writeInt64(view, stat + StatOffset.mzxid, zxid);
    writeInt64(view, stat + StatOffset.ctime, timeMs);
    writeInt64(view, stat + StatOffset.mtime, timeMs);
    view.setInt32(stat + StatOffset.version, 0);
    view.setInt32(stat + StatOffset.cversion, 0);
    view.setInt32(stat + StatOffset.aversion, 0);
    this.writeVisibleOwner(stat, ownerHigh, ownerLow);
    view.setInt32(stat + StatOffset.dataLength, dataBytes);
    view.setInt32(stat + StatOffset.numChildren, 0);
    writeInt64(view, stat + StatOffset.pzxid, zxid);
    this.seal();
    return offset;
  }

  /** A node from a snapshot file: `statStart` is a StatPersisted (60 bytes) in `file`. No children yet. */
  load(
    nodeId: number,
    pathHash: number,
    file: Uint8Array,
    fileView: DataView,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    aclId: number,
    statStart: number,
  ): Offset {
    const dataBytes = Math.max(dataLength, 0);
    const offset = this.allocate(RECORD_FIXED_BYTES + pathLength + dataBytes);
    const node = this.to;
    // StatPersisted: czxid 0 mzxid 8 ctime 16 mtime 24 version 32 cversion 36 aversion 40 owner 44 pzxid 52
    const ownerHigh = fileView.getInt32(statStart + 44);
    const ownerLow = fileView.getInt32(statStart + 48);
    this.writeHead(nodeId, pathHash, file, pathStart, pathLength, aclId, ownerHigh, ownerLow);
    const cversion = fileView.getInt32(statStart + 36);
    node.words[(node.base >> 2) + 4] = cversion;
    const body = node.base + RECORD_PATH_START + pathLength;
    const view = node.view;
    view.setInt32(body, dataLength);
    copyBytes(file, dataStart, dataBytes, node.bytes, body + 4);
    const stat = body + 4 + dataBytes;
    for (let i = 0; i < 9; i++) view.setInt32(stat + i * 4, fileView.getInt32(statStart + i * 4));
    view.setInt32(stat + StatOffset.cversion, 2 * cversion);
    view.setInt32(stat + StatOffset.aversion, fileView.getInt32(statStart + 40));
    this.writeVisibleOwner(stat, ownerHigh, ownerLow);
    view.setInt32(stat + StatOffset.dataLength, dataBytes);
    view.setInt32(stat + StatOffset.numChildren, 0);
    view.setInt32(stat + StatOffset.pzxid, fileView.getInt32(statStart + 52));
    view.setInt32(stat + StatOffset.pzxid + 4, fileView.getInt32(statStart + 56));
    this.seal();
    return offset;
  }

  /** The node after setData. */
  withData(
    old: Offset,
    data: Uint8Array,
    dataStart: number,
    dataLength: number,
    version: number,
    zxid: number,
    timeMs: number,
  ): Offset {
    const from = this.from;
    from.moveTo(old);
    const dataBytes = Math.max(dataLength, 0);
    const head = RECORD_PATH_START + from.pathLength;
    const offset = this.allocate(head + 4 + dataBytes + STAT_BYTES);
    const node = this.to;
    copyBytes(from.bytes, from.base, head, node.bytes, node.base);
    node.generation = 0;
    const body = node.base + head;
    const view = node.view;
    view.setInt32(body, dataLength);
    copyBytes(data, dataStart, dataBytes, node.bytes, body + 4);
    const stat = body + 4 + dataBytes;
    const oldStat = from.statStart;
    copyBytes(from.bytes, oldStat, STAT_BYTES, node.bytes, stat);
    writeInt64(view, stat + StatOffset.mzxid, zxid);
    writeInt64(view, stat + StatOffset.mtime, timeMs);
    view.setInt32(stat + StatOffset.version, version);
    view.setInt32(stat + StatOffset.dataLength, dataBytes);
    this.seal();
    return offset;
  }

  /** The node after setACL. */
  withAcl(old: Offset, aclId: number, aversion: number): Offset {
    const offset = this.copy(old);
    const node = this.to;
    node.words[(node.base >> 2) + 3] = aclId;
    node.view.setInt32(node.statStart + StatOffset.aversion, aversion);
    this.seal();
    return offset;
  }

  /** The node after a child came or went. */
  withChildren(old: Offset, cversion: number, numChildren: number, pzxid: number): Offset {
    const offset = this.copy(old);
    this.to.generation = CHILDREN_ONLY;
    this.setChildren(cversion, numChildren, pzxid);
    return offset;
  }

  /** The same in place, for a record that nobody else can be reading. */
  changeChildren(record: Offset, cversion: number, numChildren: number, pzxid: number): void {
    this.to.moveTo(record);
    this.setChildren(cversion, numChildren, pzxid);
  }

  private setChildren(cversion: number, numChildren: number, pzxid: number): void {
    const node = this.to;
    node.words[(node.base >> 2) + 4] = cversion;
    const stat = node.statStart;
    node.view.setInt32(stat + StatOffset.cversion, (2 * cversion - numChildren) | 0);
    node.view.setInt32(stat + StatOffset.numChildren, numChildren);
    writeInt64(node.view, stat + StatOffset.pzxid, pzxid);
    this.seal();
  }

  /** Stands for a proposed deletion; keeps the path so that the index still finds the node. */
  tombstone(old: Offset): Offset {
    const from = this.from;
    from.moveTo(old);
    const head = RECORD_PATH_START + from.pathLength;
    const offset = this.allocate(head + 4 + STAT_BYTES);
    const node = this.to;
    copyBytes(from.bytes, from.base, head, node.bytes, node.base);
    node.words[(node.base >> 2) + 3] = TOMBSTONE_ACL;
    node.words[(node.base >> 2) + 7] = 0;
    node.view.setInt32(node.base + head, 0);
    return offset;
  }

  private copy(old: Offset): Offset {
    const from = this.from;
    from.moveTo(old);
    const length = from.recordBytes;
    const offset = this.allocate(length);
    copyBytes(from.bytes, from.base, length, this.to.bytes, this.to.base);
    this.to.generation = 0;
    return offset;
  }

  private allocate(length: number): Offset {
    const offset = this.arena.allocate(length);
    if (offset === 0) throw new StoreFullFailure();
    this.to.moveTo(offset);
    return offset;
  }

  private writeHead(
    nodeId: number,
    pathHash: number,
    path: Uint8Array,
    pathStart: number,
    pathLength: number,
    aclId: number,
    ownerHigh: number,
    ownerLow: number,
  ): void {
    const node = this.to;
    const words = node.words;
    const w = node.base >> 2;
    const to = node.base + RECORD_PATH_START;
    let depth = 0;
    for (let i = 0; i < pathLength; i++) {
      const byte = path[pathStart + i]!;
      if (byte === SLASH) depth++;
      node.bytes[to + i] = byte;
    }
    words[w] = nodeId;
    words[w + 1] = 0;
    words[w + 2] = pathHash;
    words[w + 3] = aclId;
    words[w + 4] = 0;
    words[w + 5] = ownerHigh;
    words[w + 6] = ownerLow;
    words[w + 8] = pathLength;
    words[w + 9] = depth;
  }

  // Clients see an owner only on ephemerals; container and TTL encodings stay inside.
  private writeVisibleOwner(stat: number, high: number, low: number): void {
    const visible = ownerKind(high, low, this.extendedTypes) === 'ephemeral';
    this.to.view.setInt32(stat + StatOffset.ephemeralOwner, visible ? high : 0);
    this.to.view.setInt32(stat + StatOffset.ephemeralOwner + 4, visible ? low : 0);
  }

  private seal(): void {
    const node = this.to;
    node.words[(node.base >> 2) + 7] = this.digest ? nodeDigest(node) | 0 : 0;
  }
}

/**
 * The znode record: what one znode is at one moment. A record is built once, published by storing its arena
 * offset in the node's slot, and never changed afterwards, so another thread that has loaded the offset reads
 * bytes that stand still. Only `generation` is written late: at publication, before the offset becomes visible.
 *
 *      0  nodeId        int32   host order from here ...
 *      4  generation    int32   the store's generation at publication (see point-in-time.ts); before that it may be
 *                               CHILDREN_ONLY
 *      8  pathHash      int32
 *     12  aclId         int32   TOMBSTONE_ACL marks a pending deletion
 *     16  cversion      int32   stored: children ever created (clients see 2·cversion − numChildren)
 *     20  ownerHigh     int32   ephemeralOwner as on disk: 0, session id, container or TTL encoding
 *     24  ownerLow      int32
 *     28  nodeDigest    uint32  CRC-32 of disk.md §5, 0 below /zookeeper/
 *     32  pathLength    int32
 *     36  depth         int32   components; the root has 0            ... to here
 *     40  path          bytes   UTF-8; the root is empty
 *      +  dataLength    int32   big-endian from here: exactly the body of a getData reply. −1 = null
 *      +  data          bytes
 *      +  Stat          68 B    as the wire has it (see wire/stat.ts)
 *
 * So a read is a reply header and one copy, and `exists` copies the last 68 bytes.
 */
import { readInt64 } from '../../base/int64.ts';
import type { Segments } from '../../shm/segments.ts';
import { SEGMENT_GRAIN_MASK, SEGMENT_GRAIN_SHIFT } from '../../shm/segments.ts';
import { STAT_BYTES, StatOffset } from '../../wire/stat.ts';

/** An arena offset in 16-byte grains; 0 = none. */
export type Offset = number;

export const RECORD_PATH_START = 40;
/** Everything but path and data. */
export const RECORD_FIXED_BYTES = RECORD_PATH_START + 4 + STAT_BYTES;
export const TOMBSTONE_ACL = -0x80000000;
/** In place of the generation of a staged record: it was built for children that come or go, no reply shows it. */
export const CHILDREN_ONLY = -1;

const CONTAINER_HIGH = -0x80000000;
/** Top byte 0xff and feature id 0: the two upper bytes and the feature half of a TTL owner. */
const TTL_TOP = 0xff;

export type OwnerKind = 'persistent' | 'ephemeral' | 'container' | 'ttl';

/** What a persisted owner means. With `extendedTypes` off, a TTL encoding is an ordinary session id. */
export function ownerKind(high: number, low: number, extendedTypes: boolean): OwnerKind {
  if (high === 0 && low === 0) return 'persistent';
  if (high === CONTAINER_HIGH && low === 0) return 'container';
  if (extendedTypes && high >>> 24 === TTL_TOP) return 'ttl';
  return 'ephemeral';
}

export function ttlOwnerHigh(ttlMs: number): number {
  return (TTL_TOP << 24) | Math.floor(ttlMs / 4294967296);
}

/** The 40-bit TTL in milliseconds. */
export function ttlOfOwner(high: number, low: number): number {
  return (high & 0xff) * 4294967296 + (low >>> 0);
}

export const CONTAINER_OWNER_HIGH = CONTAINER_HIGH;

/** A movable reading position on one record; make a few once and move them, never one per request. */
export class ZnodeCursor {
  bytes: Uint8Array;
  words: Int32Array;
  view: DataView;
  /** Byte position of the record in its segment. */
  base: number;
  offset: Offset;
  private readonly segments: Segments;

  constructor(segments: Segments) {
    this.segments = segments;
    const first = segments.list[0]!;
    this.bytes = first.bytes;
    this.words = first.words;
    this.view = first.view;
    this.base = 0;
    this.offset = 0;
  }

  moveTo(offset: Offset): void {
    const segment = this.segments.list[offset >>> SEGMENT_GRAIN_SHIFT]!;
    this.bytes = segment.bytes;
    this.words = segment.words;
    this.view = segment.view;
    this.base = (offset & SEGMENT_GRAIN_MASK) << 4;
    this.offset = offset;
  }

  get nodeId(): number {
    return this.words[this.base >> 2]!;
  }
  get generation(): number {
    return this.words[(this.base >> 2) + 1]!;
  }
  set generation(value: number) {
    this.words[(this.base >> 2) + 1] = value;
  }
  get pathHash(): number {
    return this.words[(this.base >> 2) + 2]!;
  }
  get aclId(): number {
    return this.words[(this.base >> 2) + 3]!;
  }
  get cversion(): number {
    return this.words[(this.base >> 2) + 4]!;
  }
  get ownerHigh(): number {
    return this.words[(this.base >> 2) + 5]!;
  }
  get ownerLow(): number {
    return this.words[(this.base >> 2) + 6]!;
  }
  get nodeDigest(): number {
    return this.words[(this.base >> 2) + 7]! >>> 0;
  }
  get pathLength(): number {
    return this.words[(this.base >> 2) + 8]!;
  }
  get depth(): number {
    return this.words[(this.base >> 2) + 9]!;
  }
  get isTombstone(): boolean {
    return this.aclId === TOMBSTONE_ACL;
  }
  get pathStart(): number {
    return this.base + RECORD_PATH_START;
  }
  /** Where the getData body begins: int32 length, data, Stat. */
  get bodyStart(): number {
    return this.base + RECORD_PATH_START + this.pathLength;
  }
  /** −1 = null data. */
  get dataLength(): number {
    return this.view.getInt32(this.bodyStart);
  }
  get dataBytes(): number {
    const length = this.dataLength;
    return Math.max(length, 0);
  }
  get dataStart(): number {
    return this.bodyStart + 4;
  }
  get statStart(): number {
    return this.bodyStart + 4 + this.dataBytes;
  }
  get bodyLength(): number {
    return 4 + this.dataBytes + STAT_BYTES;
  }
  get recordBytes(): number {
    return RECORD_FIXED_BYTES + this.pathLength + this.dataBytes;
  }
  get version(): number {
    return this.view.getInt32(this.statStart + StatOffset.version);
  }
  get aversion(): number {
    return this.view.getInt32(this.statStart + StatOffset.aversion);
  }
  get numChildren(): number {
    return this.view.getInt32(this.statStart + StatOffset.numChildren);
  }

  /** Whether the record's path is `bytes[start, start + length)`. */
  pathEquals(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.pathLength !== length) return false;
    const mine = this.bytes;
    const from = this.base + RECORD_PATH_START;
    // Backwards: siblings share their parent's prefix and differ at the end.
    for (let i = length - 1; i >= 0; i--) {
      if (mine[from + i] !== bytes[start + i]) return false;
    }
    return true;
  }
}

/** A zxid (or time) of the record's Stat, by its `StatOffset`. */
export function readZxid(node: ZnodeCursor, field: number): number {
  return readInt64(node.view, node.statStart + field);
}

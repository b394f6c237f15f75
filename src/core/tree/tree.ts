/**
 * The znode store: one writer (the core thread), bytes in shared segments, immutable records.
 *
 * A change goes through two moments. *Staged*: preparation builds the node's next record and hangs it in
 * `pending`; later preparations see it (`latest`), clients do not. *Published*: the transaction is durable, the
 * record becomes the node's `slot`, and the one before is retired. Staging, and taking it back, is in staging.ts; start-up
 * publishes without it (bulk-load.ts).
 *
 *     prep ──stage──▶ pending[id] ──publish──▶ slot[id] ──replaced──▶ held (snapshot running) or retired
 *              ▲            │
 *              └─rollback───┘
 *
 * Digests run beside: `staging.digest` after the last staged change, `committed` after the last published one.
 */

import { assert } from '../../base/assert.ts';
import type { KeyedHash } from '../../base/keyed-hash.ts';
import type { Zxid } from '../../base/zxid.ts';
import { Arena } from '../../shm/arena.ts';
import { Compactor } from '../../shm/compactor.ts';
import { createEpochs, EpochReader, EpochWriter } from '../../shm/epochs.ts';
import { type SegmentPool, Segments } from '../../shm/segments.ts';
import { StatOffset } from '../../wire/stat.ts';
import { parentLength } from '../path/path.ts';
import { Children } from './children.ts';
import { DigestSum } from './digest.ts';
import { NODE_BLOCK_MASK, NODE_BLOCK_SHIFT, NodeTable } from './node-table.ts';
import type { PathMatch } from './path-index.ts';
import { PathIndex } from './path-index.ts';
import { PointInTime } from './point-in-time.ts';
import type { Offset } from './record.ts';
import { readZxid, ZnodeCursor } from './record.ts';
import { RecordBuilder } from './record-builder.ts';
import { Staging } from './staging.ts';
import { StoreSweep } from './store-sweep.ts';

/** Epoch readers: the snapshot thread, and the core itself while it makes a large reply over several turns. */
const EPOCH_READERS = 2;
const OWN_READER = 1;
const RECLAIM_PER_TURN = 4096;

export const EMPTY_PATH = new Uint8Array(0);

/**
 * How much of the spare room each kind of write must leave, so that a full store is a state to get out of. Every write
 * builds records, and while a snapshot runs what it replaces stays too:
 *
 *     │ znodes …                  │ sets that do not grow │ deletions, ends of sessions │ lists and tables │
 *                      growth stops here (1)      change stops here (½)        removal stops here (⅛)
 */
export const RoomKept = { growth: 1, change: 1 / 2, removal: 1 / 8 } as const;
export type RoomKept = (typeof RoomKept)[keyof typeof RoomKept];

/** What the store keeps back. */
export function spareBytesOf(storeBytesMax: number): number {
  return Math.max(8 * 1024 * 1024, Math.floor(storeBytesMax / 16));
}

export interface TreeOptions {
  /** Upper bound of the store's shared memory, in bytes. */
  readonly bytesMax: number;
  readonly digest: boolean;
  readonly extendedTypes: boolean;
  /** Of paths. */
  readonly hash: KeyedHash;
  /** Where memory comes from and goes to; absent: one of its own. */
  readonly segments?: SegmentPool;
}

export class Tree implements PathMatch {
  /** What every table of paths uses, so that a record's hash serves all of them. */
  readonly hash: KeyedHash;
  readonly segments: Segments;
  readonly arena: Arena;
  readonly epochsHandle = createEpochs(EPOCH_READERS);
  private readonly epochs: EpochWriter;
  private readonly ownEpoch = new EpochReader(this.epochsHandle, OWN_READER);
  readonly nodes = new NodeTable();
  readonly children: Children;
  readonly index: PathIndex;
  readonly build: RecordBuilder;
  /** What is proposed; see there. */
  readonly staging: Staging;
  readonly pointInTime: PointInTime;
  /** Keeps the pages of the arena worth what lives in them. */
  readonly compactor: Compactor;
  readonly committed = new DigestSum();
  readonly extendedTypes: boolean;
  /** Committed nodes including the root, and Apache's approximate size: path and data bytes of all nodes. */
  nodeCount = 0;
  dataBytes = 0;
  private readonly matchCursor: ZnodeCursor;
  private readonly a: ZnodeCursor;
  private readonly b: ZnodeCursor;
  private readonly spareBytes: number;

  constructor(options: TreeOptions) {
    this.hash = options.hash;
    this.segments = new Segments([], options.segments);
    this.spareBytes = spareBytesOf(options.bytesMax);
    this.arena = new Arena(this.segments, { bytesMax: options.bytesMax });
    if (this.segments.list.length === 0) this.segments.grow();
    this.epochs = new EpochWriter(this.epochsHandle, this.arena);
    this.children = new Children(this.nodes, this.arena, this.segments);
    this.index = new PathIndex(this.segments, this.arena, this);
    this.build = new RecordBuilder(this.segments, this.arena, options);
    const { segments, arena, nodes, index, build } = this;
    this.staging = new Staging({ segments, arena, nodes, index, build });
    this.pointInTime = new PointInTime(this.nodes, this.segments, this.epochsHandle, this.epochs);
    this.compactor = this.createCompactor();
    this.extendedTypes = options.extendedTypes;
    this.matchCursor = new ZnodeCursor(this.segments);
    this.a = new ZnodeCursor(this.segments);
    this.b = new ZnodeCursor(this.segments);
  }

  /** Whether a record of `bytes` and one of `otherBytes` (a parent's copy) may be added, and leave what `kept` says. */
  hasRoomFor(bytes: number, otherBytes: number, kept: RoomKept): boolean {
    return this.arena.hasRoomForBoth(bytes, otherBytes, this.spareBytes * kept);
  }

  /** Loading keeps nothing back: a server with less than this would serve and then find no room for a deletion. */
  get hasRoomToServe(): boolean {
    return this.arena.hasRoom(this.spareBytes * RoomKept.removal, 0);
  }

  cursor(): ZnodeCursor {
    return new ZnodeCursor(this.segments);
  }

  /** The id of the node with this path (committed or proposed), 0 = none. */
  find(bytes: Uint8Array, start: number, length: number, hash: number): number {
    return this.index.find(hash, bytes, start, length);
  }

  matches(nodeId: number, bytes: Uint8Array, start: number, length: number): boolean {
    const cursor = this.matchCursor;
    const slot = this.nodes.slot(nodeId);
    cursor.moveTo(slot !== 0 ? slot : this.nodes.pendingOf(nodeId));
    return cursor.pathEquals(bytes, start, length);
  }

  /** What clients see: the committed record, 0 when there is none. */
  committedOf(nodeId: number): Offset {
    return this.nodes.slot(nodeId);
  }

  /** Id for a node to be created: the present one when the path is still known (proposed to go), or a new one. */
  idForCreate(bytes: Uint8Array, start: number, length: number, hash: number): number {
    const known = this.find(bytes, start, length, hash);
    return known !== 0 ? known : this.nodes.allocate();
  }

  /** While true, no record that is committed now is reused, even when it is replaced. */
  keepRetired(keep: boolean): void {
    if (keep) this.ownEpoch.enter();
    else this.ownEpoch.leave();
  }

  /** Nobody looks at this tree any more, no snapshot thread either: its memory is the next one's. */
  giveBack(): void {
    this.segments.giveBack();
  }

  /** Once per turn: frees retired records that no reader can hold any more. */
  reclaim(): void {
    this.epochs.reclaim(RECLAIM_PER_TURN);
  }

  // ---- publishing ----------------------------------------------------------------------------------------

  /** Makes `record` what clients see of the node. */
  publish(nodeId: number, record: Offset): void {
    const block = nodeId >>> NODE_BLOCK_SHIFT;
    const index = nodeId & NODE_BLOCK_MASK;
    const slots = this.nodes.slots[block]!;
    const old = slots[index]!;
    const cursor = this.a;
    cursor.moveTo(record);
    cursor.generation = this.pointInTime.generation;
    this.committed.add(cursor.nodeDigest);
    this.dataBytes += cursor.dataBytes;
    if (old === 0) {
      this.nodeCount++;
      this.dataBytes += cursor.pathLength;
    }
    this.swap(slots, index, nodeId, old, record);
    if (this.nodes.pending[block]![index] === record) this.nodes.pending[block]![index] = 0;
  }

  /** The record of `stageChildren`, which several effects of one transaction may share. */
  publishChildren(nodeId: number, record: Offset): void {
    if (this.nodes.slot(nodeId) !== record) this.publish(nodeId, record);
  }

  /** A created node becomes visible, and a child of `parentId`. */
  publishCreate(nodeId: number, record: Offset, parentId: number): void {
    this.publish(nodeId, record);
    this.children.add(parentId, nodeId);
  }

  /** A deleted node vanishes. The staged `tombstone` still has the path; the caller frees it in the end. */
  publishDelete(nodeId: number, tombstone: Offset, parentId: number): void {
    const block = nodeId >>> NODE_BLOCK_SHIFT;
    const index = nodeId & NODE_BLOCK_MASK;
    const slots = this.nodes.slots[block]!;
    const old = slots[index]!;
    assert(old !== 0, 'deleted a node that is not there');
    const cursor = this.a;
    cursor.moveTo(old);
    const hash = cursor.pathHash;
    this.dataBytes -= cursor.pathLength;
    this.nodeCount--;
    if (parentId !== 0) this.children.remove(parentId, nodeId);
    this.swap(slots, index, nodeId, old, 0);
    const pending = this.nodes.pending[block]![index]!;
    if (pending === tombstone) {
      this.nodes.pending[block]![index] = 0;
      this.index.remove(hash, nodeId);
      this.nodes.release(nodeId);
    }
  }

  /** Changes a committed node's data outside of any transaction (quota statistics): its Stat stays as it is. */
  replaceData(nodeId: number, data: Uint8Array): void {
    const old = this.committedOf(nodeId);
    const cursor = this.a;
    cursor.moveTo(old);
    const mzxid = readZxid(cursor, StatOffset.mzxid);
    const mtime = readZxid(cursor, StatOffset.mtime);
    this.replaceContent(nodeId, data, cursor.version, mzxid, mtime);
  }

  /** The same with what its Stat says of the data. */
  replaceContent(nodeId: number, data: Uint8Array, version: number, mzxid: Zxid, mtimeMs: number): void {
    const old = this.committedOf(nodeId);
    this.publish(nodeId, this.build.withData(old, data, 0, data.length, version, mzxid, mtimeMs));
  }

  /** The committed parent of a committed node; 0 for the root. */
  parentOf(nodeId: number): number {
    const cursor = this.b;
    cursor.moveTo(this.committedOf(nodeId));
    if (cursor.pathLength === 0) return 0;
    const length = parentLength(cursor.bytes, cursor.pathStart, cursor.pathLength);
    return this.find(
      cursor.bytes,
      cursor.pathStart,
      length,
      this.hash.of(cursor.bytes, cursor.pathStart, length),
    );
  }

  private createCompactor(): Compactor {
    const { segments, arena, nodes, index, epochs, pointInTime, spareBytes } = this;
    const parts = { segments, arena, nodes, index, epochs, pointInTime, spareBytes };
    return new Compactor(arena, new StoreSweep(parts));
  }

  // The old record is held before the swap (the snapshot thread looks there next) and retired only after it
  // (an epoch reader that enters later must not find it any more).
  private swap(slots: Int32Array, index: number, nodeId: number, old: Offset, next: Offset): void {
    if (old === 0) {
      Atomics.store(slots, index, next);
      return;
    }
    const cursor = this.b;
    cursor.moveTo(old);
    this.committed.subtract(cursor.nodeDigest);
    this.dataBytes -= cursor.dataBytes;
    const held = this.pointInTime.hold(nodeId, old, cursor.generation);
    Atomics.store(slots, index, next);
    if (!held) this.epochs.retire(old);
  }
}

/**
 * The tree's proposed side: the next record of each node that proposals change, and the digest of the tree as it will
 * be. What is staged is seen by preparation only; a failed transaction is taken back, newest record first.
 *
 *     stage ──▶ pending[id] ──(Tree.publish)──▶ slot[id]
 *       ▲            │
 *       └─rollback───┘        undo list: (node id, pending before) since `begin`
 */
import type { Arena } from '../../shm/arena.ts';
import type { Segments } from '../../shm/segments.ts';
import { StatOffset } from '../../wire/stat.ts';
import { DigestSum } from './digest.ts';
import type { NodeTable } from './node-table.ts';
import type { PathIndex } from './path-index.ts';
import { CHILDREN_ONLY, type Offset, readZxid, ZnodeCursor } from './record.ts';
import type { RecordBuilder } from './record-builder.ts';

export interface StagingParts {
  readonly segments: Segments;
  readonly arena: Arena;
  readonly nodes: NodeTable;
  readonly index: PathIndex;
  readonly build: RecordBuilder;
}

export class Staging {
  /** Of the tree after everything staged. */
  readonly digest = new DigestSum();
  private readonly arena: Arena;
  private readonly nodes: NodeTable;
  private readonly index: PathIndex;
  private readonly build: RecordBuilder;
  private readonly a: ZnodeCursor;
  private readonly b: ZnodeCursor;
  private undo = new Int32Array(64);
  private undoLength = 0;

  constructor(parts: StagingParts) {
    this.arena = parts.arena;
    this.nodes = parts.nodes;
    this.index = parts.index;
    this.build = parts.build;
    this.a = new ZnodeCursor(parts.segments);
    this.b = new ZnodeCursor(parts.segments);
  }

  /** What preparation sees: the newest record, proposed or committed; 0 when absent or proposed to go. */
  latestOf(nodeId: number): Offset {
    const pending = this.nodes.pendingOf(nodeId);
    if (pending === 0) return this.nodes.slot(nodeId);
    this.b.moveTo(pending);
    return this.b.isTombstone ? 0 : pending;
  }

  /** Forgets the undo list: what has been staged so far stays. */
  begin(): void {
    this.undoLength = 0;
  }

  /** Hangs a record (or tombstone) in as the node's next state. */
  stage(nodeId: number, record: Offset): void {
    const before = this.nodes.pendingOf(nodeId);
    const slot = this.nodes.slot(nodeId);
    const cursor = this.a;
    const previous = before !== 0 ? before : slot;
    if (previous !== 0) {
      cursor.moveTo(previous);
      this.digest.subtract(cursor.nodeDigest);
    }
    cursor.moveTo(record);
    this.digest.add(cursor.nodeDigest);
    if (this.undoLength + 2 > this.undo.length) {
      const larger = new Int32Array(this.undo.length * 2);
      larger.set(this.undo);
      this.undo = larger;
    }
    this.undo[this.undoLength++] = nodeId;
    this.undo[this.undoLength++] = before;
    this.nodes.setPending(nodeId, record);
    if (previous === 0) this.index.insert(cursor.pathHash, nodeId);
  }

  /**
   * A child of the node comes or goes: returns the record that stands for the node then. Within one transaction it is
   * made once and then changed in place, or a multi of many children would copy their parent's data each time.
   */
  stageChildren(nodeId: number, cversion: number, childDelta: number, zxid: number): Offset {
    const cursor = this.b;
    const latest = this.latestOf(nodeId);
    cursor.moveTo(latest);
    const numChildren = cursor.numChildren + childDelta;
    if (cursor.generation === CHILDREN_ONLY && readZxid(cursor, StatOffset.pzxid) === zxid) {
      this.digest.subtract(cursor.nodeDigest);
      this.build.changeChildren(latest, cversion, numChildren, zxid);
      this.digest.add(cursor.nodeDigest);
      return latest;
    }
    const record = this.build.withChildren(latest, cversion, numChildren, zxid);
    this.stage(nodeId, record);
    return record;
  }

  /** Takes back what has been staged since `begin`, newest first, up to so many records; true = that was all. */
  rollback(recordsMax = Number.POSITIVE_INFINITY): boolean {
    const cursor = this.a;
    for (let left = recordsMax; this.undoLength > 0; left--) {
      if (left === 0) return false;
      const before = this.undo[--this.undoLength]!;
      const nodeId = this.undo[--this.undoLength]!;
      const record = this.nodes.pendingOf(nodeId);
      cursor.moveTo(record);
      this.digest.subtract(cursor.nodeDigest);
      const slot = this.nodes.slot(nodeId);
      const isNew = before === 0 && slot === 0;
      if (isNew) this.index.remove(cursor.pathHash, nodeId);
      this.nodes.setPending(nodeId, before);
      this.arena.free(record);
      if (isNew) {
        this.nodes.release(nodeId);
      } else {
        cursor.moveTo(before !== 0 ? before : slot);
        this.digest.add(cursor.nodeDigest);
      }
    }
    return true;
  }
}

/**
 * What snapshot loading and replay share while a replica is filled: the state being filled, how far it has come, and
 * which ephemerals still wait for their session (a fuzzy snapshot names them before the createSession is replayed).
 * Core thread, before anything is served.
 */
import { joinHalves } from '../../base/int64.ts';
import { type Zxid, ZxidCell } from '../../base/zxid.ts';
import type { AclTable } from '../acl/acl-table.ts';
import { parentLength } from '../path/path.ts';
import type { SessionTable } from '../session/session-table.ts';
import { BulkLoad } from '../tree/bulk-load.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import { ownerKind, type ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import type { TreeEffects } from '../txn/tree-effects.ts';

/** What is filled. */
export interface LoadTarget {
  readonly tree: Tree;
  readonly acls: AclTable;
  readonly sessions: SessionTable;
  readonly ephemerals: Ephemerals;
  readonly effects: TreeEffects;
}

export class LoadState {
  readonly target: LoadTarget;
  readonly bulk: BulkLoad;
  readonly lastZxid = new ZxidCell();
  digestMismatches = 0;
  /** The first mismatch, for the log line. */
  readonly firstMismatchZxid = new ZxidCell();
  /** Up to here the snapshot may already contain what is replayed: digests mean nothing yet. */
  readonly fuzzyUntil = new ZxidCell();
  private readonly node: ZnodeCursor;
  private unowned = new Map<bigint, number[]>();

  constructor(target: LoadTarget) {
    this.target = target;
    this.bulk = new BulkLoad(target.tree);
    this.node = target.tree.cursor();
  }

  /** Ephemerals whose session has turned up nowhere; they are forgotten here. */
  takeUnowned(): number[] {
    const ids = [...this.unowned.values()].flat();
    this.unowned = new Map();
    return ids;
  }

  session(idHigh: number, idLow: number, timeoutMs: number): void {
    const { sessions } = this.target;
    const known = sessions.find(idHigh, idLow);
    if (known >= 0) sessions.timeoutMs[known] = timeoutMs;
    else this.adopt(sessions.create(idHigh, idLow, timeoutMs, 0), idHigh, idLow);
  }

  /** A node has appeared: if it is an ephemeral, its session owns it from now on. */
  own(id: number, node: ZnodeCursor): void {
    const { ownerHigh, ownerLow } = node;
    if (ownerKind(ownerHigh, ownerLow, this.target.tree.extendedTypes) !== 'ephemeral') return;
    const slot = this.target.sessions.find(ownerHigh, ownerLow);
    if (slot >= 0) {
      this.target.ephemerals.add(slot, id);
      return;
    }
    const owner = joinHalves(ownerHigh, ownerLow);
    const waiting = this.unowned.get(owner);
    if (waiting === undefined) this.unowned.set(owner, [id]);
    else waiting.push(id);
  }

  private adopt(slot: number, idHigh: number, idLow: number): void {
    if (this.unowned.size === 0) return;
    const owner = joinHalves(idHigh, idLow);
    const { tree, ephemerals } = this.target;
    for (const id of this.unowned.get(owner) ?? []) {
      const record = tree.committedOf(id);
      if (record === 0) continue;
      this.node.moveTo(record);
      if (this.node.ownerHigh === idHigh && this.node.ownerLow === idLow) ephemerals.add(slot, id);
    }
    this.unowned.delete(owner);
  }

  findNode(bytes: Uint8Array, start: number, length: number): number {
    // A setData on the root names it "/".
    const stored = length === 1 ? 0 : length;
    return this.target.tree.find(bytes, start, stored, this.target.tree.hash.of(bytes, start, stored));
  }

  findParent(bytes: Uint8Array, start: number, length: number): number {
    const parent = parentLength(bytes, start, length);
    if (parent < 0) return 0;
    return this.target.tree.find(bytes, start, parent, this.target.tree.hash.of(bytes, start, parent));
  }

  /** True: the tree is the one that the digest was made of. */
  compareDigest(zxid: Zxid, high: number, low: number): boolean {
    const { committed } = this.target.tree;
    if (committed.high === high >>> 0 && committed.low === low >>> 0) return true;
    this.digestMismatches++;
    if (this.digestMismatches === 1) this.firstMismatchZxid.value = zxid;
    return false;
  }
}

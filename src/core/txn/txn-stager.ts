/**
 * The follower's way into the proposal queue: a transaction as it was logged elsewhere (TxnHeader, record, digest) is
 * staged without any check of its own, because its leader has made them, and its bytes go into this log as they are. What
 * commits it, fires watches and accounts quotas is the same committer.
 *
 *     leader     request ─▶ preparation ─┐
 *                                        ├─▶ Change ─▶ Stager ─▶ proposal queue ─▶ Committer
 *     follower   bytes ──▶ TxnStager ────┘
 *
 * A transaction that does not fit (Apache's followers skip it as well) changes nothing and is counted; so is a digest
 * that differs. Core thread.
 */
import { copyBytes } from '../../wire/copy-bytes.ts';
import { StringCursor } from '../../wire/cursors.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { SubTxnCursor, TXN_DIGEST_VERSION, TxnReader, type TxnRecord } from '../../wire/txn-records.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { Client } from '../client/client.ts';
import { NO_WRITE } from '../client/write-numbers.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import { parentLength } from '../path/path.ts';
import type { Statistics } from '../progress/statistics.ts';
import { NO_SESSION, type SessionTable } from '../session/session-table.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import { CONTAINER_OWNER_HIGH, ttlOwnerHigh, type ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import type { Change } from './change.ts';
import type { LatestView } from './latest-view.ts';
import type { DeletePreparation } from './prepare-delete.ts';
import type { ProposalQueue } from './proposal-queue.ts';
import type { ProposalWriter } from './proposal-writer.ts';
import type { Stager } from './stager.ts';

export interface TxnStagerParts {
  readonly tree: Tree;
  readonly acls: AclTable;
  readonly sessions: SessionTable;
  readonly ephemerals: Ephemerals;
  readonly statistics: Statistics;
  readonly latest: LatestView;
  readonly change: Change;
  readonly deletes: DeletePreparation;
  readonly stager: Stager;
  readonly writer: ProposalWriter;
  readonly proposals: ProposalQueue;
  readonly forwarder: Forwarder;
}

export class TxnStager {
  private readonly parts: TxnStagerParts;
  private readonly txn = new TxnReader();
  private readonly sub = new SubTxnCursor();
  private readonly paths = new StringCursor();
  private readonly node: ZnodeCursor;
  private readonly parent: ZnodeCursor;
  /** Of a multi that has failed: the place of the operation that did. */
  private failedAt = 0;

  constructor(parts: TxnStagerParts) {
    this.parts = parts;
    this.node = parts.tree.cursor();
    this.parent = parts.tree.cursor();
  }

  /**
   * `bytes[start, end)` is the payload of a PROPOSAL; a client here whose forwarded write has become it will be answered.
   * False = no room in the log or the queue, nothing has changed; `null` = it is no transaction.
   */
  stage(bytes: Uint8Array, view: DataView, start: number, end: number): boolean | null {
    const { txn } = this;
    const { writer, proposals } = this.parts;
    if (!txn.wrap(bytes, view, start, end)) return null;
    const at = writer.claimPayload(end - start);
    if (at < 0) return false;
    copyBytes(bytes, start, end - start, writer.log.bytes, at);
    writer.log.commit(txn.zxid, end - start);
    writer.begin();
    const isOwn = this.parts.forwarder.isNext(txn.clientIdHigh, txn.clientIdLow, txn.cxid);
    if (isOwn) this.stageOwn();
    else this.push(this.apply(null), txn.type, null, NO_WRITE);
    if (this.differs()) proposals.digestDiffers[proposals.tailRow] = 1;
    return true;
  }

  // The oldest forwarded write of a client here.
  private stageOwn(): void {
    const { txn } = this;
    const { forwarder, proposals, statistics } = this.parts;
    const { client, op, write, received, subOps } = forwarder.next;
    const misfits = statistics.foreignMisfits;
    let err = this.apply(subOps);
    // This tree is not the leader's: nothing may be answered as if it were.
    if (err === 0 && statistics.foreignMisfits > misfits) err = ErrorCode.runtimeInconsistency;
    const row = this.push(err, txn.type === OpCode.error ? op : txn.type, client, write);
    proposals.receivedMs[row] = received;
    if (txn.type === OpCode.multi && err !== 0) {
      proposals.failedAt[row] = this.failedAt;
      proposals.subCounts[row] = txn.subsCount;
    }
    forwarder.take();
  }

  private push(err: number, op: number, client: Client | null, write: number): number {
    const { txn } = this;
    const { writer } = this.parts;
    return writer.pushNumbered(txn.zxid, op, client, txn.cxid, err, writer.stagedBytes, write);
  }

  private differs(): boolean {
    const { txn } = this;
    if (!txn.hasDigest || txn.digestVersion !== TXN_DIGEST_VERSION || !this.parts.writer.hasDigest)
      return false;
    const { high, low } = this.parts.tree.staging.digest;
    return high !== txn.digestHigh >>> 0 || low !== txn.digestLow >>> 0;
  }

  /** Returns the error that the transaction stands for. `subOps`: which of a multi are to be answered as create2. */
  private apply(subOps: Uint8Array | null): number {
    const { txn } = this;
    switch (txn.type) {
      case OpCode.createSession:
        this.createSession();
        return 0;
      case OpCode.closeSession:
        this.closeSession();
        return 0;
      case OpCode.multi:
        return this.applyMulti(subOps);
      case OpCode.error:
        return txn.err;
      default:
        this.applyRecord(txn);
        return 0;
    }
  }

  private applyMulti(subOps: Uint8Array | null): number {
    const { txn, sub } = this;
    // One that contains an error changed nothing.
    this.failedAt = 0;
    for (sub.wrap(txn); sub.next(); this.failedAt++) if (sub.type === OpCode.error) return sub.err;
    sub.wrap(txn);
    for (let place = 0; sub.next(); place++) {
      if (subOps !== null && subOps[place] === 1 && sub.type === OpCode.create) sub.type = OpCode.create2;
      this.applyRecord(sub);
    }
    return 0;
  }

  private applyRecord(record: TxnRecord): void {
    const isPlanned = this.plan(record);
    if (!isPlanned) this.parts.statistics.foreignMisfits++;
    else this.parts.stager.stage(this.parts.change, this.txn.zxid, this.txn.timeMs);
  }

  /** False: it does not fit. */
  private plan(record: TxnRecord): boolean {
    const { change } = this.parts;
    switch (record.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        return this.planCreate(record);
      case OpCode.delete:
      case OpCode.deleteContainer:
        return this.planDelete(record.bytes, record.pathStart, record.pathLength);
      case OpCode.setData:
      case OpCode.reconfig:
        if (!this.planOnNode(record, OpCode.setData)) return false;
        change.setData(record.bytes, record.dataStart, record.dataLength);
        return true;
      case OpCode.setAcl: {
        if (!this.planOnNode(record, OpCode.setAcl)) return false;
        const { bytes, aclStart, aclLength } = record;
        change.aclId = this.parts.acls.internBytes(bytes, aclStart, aclStart + aclLength);
        return true;
      }
      default:
        return this.planOnNode(record, OpCode.check);
    }
  }

  private planCreate(record: TxnRecord): boolean {
    const { change, latest, tree, acls } = this.parts;
    const { parent } = this;
    const { bytes, pathStart, pathLength } = record;
    const parentId = latest.find(bytes, pathStart, parentLength(bytes, pathStart, pathLength), parent);
    if (parentId === 0) return false;
    change.hash = tree.hash.of(bytes, pathStart, pathLength);
    change.nodeId = tree.find(bytes, pathStart, pathLength, change.hash);
    if (change.nodeId !== 0 && tree.staging.latestOf(change.nodeId) !== 0) return false;
    change.op = record.type;
    change.parentId = parentId;
    change.parentCversion = record.parentCVersion === -1 ? parent.cversion + 1 : record.parentCVersion;
    change.setPath(bytes, pathStart, pathLength);
    change.setData(bytes, record.dataStart, record.dataLength);
    change.aclId = acls.internBytes(bytes, record.aclStart, record.aclStart + record.aclLength);
    this.setOwner(record);
    return true;
  }

  private setOwner(record: TxnRecord): void {
    const { change, sessions } = this.parts;
    const { clientIdHigh, clientIdLow } = this.txn;
    change.ownerSession = NO_SESSION;
    change.ownerHigh = 0;
    change.ownerLow = 0;
    if (record.type === OpCode.createContainer) {
      change.ownerHigh = CONTAINER_OWNER_HIGH;
    } else if (record.type === OpCode.createTtl) {
      change.ownerHigh = ttlOwnerHigh(record.ttl);
      change.ownerLow = record.ttl | 0;
    } else if (record.ephemeral) {
      change.ownerHigh = clientIdHigh;
      change.ownerLow = clientIdLow;
      change.ownerSession = sessions.find(clientIdHigh, clientIdLow);
    }
  }

  private planDelete(bytes: Uint8Array, start: number, length: number): boolean {
    const { latest, deletes } = this.parts;
    const id = latest.find(bytes, start, length, this.node);
    if (id === 0) return false;
    deletes.planRemovalOf(OpCode.delete, id);
    return true;
  }

  private planOnNode(record: TxnRecord, op: number): boolean {
    const { change, latest } = this.parts;
    const { bytes, pathStart, pathLength } = record;
    const id = latest.find(bytes, pathStart, pathLength, this.node);
    if (id === 0) return false;
    change.op = op;
    change.nodeId = id;
    change.version = record.version;
    return true;
  }

  // ---- sessions ------------------------------------------------------------------------------------------

  private createSession(): void {
    const { sessions, proposals, writer } = this.parts;
    const { clientIdHigh, clientIdLow, timeoutMs } = this.txn;
    let slot = sessions.find(clientIdHigh, clientIdLow);
    if (slot < 0) {
      slot = sessions.create(clientIdHigh, clientIdLow, timeoutMs, writer.clock.nowMs);
      sessions.setProposed(slot, true);
    }
    proposals.pushEffect(OpCode.createSession, 0, 0, 0, 0, slot);
  }

  // What it lists, then whatever else the session still owns here.
  private closeSession(): void {
    const { sessions, proposals, change, stager } = this.parts;
    const { txn, paths } = this;
    const slot = sessions.find(txn.clientIdHigh, txn.clientIdLow);
    if (txn.pathsCount > 0) {
      for (paths.wrap(txn.view, txn.pathsStart); paths.next(); ) {
        if (this.planDelete(txn.bytes, paths.start, paths.length)) stager.stage(change, txn.zxid, txn.timeMs);
        else this.parts.statistics.foreignMisfits++;
      }
    }
    // A leader may end a session twice: when it has expired, and because its client has asked for it.
    if (slot < 0 || sessions.isEnding(slot)) return;
    this.removeOwned(slot);
    sessions.setEnding(slot);
    proposals.pushEffect(OpCode.closeSession, 0, 0, 0, 0, slot);
  }

  private removeOwned(slot: number): void {
    const { ephemerals, tree, deletes, stager, change } = this.parts;
    const { txn, node } = this;
    for (const id of ephemerals.of(slot) ?? []) {
      const record = tree.staging.latestOf(id);
      if (record === 0) continue;
      node.moveTo(record);
      if (node.ownerHigh !== txn.clientIdHigh || node.ownerLow !== txn.clientIdLow) continue;
      deletes.planRemovalOf(OpCode.delete, id);
      stager.stage(change, txn.zxid, txn.timeMs);
    }
  }
}

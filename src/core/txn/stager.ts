/**
 * Stages the planned change: builds the records, hangs them in as the nodes' next state and notes the effects for the
 * commit; takes them back when a later operation of a multi fails or the log has no room. Core thread.
 */
import { OpCode } from '../../wire/opcodes.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import type { Change } from './change.ts';
import type { ProposalQueue } from './proposal-queue.ts';

export class Stager {
  private readonly tree: Tree;
  private readonly acls: AclTable;
  private readonly ephemerals: Ephemerals;
  private readonly proposals: ProposalQueue;
  private readonly node: ZnodeCursor;
  private readonly parent: ZnodeCursor;

  constructor(parts: { tree: Tree; acls: AclTable; ephemerals: Ephemerals; proposals: ProposalQueue }) {
    this.tree = parts.tree;
    this.acls = parts.acls;
    this.ephemerals = parts.ephemerals;
    this.proposals = parts.proposals;
    this.node = parts.tree.cursor();
    this.parent = parts.tree.cursor();
  }

  /** Builds and hangs in the planned records, and notes the effects for the commit. */
  stage(change: Change, zxid: number, timeMs: number): void {
    switch (change.op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        this.stageCreate(change, zxid, timeMs);
        return;
      case OpCode.delete:
      case OpCode.deleteContainer:
      case OpCode.closeSession:
        this.stageDelete(change, zxid);
        return;
      case OpCode.setData: {
        const { data, dataStart, dataLength, version, nodeId } = change;
        const old = this.tree.staging.latestOf(nodeId);
        const record = this.tree.build.withData(old, data, dataStart, dataLength, version, zxid, timeMs);
        this.tree.staging.stage(nodeId, record);
        this.proposals.pushEffect(OpCode.setData, nodeId, record, 0, 0);
        return;
      }
      case OpCode.setAcl: {
        const record = this.tree.build.withAcl(
          this.tree.staging.latestOf(change.nodeId),
          change.aclId,
          change.version,
        );
        this.tree.staging.stage(change.nodeId, record);
        this.acls.addReference(change.aclId);
        this.proposals.pushEffect(OpCode.setAcl, change.nodeId, record, 0, 0);
        return;
      }
      default:
        this.proposals.pushEffect(OpCode.check, change.nodeId, 0, 0, 0);
    }
  }

  /** Takes back every effect from `mark` on (a multi failed, or the log had no room). */
  rollback(mark: number): void {
    this.rollbackSome(mark, Number.POSITIVE_INFINITY);
  }

  /** The same in slices: so many effects, then as many records; true = all of it is taken back. */
  rollbackSome(mark: number, effectsMax: number): boolean {
    const { proposals, node } = this;
    const to = Math.max(mark, proposals.effectTail - effectsMax);
    for (let position = proposals.effectTail - 1; position >= to; position--) {
      const kind = proposals.kind(position);
      if (kind === OpCode.setAcl) {
        node.moveTo(proposals.record(position));
        this.acls.release(node.aclId);
      } else if (kind === OpCode.create || kind === OpCode.create2) {
        node.moveTo(proposals.record(position));
        this.acls.release(node.aclId);
        const owner = proposals.owner(position);
        if (owner >= 0) this.ephemerals.remove(owner, proposals.nodeId(position));
      }
    }
    proposals.dropEffects(to);
    return to === mark && this.tree.staging.rollback(effectsMax);
  }

  private stageCreate(change: Change, zxid: number, timeMs: number): void {
    const { tree } = this;
    const id = change.nodeId !== 0 ? change.nodeId : tree.nodes.allocate();
    const record = tree.build.create(
      id,
      change.hash,
      change.path,
      change.pathStart,
      change.pathLength,
      change.data,
      change.dataStart,
      change.dataLength,
      change.aclId,
      change.ownerHigh,
      change.ownerLow,
      zxid,
      timeMs,
    );
    tree.staging.stage(id, record);
    this.acls.addReference(change.aclId);
    // The effect names the owner only if a rollback has to take the entry back.
    const isEntryNew = change.ownerSession >= 0 && this.ephemerals.add(change.ownerSession, id);
    const parentRecord = tree.staging.stageChildren(change.parentId, change.parentCversion, 1, zxid);
    this.parent.moveTo(parentRecord);
    tree.children.reserve(change.parentId, this.parent.numChildren);
    const kind = change.op === OpCode.create ? OpCode.create : OpCode.create2;
    this.proposals.pushEffect(
      kind,
      id,
      record,
      change.parentId,
      parentRecord,
      isEntryNew ? change.ownerSession : -1,
    );
  }

  private stageDelete(change: Change, zxid: number): void {
    const { tree, parent } = this;
    const tombstone = tree.build.tombstone(tree.staging.latestOf(change.nodeId));
    tree.staging.stage(change.nodeId, tombstone);
    parent.moveTo(tree.staging.latestOf(change.parentId));
    const record = tree.staging.stageChildren(change.parentId, parent.cversion, -1, zxid);
    this.proposals.pushEffect(OpCode.delete, change.nodeId, tombstone, change.parentId, record);
  }
}

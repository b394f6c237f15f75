/**
 * What a record of a transaction that another server has made means here: the planned change, without any check but whether it
 * fits this tree at all. Core thread; used by txn-stager.ts.
 */
import { OpCode } from '../../wire/opcodes.ts';
import type { TxnReader, TxnRecord } from '../../wire/txn-records.ts';
import type { AclTable } from '../acl/acl-table.ts';
import { parentLength } from '../path/path.ts';
import { NO_SESSION, type SessionTable } from '../session/session-table.ts';
import { CONTAINER_OWNER_HIGH, ttlOwnerHigh, type ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import type { Change } from './change.ts';
import type { LatestView } from './latest-view.ts';
import type { DeletePreparation } from './prepare-delete.ts';

export interface ForeignChangeParts {
  readonly tree: Tree;
  readonly acls: AclTable;
  readonly sessions: SessionTable;
  readonly latest: LatestView;
  readonly change: Change;
  readonly deletes: DeletePreparation;
}

export class ForeignChange {
  private readonly parts: ForeignChangeParts;
  private readonly node: ZnodeCursor;
  private readonly parent: ZnodeCursor;

  constructor(parts: ForeignChangeParts) {
    this.parts = parts;
    this.node = parts.tree.cursor();
    this.parent = parts.tree.cursor();
  }

  /** A record of `txn`, itself or one of its operations. False: it does not fit. */
  plan(record: TxnRecord, txn: TxnReader): boolean {
    const { change } = this.parts;
    switch (record.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        return this.planCreate(record, txn);
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

  private planCreate(record: TxnRecord, txn: TxnReader): boolean {
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
    this.setOwner(record, txn);
    return true;
  }

  private setOwner(record: TxnRecord, txn: TxnReader): void {
    const { change, sessions } = this.parts;
    const { clientIdHigh, clientIdLow } = txn;
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

  /** The znode of a path goes. False: it is not there. */
  planDelete(bytes: Uint8Array, start: number, length: number): boolean {
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
}

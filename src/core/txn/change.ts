/**
 * One tentative change of the tree at a time: planned (checked against the newest records, nothing touched),
 * then staged (records built and hung in, effects noted), and for a multi taken back if a later sub-operation
 * fails. Shared by single writes, multi and session close.
 *
 * The plan's fields describe the operation for whoever encodes the transaction; they are valid until the next
 * plan. Order of checks: semantics.md §3, each step numbered where it is made.
 */

import { Perm } from '../../wire/acl.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { CreateFlags, OpCode } from '../../wire/opcodes.ts';
import type {
  CreateRequest,
  PathVersionRequest,
  SetAclRequest,
  SetDataRequest,
} from '../../wire/requests.ts';
import type { AuthId } from '../acl/acl.ts';
import { checkAcl, fixupAclBytes } from '../acl/acl-check.ts';
import type { AclTable } from '../acl/acl-table.ts';
import { NO_ACL } from '../acl/acl-table.ts';
import type { AuthProviders } from '../acl/auth-providers.ts';
import {
  hasSlashAndNoNul,
  isReserved,
  isValidPath,
  parentLength,
  SEQUENCE_SUFFIX_BYTES_MAX,
  writeSequenceSuffix,
} from '../path/path.ts';
import type { QuotaTable } from '../quota/quota-table.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import {
  CONTAINER_OWNER_HIGH,
  ownerKind,
  ttlOwnerHigh,
  RECORD_FIXED_BYTES as ZNODE_FIXED_BYTES,
} from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import type { ProposalQueue } from './proposal-queue.ts';

/** 40 bits of milliseconds. */
export const TTL_MS_MAX = 2 ** 40 - 1;

const SLASH = 47;

export interface ChangeOptions {
  readonly extendedTypes: boolean;
  readonly enforceQuota: boolean;
}

export class Change {
  /** The plan: which node, under which parent. */
  op = 0;
  path: Uint8Array = new Uint8Array(0);
  pathStart = 0;
  pathLength = 0;
  data: Uint8Array = this.path;
  dataStart = 0;
  dataLength = 0;
  aclId = 0;
  ephemeral = false;
  ttlMs = 0;
  /** New data version, new aversion, or (check) expected version + 1. */
  version = 0;
  parentCversion = 0;
  /** Writes refused because the znode store is nearly full. */
  refusedForSpace = 0;
  /** Set by the caller before a plan: the session is closing, its writes are refused. */
  sessionClosed = false;
  private hash = 0;
  private parentId = 0;
  private nodeId = 0;
  private ownerHigh = 0;
  private ownerLow = 0;
  private ownerSession = -1;

  private readonly tree: Tree;
  private readonly acls: AclTable;
  private readonly providers: AuthProviders;
  private readonly quotas: QuotaTable;
  private readonly ephemerals: Ephemerals;
  private readonly proposals: ProposalQueue;
  private readonly options: ChangeOptions;
  private readonly node: ZnodeCursor;
  private readonly parent: ZnodeCursor;
  /** Requested path plus sequence suffix. */
  private named = new Uint8Array(256);

  constructor(parts: {
    tree: Tree;
    acls: AclTable;
    providers: AuthProviders;
    quotas: QuotaTable;
    ephemerals: Ephemerals;
    proposals: ProposalQueue;
    options: ChangeOptions;
  }) {
    this.tree = parts.tree;
    this.acls = parts.acls;
    this.providers = parts.providers;
    this.quotas = parts.quotas;
    this.ephemerals = parts.ephemerals;
    this.proposals = parts.proposals;
    this.options = parts.options;
    this.node = parts.tree.cursor();
    this.parent = parts.tree.cursor();
  }

  // ---- plans: ErrorCode.ok or the reply's error ----------------------------------------------------------

  /** `sessionHigh/Low/Slot`: who will own an ephemeral. */
  planCreate(
    op: number,
    request: CreateRequest,
    ids: readonly AuthId[],
    sessionSlot: number,
    sessionHigh: number,
    sessionLow: number,
  ): number {
    const flags = request.flags;
    if (flags < CreateFlags.persistent || flags > CreateFlags.persistentSequentialTtl) {
      return ErrorCode.badArguments;
    }
    const isTtl = flags === CreateFlags.persistentTtl || flags === CreateFlags.persistentSequentialTtl;
    const isContainer = flags === CreateFlags.container;
    if (isTtl && !this.options.extendedTypes) return ErrorCode.unimplemented; // 2
    if (isTtl !== (op === OpCode.createTtl) || isContainer !== (op === OpCode.createContainer)) {
      return ErrorCode.badArguments;
    }
    if (isTtl && !(request.ttl >= 1 && request.ttl <= TTL_MS_MAX)) return ErrorCode.badArguments; // 3
    if (this.sessionClosed) return ErrorCode.sessionExpired; // 4
    if (request.pathLength < 0) return ErrorCode.marshallingError;
    if (!hasSlashAndNoNul(request.bytes, request.pathStart, request.pathLength))
      return ErrorCode.badArguments; // 5
    if (request.aclCount <= 0) return ErrorCode.invalidAcl;
    const aclId = fixupAclBytes(
      this.acls,
      request.bytes,
      request.aclStart,
      request.aclStart + request.aclLength,
      ids,
      this.providers,
    ); // 6
    if (aclId === NO_ACL) return ErrorCode.invalidAcl;
    const parent = this.findLatest(
      request.bytes,
      request.pathStart,
      parentLength(request.bytes, request.pathStart, request.pathLength),
      this.parent,
    );
    if (parent === 0) return ErrorCode.noNode; // 7
    if (!this.mayAccess(this.parent, Perm.create, ids)) return ErrorCode.noAuth; // 8
    const sequential =
      flags === CreateFlags.persistentSequential || flags === CreateFlags.ephemeralSequential;
    this.setPath(request, sequential || flags === CreateFlags.persistentSequentialTtl);
    if (!isValidPath(this.path, this.pathStart, this.pathLength)) return ErrorCode.badArguments; // 9
    this.parentId = parent;
    this.hash = this.tree.hash.of(this.path, this.pathStart, this.pathLength);
    if (this.pathLength === 1) return ErrorCode.nodeExists; // "/" itself
    this.nodeId = this.tree.find(this.path, this.pathStart, this.pathLength, this.hash);
    if (this.nodeId !== 0 && this.tree.latestOf(this.nodeId) !== 0) return ErrorCode.nodeExists; // 10
    if (this.kindOf(this.parent) === 'ephemeral') return ErrorCode.noChildrenForEphemerals; // 11
    if (this.options.enforceQuota) {
      const bytes = Math.max(request.dataLength, 0);
      if (!this.quotas.allowsCreate(this.path, this.pathStart, this.pathLength, bytes)) {
        return ErrorCode.quotaExceeded; // 12
      }
    }
    if (!this.hasRoomFor(Math.max(request.dataLength, 0))) return ErrorCode.quotaExceeded;
    this.op = op;
    this.data = request.bytes;
    this.dataStart = request.dataStart;
    this.dataLength = request.dataLength;
    this.aclId = aclId;
    this.ephemeral = flags === CreateFlags.ephemeral || flags === CreateFlags.ephemeralSequential;
    this.ttlMs = isTtl ? request.ttl : 0;
    this.setOwner(isContainer, sessionSlot, sessionHigh, sessionLow);
    this.parentCversion = nextCversion(this.parent.cversion);
    return ErrorCode.ok;
  }

  planDelete(request: PathVersionRequest, ids: readonly AuthId[]): number {
    const { bytes, pathStart, pathLength } = request;
    if (this.sessionClosed) return ErrorCode.sessionExpired; // 1
    if (pathLength < 0) return ErrorCode.marshallingError;
    if (!hasSlashAndNoNul(bytes, pathStart, pathLength)) return ErrorCode.badArguments; // 2
    if (isReserved(bytes, pathStart, pathLength)) return ErrorCode.badArguments;
    const parent = this.findLatest(bytes, pathStart, parentLength(bytes, pathStart, pathLength), this.parent);
    if (parent === 0) return ErrorCode.noNode; // 3
    if (!this.mayAccess(this.parent, Perm.delete, ids)) return ErrorCode.noAuth; // 4
    const node = this.findLatest(bytes, pathStart, pathLength, this.node);
    if (node === 0) return ErrorCode.noNode; // 5
    if (request.version !== -1 && request.version !== this.node.version) return ErrorCode.badVersion; // 6
    if (this.node.numChildren > 0) return ErrorCode.notEmpty; // 7
    this.planRemoval(OpCode.delete, node, parent);
    return ErrorCode.ok;
  }

  /** The end of a container or TTL node, re-checked at preparation. */
  planSweep(nodeId: number): number {
    const record = this.tree.latestOf(nodeId);
    if (record === 0) return ErrorCode.noNode;
    this.node.moveTo(record);
    const kind = this.kindOf(this.node);
    if (kind !== 'container' && kind !== 'ttl') return ErrorCode.badArguments;
    if (this.node.numChildren > 0) return ErrorCode.notEmpty;
    this.planRemovalOf(OpCode.deleteContainer, nodeId);
    return ErrorCode.ok;
  }

  /** Removal of an ephemeral when its session closes; the caller knows that it is there. */
  planRemovalOf(op: number, nodeId: number): void {
    this.node.moveTo(this.tree.latestOf(nodeId));
    const node = this.node;
    const length = parentLength(node.bytes, node.pathStart, node.pathLength);
    const parent = this.findLatest(node.bytes, node.pathStart, length, this.parent);
    this.planRemoval(op, nodeId, parent);
  }

  planSetData(request: SetDataRequest, ids: readonly AuthId[]): number {
    const { bytes, pathStart, pathLength } = request;
    if (this.sessionClosed) return ErrorCode.sessionExpired; // 1
    if (!isValidPath(bytes, pathStart, pathLength)) return ErrorCode.badArguments; // 2
    const node = this.findLatest(bytes, pathStart, pathLength, this.node);
    if (node === 0) return ErrorCode.noNode; // 3
    if (!this.mayAccess(this.node, Perm.write, ids)) return ErrorCode.noAuth; // 4
    const dataBytes = Math.max(request.dataLength, 0);
    if (this.options.enforceQuota) {
      const delta = dataBytes - this.node.dataBytes;
      if (!this.quotas.allowsSetData(bytes, pathStart, pathLength === 1 ? 0 : pathLength, delta)) {
        return ErrorCode.quotaExceeded; // 5
      }
    }
    if (dataBytes > this.node.dataBytes && !this.hasRoomFor(dataBytes)) return ErrorCode.quotaExceeded;
    const current = this.node.version;
    if (request.version !== -1 && request.version !== current) return ErrorCode.badVersion; // 6
    this.op = OpCode.setData;
    this.nodeId = node;
    this.path = bytes;
    this.pathStart = pathStart;
    this.pathLength = pathLength;
    this.data = bytes;
    this.dataStart = request.dataStart;
    this.dataLength = request.dataLength;
    this.version = nextVersion(current);
    return ErrorCode.ok;
  }

  planSetAcl(request: SetAclRequest, ids: readonly AuthId[]): number {
    const { bytes, pathStart, pathLength } = request;
    if (this.sessionClosed) return ErrorCode.sessionExpired; // 1
    if (!isValidPath(bytes, pathStart, pathLength)) return ErrorCode.badArguments; // 2
    if (request.aclCount <= 0) return ErrorCode.invalidAcl;
    const aclEnd = request.aclStart + request.aclLength;
    const aclId = fixupAclBytes(this.acls, bytes, request.aclStart, aclEnd, ids, this.providers); // 3
    if (aclId === NO_ACL) return ErrorCode.invalidAcl;
    const node = this.findLatest(bytes, pathStart, pathLength, this.node);
    if (node === 0) return ErrorCode.noNode; // 4
    if (!this.mayAccess(this.node, Perm.admin, ids)) return ErrorCode.noAuth; // 5
    const current = this.node.aversion;
    if (request.version !== -1 && request.version !== current) return ErrorCode.badVersion; // 6
    this.op = OpCode.setAcl;
    this.nodeId = node;
    this.path = bytes;
    this.pathStart = pathStart;
    this.pathLength = pathLength;
    this.aclId = aclId;
    this.version = nextVersion(current);
    return ErrorCode.ok;
  }

  planCheck(request: PathVersionRequest, ids: readonly AuthId[]): number {
    const { bytes, pathStart, pathLength } = request;
    if (this.sessionClosed) return ErrorCode.sessionExpired; // 1
    if (!isValidPath(bytes, pathStart, pathLength)) return ErrorCode.badArguments; // 2
    const node = this.findLatest(bytes, pathStart, pathLength, this.node);
    if (node === 0) return ErrorCode.noNode; // 3
    if (!this.mayAccess(this.node, Perm.read, ids)) return ErrorCode.noAuth; // 4
    const current = this.node.version;
    if (request.version !== -1 && request.version !== current) return ErrorCode.badVersion; // 5
    this.op = OpCode.check;
    this.nodeId = node;
    this.path = bytes;
    this.pathStart = pathStart;
    this.pathLength = pathLength;
    this.version = nextVersion(current);
    return ErrorCode.ok;
  }

  // ---- staging -------------------------------------------------------------------------------------------

  /** Builds and hangs in the planned records, and notes the effects for the commit. */
  stage(zxid: number, timeMs: number): void {
    switch (this.op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        this.stageCreate(zxid, timeMs);
        return;
      case OpCode.delete:
      case OpCode.deleteContainer:
      case OpCode.closeSession:
        this.stageDelete(zxid);
        return;
      case OpCode.setData: {
        const { data, dataStart, dataLength, version } = this;
        const old = this.tree.latestOf(this.nodeId);
        const record = this.tree.build.withData(old, data, dataStart, dataLength, version, zxid, timeMs);
        this.tree.stage(this.nodeId, record);
        this.proposals.pushEffect(OpCode.setData, this.nodeId, record, 0, 0);
        return;
      }
      case OpCode.setAcl: {
        const record = this.tree.build.withAcl(this.tree.latestOf(this.nodeId), this.aclId, this.version);
        this.tree.stage(this.nodeId, record);
        this.acls.addReference(this.aclId);
        this.proposals.pushEffect(OpCode.setAcl, this.nodeId, record, 0, 0);
        return;
      }
      default:
        this.proposals.pushEffect(OpCode.check, this.nodeId, 0, 0, 0);
    }
  }

  /** Takes back every effect from `mark` on (a multi failed, or the log had no room). */
  rollback(mark: number): void {
    const { proposals, node } = this;
    for (let position = proposals.effectTail - 1; position >= mark; position--) {
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
    this.tree.rollback();
    proposals.dropEffects(mark);
  }

  /** Whether `ids` hold `perm` under an ACL of the table. */
  permits(aclId: number, perm: number, ids: readonly AuthId[]): boolean {
    return this.acls.isOpen(aclId) || checkAcl(this.acls.get(aclId), perm, ids, this.providers);
  }

  // No server of Apache refuses for want of memory, so the code is one that its clients know.
  private hasRoomFor(dataBytes: number): boolean {
    if (this.tree.hasRoomFor(ZNODE_FIXED_BYTES + this.pathLength + dataBytes)) return true;
    this.refusedForSpace++;
    return false;
  }

  private mayAccess(node: ZnodeCursor, perm: number, ids: readonly AuthId[]): boolean {
    return this.permits(node.aclId, perm, ids);
  }

  private stageCreate(zxid: number, timeMs: number): void {
    const { tree } = this;
    const id = this.nodeId !== 0 ? this.nodeId : tree.nodes.allocate();
    const record = tree.build.create(
      id,
      this.hash,
      this.path,
      this.pathStart,
      this.pathLength,
      this.data,
      this.dataStart,
      this.dataLength,
      this.aclId,
      this.ownerHigh,
      this.ownerLow,
      zxid,
      timeMs,
    );
    tree.stage(id, record);
    this.acls.addReference(this.aclId);
    // The effect names the owner only if a rollback has to take the entry back.
    const isEntryNew = this.ownerSession >= 0 && this.ephemerals.add(this.ownerSession, id);
    const parentRecord = tree.stageChildren(this.parentId, this.parentCversion, 1, zxid);
    const kind = this.op === OpCode.create ? OpCode.create : OpCode.create2;
    this.proposals.pushEffect(
      kind,
      id,
      record,
      this.parentId,
      parentRecord,
      isEntryNew ? this.ownerSession : -1,
    );
  }

  private stageDelete(zxid: number): void {
    const { tree, parent } = this;
    const tombstone = tree.build.tombstone(tree.latestOf(this.nodeId));
    tree.stage(this.nodeId, tombstone);
    parent.moveTo(tree.latestOf(this.parentId));
    const record = tree.stageChildren(this.parentId, parent.cversion, -1, zxid);
    this.proposals.pushEffect(OpCode.delete, this.nodeId, tombstone, this.parentId, record);
  }

  private planRemoval(op: number, nodeId: number, parentId: number): void {
    const node = this.node;
    this.op = op;
    this.nodeId = nodeId;
    this.parentId = parentId;
    this.path = node.bytes;
    this.pathStart = node.pathStart;
    this.pathLength = node.pathLength;
  }

  // As in Apache, "/" is the root wherever it stands, also as the parent of "//".
  private findLatest(bytes: Uint8Array, start: number, length: number, into: ZnodeCursor): number {
    if (length === 1 && bytes[start] === SLASH) length = 0;
    const id = this.tree.find(bytes, start, length, this.tree.hash.of(bytes, start, length));
    if (id === 0) return 0;
    const record = this.tree.latestOf(id);
    if (record === 0) return 0;
    into.moveTo(record);
    return id;
  }

  private kindOf(node: ZnodeCursor): string {
    return ownerKind(node.ownerHigh, node.ownerLow, this.options.extendedTypes);
  }

  private setPath(request: CreateRequest, sequential: boolean): void {
    if (!sequential) {
      this.path = request.bytes;
      this.pathStart = request.pathStart;
      this.pathLength = request.pathLength;
      return;
    }
    const length = request.pathLength;
    if (this.named.length < length + SEQUENCE_SUFFIX_BYTES_MAX) this.named = new Uint8Array(length * 2 + 64);
    this.named.set(request.bytes.subarray(request.pathStart, request.pathStart + length));
    this.path = this.named;
    this.pathStart = 0;
    this.pathLength = length + writeSequenceSuffix(this.parent.cversion, this.named, length);
  }

  private setOwner(isContainer: boolean, slot: number, high: number, low: number): void {
    this.ownerSession = -1;
    if (this.ephemeral) {
      this.ownerHigh = high;
      this.ownerLow = low;
      this.ownerSession = slot;
    } else if (isContainer) {
      this.ownerHigh = CONTAINER_OWNER_HIGH;
      this.ownerLow = 0;
    } else if (this.ttlMs > 0) {
      this.ownerHigh = ttlOwnerHigh(this.ttlMs);
      this.ownerLow = this.ttlMs | 0;
    } else {
      this.ownerHigh = 0;
      this.ownerLow = 0;
    }
  }
}

/** −1 stands for "any version" in requests, so a counter never rests on it. */
function nextVersion(current: number): number {
  const next = (current + 1) | 0;
  return next === -1 ? 0 : next;
}

/** The stored cversion only rises: at the top it stays (and sequential names stop being new). */
function nextCversion(current: number): number {
  return current === 0x7fffffff ? current : current + 1;
}

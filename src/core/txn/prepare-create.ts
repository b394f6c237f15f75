/**
 * Preparation of the four kinds of create: whether the newest state allows it, and what exactly will be created. The
 * order of the checks is visible to clients: semantics.md §3, each step numbered where it is made. Touches nothing.
 */
import { Perm } from '../../wire/acl.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { CreateFlags, OpCode } from '../../wire/opcodes.ts';
import type { CreateRequest } from '../../wire/requests.ts';
import { fixupAclBytes } from '../acl/acl-check.ts';
import type { AclTable } from '../acl/acl-table.ts';
import { LATER_ACL, MALFORMED_ACL, NO_ACL } from '../acl/acl-table.ts';
import type { AuthProviders } from '../acl/auth-providers.ts';
import type { Origin } from '../client/write-request.ts';
import {
  hasSlashAndNoNul,
  isValidPath,
  parentLength,
  SEQUENCE_SUFFIX_BYTES_MAX,
  writeSequenceSuffix,
} from '../path/path.ts';
import { NEXT_TURN } from '../progress/turn-work.ts';
import type { QuotaTable } from '../quota/quota-table.ts';
import { NO_SESSION, type SessionSlot, type SessionTable } from '../session/session-table.ts';
import { CONTAINER_OWNER_HIGH, RECORD_FIXED_BYTES, ttlOwnerHigh, type ZnodeCursor } from '../tree/record.ts';
import { RoomKept, type Tree } from '../tree/tree.ts';
import type { Change } from './change.ts';
import type { LatestView } from './latest-view.ts';

/** 40 bits of milliseconds. */
const TTL_MS_MAX = 2 ** 40 - 1;

/** What a preparation works with. */
export interface PreparationParts {
  readonly tree: Tree;
  readonly acls: AclTable;
  readonly providers: AuthProviders;
  readonly quotas: QuotaTable;
  readonly sessions: SessionTable;
  readonly latest: LatestView;
  readonly change: Change;
  readonly enforceQuota: boolean;
}

export class CreatePreparation {
  private readonly parts: PreparationParts;
  private readonly tree: Tree;
  private readonly latest: LatestView;
  private readonly change: Change;
  private readonly parent: ZnodeCursor;
  /** Requested path plus sequence suffix. */
  private named = new Uint8Array(256);

  constructor(parts: PreparationParts) {
    this.parts = parts;
    this.tree = parts.tree;
    this.latest = parts.latest;
    this.change = parts.change;
    this.parent = parts.tree.cursor();
  }

  /**
   * One operation of a multi: as in Apache its flags say what is made, and the opcode only how it is written; a ttl that
   * is not written cannot be read.
   */
  planSub(op: number, request: CreateRequest, origin: Origin): number {
    if (isTtlMode(request.flags) && op !== OpCode.createTtl) return ErrorCode.marshallingError;
    return this.plan(opOfFlags(op, request.flags), request, origin);
  }

  /**
   * ErrorCode.ok, the reply's error, or NEXT_TURN. The origin's session will own an ephemeral. As in Apache the opcode says what is
   * made: create with the flag of a container makes a plain znode (go-zookeeper sends that), createContainer makes a
   * container whatever its flags; only sequential is taken from them, and modes with a ttl are refused.
   */
  plan(op: number, request: CreateRequest, origin: Origin): number {
    const ids = origin.authIds;
    const { change, latest, parent, tree, parts } = this;
    const flags = request.flags;
    if (flags < CreateFlags.persistent || flags > CreateFlags.persistentSequentialTtl) {
      return ErrorCode.badArguments;
    }
    const isTtl = isTtlMode(flags);
    const isContainer = op === OpCode.createContainer;
    if (isTtl && !tree.extendedTypes) return ErrorCode.unimplemented; // 2
    if (isTtl !== (op === OpCode.createTtl)) return ErrorCode.badArguments;
    if (isTtl && !(request.ttl >= 1 && request.ttl <= TTL_MS_MAX)) return ErrorCode.badArguments; // 3
    const hasOwner = flags === CreateFlags.ephemeral || flags === CreateFlags.ephemeralSequential;
    // A local session is not known where the ephemeral would be.
    const isUnknown = hasOwner && parts.sessions.isLocal(origin.session);
    if (change.sessionClosed || isUnknown) return ErrorCode.sessionExpired; // 4
    if (request.pathLength < 0) return ErrorCode.marshallingError;
    if (!hasSlashAndNoNul(request.bytes, request.pathStart, request.pathLength))
      return ErrorCode.badArguments; // 5
    if (request.aclCount <= 0) return ErrorCode.invalidAcl;
    const aclId = fixupAclBytes(
      parts.acls,
      request.bytes,
      request.aclStart,
      request.aclStart + request.aclLength,
      ids,
      parts.providers,
    ); // 6
    if (aclId === NO_ACL) return ErrorCode.invalidAcl;
    if (aclId === MALFORMED_ACL) return ErrorCode.marshallingError;
    if (aclId === LATER_ACL) return NEXT_TURN;
    const parentPathLength = parentLength(request.bytes, request.pathStart, request.pathLength);
    const parentId = latest.find(request.bytes, request.pathStart, parentPathLength, parent);
    if (parentId === 0) return ErrorCode.noNode; // 7
    const access = latest.accessTo(parent, Perm.create, ids);
    if (access !== ErrorCode.ok) return access; // 8
    const sequential =
      flags === CreateFlags.persistentSequential || flags === CreateFlags.ephemeralSequential;
    this.setPath(request, sequential || flags === CreateFlags.persistentSequentialTtl);
    if (!isValidPath(change.path, change.pathStart, change.pathLength)) return ErrorCode.badArguments; // 9
    change.parentId = parentId;
    change.hash = tree.hash.of(change.path, change.pathStart, change.pathLength);
    if (change.pathLength === 1) return ErrorCode.nodeExists; // "/" itself
    change.nodeId = tree.find(change.path, change.pathStart, change.pathLength, change.hash);
    if (change.nodeId !== 0 && tree.staging.latestOf(change.nodeId) !== 0) return ErrorCode.nodeExists; // 10
    if (latest.kindOf(parent) === 'ephemeral') return ErrorCode.noChildrenForEphemerals; // 11
    const dataBytes = Math.max(request.dataLength, 0);
    if (parts.enforceQuota) {
      if (!parts.quotas.allowsCreate(change.path, change.pathStart, change.pathLength, dataBytes)) {
        return ErrorCode.quotaExceeded; // 12
      }
    }
    const parentBytes = parent.recordBytes + tree.children.growthBytes(parentId, parent.numChildren + 1);
    const recordBytes = RECORD_FIXED_BYTES + change.pathLength + dataBytes;
    if (!latest.hasRoomFor(recordBytes, parentBytes, RoomKept.growth)) return ErrorCode.quotaExceeded;
    change.op = op;
    change.setData(request.bytes, request.dataStart, request.dataLength);
    change.aclId = aclId;
    change.ephemeral = hasOwner && !isContainer;
    change.ttlMs = isTtl ? request.ttl : 0;
    this.setOwner(isContainer, origin.session);
    change.parentCversion = nextCversion(parent.cversion);
    return ErrorCode.ok;
  }

  private setPath(request: CreateRequest, sequential: boolean): void {
    if (!sequential) {
      this.change.setPath(request.bytes, request.pathStart, request.pathLength);
      return;
    }
    const length = request.pathLength;
    if (this.named.length < length + SEQUENCE_SUFFIX_BYTES_MAX) this.named = new Uint8Array(length * 2 + 64);
    this.named.set(request.bytes.subarray(request.pathStart, request.pathStart + length));
    const suffixLength = writeSequenceSuffix(this.parent.cversion, this.named, length);
    this.change.setPath(this.named, 0, length + suffixLength);
  }

  private setOwner(isContainer: boolean, session: SessionSlot): void {
    const { change } = this;
    const { idHigh, idLow } = this.parts.sessions;
    change.ownerSession = NO_SESSION;
    if (change.ephemeral) {
      change.ownerHigh = idHigh[session]!;
      change.ownerLow = idLow[session]!;
      change.ownerSession = session;
    } else if (isContainer) {
      change.ownerHigh = CONTAINER_OWNER_HIGH;
      change.ownerLow = 0;
    } else if (change.ttlMs > 0) {
      change.ownerHigh = ttlOwnerHigh(change.ttlMs);
      change.ownerLow = change.ttlMs | 0;
    } else {
      change.ownerHigh = 0;
      change.ownerLow = 0;
    }
  }
}

function opOfFlags(op: number, flags: number): number {
  if (flags === CreateFlags.container) return OpCode.createContainer;
  return isTtlMode(flags) || op === OpCode.create2 ? op : OpCode.create;
}

function isTtlMode(flags: number): boolean {
  return flags === CreateFlags.persistentTtl || flags === CreateFlags.persistentSequentialTtl;
}

/** The stored cversion only rises: at the top it stays (and sequential names stop being new). */
function nextCversion(current: number): number {
  return current === 0x7fffffff ? current : current + 1;
}

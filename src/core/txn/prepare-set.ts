/**
 * Preparation of what happens to a node that is there: setData, setACL, and check (a condition in a multi). Order of
 * checks: semantics.md §3, each step numbered where it is made. Touches nothing.
 */
import { Perm } from '../../wire/acl.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { PathVersionRequest, SetAclRequest, SetDataRequest } from '../../wire/requests.ts';
import type { AuthId } from '../acl/acl.ts';
import { fixupAclBytes } from '../acl/acl-check.ts';
import { LATER_ACL, MALFORMED_ACL, NO_ACL } from '../acl/acl-table.ts';
import { isValidPath } from '../path/path.ts';
import { NEXT_TURN } from '../progress/turn-work.ts';
import { RECORD_FIXED_BYTES, type ZnodeCursor } from '../tree/record.ts';
import { RoomKept } from '../tree/tree.ts';
import type { Change } from './change.ts';
import type { LatestView } from './latest-view.ts';
import type { PreparationParts } from './prepare-create.ts';

export class SetPreparation {
  private readonly parts: PreparationParts;
  private readonly latest: LatestView;
  private readonly change: Change;
  private readonly node: ZnodeCursor;

  constructor(parts: PreparationParts) {
    this.parts = parts;
    this.latest = parts.latest;
    this.change = parts.change;
    this.node = parts.tree.cursor();
  }

  // Each: ErrorCode.ok, the reply's error, or NEXT_TURN.

  planData(request: SetDataRequest, ids: readonly AuthId[]): number {
    const { bytes, pathStart, pathLength } = request;
    if (this.change.sessionClosed) return ErrorCode.sessionExpired; // 1
    if (!isValidPath(bytes, pathStart, pathLength)) return ErrorCode.badArguments; // 2
    const node = this.latest.find(bytes, pathStart, pathLength, this.node);
    if (node === 0) return ErrorCode.noNode; // 3
    const access = this.latest.accessTo(this.node, Perm.write, ids);
    if (access !== ErrorCode.ok) return access; // 4
    const dataBytes = Math.max(request.dataLength, 0);
    if (this.parts.enforceQuota) {
      const delta = dataBytes - this.node.dataBytes;
      if (!this.parts.quotas.allowsSetData(bytes, pathStart, pathLength === 1 ? 0 : pathLength, delta)) {
        return ErrorCode.quotaExceeded; // 5
      }
    }
    const kept = dataBytes > this.node.dataBytes ? RoomKept.growth : RoomKept.change;
    if (!this.latest.hasRoomFor(RECORD_FIXED_BYTES + pathLength + dataBytes, 0, kept)) {
      return ErrorCode.quotaExceeded;
    }
    const current = this.node.version;
    if (request.version !== -1 && request.version !== current) return ErrorCode.badVersion; // 6
    const { change } = this;
    change.op = OpCode.setData;
    change.nodeId = node;
    change.setPath(bytes, pathStart, pathLength);
    change.setData(bytes, request.dataStart, request.dataLength);
    change.version = nextVersion(current);
    return ErrorCode.ok;
  }

  planAcl(request: SetAclRequest, ids: readonly AuthId[]): number {
    const { bytes, pathStart, pathLength } = request;
    if (this.change.sessionClosed) return ErrorCode.sessionExpired; // 1
    if (!isValidPath(bytes, pathStart, pathLength)) return ErrorCode.badArguments; // 2
    if (request.aclCount <= 0) return ErrorCode.invalidAcl;
    const aclEnd = request.aclStart + request.aclLength;
    const aclId = fixupAclBytes(this.parts.acls, bytes, request.aclStart, aclEnd, ids, this.parts.providers); // 3
    if (aclId === NO_ACL) return ErrorCode.invalidAcl;
    if (aclId === MALFORMED_ACL) return ErrorCode.marshallingError;
    if (aclId === LATER_ACL) return NEXT_TURN;
    const node = this.latest.find(bytes, pathStart, pathLength, this.node);
    if (node === 0) return ErrorCode.noNode; // 4
    const access = this.latest.accessTo(this.node, Perm.admin, ids);
    if (access !== ErrorCode.ok) return access; // 5
    if (!this.latest.hasRoomFor(this.node.recordBytes, 0, RoomKept.change)) return ErrorCode.quotaExceeded;
    const current = this.node.aversion;
    if (request.version !== -1 && request.version !== current) return ErrorCode.badVersion; // 6
    const { change } = this;
    change.op = OpCode.setAcl;
    change.nodeId = node;
    change.setPath(bytes, pathStart, pathLength);
    change.aclId = aclId;
    change.version = nextVersion(current);
    return ErrorCode.ok;
  }

  planCheck(request: PathVersionRequest, ids: readonly AuthId[]): number {
    const { bytes, pathStart, pathLength } = request;
    if (this.change.sessionClosed) return ErrorCode.sessionExpired; // 1
    if (!isValidPath(bytes, pathStart, pathLength)) return ErrorCode.badArguments; // 2
    const node = this.latest.find(bytes, pathStart, pathLength, this.node);
    if (node === 0) return ErrorCode.noNode; // 3
    const access = this.latest.accessTo(this.node, Perm.read, ids);
    if (access !== ErrorCode.ok) return access; // 4
    const current = this.node.version;
    if (request.version !== -1 && request.version !== current) return ErrorCode.badVersion; // 5
    const { change } = this;
    change.op = OpCode.check;
    change.nodeId = node;
    change.setPath(bytes, pathStart, pathLength);
    change.version = nextVersion(current);
    return ErrorCode.ok;
  }
}

/** −1 stands for "any version" in requests, so a counter never rests on it. */
function nextVersion(current: number): number {
  const next = (current + 1) | 0;
  return next === -1 ? 0 : next;
}

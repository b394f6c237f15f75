/**
 * Preparation of deletions: those that clients ask for, those of the container sweep, and those of a session's
 * ephemerals when it closes. Order of checks: semantics.md §3, numbered where they are made. Touches nothing.
 */
import { Perm } from '../../wire/acl.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { PathVersionRequest } from '../../wire/requests.ts';
import type { AuthId } from '../acl/acl.ts';
import { hasSlashAndNoNul, isReserved, parentLength } from '../path/path.ts';
import { RECORD_FIXED_BYTES, type ZnodeCursor } from '../tree/record.ts';
import { RoomKept, type Tree } from '../tree/tree.ts';
import type { Change } from './change.ts';
import type { LatestView } from './latest-view.ts';
import type { PreparationParts } from './prepare-create.ts';

export class DeletePreparation {
  private readonly tree: Tree;
  private readonly latest: LatestView;
  private readonly change: Change;
  private readonly node: ZnodeCursor;
  private readonly parent: ZnodeCursor;

  constructor(parts: PreparationParts) {
    this.tree = parts.tree;
    this.latest = parts.latest;
    this.change = parts.change;
    this.node = parts.tree.cursor();
    this.parent = parts.tree.cursor();
  }

  /** ErrorCode.ok, the reply's error, or NEXT_TURN. */
  plan(request: PathVersionRequest, ids: readonly AuthId[]): number {
    const { bytes, pathStart, pathLength } = request;
    if (this.change.sessionClosed) return ErrorCode.sessionExpired; // 1
    if (pathLength < 0) return ErrorCode.marshallingError;
    if (!hasSlashAndNoNul(bytes, pathStart, pathLength)) return ErrorCode.badArguments; // 2
    if (isReserved(bytes, pathStart, pathLength)) return ErrorCode.badArguments;
    const parent = this.latest.find(
      bytes,
      pathStart,
      parentLength(bytes, pathStart, pathLength),
      this.parent,
    );
    if (parent === 0) return ErrorCode.noNode; // 3
    const access = this.latest.accessTo(this.parent, Perm.delete, ids);
    if (access !== ErrorCode.ok) return access; // 4
    const node = this.latest.find(bytes, pathStart, pathLength, this.node);
    if (node === 0) return ErrorCode.noNode; // 5
    if (request.version !== -1 && request.version !== this.node.version) return ErrorCode.badVersion; // 6
    if (this.node.numChildren > 0) return ErrorCode.notEmpty; // 7
    if (!this.hasRoom(this.parent)) return ErrorCode.quotaExceeded;
    this.planRemoval(OpCode.delete, node, parent);
    return ErrorCode.ok;
  }

  /** The end of a container or TTL node, re-checked at preparation. */
  planSweep(nodeId: number): number {
    const record = this.tree.staging.latestOf(nodeId);
    if (record === 0) return ErrorCode.noNode;
    this.node.moveTo(record);
    const kind = this.latest.kindOf(this.node);
    if (kind !== 'container' && kind !== 'ttl') return ErrorCode.badArguments;
    if (this.node.numChildren > 0) return ErrorCode.notEmpty;
    this.planRemovalOf(OpCode.deleteContainer, nodeId);
    return this.hasRoom(this.parent) ? ErrorCode.ok : ErrorCode.quotaExceeded;
  }

  /** Removal of an ephemeral when its session closes; the caller knows that it is there. */
  planRemovalOf(op: number, nodeId: number): void {
    this.node.moveTo(this.tree.staging.latestOf(nodeId));
    const node = this.node;
    const length = parentLength(node.bytes, node.pathStart, node.pathLength);
    const parent = this.latest.find(node.bytes, node.pathStart, length, this.parent);
    this.planRemoval(op, nodeId, parent);
  }

  // A tombstone, and the parent once more.
  private hasRoom(parent: ZnodeCursor): boolean {
    return this.latest.hasRoomFor(
      RECORD_FIXED_BYTES + this.node.pathLength,
      parent.recordBytes,
      RoomKept.removal,
    );
  }

  private planRemoval(op: number, nodeId: number, parentId: number): void {
    const { change, node } = this;
    change.op = op;
    change.nodeId = nodeId;
    change.parentId = parentId;
    change.setPath(node.bytes, node.pathStart, node.pathLength);
  }
}

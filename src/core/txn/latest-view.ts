/**
 * The tree as preparation sees it: the newest records, proposed ones included, and the questions that every kind of
 * write asks of them. Core thread; shared by the preparations.
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import type { AuthId } from '../acl/acl.ts';
import { accessOf, checkAcl } from '../acl/acl-check.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { AuthProviders } from '../acl/auth-providers.ts';
import type { Statistics } from '../progress/statistics.ts';
import { type OwnerKind, ownerKind, type ZnodeCursor } from '../tree/record.ts';
import type { RoomKept, Tree } from '../tree/tree.ts';

const SLASH = 47;

export class LatestView {
  private readonly tree: Tree;
  private readonly acls: AclTable;
  private readonly providers: AuthProviders;
  private readonly statistics: Statistics;

  constructor(parts: { tree: Tree; acls: AclTable; providers: AuthProviders; statistics: Statistics }) {
    this.tree = parts.tree;
    this.acls = parts.acls;
    this.providers = parts.providers;
    this.statistics = parts.statistics;
  }

  /** Moves `into` to the node of the path; 0 = there is none. As in Apache, "/" is the root wherever it stands, also as the parent of "//". */
  find(bytes: Uint8Array, start: number, length: number, into: ZnodeCursor): number {
    if (length === 1 && bytes[start] === SLASH) length = 0;
    const id = this.tree.find(bytes, start, length, this.tree.hash.of(bytes, start, length));
    if (id === 0) return 0;
    const record = this.tree.staging.latestOf(id);
    if (record === 0) return 0;
    into.moveTo(record);
    return id;
  }

  /** Whether `ids` hold `perm` under an ACL of the table; at once, however long that takes. */
  permits(aclId: number, perm: number, ids: readonly AuthId[]): boolean {
    return this.acls.isOpen(aclId) || checkAcl(this.acls.get(aclId), perm, ids, this.providers);
  }

  /** The same of a node: ok, noAuth, or NEXT_TURN. */
  accessTo(node: ZnodeCursor, perm: number, ids: readonly AuthId[]): number {
    const { aclId } = node;
    if (this.acls.isOpen(aclId)) return ErrorCode.ok;
    return accessOf(this.acls.get(aclId), perm, ids, this.providers);
  }

  kindOf(node: ZnodeCursor): OwnerKind {
    return ownerKind(node.ownerHigh, node.ownerLow, this.tree.extendedTypes);
  }

  /** Room for a record and the parent's next one. No server of Apache refuses for want of memory: the error is one its clients know. */
  hasRoomFor(recordBytes: number, parentBytes: number, kept: RoomKept): boolean {
    if (this.tree.hasRoomFor(recordBytes, parentBytes, kept)) return true;
    this.statistics.refusedForSpace++;
    return false;
  }
}

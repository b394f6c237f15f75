/**
 * Finds the committed znode that a request names. One lookup is shared by all reads: after `find` the path stands
 * here in stored form, with its hash, for whoever registers a watch on it, and `node` stands on the record.
 */

import { Perm } from '../../wire/acl.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { accessOf } from '../acl/acl-check.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { AuthProviders } from '../acl/auth-providers.ts';
import type { Client } from '../client/client.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';

const SLASH = 47;

export class PathLookup {
  readonly node: ZnodeCursor;
  pathStart = 0;
  /** In stored form: 0 for the root. */
  pathLength = 0;
  hash = 0;
  private readonly tree: Tree;
  private readonly acls: AclTable;
  private readonly providers: AuthProviders;

  constructor(tree: Tree, acls: AclTable, providers: AuthProviders) {
    this.tree = tree;
    this.acls = acls;
    this.providers = providers;
    this.node = tree.cursor();
  }

  /** The same, and whether the client may read it: ok, or the error of the reply, or NEXT_TURN. */
  findReadable(client: Client, bytes: Uint8Array, start: number, length: number): number {
    if (length < 0) return ErrorCode.marshallingError;
    if (!this.find(bytes, start, length)) return ErrorCode.noNode;
    const { aclId } = this.node;
    if (this.acls.isOpen(aclId)) return ErrorCode.ok;
    return accessOf(this.acls.get(aclId), Perm.read, client.authIds, this.providers);
  }

  /** Moves `node` to the committed record of a path in client form; remembers the path in stored form. */
  find(bytes: Uint8Array, start: number, length: number): boolean {
    this.setPath(bytes, start, length);
    const id = this.tree.find(bytes, this.pathStart, this.pathLength, this.hash);
    if (id === 0) return false;
    const record = this.tree.committedOf(id);
    if (record === 0) return false;
    this.node.moveTo(record);
    return true;
  }

  /** Without looking for it. */
  setPath(bytes: Uint8Array, start: number, length: number): void {
    const isRoot = length <= 0 || (length === 1 && bytes[start] === SLASH);
    this.pathStart = start;
    this.pathLength = isRoot ? 0 : length;
    this.hash = this.tree.hash.of(bytes, start, this.pathLength);
  }
}

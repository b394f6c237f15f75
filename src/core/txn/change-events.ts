/**
 * Tells watchers of a change that is being published: with its zxid, and only those who may read the znode. Used by the
 * committer, between the change and its reply; the rest of a firing of very many watches is told in later turns, from a copy
 * of the path, because records go and move meanwhile. Core thread.
 */
import { Perm } from '../../wire/acl.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { Replier } from '../client/replier.ts';
import type { ConnId } from '../ports/ports.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import { EventType, type KeptReceiver, type WatchReceiver } from '../watch/watch-firing.ts';
import type { WatchTable } from '../watch/watch-table.ts';
import type { LatestView } from './latest-view.ts';
import type { ProposalQueue } from './proposal-queue.ts';

export interface ChangeEventsParts {
  readonly acls: AclTable;
  readonly watches: WatchTable;
  readonly latest: LatestView;
  readonly proposals: ProposalQueue;
  readonly replier: Replier;
  readonly clients: ClientTable;
}

export class ChangeEvents implements WatchReceiver {
  private readonly parts: ChangeEventsParts;
  private readonly watches: WatchTable;
  // The event being fired: its path, and whose ACL decides who may see it.
  private bytes: Uint8Array = new Uint8Array(0);
  private pathStart = 0;
  private pathLength = 0;
  private aclId = 0;

  constructor(parts: ChangeEventsParts) {
    this.parts = parts;
    this.watches = parts.watches;
  }

  /** `node` stands on the new committed record. */
  changed(type: EventType, node: ZnodeCursor): void {
    if (this.watches.watchCount === 0) return;
    this.point(node, node.aclId);
    const { bytes, pathStart, pathLength, pathHash: hash } = node;
    if (type === EventType.nodeChildrenChanged) {
      this.watches.firing.triggerChild(type, bytes, pathStart, pathLength, hash, this);
    } else {
      this.watches.firing.triggerData(type, bytes, pathStart, pathLength, hash, this);
    }
  }

  /** `node` stands on the tombstone, which has the path; the ACL is that of the deleted record. */
  deleted(node: ZnodeCursor, aclId: number): void {
    if (this.watches.watchCount === 0) return;
    this.point(node, aclId);
    this.watches.firing.triggerDelete(node.bytes, node.pathStart, node.pathLength, node.pathHash, this);
  }

  onWatch(conn: ConnId, eventType: number): void {
    this.tell(conn, eventType, this.aclId, this.bytes, this.pathStart, this.pathLength);
  }

  keep(): KeptReceiver {
    const { bytes, pathStart, pathLength, aclId } = this;
    const path = new Uint8Array(pathLength);
    path.set(bytes.subarray(pathStart, pathStart + pathLength));
    const { acls } = this.parts;
    acls.addReference(aclId);
    return {
      onWatch: (conn, eventType) => this.tell(conn, eventType, aclId, path, 0, pathLength),
      onEnd: () => acls.release(aclId),
    };
  }

  private point(node: ZnodeCursor, aclId: number): void {
    this.bytes = node.bytes;
    this.pathStart = node.pathStart;
    this.pathLength = node.pathLength;
    this.aclId = aclId;
  }

  private tell(
    conn: ConnId,
    eventType: number,
    aclId: number,
    bytes: Uint8Array,
    pathStart: number,
    pathLength: number,
  ): void {
    const { clients, latest, proposals, replier } = this.parts;
    const client = clients.get(conn);
    if (client === undefined || !latest.permits(aclId, Perm.read, client.authIds)) return;
    const zxid = proposals.zxids[proposals.headRow]!;
    replier.event(client, zxid, eventType, bytes, pathStart, pathLength);
  }
}

/**
 * Takes back the newest proposals, as if they had never been staged: a leader that has lost its followers, or a follower
 * whose next leader does not know them, withdraws what no quorum has. Rare, so it may allocate. Core thread.
 *
 *     committed ── kept ── kept ─┃─ withdrawn ── withdrawn       newest first: ACL references, ephemerals, sessions,
 *                                ┃                                the rows and their effects
 *                       `zxid` ──┘
 *
 * Afterwards each node that a withdrawn effect touched gets the newest record that a kept one has staged, or none; a node
 * that only withdrawn ones had made goes. The digest is that of the newest kept proposal. Quotas know commits only.
 * Connections whose own write is withdrawn are closed: nobody knows yet what has become of it.
 */
import { assert } from '../../base/assert.ts';
import type { Zxid } from '../../base/zxid.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { AclTable } from '../acl/acl-table.ts';
import { type Client, ClientState } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import { NO_WRITE, type WriteNumbers } from '../client/write-numbers.ts';
import type { Progress } from '../progress/progress.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import type { ProposalQueue } from './proposal-queue.ts';

/** What is known of sessions beyond their table. */
export interface SessionWithdrawal {
  onCreateWithdrawn(slot: number): void;
  onCloseWithdrawn(slot: number): void;
}

export interface WithdrawalParts {
  readonly tree: Tree;
  readonly acls: AclTable;
  readonly sessions: SessionTable;
  readonly ephemerals: Ephemerals;
  readonly proposals: ProposalQueue;
  readonly progress: Progress;
  readonly writes: WriteNumbers;
  readonly clients: ClientTable;
}

export class Withdrawal {
  private readonly parts: WithdrawalParts;
  private readonly listener: SessionWithdrawal;
  private readonly cursor: ZnodeCursor;
  /** Offsets that only withdrawn proposals know. */
  private readonly records = new Set<number>();
  /** Nodes that they touched, with the hash of the path. */
  private readonly nodes = new Map<number, number>();
  /** Nodes that they made for a session. */
  private readonly owned: { readonly nodeId: number; readonly high: number; readonly low: number }[] = [];
  private readonly askers = new Set<Client>();

  constructor(parts: WithdrawalParts, listener: SessionWithdrawal) {
    this.parts = parts;
    this.listener = listener;
    this.cursor = parts.tree.cursor();
  }

  /** All proposals behind `zxid`; none of them may be decided. */
  withdrawBehind(zxid: Zxid): void {
    const { proposals, progress, writes, tree } = this.parts;
    assert(zxid >= progress.decided, 'what is decided would be withdrawn');
    let firstWrite = NO_WRITE;
    while (proposals.length > 0 && proposals.zxids[proposals.tailRow]! > zxid) {
      const row = proposals.tailRow;
      for (let at = proposals.effectEnds[row]! - 1; at >= proposals.effectStart(row); at--) this.undo(at);
      if (proposals.writes[row] !== NO_WRITE) firstWrite = proposals.writes[row]!;
      const asker = proposals.pop();
      if (asker !== null) this.askers.add(asker);
    }
    this.restoreNodes();
    this.restoreOwners();
    tree.staging.begin();
    if (proposals.length > 0) {
      const row = proposals.tailRow;
      tree.staging.digest.set(proposals.digestHighs[row]!, proposals.digestLows[row]!);
      progress.onWithdrawn(proposals.zxids[row]!);
    } else {
      tree.staging.digest.copy(tree.committed);
      progress.onWithdrawn(progress.committed);
    }
    if (firstWrite !== NO_WRITE) writes.withdrawBehind(firstWrite - 1);
    this.letAskersGo();
  }

  private undo(position: number): void {
    const { proposals, acls, ephemerals } = this.parts;
    const kind = proposals.kind(position);
    const nodeId = proposals.nodeId(position);
    switch (kind) {
      case OpCode.check:
        return;
      case OpCode.createSession:
        this.listener.onCreateWithdrawn(proposals.owner(position));
        return;
      case OpCode.closeSession:
        this.listener.onCloseWithdrawn(proposals.owner(position));
        return;
      case OpCode.create:
      case OpCode.create2: {
        const { cursor } = this;
        cursor.moveTo(proposals.record(position));
        acls.release(cursor.aclId);
        this.owned.push({ nodeId, high: cursor.ownerHigh, low: cursor.ownerLow });
        const owner = proposals.owner(position);
        if (owner >= 0) ephemerals.remove(owner, nodeId);
        break;
      }
      case OpCode.setAcl:
        this.cursor.moveTo(proposals.record(position));
        acls.release(this.cursor.aclId);
        break;
      default:
      // delete, setData: the records alone
    }
    this.take(nodeId, proposals.record(position));
    if (proposals.parentId(position) !== 0) {
      this.take(proposals.parentId(position), proposals.parentRecord(position));
    }
  }

  private take(nodeId: number, record: number): void {
    this.records.add(record);
    this.cursor.moveTo(record);
    this.nodes.set(nodeId, this.cursor.pathHash);
  }

  private restoreNodes(): void {
    const { proposals, tree } = this.parts;
    for (const id of this.nodes.keys()) tree.nodes.setPending(id, 0);
    for (let position = proposals.effectHead; position < proposals.effectTail; position++) {
      this.hangIn(proposals.nodeId(position), proposals.record(position));
      this.hangIn(proposals.parentId(position), proposals.parentRecord(position));
    }
    for (const [id, hash] of this.nodes) {
      if (tree.nodes.pendingOf(id) !== 0 || tree.committedOf(id) !== 0) continue;
      tree.index.remove(hash, id);
      tree.nodes.release(id);
    }
    for (const record of this.records) tree.arena.free(record);
    this.nodes.clear();
    this.records.clear();
  }

  private hangIn(nodeId: number, record: number): void {
    if (record !== 0 && this.nodes.has(nodeId)) this.parts.tree.nodes.setPending(nodeId, record);
  }

  // Created anew by the session whose delete of it has been committed since: the entry had stayed for the new one.
  private restoreOwners(): void {
    const { tree, sessions, ephemerals } = this.parts;
    for (const { nodeId, high, low } of this.owned.splice(0)) {
      const slot = sessions.find(high, low);
      if (slot < 0 || this.isOwner(tree.committedOf(nodeId), high, low)) continue;
      if (!this.isOwner(tree.nodes.pendingOf(nodeId), high, low)) ephemerals.remove(slot, nodeId);
    }
  }

  private isOwner(record: number, high: number, low: number): boolean {
    if (record === 0) return false;
    this.cursor.moveTo(record);
    return this.cursor.ownerHigh === high && this.cursor.ownerLow === low;
  }

  /** Its connection ends. */
  letGo(client: Client): void {
    const { clients } = this.parts;
    if (client.state === ClientState.gone) clients.releaseIfDone(client);
    else clients.close(client);
  }

  private letAskersGo(): void {
    for (const client of this.askers) this.letGo(client);
    this.askers.clear();
  }
}

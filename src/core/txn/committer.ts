/**
 * Makes durable proposals visible, one at a time in zxid order: publishes their records, fires watches, answers
 * the writer. For each changed path the events go into the connections' streams before the reply does, and
 * before any later read can see the change.
 *
 * A proposal of very many changes, or of one that has a subtree counted or that very many watch, is published in slices:
 *
 *     effects   1 ············ published ············ n        `isPublishing`: nothing is proposed, and the request order
 *               clients must not see it yet │ not yet         reads for nobody; pings are answered with the zxid before
 */
import { unreachable } from '../../base/assert.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { MULTI_HEADER_BYTES, writeMultiHeader } from '../../wire/multi.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { STAT_BYTES } from '../../wire/stat.ts';
import type { AclTable } from '../acl/acl-table.ts';
import { type Client, ClientState } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import { BodyBuffer, type Replier, writePathAndStat } from '../client/replier.ts';
import { RequestView } from '../client/request-view.ts';
import { NO_WRITE, type WriteNumbers } from '../client/write-numbers.ts';
import type { Progress } from '../progress/progress.ts';
import type { Statistics } from '../progress/statistics.ts';
import type { SessionTable } from '../session/session-table.ts';
import { DIGEST_INTERVAL, DigestHistory } from '../tree/digest-history.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import { ownerKind, type ZnodeCursor } from '../tree/record.ts';
import type { Tree } from '../tree/tree.ts';
import { EventType, type WatchFiring } from '../watch/watch-firing.ts';
import type { WatchTable } from '../watch/watch-table.ts';
import { ChangeEvents } from './change-events.ts';
import type { LatestView } from './latest-view.ts';
import type { ProposalQueue } from './proposal-queue.ts';
import type { TreeEffects } from './tree-effects.ts';

/** What the owner does beyond the tree when certain transactions commit. */
export interface CommitListener {
  onSessionCreated(slot: number, client: Client | null): void;
  /** All its ephemerals are gone; `client` (if any) has just got its reply. */
  onSessionClosed(slot: number): void;
}

/** Changes of one proposal that are published at once, and watches that they may meet. */
const CHANGES_AT_ONCE = 1024;
const WATCHES_AT_ONCE = 4096;
/** Steps of a count in one slice, about a millisecond. */
export const COUNTED_PER_SLICE = 8192;

export class Committer {
  readonly digests = new DigestHistory();
  /** The oldest proposal is half published. */
  isPublishing = false;
  /** Changes published, ever. */
  changes = 0;
  /** Of the oldest proposal: its changes that are published. */
  private published = 0;
  private readonly statistics: Statistics;
  private readonly writes: WriteNumbers;
  private readonly progress: Progress;
  private readonly tree: Tree;
  private readonly acls: AclTable;
  private readonly sessions: SessionTable;
  private readonly ephemerals: Ephemerals;
  private readonly firing: WatchFiring;
  private readonly told: ChangeEvents;
  private readonly proposals: ProposalQueue;
  private readonly replier: Replier;
  private readonly clients: ClientTable;
  private readonly effects: TreeEffects;
  private readonly listener: CommitListener;
  private readonly asked = new RequestView();
  private readonly checkDigest: boolean;
  private readonly node: ZnodeCursor;
  private readonly parent: ZnodeCursor;
  private readonly body = new BodyBuffer();

  constructor(parts: {
    progress: Progress;
    statistics: Statistics;
    writes: WriteNumbers;
    tree: Tree;
    acls: AclTable;
    sessions: SessionTable;
    ephemerals: Ephemerals;
    watches: WatchTable;
    latest: LatestView;
    proposals: ProposalQueue;
    replier: Replier;
    effects: TreeEffects;
    clients: ClientTable;
    listener: CommitListener;
    checkDigest: boolean;
  }) {
    this.progress = parts.progress;
    this.statistics = parts.statistics;
    this.writes = parts.writes;
    this.tree = parts.tree;
    this.acls = parts.acls;
    this.sessions = parts.sessions;
    this.ephemerals = parts.ephemerals;
    this.firing = parts.watches.firing;
    this.proposals = parts.proposals;
    this.replier = parts.replier;
    this.clients = parts.clients;
    this.effects = parts.effects;
    this.listener = parts.listener;
    this.checkDigest = parts.checkDigest;
    this.node = parts.tree.cursor();
    this.parent = parts.tree.cursor();
    this.told = new ChangeEvents(parts);
  }

  /** Commits the oldest proposal. False: only a slice of it, `isPublishing`; to be called again in the next turn. */
  commitNext(): boolean {
    const { proposals, effects, firing } = this;
    const row = proposals.headRow;
    const client = proposals.clientOf(row);
    const op = proposals.ops[row]!;
    if (op === OpCode.createSession) this.progress.onCommitted(proposals.zxids[row]!);
    const isMulti = op === OpCode.multi && client !== null;
    if (effects.counting !== null) effects.goOnCounting(COUNTED_PER_SLICE);
    else if (isMulti && !this.isPublishing) this.body.reset();
    const first = proposals.effectHead + this.published;
    const rowEnd = proposals.effectEnds[row]!;
    const end = Math.min(rowEnd, first + CHANGES_AT_ONCE);
    firing.allow(WATCHES_AT_ONCE);
    if (firing.isUnfinished) firing.goOn();
    let position = first;
    for (; position < end && effects.counting === null && firing.mayMeet; position++) {
      this.apply(position, client);
      if (isMulti) this.appendResult(position);
    }
    this.changes += position - first;
    if (position < rowEnd || effects.counting !== null || firing.isUnfinished) {
      this.pause(position - proposals.effectHead);
      return false;
    }
    if (this.isPublishing) this.resume();
    // Not `row`: a session that begins or ends lets requests go on, and their proposals may have moved the rows.
    this.finish(proposals.headRow, client);
    return true;
  }

  // So much of the oldest proposal is published, and clients are to see none of it yet.
  private pause(published: number): void {
    this.published = published;
    if (this.isPublishing) return;
    this.isPublishing = true;
    this.proposals.shut();
  }

  private resume(): void {
    this.published = 0;
    this.isPublishing = false;
    this.proposals.reopen();
  }

  private finish(row: number, client: Client | null): void {
    const { proposals } = this;
    const zxid = proposals.zxids[row]!;
    this.progress.onCommitted(zxid);
    const write = proposals.writes[row]!;
    if (write !== NO_WRITE) this.writes.resolve(write);
    this.statistics.committed++;
    if (this.checkDigest) {
      const { high, low } = this.tree.committed;
      const agrees = high === proposals.digestHighs[row] && low === proposals.digestLows[row];
      if (!agrees) unreachable(`tree digest after zxid 0x${zxid.toString(16)} differs from the proposed one`);
    }
    if (proposals.digestDiffers[row] === 1) this.statistics.onForeignDigest(zxid);
    if (this.checkDigest && zxid % DIGEST_INTERVAL === 0) this.digests.add(zxid, this.tree.committed);
    if (client !== null) this.answer(row, client);
    proposals.shift();
  }

  // ---- effects -------------------------------------------------------------------------------------------

  private apply(position: number, client: Client | null): void {
    const { proposals, tree } = this;
    switch (proposals.kind(position)) {
      case OpCode.create:
      case OpCode.create2:
        this.create(position);
        return;
      case OpCode.delete:
        this.remove(position);
        return;
      case OpCode.setData:
        this.setData(position);
        return;
      case OpCode.setAcl: {
        const id = proposals.nodeId(position);
        this.node.moveTo(tree.committedOf(id));
        const before = this.node.aclId;
        tree.publish(id, proposals.record(position));
        this.acls.release(before);
        this.node.moveTo(proposals.record(position));
        return;
      }
      case OpCode.createSession:
        this.listener.onSessionCreated(proposals.owner(position), client);
        return;
      case OpCode.check:
        return;
      default:
        // closeSession: the reply has to leave first; see `answer`.
        if (client === null) this.listener.onSessionClosed(proposals.owner(position));
    }
  }

  private create(position: number): void {
    const { proposals, tree, node, parent } = this;
    const id = proposals.nodeId(position);
    const record = proposals.record(position);
    const parentId = proposals.parentId(position);
    tree.publishCreate(id, record, parentId);
    tree.publishChildren(parentId, proposals.parentRecord(position));
    node.moveTo(record);
    this.effects.onCreated(id, node);
    this.told.changed(EventType.nodeCreated, node);
    parent.moveTo(proposals.parentRecord(position));
    this.told.changed(EventType.nodeChildrenChanged, parent);
  }

  private remove(position: number): void {
    const { proposals, tree, node, parent } = this;
    const id = proposals.nodeId(position);
    const tombstone = proposals.record(position);
    node.moveTo(tree.committedOf(id));
    const { aclId } = node;
    const { ownerHigh, ownerLow } = node;
    this.effects.onDeleted(id, node);
    tree.publishDelete(id, tombstone, proposals.parentId(position));
    tree.publishChildren(proposals.parentId(position), proposals.parentRecord(position));
    if (ownerKind(ownerHigh, ownerLow, tree.extendedTypes) === 'ephemeral') {
      this.disown(id, ownerHigh, ownerLow);
    }
    node.moveTo(tombstone);
    this.told.deleted(node, aclId);
    this.acls.release(aclId);
    parent.moveTo(proposals.parentRecord(position));
    this.told.changed(EventType.nodeChildrenChanged, parent);
    tree.arena.free(tombstone);
  }

  private setData(position: number): void {
    const { proposals, tree, node } = this;
    const id = proposals.nodeId(position);
    const record = proposals.record(position);
    node.moveTo(tree.committedOf(id));
    const before = node.dataBytes;
    tree.publish(id, record);
    node.moveTo(record);
    this.effects.onDataChanged(node, before);
    this.told.changed(EventType.nodeDataChanged, node);
  }

  // A node that the same session has already created anew (not committed yet) stays its own.
  private disown(nodeId: number, ownerHigh: number, ownerLow: number): void {
    const slot = this.sessions.find(ownerHigh, ownerLow);
    if (slot < 0) return;
    const latest = this.tree.staging.latestOf(nodeId);
    if (latest !== 0) {
      this.parent.moveTo(latest);
      if (this.parent.ownerHigh === ownerHigh && this.parent.ownerLow === ownerLow) return;
    }
    this.ephemerals.remove(slot, nodeId);
  }

  // ---- answers -------------------------------------------------------------------------------------------

  private answer(row: number, client: Client): void {
    const { proposals, replier, node, asked } = this;
    const err = proposals.errs[row]!;
    const op = proposals.ops[row]!;
    asked.recall(client, proposals.xids[row]!, op, proposals.receivedMs[row]!);
    if (op === OpCode.multi && (err === 0 || proposals.failedAt[row]! >= 0)) {
      if (err !== 0) this.appendFailures(proposals.failedAt[row]!, proposals.subCounts[row]!, err);
      this.appendHeader(OpCode.error, true, -1);
      if (err === ErrorCode.sessionMoved) this.clients.close(client);
      else replier.slice(asked, this.body.bytes, 0, this.body.length);
      return;
    }
    if (err !== 0) {
      this.refuse(client, err);
      return;
    }
    switch (op) {
      case OpCode.create:
        replier.created(asked, node, false);
        return;
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        replier.created(asked, node, true);
        return;
      case OpCode.setData:
      case OpCode.setAcl:
        replier.stat(asked, node);
        return;
      case OpCode.reconfig:
        replier.body(asked, node);
        return;
      case OpCode.createSession:
        return; // answered by the listener: it is not an ordinary reply
      case OpCode.closeSession:
        replier.header(asked, 0);
        // Without an effect: the session has ended before.
        if (proposals.effectEnds[row]! === proposals.effectStart(row)) this.clients.close(client);
        else this.listener.onSessionClosed(proposals.owner(proposals.effectEnds[row]! - 1));
        return;
      default:
        replier.header(asked, 0);
    }
  }

  private refuse(client: Client, err: number): void {
    // It is served elsewhere; or nobody knows; or it waits for a session that it does not get. None is told by a reply.
    const isOfConnection = err === ErrorCode.sessionMoved || err === ErrorCode.connectionLoss;
    if (isOfConnection || client.state === ClientState.handshaking) this.clients.close(client);
    else this.replier.header(this.asked, err);
  }

  private appendResult(position: number): void {
    const { body, proposals, node } = this;
    const kind = proposals.kind(position);
    this.appendHeader(kind, false, 0);
    if (kind === OpCode.create || kind === OpCode.create2) {
      node.moveTo(proposals.record(position));
      const stat = kind === OpCode.create2;
      const at = body.extend(4 + node.pathLength + (stat ? STAT_BYTES : 0));
      writePathAndStat(body.bytes, body.view, at, node, stat);
    } else if (kind === OpCode.setData) {
      node.moveTo(proposals.record(position));
      body.raw(node.bytes, node.statStart, STAT_BYTES);
    }
  }

  private appendFailures(failedAt: number, count: number, err: number): void {
    this.body.reset();
    for (let i = 0; i < count; i++) {
      const code = i < failedAt ? 0 : i === failedAt ? err : -2;
      this.appendHeader(OpCode.error, false, code);
      this.body.int32(code);
    }
  }

  private appendHeader(type: number, done: boolean, err: number): void {
    const at = this.body.extend(MULTI_HEADER_BYTES);
    writeMultiHeader(this.body.view, at, type, done, err);
  }
}

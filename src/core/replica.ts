/**
 * The server's state machine: everything between a client's frame and its reply that is neither a socket nor a
 * file. One thread, driven from outside; it has no clock, no timer, no promise. One instance per incarnation: a state that
 * is replaced as a whole (another snapshot, a truncated log) is another replica (incarnations.ts).
 *
 *   onFrame ─▶ request order ─┬─ read ──▶ answered from committed records
 *                             └─ write ─▶ proposer ─▶ log ··durable··▶ onDurable ─▶ committer ─▶ reply, parked reads
 *
 * Turn of the owning thread: `beginTurn` (time), any number of `on…` calls, `endTurn` (flush to log and io).
 */
import { assert } from '../base/assert.ts';
import { StoreFullFailure } from '../base/failure.ts';
import type { Zxid } from '../base/zxid.ts';
import { Client, ClientState } from './client/client.ts';
import { Leadership } from './leading/leadership.ts';
import type { CorePort } from './ports/core-port.ts';
import type { AdminPort, ConnId, LogPort, SnapshotRequest } from './ports/ports.ts';
import { CONN_IO_SHIFT } from './ports/ports.ts';
import { CommitPoint, type ServerRole } from './progress/commit-point.ts';
import type { Progress } from './progress/progress.ts';
import type { TurnClock } from './progress/turn-clock.ts';
import { Work } from './progress/turn-work.ts';
import {
  createParts,
  type ReplicaOptions,
  type ReplicaParts,
  type ReplicaPorts,
  type Surroundings,
} from './replica-parts.ts';
import { LearnerService } from './request/learner-service.ts';
import { RequestOrder } from './request/request-order.ts';
import { SessionLifecycle } from './request/session-lifecycle.ts';
import { beginSnapshot } from './snapshot.ts';
import { COUNTED_PER_SLICE } from './txn/committer.ts';
import { Withdrawal } from './txn/withdrawal.ts';

/** Changes that one turn publishes, and watches that they meet: some milliseconds. */
const CHANGES_PER_TURN = 4096;
const WATCHES_PER_TURN = 8192;
/** Containers and TTL nodes that one turn proposes to delete. */
const SWEPT_PER_TURN = 128;

export class Replica implements CorePort {
  /** The components; read-only to everybody but the replica. */
  readonly parts: ReplicaParts;
  readonly lifecycle: SessionLifecycle;
  readonly learner: LearnerService;
  readonly leadership: Leadership;
  private readonly order: RequestOrder;
  readonly progress: Progress;
  readonly clock: TurnClock;
  private readonly log: LogPort;
  private readonly admin: AdminPort;
  private sweepWaitsForLog = false;
  /** The oldest proposal waits for reads that must not see it. */
  private isCommitHeld = false;
  private isFilled = false;
  private readonly role: ServerRole;
  private readonly commitPoint: CommitPoint;
  private readonly withdrawal: Withdrawal;
  /** `proposals.tail` at the last `endTurn`. */
  private flushedProposals = 0;

  constructor(options: ReplicaOptions, ports: ReplicaPorts, surroundings: Surroundings) {
    this.log = ports.log;
    this.admin = ports.admin;
    this.parts = createParts(options, ports, surroundings, {
      onSessionCreated: (slot, client) => this.lifecycle.onCreated(slot, client),
      onSessionClosed: (slot) => this.lifecycle.onClosed(slot),
      onLargeReplyDone: (client) => this.onLargeReplyDone(client),
    });
    this.progress = this.parts.progress;
    this.clock = this.parts.clock;
    this.role = surroundings.role;
    this.commitPoint = new CommitPoint(this.progress, this.role);
    this.order = new RequestOrder({
      ...this.parts,
      sessionChanges: () => this.lifecycle,
    });
    this.lifecycle = new SessionLifecycle(options, this.parts, this.order);
    this.learner = new LearnerService(this.parts, this.order, this.lifecycle);
    this.withdrawal = new Withdrawal(this.parts, this.lifecycle);
    this.leadership = new Leadership(this.parts, this.lifecycle, this.order, this.withdrawal);
  }

  /** The log has been read up to here; from now on clients are served. */
  start(zxid: Zxid, nowMs: number, wallMs: number): void {
    if (!this.parts.tree.hasRoomToServe) throw new StoreFullFailure();
    this.beginTurn(nowMs, wallMs);
    this.progress.restart(zxid);
    this.parts.tree.staging.digest.copy(this.parts.tree.committed);
    this.parts.effects.countsInSlices = true;
    this.lifecycle.start();
    this.isFilled = true;
  }

  /** Pins the committed state for a snapshot thread; `endSnapshot` once that has ended, well or not. */
  beginSnapshot(): SnapshotRequest {
    this.finishPublishing();
    return beginSnapshot(this.parts);
  }

  endSnapshot(): void {
    this.parts.tree.pointInTime.end();
  }

  /** Nothing is asked of it any more. Its connections are let go, its memory is the next one's. */
  retire(): void {
    const { clients, tree, words } = this.parts;
    words.letGo();
    clients.letGo();
    // A snapshot thread may be reading: then the memory goes when that lets go of it.
    if (!tree.pointInTime.active) tree.giveBack();
  }

  // ---- turns ---------------------------------------------------------------------------------------------

  /** `nowMs` monotonic, `wallMs` since 1970. */
  beginTurn(nowMs: number, wallMs: number): void {
    this.clock.set(nowMs, wallMs);
  }

  /** Sessions may have to end, and this server is the one to say so: hear what clients have sent, then `onHeard`. */
  get isExpiryDue(): boolean {
    return this.lifecycle.isExpiryDue(this.clock.nowMs);
  }

  /**
   * What clients had sent by `heardMs` has arrived: who has been silent until then for longer than its timeout ends, a
   * slice of them; the rest is background work.
   */
  onHeard(heardMs: number): void {
    this.lifecycle.expireUpTo(heardMs);
  }

  /** The present turn has taken so long that what it has read may be younger than its beginning: it is of now. */
  onLateTurn(nowMs: number, wallMs: number): void {
    this.parts.sessions.touchAgain(this.clock.nowMs, nowMs);
    this.clock.set(nowMs, wallMs);
  }

  /** Timers: container sweep, compaction, a slice of each; the rest is background work. Once per tick. */
  onTick(): void {
    // What found no room in the log or the store: commits make some, but so does the end of a snapshot.
    this.onLogRoom();
    this.sweep();
    // Effects that are still to be published name the records of those that are.
    if (!this.isPublishing) this.parts.tree.compactor.tick(this.clock.nowMs);
    this.parts.words.onTick(this.clock.nowMs);
    this.learner.onTick();
  }

  /** Work that no event will start: slices of a large reply, commits left over. True = call again soon. */
  doBackgroundWork(): boolean {
    this.parts.work.begin();
    // Those that have waited for this turn come first: what follows may take all of its time.
    if (this.isCommitHeld) this.commitDecided();
    if (!this.isPublishing) this.order.doWork();
    if (this.lifecycle.isBusy) this.lifecycle.doWork();
    if (this.leadership.requests.isBusy) this.leadership.requests.retry();
    this.stageLong();
    if (this.hasCommitsLeft) {
      this.commitDecided();
      this.onLogRoom();
    }
    this.parts.largeReply.doWork();
    if (!this.isPublishing) {
      this.parts.descendants.doWork();
      this.parts.restore.doWork();
    }
    this.parts.words.doWork(this.clock.nowMs);
    if (this.parts.watches.isDropping) this.parts.watches.dropSome();
    if (this.isSweepDue) this.sweep();
    return this.hasBackgroundWork;
  }

  get hasBackgroundWork(): boolean {
    const { largeReply, descendants, restore, words, watches, proposer, txnStager } = this.parts;
    if (txnStager.isStaging || largeReply.isBusy || words.isBusy || watches.isDropping) return true;
    const isReading = descendants.isBusy || restore.isBusy || this.order.isBusy;
    if ((isReading && !this.isPublishing) || proposer.multi.isBusy) return true;
    return this.hasCommitsLeft || this.lifecycle.isBusy || this.isSweepDue || this.leadership.requests.isBusy;
  }

  /** A transaction is half published: not a moment to look at the tree. */
  get isPublishing(): boolean {
    return this.parts.committer.isPublishing;
  }

  /** Nothing is being proposed or waits for its commit. */
  get isQuiet(): boolean {
    const { proposals, proposer, txnStager } = this.parts;
    return proposals.length === 0 && !proposer.multi.isStaging && !txnStager.isStaging;
  }

  /** Whether anything since the last `endTurn` has to become visible to other threads or connections. */
  get needsTurn(): boolean {
    return this.parts.proposals.tail !== this.flushedProposals || this.hasBackgroundWork;
  }

  endTurn(): void {
    this.flushedProposals = this.parts.proposals.tail;
    // While it is filled in pieces, the znodes that name an ACL may come in a later one.
    if (this.isFilled) this.parts.acls.dropUnreferenced();
    this.parts.tree.reclaim();
    this.log.flush();
    for (const sink of this.parts.clients.sinks) sink.flush();
  }

  // ---- CorePort ------------------------------------------------------------------------------------------

  onConnect(conn: ConnId, address: string, port: number): void {
    const sink = this.parts.clients.sinks[conn >>> CONN_IO_SHIFT];
    assert(sink !== undefined, 'connection of an unknown io thread');
    const authIds = [{ scheme: 'ip', id: address }];
    this.parts.clients.add(new Client({ conn, sink, address, port, authIds, wallMs: this.clock.wallMs }));
  }

  onFrame(conn: ConnId, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const client = this.parts.clients.get(conn);
    if (client === undefined || client.state >= ClientState.closing) return;
    client.received++;
    this.parts.statistics.packetsReceived++;
    if (client.state === ClientState.fresh) {
      if (this.learner.mayBegin(client, bytes, start, end))
        this.lifecycle.onConnectRequest(client, bytes, view, start, end);
      return;
    }
    if (client.session >= 0) this.parts.sessions.touch(client.session, this.clock.nowMs);
    this.order.onRequest(client, bytes, view, start, end);
  }

  onDisconnect(conn: ConnId): void {
    const client = this.parts.clients.get(conn);
    if (client === undefined || client.state === ClientState.gone) return;
    client.state = ClientState.gone;
    client.queue.clear();
    client.dropHeld();
    this.parts.watches.removeConnection(conn);
    this.parts.words.onGone(client);
    this.lifecycle.onConnectionGone(client);
    this.parts.clients.releaseIfDone(client);
  }

  onDrained(conn: ConnId): void {
    const client = this.parts.clients.get(conn);
    if (client === undefined) return;
    this.parts.words.onDrained(client);
    this.order.drain(client);
  }

  onFourLetterWord(conn: ConnId, word: number, argument: bigint | null): void {
    const client = this.parts.clients.get(conn);
    if (client === undefined || client.state !== ClientState.fresh) return;
    client.state = ClientState.closing;
    this.parts.words.begin(client, this.admin.answer(word, argument));
  }

  /** Everything up to `zxid` is on stable storage. */
  onDurable(zxid: Zxid): void {
    this.commitPoint.onOwnDurable(zxid);
    this.commitDecided();
    this.onLogRoom();
  }

  /**
   * A learner's leader has proposed `bytes[start, end)`; see TxnStager.stage. On a learner that runs nothing else is ever
   * proposed.
   */
  onProposal(bytes: Uint8Array, view: DataView, start: number, end: number): boolean | null {
    return this.parts.txnStager.stage(bytes, view, start, end);
  }

  /** Everything up to `zxid` is decided: by the leader, which need not ask whether it is durable here. */
  onDecided(zxid: Zxid): void {
    this.commitPoint.onTold(zxid);
    this.commitDecided();
    this.onLogRoom();
  }

  /** All proposals behind `zxid` are taken back, as if they had never been made; none of them may be decided. */
  withdrawBehind(zxid: Zxid): void {
    this.finishPublishing();
    this.parts.txnStager.finishStaging();
    const asker = this.parts.proposer.multi.abandon();
    this.withdrawal.withdrawBehind(zxid);
    if (asker !== null) this.withdrawal.letGo(asker);
    this.parts.proposer.onWithdrawn();
    this.order.onWithdrawn();
  }

  private stageLong(): void {
    const { proposer, txnStager } = this.parts;
    const { multi } = proposer;
    if (!multi.isBusy && !txnStager.isStaging) return;
    multi.doWork();
    txnStager.doWork();
    if (!multi.isStaging && !txnStager.isStaging) this.onLogRoom();
  }

  private onLogRoom(): void {
    this.parts.proposer.multi.onLogRoom();
    const { requests } = this.leadership;
    const theyFirst = requests.goesFirst;
    if (theyFirst) requests.retry();
    this.order.onLogRoom();
    if (!theyFirst) requests.retry();
    this.lifecycle.retryPending();
    this.sweepWaitsForLog = false;
  }

  private onLargeReplyDone(client: Client): void {
    if (client.state === ClientState.gone) this.parts.clients.releaseIfDone(client);
    this.order.onLargeReplyDone(client);
  }

  // ---- commits -------------------------------------------------------------------------------------------

  private get hasCommitsLeft(): boolean {
    const { proposals, proposer, largeReply } = this.parts;
    return (
      proposals.length > 0 &&
      !proposer.multi.isStaging &&
      !largeReply.isNoting &&
      proposals.zxids[proposals.headRow]! <= this.progress.decided &&
      !this.parts.clients.isCongested
    );
  }

  private commitDecided(): void {
    const { committer, work, effects, watches } = this.parts;
    const { firing } = watches;
    const { changes } = committer;
    const { met } = firing;
    let count = 0;
    this.isCommitHeld = false;
    while (this.hasCommitsLeft) {
      if (committer.changes - changes + count >= CHANGES_PER_TURN) break;
      if (firing.met - met >= WATCHES_PER_TURN) break;
      this.commitNext();
      if (this.isCommitHeld) break;
      count++;
      if (firing.isUnfinished) break;
      if (effects.counting !== null) {
        work.charge(Work.listEntries, COUNTED_PER_SLICE);
        break;
      }
    }
    if (count === 0) return;
    work.charge(Work.changes, committer.changes - changes + count);
    work.charge(Work.events, firing.met - met);
  }

  // The oldest proposal, or a slice of it.
  private commitNext(): void {
    const { committer, proposals, clients } = this.parts;
    const row = proposals.headRow;
    const client = proposals.clientOf(row);
    if (client === null) {
      if (committer.commitNext()) this.order.onCommitted();
      return;
    }
    if (!committer.isPublishing && !this.order.prepareCommit(client, proposals.writes[row]!)) {
      this.isCommitHeld = true;
      return;
    }
    const isHeld = client.mustHold;
    if (isHeld) client.beginHolding();
    const isDone = committer.commitNext();
    if (isHeld) client.endHolding();
    if (!isDone) return;
    this.order.onCommitted();
    if (client.state === ClientState.gone) clients.releaseIfDone(client);
    else if (client.queue.count > 0 || client.held.length > 0) this.order.drain(client);
  }

  /** What cannot wait until the rest of it has had its turns. */
  private finishPublishing(): void {
    while (this.isPublishing) this.commitNext();
  }

  private get isSweepDue(): boolean {
    return !this.sweepWaitsForLog && !this.role.isLearner && this.parts.sweep.isDueAt(this.clock.nowMs);
  }

  private sweep(): void {
    if (this.sweepWaitsForLog || this.role.isLearner) return;
    const { sweep, effects, proposer } = this.parts;
    for (let n = 0; n < SWEPT_PER_TURN; n++) {
      const due = sweep.poll(this.clock.nowMs, this.clock.wallMs, effects);
      if (due < 0) return;
      if (proposer.proposeSweep(due)) continue;
      sweep.putBack(due);
      this.sweepWaitsForLog = true;
      return;
    }
  }
}

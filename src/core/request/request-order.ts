/**
 * Per connection, replies leave in the order of the requests, and yet nothing waits longer than it must:
 *
 *   read, nothing of its own in flight     answered at once
 *   read behind an own write in flight     parked until that write is committed
 *   write                                  proposed at once, also past parked reads: what they wait for has an
 *                                          earlier number, so as a rule they are answered first all the same. A marker
 *                                          keeps its place in the queue for the exception:
 *   a parked read becomes ready but finds no room for its reply (a slow client, another large reply being made):
 *                                          the connection is *stalled*. When a later write of its own commits now,
 *                                          the reads up to its marker are made before, because they must not see
 *                                          it, however many turns it takes; their replies and its own are held
 *   sync, on a learner                     forwarded at once, and parked until the leader has answered it
 *   what a local session may not           answered like a read (local-sessions.ts)
 *   closeSession                           waits unevaluated until everything before it has been answered
 *   anything behind a stalled or unevaluated request waits unevaluated
 *
 *     queue of one connection, oldest first (R parked read, after which write; M marker):
 *         R(7) R(7) M(9) R(9) M(12)        7 commits → both R run; 9 commits → its reply, R; 12 commits → its reply
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { REQUEST_HEADER_BYTES } from '../../wire/requests.ts';
import { type Client, ClientState } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import { UNEVALUATED } from '../client/frame-queue.ts';
import type { Replier } from '../client/replier.ts';
import { RequestView } from '../client/request-view.ts';
import { WaitingLine } from '../client/waiting-line.ts';
import type { WriteNumbers } from '../client/write-numbers.ts';
import { Fifo } from '../collections/fifo.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { ServerRole } from '../progress/commit-point.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import { type TurnWork, Work } from '../progress/turn-work.ts';
import type { Proposer } from '../txn/proposer.ts';
import type { Authenticator } from './authenticator.ts';
import type { ReadOps } from './read-ops.ts';
import { isProposed, isRead } from './request-kinds.ts';
import type {
  LocalAnswers,
  Publication,
  RequestOrderParts,
  RoomForWrites,
  SessionChanges,
} from './request-order-parts.ts';

/**
 * Replies held for one connection. Beyond that it is closed: it reads too slowly for what it asks, and each further
 * read may be as large as a reply can be.
 */
const HELD_BYTES_MAX = 16 * 1024 * 1024;
/** A parked request that is answered is as much work as so many names of a list. */
const REQUEST_UNITS = 8;

export class RequestOrder {
  private readonly role: ServerRole;
  private readonly forwarder: Forwarder;
  private readonly writes: WriteNumbers;
  private readonly clock: TurnClock;
  private readonly clients: ClientTable;
  private readonly replier: Replier;
  private readonly proposer: Proposer;
  private readonly reads: ReadOps;
  private readonly authenticator: Authenticator;
  private readonly sessionChanges: () => SessionChanges;
  private readonly locals: LocalAnswers;
  private readonly request = new RequestView();
  /** Connections whose next request waits: for room in the log, the large reply being made, the next turn. */
  private readonly logWaiters = new WaitingLine(1);
  private readonly replyWaiters = new WaitingLine(2);
  private readonly turnWaiters = new WaitingLine(4);
  /** Of `replyWaiters` some may go on, and the turn had no time left for them. */
  private isReplyRoom = false;
  private readonly writer: RoomForWrites;
  private readonly work: TurnWork;
  private readonly publication: Publication;
  /** Connections behind writes that the same session had proposed through an older one. */
  private readonly commitWaiters = new Fifo<{ readonly client: Client; readonly after: Float64Array }>();

  constructor(parts: RequestOrderParts) {
    this.role = parts.role;
    this.forwarder = parts.forwarder;
    this.writes = parts.writes;
    this.work = parts.work;
    this.publication = parts.committer;
    this.clock = parts.clock;
    this.clients = parts.clients;
    this.replier = parts.replier;
    this.proposer = parts.proposer;
    this.writer = parts.writer;
    this.reads = parts.reads;
    this.authenticator = parts.authenticator;
    this.sessionChanges = parts.sessionChanges;
    this.locals = parts.locals;
  }

  /** A frame of a connection that has (or is getting) a session. `start` is the request header's. */
  onRequest(client: Client, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (end - start < REQUEST_HEADER_BYTES) {
      this.clients.close(client);
      return;
    }
    const { request } = this;
    const { queue } = client;
    request.client = client;
    request.moveTo(bytes, view, start, end, this.clock.nowMs);
    if (client.state !== ClientState.open || client.isStalled || queue.unevaluated > 0) {
      if (!client.isKept || !this.reads.pingAhead(request)) queue.push(request, UNEVALUATED);
      return;
    }
    const { op } = request;
    if (op === OpCode.auth || op === OpCode.sasl) {
      this.authenticator.execute(request);
    } else if (isProposed(op) && !this.isAnsweredHere(request)) {
      // The end of a session is no write to hurry ahead with: its commit closes the connection on what is parked.
      const mustWait = op === OpCode.closeSession && queue.count > 0;
      if (mustWait || !this.propose(request)) queue.push(request, UNEVALUATED);
      else if (queue.count > 0) queue.pushMarker(client.lastWrite[0]!);
    } else if (op === OpCode.sync && this.mustAskLeader(request)) {
      queue.push(request, this.forward(request) ? client.lastWrite[0]! : UNEVALUATED);
    } else if (queue.count > 0 || client.lastWrite[0]! > this.writes.resolved || !this.read(request)) {
      // A leader that has stopped still counts as one for a while.
      const mayOvertake = this.forwarder.keepsRequests && this.role.isLearner;
      if (mayOvertake && this.reads.pingAhead(request)) return;
      // Nothing may overtake the end of a session, a local one's either.
      queue.push(request, op === OpCode.closeSession ? UNEVALUATED : client.lastWrite[0]!);
    }
  }

  /** Runs what the connection has parked, as far as it may. */
  drain(client: Client): void {
    if (client.isKept) return;
    const { queue } = client;
    client.isStalled = client.isStreaming;
    if (client.held.length > 0) this.sendHeld(client);
    while (queue.count > 0 && client.state === ClientState.open && !client.isStalled) {
      if (queue.headIsMarker) return; // its commit takes it away
      if (queue.headWrite === UNEVALUATED) {
        if (!this.evaluateHead(client)) return;
      } else {
        if (queue.headWrite > this.writes.resolved) return;
        if (!this.read(this.head(client))) return;
        // Unless it was one that ends its connection, and the queue with it.
        if (client.state === ClientState.open) queue.shift();
      }
    }
  }

  /** The requests of a new connection of a known session stay behind what an older one has in flight. */
  startBehind(client: Client): void {
    const write = this.writes.issued;
    if (write <= this.writes.resolved) return;
    client.lastWrite[0] = write;
    this.commitWaiters.push({ client, after: Float64Array.of(write) });
  }

  /** After commits, whoever's they were. */
  onCommitted(): void {
    const { commitWaiters } = this;
    while (commitWaiters.length > 0 && commitWaiters.first.after[0]! <= this.writes.resolved) {
      this.release(commitWaiters.shift().client);
    }
  }

  /** What it waited for has come: it goes on, in this turn or the next. */
  release(client: Client): void {
    if (this.work.isSpent) this.stall(client, this.turnWaiters);
    else this.drainCharged(client);
  }

  /** The newest own writes have been taken back: who is to run behind one of them waits for the last that stands. */
  onWithdrawn(): void {
    const { issued } = this.writes;
    for (const { client, after } of this.commitWaiters) {
      if (after[0]! <= issued) continue;
      after[0] = issued;
      client.lastWrite[0] = issued;
      client.queue.waitAtMostFor(issued);
    }
    this.onCommitted();
  }

  /** After commits: the log has room again. */
  onLogRoom(): void {
    const { logWaiters } = this;
    for (let n = logWaiters.length; n > 0; n--) {
      const before = logWaiters.length;
      this.drain(logWaiters.shift());
      // Not one that waits for more than room: it has been given some, or needs another's end (session-closer.ts).
      if (logWaiters.length < before || !this.lacksRoom) continue;
      logWaiters.lastToFront();
      return;
    }
  }

  /** Requests wait for the next turn. */
  get isBusy(): boolean {
    return this.turnWaiters.length > 0 || this.isReplyRoom;
  }

  /** The next turn: its time goes to those that have waited longest. */
  doWork(): void {
    for (let n = this.turnWaiters.length; n > 0 && !this.work.isSpent; n--) {
      this.drainCharged(this.turnWaiters.shift());
    }
    if (this.isReplyRoom) this.retryReplies();
  }

  /** A large reply is complete: its connection goes on, and whoever waited to make another one. */
  onLargeReplyDone(client: Client): void {
    this.drain(client);
    this.retryReplies();
  }

  // Up to the first that has to wait again: it is the first of the next time.
  private retryReplies(): void {
    const { replyWaiters, work } = this;
    this.isReplyRoom = false;
    for (let n = replyWaiters.length; n > 0; n--) {
      if (work.isSpent) {
        this.isReplyRoom = true;
        return;
      }
      const before = replyWaiters.length;
      this.drainCharged(replyWaiters.shift());
      if (replyWaiters.length < before) continue;
      replyWaiters.lastToFront();
      return;
    }
  }

  private get lacksRoom(): boolean {
    return this.role.isLearner ? this.forwarder.isFull : this.writer.lacksRoom;
  }

  // ---- commits of own writes -----------------------------------------------------------------------------

  /**
   * Before a write of this client commits: its reads that must not see it are made. False: they are not all made yet,
   * and nothing may be committed; ask again in the next turn.
   */
  prepareCommit(client: Client, write: number): boolean {
    const { queue } = client;
    if (this.isReadingFor(client)) return false;
    if (!queue.isMarked(write)) return true;
    // The only marker left up to its own: those of earlier writes went with their commits. What is in front of it is stalled; or
    // a sync whose leader is late with its word, and by this commit shows that it knows everything before.
    while (client.state === ClientState.open && !queue.headIsMarker) {
      if (client.heldBytes > HELD_BYTES_MAX) {
        this.clients.endAtLimit(client, 'heldReplies');
        break;
      }
      const request = this.head(client);
      client.lastOp = request.op;
      client.beginHolding();
      const isMade = this.execute(request);
      client.endHolding();
      if (!isMade) return false;
      if (client.state === ClientState.open) queue.shift();
      if (this.isReadingFor(client)) return false;
    }
    if (client.heldBytes > HELD_BYTES_MAX) this.clients.endAtLimit(client, 'heldReplies');
    if (client.state === ClientState.open) queue.takeMarker();
    return true;
  }

  private isReadingFor(client: Client): boolean {
    return client.isStreaming && client.state === ClientState.open && this.reads.isReadingFor(client);
  }

  // ---- inside --------------------------------------------------------------------------------------------

  /** The request at the head of the client's queue. */
  private head(client: Client): RequestView {
    const { request } = this;
    request.client = client;
    client.queue.viewHead(request);
    return request;
  }

  private isAnsweredHere(request: RequestView): boolean {
    return request.client.isLocal && this.locals.answersHere(request);
  }

  private mustAskLeader(request: RequestView): boolean {
    return this.role.isLearner && !this.isAnsweredHere(request);
  }

  private propose(request: RequestView): boolean {
    const { client, op } = request;
    if (client.isLocal && this.locals.mustUpgrade(request) && !this.sessionChanges().upgrade(client)) {
      this.stall(client, this.logWaiters);
      return false;
    }
    if (this.role.isLearner) return this.forward(request);
    client.lastOp = op;
    this.writer.forgetRefusal();
    const isProposed =
      op === OpCode.closeSession
        ? this.sessionChanges().onCloseRequest(request)
        : this.proposer.propose(request);
    if (!isProposed) {
      const waitsForTurn = this.work.isSpent && !this.writer.lacksRoom;
      this.stall(client, waitsForTurn ? this.turnWaiters : this.logWaiters);
    }
    return isProposed;
  }

  // To the leader, which proposes it.
  private forward(request: RequestView): boolean {
    const { client } = request;
    client.lastOp = request.op;
    const isForwarded = this.forwarder.forward(request);
    if (!isForwarded) this.stall(client, this.logWaiters);
    return isForwarded;
  }

  private read(request: RequestView): boolean {
    const { client } = request;
    if (client.sink.room(client.conn) <= 0) {
      client.isStalled = true; // onDrained will say
      return false;
    }
    if (this.publication.isPublishing && request.op !== OpCode.ping) {
      this.stall(client, this.turnWaiters);
      return false;
    }
    client.lastOp = request.op;
    if (!this.execute(request)) {
      this.stall(client, this.work.isSpent ? this.turnWaiters : this.replyWaiters);
      return false;
    }
    // The reply may be a large one, still being made.
    if (client.isStreaming) client.isStalled = true;
    return true;
  }

  // False: another large reply is being made; nothing has happened.
  private execute(request: RequestView): boolean {
    if (this.isAnsweredHere(request)) {
      this.locals.answer(request);
      return true;
    }
    if (isRead(request.op)) return this.reads.execute(request);
    // Unknown, or the server's own (createSession): Apache answers with zxid −1 and hangs up.
    const { client } = request;
    this.replier.headerAt(request, -1, ErrorCode.unimplemented);
    if (client.isHolding) this.clients.closeBehindHeld(client);
    else this.clients.close(client);
    return true;
  }

  // False: it stays where it is.
  private evaluateHead(client: Client): boolean {
    const { queue } = client;
    const request = this.head(client);
    const { op } = request;
    if (op === OpCode.auth || op === OpCode.sasl) {
      this.authenticator.execute(request);
      if (client.state === ClientState.open) queue.shift();
    } else if (isProposed(op) && !this.isAnsweredHere(request)) {
      if (!this.propose(request)) return false;
      queue.shift();
    } else {
      if (op === OpCode.sync && this.mustAskLeader(request) && !this.forward(request)) return false;
      if (op === OpCode.closeSession && client.lastWrite[0]! > this.writes.resolved) return false;
      queue.evaluateHead(client.lastWrite[0]!);
    }
    return true;
  }

  private sendHeld(client: Client): void {
    const { held } = client;
    let sent = 0;
    while (sent < held.length && !client.isStalled) {
      if (client.sink.room(client.conn) <= 0) client.isStalled = true;
      else this.replier.held(client, held[sent++]!);
    }
    client.dropHeld(sent);
    if (client.closesBehindHeld && held.length === 0) client.sink.close(client.conn);
  }

  private stall(client: Client, waiters: WaitingLine): void {
    client.isStalled = true;
    waiters.push(client);
  }

  // Of very many that were stalled together: what each has parked is cheap, all of it is not.
  private drainCharged(client: Client): void {
    const parked = client.queue.count;
    this.drain(client);
    this.work.charge(Work.listEntries, REQUEST_UNITS * (1 + Math.max(0, parked - client.queue.count)));
  }
}

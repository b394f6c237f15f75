/**
 * The server's state machine: everything between a client's frame and its reply that is neither a socket nor a
 * file. One instance, one thread, driven from outside; it has no clock, no timer, no promise.
 *
 *   onFrame ─▶ request order ─┬─ read ──▶ answered from committed records
 *                             └─ write ─▶ proposer ─▶ log ··durable··▶ onDurable ─▶ committer ─▶ reply, parked reads
 *
 * Turn of the owning thread: `beginTurn` (time), any number of `on…` calls, `endTurn` (flush to log and io).
 */
import { assert } from '../base/assert.ts';
import type { Zxid } from '../base/zxid.ts';
import { ErrorCode } from '../wire/error-codes.ts';
import { OpCode } from '../wire/opcodes.ts';
import { AuthRequest, REQUEST_HEADER_BYTES, SaslRequest } from '../wire/requests.ts';
import { decodeUtf8 } from '../wire/utf8.ts';
import { areTooManyIds } from './acl/auth-providers.ts';
import { Client, ClientState } from './client/client.ts';
import { HeldSink } from './client/held-sink.ts';
import { type ClientLimit, LimitEnds } from './client/limit-ends.ts';
import type { CorePort } from './ports/core-port.ts';
import type { AdminPort, ConnId, LogPort, ReplySink, SnapshotRequest } from './ports/ports.ts';
import { CONN_IO_SHIFT } from './ports/ports.ts';
import { createParts, type ReplicaOptions, type ReplicaParts, type ReplicaPorts } from './replica-parts.ts';
import { type RequestHandlers, RequestOrder } from './request/request-order.ts';
import { SessionLifecycle } from './request/session-lifecycle.ts';
import { beginSnapshot } from './snapshot.ts';

const COMMITS_PER_TURN = 4096;

/** A jute buffer that is null. */
const NULL_TOKEN = new Uint8Array([0xff, 0xff, 0xff, 0xff]);

export class Replica implements CorePort, RequestHandlers {
  /** The components; read-only to everybody but the replica. */
  readonly parts: ReplicaParts;
  readonly lifecycle: SessionLifecycle;
  private readonly order: RequestOrder;
  authFailures = 0;
  readonly limitEnds = new LimitEnds();
  nowMs = 0;
  wallMs = 0;
  private readonly sinks: ReplySink[] = [];
  private readonly auth = new AuthRequest();
  private readonly sasl = new SaslRequest();
  private readonly log: LogPort;
  private readonly admin: AdminPort;
  private durableZxid: Zxid = 0;
  /** `proposals.tail` at the last `endTurn`. */
  private flushedProposals = 0;

  constructor(options: ReplicaOptions, ports: ReplicaPorts) {
    this.log = ports.log;
    this.admin = ports.admin;
    this.parts = createParts(options, ports, {
      onSessionCreated: (slot, client) => this.lifecycle.onCreated(slot, client),
      onSessionClosed: (slot) => this.lifecycle.onClosed(slot),
      clientOf: (conn) => this.parts.clients.get(conn),
      onLargeReplyDone: (client) => this.onLargeReplyDone(client),
      onLimit: (client, limit) => this.endAtLimit(client, limit),
    });
    this.order = new RequestOrder(this, this.parts.replier);
    this.lifecycle = new SessionLifecycle(options, this.parts, {
      close: (client) => this.close(client),
      drain: (client) => this.order.drain(client),
      startBehind: (client, zxid) => this.order.startBehind(client, zxid),
    });
  }

  /** One sink per io thread, before its first connection. */
  addSink(sink: ReplySink): void {
    this.sinks.push(sink);
  }

  /** The log has been read up to here; from now on clients are served. */
  start(zxid: Zxid, nowMs: number, wallMs: number): void {
    this.beginTurn(nowMs, wallMs);
    this.parts.writer.lastZxid = zxid;
    this.parts.committer.lastZxid = zxid;
    this.parts.replier.lastZxid = zxid;
    this.order.committedZxid = zxid;
    this.durableZxid = zxid;
    this.parts.tree.staging.digest.set(this.parts.tree.committed.high, this.parts.tree.committed.low);
    this.lifecycle.start(nowMs, wallMs);
  }

  get lastZxid(): Zxid {
    return this.parts.committer.lastZxid;
  }

  /** Pins the committed state for a snapshot thread; `endSnapshot` once that has ended, well or not. */
  beginSnapshot(): SnapshotRequest {
    return beginSnapshot(this.parts, this.lastZxid, (slot) => this.lifecycle.isCommitted(slot));
  }

  endSnapshot(): void {
    this.parts.tree.pointInTime.end();
  }

  // ---- turns ---------------------------------------------------------------------------------------------

  /** `nowMs` monotonic, `wallMs` since 1970. */
  beginTurn(nowMs: number, wallMs: number): void {
    this.nowMs = nowMs;
    this.wallMs = wallMs;
    this.parts.writer.nowMs = nowMs;
    this.parts.writer.wallMs = wallMs;
    this.parts.replier.nowMs = nowMs;
    this.order.nowMs = nowMs;
  }

  /** Timers: session expiry, container sweep, a slice of the store's compaction. A millisecond; once per tick. */
  onTick(): void {
    this.lifecycle.expire(this.nowMs);
    this.sweepContainers();
    this.parts.tree.compactor.tick(this.nowMs);
  }

  /** Work that no event will start: slices of a large reply, commits left over. True = call again soon. */
  doBackgroundWork(): boolean {
    if (this.hasCommitsLeft) {
      this.commitDurable();
      this.onLogRoom();
    }
    this.parts.childrenReply.doWork();
    return this.hasBackgroundWork;
  }

  get hasBackgroundWork(): boolean {
    return this.parts.childrenReply.isBusy || this.hasCommitsLeft;
  }

  /** Whether anything since the last `endTurn` has to become visible to other threads or connections. */
  get needsTurn(): boolean {
    return this.parts.proposals.tail !== this.flushedProposals || this.hasBackgroundWork;
  }

  endTurn(): void {
    this.flushedProposals = this.parts.proposals.tail;
    this.parts.acls.dropUnreferenced();
    this.parts.tree.reclaim();
    this.log.flush();
    for (const sink of this.sinks) sink.flush();
  }

  /** True while replies cannot be taken by an io thread: give the core no more requests. */
  get isCongested(): boolean {
    for (const sink of this.sinks) if (sink.congested) return true;
    return false;
  }

  // ---- CorePort ------------------------------------------------------------------------------------------

  onConnect(conn: ConnId, address: string, port: number): void {
    const sink = this.sinks[conn >>> CONN_IO_SHIFT];
    assert(sink !== undefined, 'connection of an unknown io thread');
    const authIds = [{ scheme: 'ip', id: address }];
    this.parts.clients.add(new Client({ conn, sink, address, port, authIds, wallMs: this.wallMs }));
  }

  onFrame(conn: ConnId, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const client = this.parts.clients.get(conn);
    if (client === undefined || client.state >= ClientState.closing) return;
    client.received++;
    this.parts.replier.statistics.packetsReceived++;
    if (client.state === ClientState.fresh) {
      this.lifecycle.onConnectRequest(client, bytes, view, start, end);
      return;
    }
    if (client.session >= 0) this.parts.sessions.touch(client.session, this.nowMs);
    this.order.onRequest(client, bytes, view, start, end);
  }

  onDisconnect(conn: ConnId): void {
    const client = this.parts.clients.get(conn);
    if (client === undefined || client.state === ClientState.gone) return;
    client.state = ClientState.gone;
    client.queue.clear();
    client.dropHeld();
    this.parts.watches.removeConnection(conn);
    this.lifecycle.onConnectionGone(client);
    this.releaseIfDone(client);
  }

  onDrained(conn: ConnId): void {
    const client = this.parts.clients.get(conn);
    if (client !== undefined) this.order.drain(client);
  }

  onFourLetterWord(conn: ConnId, word: number, argument: bigint | null): void {
    const client = this.parts.clients.get(conn);
    if (client === undefined || client.state !== ClientState.fresh) return;
    client.state = ClientState.closing;
    this.parts.replier.text(client, this.admin.answer(word, argument));
    client.sink.close(conn);
  }

  /** Everything up to `zxid` is on stable storage. */
  onDurable(zxid: Zxid): void {
    if (zxid > this.durableZxid) this.durableZxid = zxid;
    this.commitDurable();
    this.onLogRoom();
  }

  private onLogRoom(): void {
    this.order.onLogRoom();
    this.lifecycle.retryPending();
  }

  private onLargeReplyDone(client: Client): void {
    if (client.state === ClientState.gone) this.releaseIfDone(client);
    this.order.onLargeReplyDone(client);
  }

  // ---- RequestHandlers -----------------------------------------------------------------------------------

  write(client: Client, op: number, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const xid = view.getInt32(start);
    if (op === OpCode.closeSession) return this.lifecycle.onCloseRequest(client, xid);
    return this.parts.proposer.propose(client, xid, op, bytes, view, start + REQUEST_HEADER_BYTES, end);
  }

  read(
    client: Client,
    op: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    receivedMs: number,
  ): boolean {
    const xid = view.getInt32(start);
    if (!isSupportedRead(op)) {
      // Unknown, or the server's own (createSession): Apache answers with zxid −1 and hangs up.
      this.parts.replier.header(client, xid, -1, ErrorCode.unimplemented, receivedMs);
      if (client.sink instanceof HeldSink) this.closeBehindHeld(client);
      else this.close(client);
      return true;
    }
    return this.parts.reads.execute(
      client,
      xid,
      op,
      bytes,
      view,
      start + REQUEST_HEADER_BYTES,
      end,
      receivedMs,
    );
  }

  // Answered on receipt, past everything that waits; what it proves holds for the requests behind it.
  authenticate(
    client: Client,
    op: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): void {
    const { auth, sasl } = this;
    const xid = view.getInt32(start);
    if (op === OpCode.sasl) {
      // Without SASL on the server Apache answers with success and no token.
      if (!sasl.wrap(bytes, view, start + REQUEST_HEADER_BYTES, end)) this.close(client);
      else this.parts.replier.slice(client, xid, 0, NULL_TOKEN, 0, NULL_TOKEN.length, this.nowMs);
      return;
    }
    if (!auth.wrap(bytes, view, start + REQUEST_HEADER_BYTES, end)) {
      this.close(client);
      return;
    }
    const scheme = decodeUtf8(bytes, auth.schemeStart, auth.schemeStart + Math.max(auth.schemeLength, 0));
    const data = bytes.slice(auth.authStart, auth.authStart + Math.max(auth.authLength, 0));
    const known = client.authIds;
    const proven = this.parts.providers.authenticate(scheme, data);
    const added = proven?.filter((id) => !known.some((k) => k.scheme === id.scheme && k.id === id.id));
    const ids = added === undefined ? null : [...known, ...added];
    if (ids === null || areTooManyIds(ids)) {
      this.authFailures++;
      this.parts.replier.header(client, xid, 0, ErrorCode.authFailed, this.nowMs);
      this.close(client);
      return;
    }
    client.authIds = ids;
    this.parts.replier.header(client, xid, 0, ErrorCode.ok, this.nowMs);
  }

  // ---- commits -------------------------------------------------------------------------------------------

  private get hasCommitsLeft(): boolean {
    const { proposals } = this.parts;
    return (
      proposals.length > 0 && proposals.zxids[proposals.headRow]! <= this.durableZxid && !this.isCongested
    );
  }

  private commitDurable(): void {
    const { committer, proposals, replier } = this.parts;
    for (let committed = 0; committed < COMMITS_PER_TURN && this.hasCommitsLeft; committed++) {
      const row = proposals.headRow;
      const zxid = proposals.zxids[row]!;
      const client = proposals.clientOf(row);
      const isHeld = client !== null && this.order.beginCommit(client, zxid);
      committer.commitNext();
      replier.lastZxid = zxid;
      this.order.committedZxid = zxid;
      this.order.onCommitted();
      if (client === null) continue;
      if (isHeld) this.order.endHeld(client);
      if (client.state === ClientState.gone) this.releaseIfDone(client);
      else if (client.queue.count > 0 || client.held.length > 0) this.order.drain(client);
    }
  }

  private sweepContainers(): void {
    const due = this.parts.sweep.poll(this.nowMs, this.wallMs, this.parts.effects);
    if (due >= 0) this.parts.proposer.proposeSweep(due);
  }

  // ---- connections ---------------------------------------------------------------------------------------

  /** It has more of something than a client may. */
  endAtLimit(client: Client, limit: ClientLimit): void {
    if (client.state < ClientState.closing) this.limitEnds.count(limit, client.address, client.session);
    this.close(client);
  }

  /** No more requests from this connection; what has been answered still goes out. */
  close(client: Client): void {
    if (client.state >= ClientState.closing && !client.closesBehindHeld) return;
    client.closesBehindHeld = false;
    client.state = ClientState.closing;
    client.queue.clear();
    client.dropHeld();
    client.sink.close(client.conn);
  }

  // The same for a slow client, once it has read what is held for it.
  private closeBehindHeld(client: Client): void {
    client.state = ClientState.closing;
    client.closesBehindHeld = true;
    client.queue.clear();
  }

  private releaseIfDone(client: Client): void {
    if (client.proposals > 0 || client.isStreaming) return;
    this.parts.clients.remove(client.conn);
    client.sink.release(client.conn);
  }
}

function isSupportedRead(op: number): boolean {
  switch (op) {
    case OpCode.getData:
    case OpCode.exists:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.ping:
    case OpCode.sync:
    case OpCode.getAcl:
    case OpCode.multiRead:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
    case OpCode.whoAmI:
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.addWatch:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
      return true;
    default:
      return false;
  }
}

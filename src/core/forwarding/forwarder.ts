/**
 * What a learner's clients want and only its leader can do goes out here, in the order in which it came, and what comes back is
 * matched. A write comes back as a transaction with the session and cxid it went with; a leader reorders nothing that one
 * learner has sent, so it is the oldest pending one or somebody else's. A sync comes back as a SYNC without a name, the oldest
 * first, and behind the COMMIT of everything that was forwarded before it.
 *
 *     client ─▶ forward ─▶ leader ··PROPOSAL··▶ isNext, take ─▶ proposal queue with the client as its asker ─▶ reply
 *            ─▶ sync ────▶ leader ··SYNC······▶ onSynced ─────▶ its number is resolved: the parked sync is answered
 *
 * Each has its number among the writes of this server (write-numbers.ts), from here on: later reads of the connection wait for it
 * as they wait for a proposal. Bounded by number and bytes: beyond it connections wait as for room in the log.
 *
 * When the leader is gone all of it is forgotten; or, where clients are kept, waits for what the next one has of it:
 *
 *     requests of here     r1  r2  r3 | r4  r5         what has become a proposal is a prefix: the leader reordered nothing, and
 *     history shared then  ..r1..r2..r3               what no history has is taken back, to be asked again
 *
 * Core thread.
 */
import { OpCode } from '../../wire/opcodes.ts';
import type { Client } from '../client/client.ts';
import { ClientState } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import { Frame } from '../client/frame.ts';
import { FrameQueue, type ReturnedWrite } from '../client/frame-queue.ts';
import type { RequestView } from '../client/request-view.ts';
import type { WriteNumbers } from '../client/write-numbers.ts';
import type { ServerRole } from '../progress/commit-point.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import type { SessionTable } from '../session/session-table.ts';
import { encodedIdsOf } from './encoded-ids.ts';
import { MultiOps } from './multi-ops.ts';
import { PendingRequests } from './pending-requests.ts';

/** As many as proposals may be in flight on a server that is alone. */
const PENDING_MAX = 1 << 16;
const PENDING_BYTES_MAX = 32 * 1024 * 1024;
/** A packet around its request. */
const PACKET_BYTES = 40;
const CREATE_SESSION_CXID = 0;
const TIMEOUT_BYTES = 4;
/** In the place of what no client has sent. */
const NO_FRAME = new Frame();

export interface ForwarderParts {
  /** Requests are to be there for a second time: their bytes are kept until they have come back. */
  readonly keepsRequests: boolean;
  readonly role: ServerRole;
  readonly writes: WriteNumbers;
  readonly sessions: SessionTable;
  readonly clients: ClientTable;
  readonly clock: TurnClock;
}

export class Forwarder {
  private readonly parts: ForwarderParts;
  private readonly pending = new PendingRequests();
  private readonly syncs = new PendingRequests();
  private readonly multiOps = new MultiOps();
  private readonly timeout = new Uint8Array(TIMEOUT_BYTES);
  /** There is no leader, and clients are kept: what is pending may still come in the history of the next one. */
  isHolding = false;
  /** One for each of `pending`. */
  private readonly frames: FrameQueue | null;
  private readonly frame = new Frame();
  private pendingBytes = 0;
  /** The newest write that has come back. */
  private readonly taken = new Float64Array(1);

  constructor(parts: ForwarderParts) {
    this.parts = parts;
    this.frames = parts.keepsRequests ? new FrameQueue() : null;
  }

  get keepsRequests(): boolean {
    return this.frames !== null;
  }

  /** Requests that the leader has not answered yet. */
  get count(): number {
    return this.pending.length + this.syncs.length;
  }

  get isFull(): boolean {
    return this.count >= PENDING_MAX || this.pendingBytes >= PENDING_BYTES_MAX;
  }

  // ---- out -----------------------------------------------------------------------------------------------

  /** A write, or a sync, of an open session. False: not now; nothing has happened. */
  forward(request: RequestView): boolean {
    const { role, sessions } = this.parts;
    const { client, op, xid, bytes, view, start } = request;
    const { leader } = role;
    if (leader === null || this.isFull) return false;
    const idHigh = sessions.idHigh[client.session]!;
    const idLow = sessions.idLow[client.session]!;
    // Newer leaders would delete what a client names here, whatever its ACL: they get a request that names nothing.
    const end = op === OpCode.deleteContainer ? start : request.end;
    leader.forward(idHigh, idLow, xid, op, bytes, start, end, encodedIdsOf(client));
    const subs = op === OpCode.multi ? this.multiOps.create2Of(bytes, view, start, end) : null;
    const list = op === OpCode.sync ? this.syncs : this.pending;
    // A sync stays in its connection's queue.
    if (op !== OpCode.sync) this.frames?.push(request, 0);
    this.add(list, client, idHigh, idLow, xid, op, request.receivedMs, end - start + PACKET_BYTES, subs);
    return true;
  }

  /** A new session: not bounded here, a connection asks for one only. */
  createSession(client: Client, idHigh: number, idLow: number, timeoutMs: number): void {
    const { role, clock } = this.parts;
    const { timeout } = this;
    new DataView(timeout.buffer).setInt32(0, timeoutMs);
    const op = OpCode.createSession;
    const cxid = CREATE_SESSION_CXID;
    role.leader!.forward(idHigh, idLow, cxid, op, timeout, 0, TIMEOUT_BYTES, null);
    const size = TIMEOUT_BYTES + PACKET_BYTES;
    this.frames?.push(NO_FRAME, 0);
    this.add(this.pending, client, idHigh, idLow, cxid, op, clock.nowMs, size, null);
  }

  private add(
    list: PendingRequests,
    client: Client,
    idHigh: number,
    idLow: number,
    cxid: number,
    op: number,
    receivedMs: number,
    size: number,
    subs: Uint8Array | null,
  ): void {
    const write = this.parts.writes.issue();
    client.lastWrite[0] = write;
    // Its slot is not given to another connection before the answer has come.
    client.proposals++;
    this.pendingBytes += size;
    list.push(client, idHigh, idLow, cxid, op, write, receivedMs, size, subs);
  }

  // ---- back ----------------------------------------------------------------------------------------------

  /** Whether a transaction of this session, cxid and type is the oldest pending write, which is then `next`. */
  isNext(idHigh: number, idLow: number, cxid: number, type: number): boolean {
    const { pending } = this;
    if (!pending.isNext(idHigh, idLow, cxid)) return false;
    // A leader's own end of a session has cxid 0, as a client's write may have.
    return type !== OpCode.closeSession || pending.op === OpCode.closeSession;
  }

  /** The oldest pending write. */
  get next(): PendingRequests {
    return this.pending;
  }

  /** The oldest pending write has become a proposal, which holds its client now. */
  take(): void {
    this.taken[0] = this.pending.write;
    this.pending.client.proposals--;
    this.pendingBytes -= this.pending.size;
    this.pending.shift();
    this.frames?.shift();
  }

  /**
   * While clients are kept: a transaction of this session that has not gone out here. Its client has gone on at another server
   * and is not behind the connection that is kept for it.
   */
  onForeign(idHigh: number, idLow: number): void {
    const { sessions, clients } = this.parts;
    const slot = sessions.find(idHigh, idLow);
    const client = slot < 0 ? undefined : clients.get(sessions.conn[slot]!);
    if (client?.session === slot && client.isKept) clients.close(client);
  }

  /** The leader has answered the oldest sync; everything that it has told before is published. Null: nobody waits for one. */
  onSynced(): Client | null {
    const { syncs } = this;
    const { writes } = this.parts;
    if (syncs.length === 0) return null;
    const { client, write } = syncs;
    if (write > writes.resolved) writes.resolve(write);
    this.drop(syncs);
    return client;
  }

  /** The leader is gone, and so are all who wait: what had not become a proposal by now was never heard of. */
  abandon(): void {
    while (this.pending.length > 0) this.drop(this.pending);
    this.frames?.clear();
    this.endHolding();
  }

  /** No history has what is still pending, nor will have: writes of clients that are kept, for each the oldest first. */
  takeBack(): Map<Client, ReturnedWrite[]> {
    const { pending, frame } = this;
    const frames = this.frames!;
    const returned = new Map<Client, ReturnedWrite[]>();
    for (; pending.length > 0; frames.shift(), this.drop(pending)) {
      const { client, write, op } = pending;
      if (!client.isKept || client.state !== ClientState.open || op === OpCode.createSession) continue;
      frames.viewHead(frame);
      const { headerStart, end, receivedMs } = frame;
      const bytes = frame.bytes.slice(headerStart, end) as Uint8Array<ArrayBuffer>;
      const list = returned.get(client);
      if (list === undefined) returned.set(client, [{ write, receivedMs, bytes }]);
      else list.push({ write, receivedMs, bytes });
    }
    this.endHolding();
    return returned;
  }

  private endHolding(): void {
    const { writes } = this.parts;
    while (this.syncs.length > 0) this.drop(this.syncs);
    writes.withdrawBehind(Math.max(writes.resolved, this.taken[0]!));
    this.isHolding = false;
  }

  private drop(list: PendingRequests): void {
    const { client } = list;
    client.proposals--;
    this.pendingBytes -= list.size;
    list.shift();
    if (client.state === ClientState.gone) this.parts.clients.releaseIfDone(client);
  }
}

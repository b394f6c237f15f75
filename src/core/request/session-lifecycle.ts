/**
 * How sessions begin and move between connections: the connect handshake and reconnects (session-ends.ts: how they
 * end). Sessions exist for preparation from the moment they are proposed, and are forgotten when their
 * closeSession has been applied. On a learner only its leader begins, revalidates and ends them:
 *
 *     new          an id of this server's ─▶ REQUEST ··transaction committed··▶ welcome
 *     reconnect    password right ─▶ REVALIDATE ··answered··▶ welcome, or refused
 *
 * While it is read-only no leader is there to ask: sessions are local then, and others go on elsewhere or later.
 */
import { assert } from '../../base/assert.ts';
import { ConnectRequestView, PASSWORD_BYTES } from '../../wire/connect.ts';
import { type Client, ClientState } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { Replier } from '../client/replier.ts';
import type { RequestView } from '../client/request-view.ts';
import { Fifo } from '../collections/fifo.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import { equalBytes } from '../path/path.ts';
import type { ReportPort } from '../ports/report-port.ts';
import type { ServerRole } from '../progress/commit-point.ts';
import type { Progress } from '../progress/progress.ts';
import type { Statistics } from '../progress/statistics.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import type { TurnWork } from '../progress/turn-work.ts';
import type { EndedSessions } from '../session/ended-sessions.ts';
import { SessionExpiry } from '../session/session-expiry.ts';
import { negotiateTimeoutMs, SessionIds } from '../session/session-id.ts';
import { writeSessionPassword } from '../session/session-password.ts';
import { NO_CONNECTION, NO_SESSION, OWN, type SessionTable } from '../session/session-table.ts';
import type { Proposer } from '../txn/proposer.ts';
import { ConnectAnswers } from './connect-answers.ts';
import type { LocalSessions } from './local-sessions.ts';
import type { RequestOrder } from './request-order.ts';
import type { RoomForWrites } from './request-order-parts.ts';
import { Revalidations } from './revalidations.ts';
import { SessionEnds } from './session-ends.ts';

export interface SessionOptions {
  readonly serverId: number;
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
}

export interface SessionParts {
  readonly role: ServerRole;
  readonly forwarder: Forwarder;
  readonly sessions: SessionTable;
  readonly clients: ClientTable;
  readonly progress: Progress;
  readonly clock: TurnClock;
  readonly work: TurnWork;
  readonly statistics: Statistics;
  readonly proposer: Proposer;
  readonly writer: RoomForWrites;
  readonly replier: Replier;
  readonly reports: ReportPort;
  readonly locals: LocalSessions;
  readonly ended: EndedSessions | null;
}

export class SessionLifecycle {
  readonly expiry: SessionExpiry;
  readonly minTimeoutMs: number;
  readonly maxTimeoutMs: number;
  /** How they end. */
  readonly ends: SessionEnds;
  readonly revalidations: Revalidations;
  private readonly parts: SessionParts;
  private readonly order: RequestOrder;
  private readonly serverId: number;
  private ids: SessionIds | null = null;
  private readonly request = new ConnectRequestView();
  private readonly answers: ConnectAnswers;
  private readonly password = new Uint8Array(PASSWORD_BYTES);
  /** Connections whose createSession found no room in the log yet. */
  private readonly uncreated = new Fifo<Client>();

  constructor(options: SessionOptions, parts: SessionParts, order: RequestOrder) {
    this.parts = parts;
    this.order = order;
    this.answers = new ConnectAnswers(parts);
    this.revalidations = new Revalidations(parts.role, parts.clients);
    this.serverId = options.serverId;
    this.minTimeoutMs = options.minSessionTimeoutMs;
    this.maxTimeoutMs = options.maxSessionTimeoutMs;
    this.expiry = new SessionExpiry(parts.sessions, options.tickTimeMs, 0);
    // A session must not end before it has begun.
    this.ends = new SessionEnds(parts, this.expiry, () => this.uncreated.length > 0);
  }

  /** Serving begins: every session known from the log gets its full timeout. */
  start(): void {
    const { clock } = this.parts;
    this.ids = new SessionIds(this.serverId, clock.wallMs);
    this.expiry.restart(clock.nowMs);
  }

  /**
   * This server leads from now on: every session that is known gets its full timeout, and who serves it is learned from its next request.
   */
  lead(): void {
    const { sessions, clock } = this.parts;
    this.ids ??= new SessionIds(this.serverId, clock.wallMs);
    sessions.forgetOwners();
    this.expiry.restart(clock.nowMs);
  }

  /**
   * It leads no more, and all connections are closed. What had no room in the log has never been: sessions that were to
   * begin are not, those that were to end live on.
   */
  endLeading(): void {
    while (this.uncreated.length > 0) {
      const { session } = this.uncreated.shift();
      if (session !== NO_SESSION) this.onCreateWithdrawn(session);
    }
    this.ends.endLeading();
  }

  // ---- handshake -----------------------------------------------------------------------------------------

  onConnectRequest(client: Client, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const { request, parts } = this;
    const { role } = parts;
    const isSound = request.wrap(bytes, view, start, end);
    const isWelcome = isSound && (request.readOnly || !role.isReadOnly);
    // What is decided may have been heard of in an event while it is being published.
    const own = Math.max(parts.progress.decided, role.epochZxid);
    // A client that has seen a later zxid belongs to another history; it must look for another server.
    const isAhead = isWelcome && request.lastZxidSeen > own;
    if (isAhead) parts.reports.zxidAhead(client.address, client.port, request.lastZxidSeen, own);
    if (!isWelcome || isAhead) {
      parts.clients.close(client);
      return;
    }
    client.hasReadOnlyByte = request.hasReadOnly;
    const timeoutMs = negotiateTimeoutMs(request.timeoutMs, this.minTimeoutMs, this.maxTimeoutMs);
    if (request.sessionIdHigh === 0 && request.sessionIdLow === 0) this.create(client, timeoutMs);
    else this.reconnect(client, timeoutMs);
  }

  private create(client: Client, timeoutMs: number): void {
    const { sessions, proposer, clock } = this.parts;
    const { ids } = this;
    assert(ids !== null, 'a client connected before the replica started');
    ids.advance(sessions);
    if (this.parts.role.isReadOnly || this.parts.locals.areDefault) {
      this.parts.locals.begin(client, ids.high, ids.low, timeoutMs);
      this.welcome(client);
      return;
    }
    if (this.parts.role.isLearner) {
      client.state = ClientState.handshaking;
      this.parts.forwarder.createSession(client, ids.high, ids.low, timeoutMs);
      return;
    }
    const slot = sessions.create(ids.high, ids.low, timeoutMs, clock.nowMs);
    sessions.conn[slot] = client.conn;
    sessions.owner[slot] = OWN;
    this.expiry.add(slot);
    sessions.setProposed(slot, true);
    client.session = slot;
    client.state = ClientState.handshaking;
    if (!proposer.proposeCreateSession(client, slot)) this.uncreated.push(client);
  }

  private reconnect(client: Client, timeoutMs: number): void {
    const { request, parts } = this;
    const { sessions, clients } = parts;
    const slot = sessions.find(request.sessionIdHigh, request.sessionIdLow);
    // As in Apache, the older connection goes before the password is looked at.
    const older = slot === NO_SESSION ? undefined : clients.get(sessions.conn[slot]!);
    if (older !== undefined && older !== client) this.parts.clients.close(older);
    writeSessionPassword(request.sessionIdHigh, request.sessionIdLow, this.password, 0);
    const isPassword =
      request.passwordLength === PASSWORD_BYTES &&
      equalBytes(this.password, 0, request.bytes, request.passwordStart, PASSWORD_BYTES);
    if (slot !== NO_SESSION && sessions.isLocal(slot)) {
      if (isPassword) this.resume(client, slot, timeoutMs);
      else this.refuse(client);
    } else if (parts.role.isReadOnly && isPassword) {
      // It may live, and only a leader could say so. Of this server's own ids it is known: what is not there has ended.
      const hasEnded = slot === NO_SESSION && this.ids!.hasGiven(request.sessionIdHigh, request.sessionIdLow);
      if (hasEnded) this.refuse(client);
      else clients.close(client);
    } else if (parts.role.isLearner && isPassword) {
      client.state = ClientState.handshaking;
      this.revalidations.ask(client, request.sessionIdHigh, request.sessionIdLow, timeoutMs);
    } else if (slot === NO_SESSION || sessions.isClosing(slot) || !isPassword) {
      this.refuse(client);
    } else {
      this.resume(client, slot, timeoutMs);
    }
  }

  /**
   * Its session was this server's alone, and becomes one of all servers: behind what it has asked for before. False = not now;
   * nothing has happened.
   */
  upgrade(client: Client): boolean {
    const { role, sessions, proposer, forwarder, locals } = this.parts;
    const { session: slot } = client;
    if (role.isLearner) {
      if (role.leader === null) return false;
      const timeoutMs = sessions.timeoutMs[slot]!;
      forwarder.createSession(client, sessions.idHigh[slot]!, sessions.idLow[slot]!, timeoutMs);
      locals.letGo(client);
      sessions.setUpgrading(slot);
      return true;
    }
    if (!proposer.proposeCreateSession(null, slot)) return false;
    locals.letGo(client);
    sessions.setProposed(slot, true);
    sessions.owner[slot] = OWN;
    this.expiry.add(slot);
    return true;
  }

  /** Whether a session that is not known here may be another server's alone, which vouches for it. */
  mayBeElsewhere(idHigh: number, idLow: number): boolean {
    const { ended } = this.parts;
    return ended !== null && idHigh >>> 24 !== this.serverId && !ended.has(idHigh, idLow);
  }

  private resume(client: Client, slot: number, timeoutMs: number): void {
    const { sessions } = this.parts;
    sessions.conn[slot] = client.conn;
    sessions.owner[slot] = OWN;
    client.session = slot;
    client.isLocal = sessions.isLocal(slot);
    const { expiry } = client.isLocal ? this.parts.locals : this;
    expiry.renegotiate(slot, timeoutMs, this.parts.clock.nowMs);
    // Reads through the new connection must not run ahead of writes sent through an older one.
    this.order.startBehind(client);
    this.welcome(client);
  }

  /** The leader's answer; everything that it has told before is published. */
  onRevalidated(idHigh: number, idLow: number, isValid: boolean): void {
    const asked = this.revalidations.take(idHigh, idLow);
    if (asked === null || asked.client.state !== ClientState.handshaking) return;
    const { client, timeoutMs } = asked;
    const { sessions, clients } = this.parts;
    const slot = sessions.find(idHigh, idLow);
    if (!isValid) {
      this.refuse(client);
    } else if (slot === NO_SESSION || !sessions.isCommitted(slot) || sessions.isClosing(slot)) {
      // Known elsewhere and not here: that is no reason to tell a client that its session has ended.
      clients.close(client);
    } else {
      // Another connection of this session may have come here in between.
      const older = clients.get(sessions.conn[slot]!);
      if (older !== undefined && older.session === slot) clients.close(older);
      this.resume(client, slot, timeoutMs);
    }
  }

  private welcome(client: Client): void {
    this.answers.welcome(client);
    client.handshake = null;
    client.state = ClientState.open;
    this.order.drain(client);
  }

  private refuse(client: Client): void {
    this.answers.refuse(client);
    this.parts.clients.close(client);
  }

  // ---- commits -------------------------------------------------------------------------------------------

  onCreated(slot: number, client: Client | null): void {
    this.parts.sessions.setProposed(slot, false);
    if (client === null || client.state !== ClientState.handshaking) return;
    if (client.session === NO_SESSION) {
      client.session = slot;
      this.parts.sessions.conn[slot] = client.conn;
    }
    assert(client.session === slot, 'session created for another connection');
    this.welcome(client);
  }

  /** The session has never been: its createSession was taken back. */
  onCreateWithdrawn(slot: number): void {
    const { sessions, clients } = this.parts;
    const client = clients.get(sessions.conn[slot]!);
    if (client !== undefined && client.session === slot) client.session = NO_SESSION;
    this.ends.forget(slot);
    sessions.remove(slot);
  }

  onCloseWithdrawn(slot: number): void {
    this.ends.onCloseWithdrawn(slot);
  }

  onClosed(slot: number): void {
    const { sessions, clients, ended } = this.parts;
    ended?.add(sessions.idHigh[slot]!, sessions.idLow[slot]!);
    const client = clients.get(sessions.conn[slot]!);
    this.ends.forget(slot);
    sessions.remove(slot);
    if (client !== undefined && client.session === slot) {
      client.session = NO_SESSION;
      // Its last reply is held, if it has asked for the end.
      if (client.isKept && client.state === ClientState.open) clients.closeBehindHeld(client);
      else clients.close(client);
    }
  }

  // ---- ends ----------------------------------------------------------------------------------------------

  /** Sessions may have to end, and this server is the one to say so. */
  isExpiryDue(nowMs: number): boolean {
    const { locals, role } = this.parts;
    return locals.isExpiryDue(nowMs) || (!role.isLearner && this.ends.isExpiryDue(nowMs));
  }

  /** Ends the sessions whose time had come by `heardMs`, a slice of them. */
  expireUpTo(heardMs: number): void {
    this.parts.locals.expireUpTo(heardMs);
    if (!this.parts.role.isLearner) this.ends.expireUpTo(heardMs);
  }

  /** Sessions are ending, and the next turn would bring them on. */
  get isBusy(): boolean {
    return this.ends.isBusy || this.parts.locals.isBusy;
  }

  doWork(): void {
    if (this.ends.isBusy) this.ends.doWork();
    if (this.parts.locals.isBusy) this.parts.locals.doWork();
  }

  /** False = no room in the log; nothing has happened. */
  onCloseRequest(request: RequestView): boolean {
    return this.ends.onCloseRequest(request);
  }

  /** A learner's client begins a session; `link` is that learner. False = no room in the log; nothing has happened. */
  createForwarded(idHigh: number, idLow: number, timeoutMs: number, xid: number, link: number): boolean {
    const { sessions, proposer, clock } = this.parts;
    const known = sessions.find(idHigh, idLow);
    const slot = known !== NO_SESSION ? known : sessions.create(idHigh, idLow, timeoutMs, clock.nowMs);
    if (known === NO_SESSION) {
      sessions.setProposed(slot, true);
      this.expiry.add(slot);
    }
    sessions.owner[slot] = link;
    if (proposer.proposeCreateSession(null, slot, xid)) return true;
    if (known === NO_SESSION) this.onCreateWithdrawn(slot);
    return false;
  }

  onConnectionGone(client: Client): void {
    const { sessions } = this.parts;
    if (client.session >= 0 && sessions.conn[client.session] === client.conn) {
      sessions.conn[client.session] = NO_CONNECTION;
      if (!this.parts.role.isLearner) this.ends.onConnectionGone(client.session);
    }
  }

  /** After commits have made room in the log. */
  retryPending(): void {
    while (this.uncreated.length > 0) {
      const client = this.uncreated.first;
      // Whose connection has gone meanwhile has been released: nobody is to be answered.
      const asker = client.state === ClientState.gone ? null : client;
      if (!this.parts.proposer.proposeCreateSession(asker, client.session)) return;
      this.uncreated.shift();
    }
    this.ends.retryPending();
  }
}

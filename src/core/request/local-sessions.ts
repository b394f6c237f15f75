/**
 * Sessions that are this server's alone: no transaction makes or ends them, no other server hears of them, they own no
 * ephemerals, and this server says when one has been silent for too long. A read-only server has no others to give; with
 * `localSessionsEnabled` every new session is one. Core thread.
 *
 *     begin ─▶ open ──closeSession · silent for its timeout · read-only no longer──▶ forgotten, its connection closed
 *               └── wants an ephemeral: `mustUpgrade` ─▶ let go, and one of all servers (session-lifecycle.ts)
 *                                       or refused
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { Client } from '../client/client.ts';
import type { ClientTable } from '../client/client-table.ts';
import type { Replier } from '../client/replier.ts';
import type { RequestView } from '../client/request-view.ts';
import type { ReportPort } from '../ports/report-port.ts';
import type { ServerRole } from '../progress/commit-point.ts';
import type { Statistics } from '../progress/statistics.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import type { TurnWork } from '../progress/turn-work.ts';
import { SessionExpiry } from '../session/session-expiry.ts';
import { NO_SESSION, type SessionSlot, type SessionTable } from '../session/session-table.ts';
import type { Proposer } from '../txn/proposer.ts';
import { EphemeralCreates } from './ephemeral-creates.ts';
import { isProposed } from './request-kinds.ts';

export interface LocalSessionOptions {
  readonly tickTimeMs: number;
  /** Every new session is local. */
  readonly localSessionsEnabled: boolean;
  /** Who wants an ephemeral gets a session of all servers for it; otherwise the request is refused. */
  readonly localSessionsUpgradingEnabled: boolean;
}

export interface LocalSessionParts {
  readonly role: ServerRole;
  readonly sessions: SessionTable;
  readonly clients: ClientTable;
  readonly clock: TurnClock;
  readonly work: TurnWork;
  readonly statistics: Statistics;
  readonly replier: Replier;
  readonly reports: ReportPort;
  readonly proposer: Proposer;
}

/** Sessions that one turn looks at when many are due together, about a millisecond. */
const EXPIRED_PER_TURN = 256;

export class LocalSessions {
  readonly expiry: SessionExpiry;
  /** Every new session is one. */
  readonly areDefault: boolean;
  private readonly mayUpgrade: boolean;
  private readonly creates = new EphemeralCreates();
  private readonly parts: LocalSessionParts;
  /** What clients had sent by then has arrived. */
  private heardMs = 0;
  /** More are due than one turn ends. */
  private isExpiring = false;
  private readonly onExpired = (slot: SessionSlot): boolean => {
    const { statistics, sessions, reports, work } = this.parts;
    statistics.expiredSessions++;
    reports.sessionExpired(sessions.idHigh[slot]!, sessions.idLow[slot]!, sessions.touchTimeoutMs[slot]!);
    this.end(slot);
    return !work.isSpent;
  };

  constructor(options: LocalSessionOptions, parts: LocalSessionParts) {
    this.parts = parts;
    this.areDefault = options.localSessionsEnabled;
    this.mayUpgrade = options.localSessionsUpgradingEnabled;
    this.expiry = new SessionExpiry(parts.sessions, options.tickTimeMs, 0);
  }

  /** The id must be new. */
  begin(client: Client, idHigh: number, idLow: number, timeoutMs: number): void {
    const { sessions, clock } = this.parts;
    const slot = sessions.create(idHigh, idLow, timeoutMs, clock.nowMs);
    sessions.setLocal(slot);
    sessions.conn[slot] = client.conn;
    this.expiry.add(slot);
    client.session = slot;
    client.isLocal = true;
  }

  // ---- requests of their clients ---------------------------------------------------------------------------

  /** Whether a request becomes no transaction, and asks no leader: `answer` does it, in its turn. */
  answersHere(request: RequestView): boolean {
    const { op } = request;
    if (op === OpCode.closeSession) return true;
    if (this.parts.role.isReadOnly) return op === OpCode.sync || isProposed(op);
    return !this.mayUpgrade && this.creates.isIn(request);
  }

  /** Whether its session has to become one of all servers before this is proposed. */
  mustUpgrade(request: RequestView): boolean {
    return this.creates.isIn(request);
  }

  /** It is one of all servers from now on. */
  letGo(client: Client): void {
    client.isLocal = false;
    this.expiry.remove(client.session);
  }

  /** Everything before it has been answered. */
  answer(request: RequestView): void {
    const { replier, clients, role } = this.parts;
    const { client, op } = request;
    if (op !== OpCode.closeSession) {
      replier.header(request, role.isReadOnly ? ErrorCode.notReadOnly : ErrorCode.ephemeralOnLocalSession);
      return;
    }
    replier.header(request, ErrorCode.ok);
    this.forget(client.session);
    client.session = NO_SESSION;
    if (client.isHolding) clients.closeBehindHeld(client);
    else clients.close(client);
  }

  // ---- ends ------------------------------------------------------------------------------------------------

  /** All of them. */
  endAll(): void {
    const { sessions } = this.parts;
    for (let slot = sessions.next(0); slot !== NO_SESSION; slot = sessions.next(slot + 1)) {
      if (sessions.isLocal(slot)) this.end(slot);
    }
  }

  /** Whether some may have to end: then it is time to hear what clients have sent, and to `expireUpTo` there. */
  isExpiryDue(nowMs: number): boolean {
    return nowMs >= this.expiry.deadlineMs && !this.isExpiring;
  }

  /** Ends those whose time had come by `heardMs`, a slice of them. */
  expireUpTo(heardMs: number): void {
    this.heardMs = heardMs;
    this.doWork();
  }

  /** The next turn would end more. */
  get isBusy(): boolean {
    return this.isExpiring;
  }

  /** The next slice. */
  doWork(): void {
    // It may be of one of them, and names it by its slot until all of it is staged.
    this.isExpiring = this.parts.proposer.multi.isStaging;
    if (this.isExpiring) return;
    this.isExpiring = !this.expiry.expire(this.heardMs, EXPIRED_PER_TURN, this.onExpired);
  }

  private end(slot: SessionSlot): void {
    const { sessions, clients } = this.parts;
    const client = clients.get(sessions.conn[slot]!);
    this.forget(slot);
    if (client === undefined || client.session !== slot) return;
    client.session = NO_SESSION;
    clients.close(client);
  }

  private forget(slot: SessionSlot): void {
    this.expiry.remove(slot);
    this.parts.sessions.remove(slot);
  }
}

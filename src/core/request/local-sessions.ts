/**
 * Sessions that are this server's alone: no transaction makes or ends them, no other server hears of them, they own no
 * ephemerals, and this server says when one has been silent for too long. A read-only server has no others to give.
 * Core thread.
 *
 *     begin ─▶ open ──closeSession · silent for its timeout · read-only no longer──▶ forgotten, its connection closed
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
import { isProposed } from './request-kinds.ts';

export interface LocalSessionParts {
  readonly role: ServerRole;
  readonly sessions: SessionTable;
  readonly clients: ClientTable;
  readonly clock: TurnClock;
  readonly work: TurnWork;
  readonly statistics: Statistics;
  readonly replier: Replier;
  readonly reports: ReportPort;
}

/** Sessions that one turn looks at when many are due together, about a millisecond. */
const EXPIRED_PER_TURN = 256;

export class LocalSessions {
  readonly expiry: SessionExpiry;
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

  constructor(tickMs: number, parts: LocalSessionParts) {
    this.parts = parts;
    this.expiry = new SessionExpiry(parts.sessions, tickMs, 0);
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

  /** Whether a request of this kind becomes no transaction, and asks no leader: `answer` does it, in its turn. */
  answersHere(op: number): boolean {
    if (op === OpCode.closeSession) return true;
    return this.parts.role.isReadOnly && (op === OpCode.sync || isProposed(op));
  }

  /** Everything before it has been answered. */
  answer(request: RequestView): void {
    const { replier, clients } = this.parts;
    const { client, op } = request;
    if (op !== OpCode.closeSession) {
      replier.header(request, ErrorCode.notReadOnly);
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

/**
 * How sessions end: asked for by their clients, here or at a learner, or expired. What finds no room in the log waits, in order. Core
 * thread; used by session-lifecycle.ts.
 *
 *     expired ──▶ closing ─┬─ room ─▶ proposed ··commit··▶ forgotten
 *                          └─ none ─▶ unclosed, tried again
 *     asked for ──────────────────▶ (its connection waits)
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import type { Client } from '../client/client.ts';
import type { RequestView } from '../client/request-view.ts';
import type { ForwardedWrite } from '../client/write-request.ts';
import { Fifo } from '../collections/fifo.ts';
import type { ReportPort } from '../ports/report-port.ts';
import type { Statistics } from '../progress/statistics.ts';
import type { TurnWork } from '../progress/turn-work.ts';
import type { SessionExpiry } from '../session/session-expiry.ts';
import { NO_SESSION, type SessionTable } from '../session/session-table.ts';
import type { Proposer } from '../txn/proposer.ts';
import type { RoomForWrites } from './request-order-parts.ts';

export interface SessionEndParts {
  readonly sessions: SessionTable;
  readonly work: TurnWork;
  readonly statistics: Statistics;
  readonly proposer: Proposer;
  readonly writer: RoomForWrites;
  readonly reports: ReportPort;
}

/** Sessions that one turn looks at when many are due together, about a millisecond; and that wait for the log. */
const EXPIRED_PER_TURN = 256;
const UNCLOSED_MAX = 16;

export class SessionEnds {
  private readonly parts: SessionEndParts;
  private readonly expiry: SessionExpiry;
  private readonly mustWait: () => boolean;
  /** More sessions may be due than one turn ends: `expire` again soon. */
  private isExpiring = false;
  /** Of `unclosed` some wait for the next turn. */
  private waitsForTurn = false;
  private expiryWaitsForLog = false;
  /** What clients had sent by then has arrived. */
  private heardMs = 0;
  /** Expired sessions whose closeSession found no room in the log yet. */
  private readonly unclosed = new Fifo<number>();
  /** Sessions whose closeSession is on its way. */
  private readonly closeProposed = new Set<number>();
  private readonly onExpired = (slot: number): boolean => {
    const { statistics, sessions, reports } = this.parts;
    statistics.expiredSessions++;
    reports.sessionExpired(sessions.idHigh[slot]!, sessions.idLow[slot]!, sessions.touchTimeoutMs[slot]!);
    this.closeExpired(slot);
    return !this.isFull && !this.parts.work.isSpent;
  };

  /** `mustWait`: none may end now. */
  constructor(parts: SessionEndParts, expiry: SessionExpiry, mustWait: () => boolean) {
    this.parts = parts;
    this.expiry = expiry;
    this.mustWait = mustWait;
  }

  /** False = no room in the log; ask again. */
  onCloseRequest(request: RequestView): boolean {
    const { client, xid } = request;
    if (this.closeProposed.has(client.session)) {
      return this.parts.proposer.proposeError(request, ErrorCode.sessionExpired);
    }
    return this.proposeClose(client.session, client, xid);
  }

  /** A learner's client ends its session. False = no room in the log, or not all of it; ask again. */
  closeForwarded(slot: number, request: ForwardedWrite): boolean {
    if (!this.closeProposed.has(slot)) return this.proposeClose(slot, null, request.xid);
    request.origin = { session: slot, authIds: [] };
    return this.parts.proposer.proposeError(request, ErrorCode.sessionExpired);
  }

  /** Its connection has gone, perhaps with the request that was to end it. */
  onConnectionGone(slot: number): void {
    if (this.parts.sessions.isClosing(slot) && !this.closeProposed.has(slot)) this.closeExpired(slot);
  }

  /** The session is not there any more. */
  forget(slot: number): void {
    this.expiry.remove(slot);
    this.closeProposed.delete(slot);
    if (this.unclosed.length > 0) this.unclosed.remove(slot);
  }

  /** It lives on: its closeSession was taken back. What has expired will do so again, unless it is heard of. */
  onCloseWithdrawn(slot: number): void {
    this.parts.sessions.reopen(slot);
    if (!this.closeProposed.delete(slot)) return;
    this.expiry.remove(slot);
    this.expiry.add(slot);
  }

  /** This server leads no more. Those that were to end, and had no room in the log, live on. */
  endLeading(): void {
    const { sessions } = this.parts;
    while (this.unclosed.length > 0) this.unclosed.shift();
    this.isExpiring = false;
    this.waitsForTurn = false;
    this.expiryWaitsForLog = false;
    for (let slot = sessions.next(0); slot !== NO_SESSION; slot = sessions.next(slot + 1)) {
      if (sessions.isClosing(slot) && !this.closeProposed.has(slot)) sessions.reopen(slot);
    }
  }

  /** Sessions are ending, and the next turn would bring them on. */
  get isBusy(): boolean {
    return this.isExpiring || this.waitsForTurn;
  }

  /** The next turn, while it has time. */
  doWork(): void {
    if (this.waitsForTurn) this.retryPending();
    if (this.isExpiring) this.expire();
  }

  /** Whether sessions may have to end: then it is time to hear what clients have sent, and to `expireUpTo` there. */
  isExpiryDue(nowMs: number): boolean {
    return nowMs >= this.expiry.deadlineMs && !this.isExpiring && !this.expiryWaitsForLog;
  }

  /** Ends the sessions whose time had come by `heardMs`, a slice of them. */
  expireUpTo(heardMs: number): void {
    this.heardMs = heardMs;
    this.expire();
  }

  /** The next slice. */
  expire(): void {
    const isDone = !this.isFull && this.expiry.expire(this.heardMs, EXPIRED_PER_TURN, this.onExpired);
    // What has no room in the log goes on when there is some, not at once.
    this.expiryWaitsForLog = this.isFull;
    this.isExpiring = !isDone && !this.isFull;
  }

  /** After commits have made room in the log. */
  retryPending(): void {
    this.waitsForTurn = false;
    this.retryUnclosed();
    if (this.expiryWaitsForLog && !this.isFull) {
      this.expiryWaitsForLog = false;
      this.isExpiring = true;
    }
  }

  // Up to the first that finds no room or no time again: it is the first of the next time.
  private retryUnclosed(): void {
    const { unclosed, parts } = this;
    for (let n = unclosed.length; n > 0; n--) {
      const before = unclosed.length;
      parts.writer.forgetRefusal();
      this.closeExpired(unclosed.shift());
      // One of very many ephemerals has proposed a part of them, and lets others go on.
      if (unclosed.length < before || !(parts.writer.lacksRoom || this.waitsForTurn)) continue;
      unclosed.newestToFront();
      return;
    }
  }

  private get isFull(): boolean {
    return this.unclosed.length >= UNCLOSED_MAX;
  }

  private closeExpired(slot: number): void {
    if (!this.mustWait() && this.proposeClose(slot, null, 0)) return;
    this.unclosed.push(slot);
    if (this.parts.work.isSpent && !this.parts.writer.lacksRoom) this.waitsForTurn = true;
  }

  private proposeClose(slot: number, client: Client | null, xid: number): boolean {
    if (!this.parts.proposer.proposeCloseSession(slot, client, xid)) return false;
    this.closeProposed.add(slot);
    // It may have expired as well and found no room: once is enough.
    if (this.unclosed.length > 0) this.unclosed.remove(slot);
    return true;
  }
}

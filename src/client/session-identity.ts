/**
 * What a session is to its client: id, password, timeout, what it has seen, and until when it is proven to be alive.
 * A machine's state.
 *
 * Two zxids: `seenZxid`, the highest of anything, goes into ConnectRequests; `repliedZxid`, of replies only, into setWatches:
 * the events of one multi share a zxid, and a connection may be cut between them.
 */
import type { Zxid } from '../base/zxid.ts';
import { type ConnectResponse, PASSWORD_BYTES } from '../wire/connect.ts';
import type { SessionTicket } from './session-state.ts';

const ATTEMPT_MS_MIN = 250;
/** However few servers there are: one that accepts and never answers must not cost the session. */
const ATTEMPTS_PER_TIMEOUT_MIN = 3;

export class SessionIdentity {
  /** 0 = none. */
  id = 0n;
  password: Uint8Array = new Uint8Array(PASSWORD_BYTES);
  /** Granted by the server; before that, wanted. */
  timeoutMs: number;
  /** Counts the sessions of this client, from 1; 0 before the first. */
  epoch = 0;
  seenZxid: Zxid = 0;
  repliedZxid: Zxid = 0;
  private readonly wantedMs: number;

  constructor(wantedMs: number, ticket: SessionTicket | null) {
    this.wantedMs = wantedMs;
    this.timeoutMs = ticket?.timeoutMs ?? wantedMs;
    if (ticket === null) return;
    this.id = ticket.id;
    this.password = ticket.password;
    this.seenZxid = this.repliedZxid = ticket.seenZxid;
    this.epoch = 1;
  }

  /** What another client needs to go on with this session. */
  get ticket(): SessionTicket {
    const { id, timeoutMs, seenZxid } = this;
    return { id, password: this.password.slice(), timeoutMs, seenZxid };
  }

  /** So long without a byte means that the connection is dead. */
  get silenceMs(): number {
    return (this.timeoutMs * 2) / 3;
  }

  /** So long after the last request a ping is due. */
  get pingMs(): number {
    return this.timeoutMs / 3;
  }

  /** Bound of one attempt to connect. */
  attemptMs(hosts: number): number {
    return Math.max(ATTEMPT_MS_MIN, this.timeoutMs / Math.max(ATTEMPTS_PER_TIMEOUT_MIN, hosts));
  }

  /** Returns whether it is a new session. */
  accept(response: ConnectResponse): boolean {
    const isNew = response.sessionId !== this.id;
    this.timeoutMs = response.timeoutMs;
    if (isNew) this.epoch++;
    // The id of a read-only server is worth nothing elsewhere.
    if (response.readOnly === true) return isNew;
    this.id = response.sessionId;
    this.password = response.password;
    return isNew;
  }

  onReply(zxid: Zxid): void {
    if (zxid > this.repliedZxid) this.repliedZxid = zxid;
    if (zxid > this.seenZxid) this.seenZxid = zxid;
  }

  onEvent(zxid: Zxid): void {
    if (zxid > this.seenZxid) this.seenZxid = zxid;
  }

  /** A server said that it has expired. */
  expire(): void {
    this.id = 0n;
    this.password = new Uint8Array(PASSWORD_BYTES);
    this.timeoutMs = this.wantedMs;
  }
}

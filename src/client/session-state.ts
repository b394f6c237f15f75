/**
 * What a client can be, as users see it, and what they are told when it changes.
 *
 *     connecting ─▶ connected | readonly ──socket end, or silence for 2/3 of the timeout──▶ suspended ─▶ …
 *          ▲             ▲                                                                │      │
 *          │             └──── the same session again ────────────────────────────────────┘      │ timeout without proof
 *          │                         │                                                           ▼
 *          │                         └──────────────────────────────────────────────────────── lost (still trying)
 *          └── a new session ◀── expired (only a server says so)
 *
 *     authFailed and closed are final.
 */

export type SessionState =
  | 'connecting'
  | 'connected'
  | 'readonly'
  | 'suspended'
  | 'lost'
  | 'expired'
  | 'authFailed'
  | 'closed';

export interface StateChange {
  readonly state: SessionState;
  /** Counts the sessions of this client, from 1; 0 before the first. */
  readonly epoch: number;
  /** 0 before the first handshake. */
  readonly sessionId: bigint;
  /** `host:port` of the connection; null without one. */
  readonly server: string | null;
  /** Why, where it is not the ordinary course. */
  readonly cause: string | null;
}

/** What an operator should know and no call can tell. */
export type Notice =
  /** Every server in a whole round closed before answering: our zxid may be ahead of them (a restored backup?). */
  | 'aheadOfServers'
  /** Three connections in a row were taken away at once: another client may use this session. */
  | 'sessionContended';

export interface SessionOptions {
  /** Wanted; a server may grant another. */
  readonly sessionTimeoutMs: number;
  /** Go to a server without a quorum too, for reads. */
  readonly readOnly: boolean;
  readonly onExpired: 'renew' | 'close';
  /** Replies above this end the connection with an error. */
  readonly replyBytesMax: number;
  readonly inFlightMax: number;
  readonly waitingMax: number;
  readonly waitingBytesMax: number;
}

/** A session that can be handed to another client. */
export interface SessionTicket {
  readonly id: bigint;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
  /** Highest zxid seen: no server behind it is to serve this session. */
  readonly seenZxid: number;
}

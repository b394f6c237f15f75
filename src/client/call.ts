/**
 * One request from the moment the client takes it until its end. The session machine moves it; who made it learns of the
 * end through the three `on…` methods, of which exactly one is called, once.
 *
 *     waiting ──▶ sent ──▶ ended            waiting: for a connection, or for room in the window
 *        │         │                        sent ──▶ waiting: the connection broke and sending again is harmless
 *        └─────────┴── cancelled
 *
 * A machine's data: no clock, no promise.
 */
import type { Zxid } from '../base/zxid.ts';
import { OpCode } from '../wire/opcodes.ts';
import type { Request } from '../wire/request-values.ts';
import type { Outcome } from './errors.ts';
import type { Watcher, WatchKind } from './watch-registry.ts';

export type CallState = 'new' | 'waiting' | 'sent' | 'ended';

/** A watch that the reply of a call sets. */
export interface WatchWish {
  readonly watcher: Watcher;
  /** Of the server. */
  readonly path: string;
}

export abstract class Call {
  readonly request: Request;
  readonly watch: WatchWish | null;
  state: CallState = 'new';
  /** Nobody waits any more; the reply is still to come, in its turn. */
  cancelled = false;
  xid = 0;
  sentAtMs = 0;
  /** What it takes of the bound on waiting bytes. */
  readonly bytes: number;
  /** Times it was sent. */
  attempts = 0;

  constructor(request: Request, watch: WatchWish | null, bytes: number) {
    this.request = request;
    this.watch = watch;
    this.bytes = bytes;
  }

  /** Made by the session for one connection: never carried over to the next. */
  get isOfConnection(): boolean {
    return false;
  }

  /** A reply without an error; its body is `bytes[start, end)` and valid during the call only. */
  abstract onReply(bytes: Uint8Array, view: DataView, start: number, end: number, zxid: Zxid): void;
  /** The server answered with an error. */
  abstract onRefused(err: number, zxid: Zxid): void;
  /** No answer will come. */
  abstract onFailed(outcome: Outcome, reason: FailureReason): void;
}

/** Why a call ends without an answer. */
export type FailureReason =
  | 'connectionLoss'
  | 'sessionExpired'
  | 'closed'
  | 'authFailed'
  | 'badReply'
  | 'aborted';

/** Whether a request whose reply was lost may simply be sent again: it changes nothing, or the same thing. */
export function isRepeatable(op: number): boolean {
  switch (op) {
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getAcl:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
    case OpCode.multiRead:
    case OpCode.sync:
    case OpCode.whoAmI:
    case OpCode.addWatch:
    case OpCode.checkWatches:
      return true;
    default:
      return false;
  }
}

/** The list a watch joins after this reply, or null when it sets none. */
export function watchKindOf(request: Request, err: number): WatchKind | null {
  switch (request.op) {
    case OpCode.exists:
      if (!request.watch) return null;
      return err === 0 ? 'data' : err === -101 ? 'exist' : null;
    case OpCode.getData:
      return request.watch && err === 0 ? 'data' : null;
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return request.watch && err === 0 ? 'child' : null;
    case OpCode.addWatch:
      if (err !== 0) return null;
      return request.mode === 0 ? 'persistent' : 'recursive';
    default:
      return null;
  }
}

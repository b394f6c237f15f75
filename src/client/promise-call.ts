/**
 * A call that ends in a promise: the reply is decoded in the turn in which it arrives, and user code continues once the
 * machine has returned. No wrapper stands between, so that events and replies reach user code in the order of the wire.
 */
import type { Zxid } from '../base/zxid.ts';
import { JuteReader, MalformedRecord } from '../wire/jute-reader.ts';
import { opName } from '../wire/opcodes.ts';
import type { Request } from '../wire/request-values.ts';
import { type Response, type ResponseTo, readResponse } from '../wire/responses.ts';
import { Call, type FailureReason, type WatchWish } from './call.ts';
import { type ErrorName, type Outcome, refusal, ZkError } from './errors.ts';

/** Turns the body `bytes[start, end)` into the result; what it keeps it copies. */
export type Decoder<T> = (bytes: Uint8Array, view: DataView, start: number, end: number, zxid: Zxid) => T;

const CODES: Readonly<Record<FailureReason, ErrorName>> = {
  connectionLoss: 'CONNECTIONLOSS',
  sessionExpired: 'SESSIONLOST',
  closed: 'CLOSED',
  authFailed: 'AUTHFAILED',
  badReply: 'BADREPLY',
  aborted: 'ABORTED',
};

/** A promised call, whatever its result. */
export interface AnyPromiseCall extends Call {
  readonly promise: Promise<unknown>;
  readonly path: string;
  readonly zxid: Zxid;
  /** Runs when a reply comes after all to a call that was cancelled. */
  whenLate: (() => void) | null;
  whenSettled(cleanUp: () => void): void;
  abandon(code: ErrorName, outcome: Outcome, cause: unknown): void;
}

export class PromiseCall<T> extends Call implements AnyPromiseCall {
  readonly promise: Promise<T>;
  /** As the caller gave it. */
  readonly path: string;
  /** The zxid of the reply; 0 before. */
  zxid: Zxid = 0;
  private readonly decode: Decoder<T>;
  /** Errors that are a result here, such as NONODE for `exists`; null from it = an error after all. */
  private readonly fromError: ((err: number) => T | undefined) | null;
  private resolve: (value: T) => void = nothing;
  private reject: (error: unknown) => void = nothing;
  private cleanUp: (() => void) | null = null;
  whenLate: (() => void) | null = null;
  private settled = false;

  constructor(
    request: Request,
    path: string,
    bytes: number,
    watch: WatchWish | null,
    decode: Decoder<T>,
    fromError: ((err: number) => T | undefined) | null = null,
  ) {
    super(request, watch, bytes);
    this.path = path;
    this.decode = decode;
    this.fromError = fromError;
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Runs once, when the call has ended for its caller. */
  whenSettled(cleanUp: () => void): void {
    this.cleanUp = cleanUp;
  }

  onReply(bytes: Uint8Array, view: DataView, start: number, end: number, zxid: Zxid): void {
    if (this.cancelled) {
      this.onLateReply();
      return;
    }
    this.zxid = zxid;
    try {
      const value = this.decode(bytes, view, start, end, zxid);
      this.settle();
      this.resolve(value);
    } catch (error) {
      if (!(error instanceof MalformedRecord) && !(error instanceof ZkError)) throw error;
      this.fail(error instanceof ZkError ? error : this.error('BADREPLY', 'unknown', error));
    }
  }

  onRefused(err: number, zxid: Zxid): void {
    // A refused read set no watch, but `exists` of a missing znode did.
    if (this.cancelled) {
      this.onLateReply();
      return;
    }
    this.zxid = zxid;
    const value = this.fromError?.(err);
    if (value === undefined) {
      this.fail(refusal(err, this.request.op, this.path));
      return;
    }
    this.settle();
    this.resolve(value);
  }

  onFailed(outcome: Outcome, reason: FailureReason): void {
    this.fail(this.error(CODES[reason], outcome));
  }

  /** Ends it for the caller before its reply; what a late reply set is given back. */
  abandon(code: ErrorName, outcome: Outcome, cause: unknown): void {
    this.fail(this.error(code, outcome, cause));
  }

  /** A cancelled call was answered after all: what its reply set is given back. */
  private onLateReply(): void {
    this.whenLate?.();
    this.whenLate = null;
  }

  private fail(error: unknown): void {
    if (this.settled) return;
    this.settle();
    this.reject(error);
  }

  private settle(): void {
    this.settled = true;
    this.cleanUp?.();
    this.cleanUp = null;
  }

  private error(code: ErrorName, outcome: Outcome, cause?: unknown): ZkError {
    return new ZkError({ code, op: opName(this.request.op), path: this.path, outcome, cause });
  }
}

/** The decoder of any response by its opcode. */
export function decoderOf<O extends Response['op'], T>(
  opcode: O,
  toResult: (response: ResponseTo<O>, zxid: Zxid) => T,
): Decoder<T> {
  return (bytes, view, start, end, zxid) =>
    toResult(readResponse(new JuteReader(bytes, view, start, end), opcode), zxid);
}

function nothing(): void {}

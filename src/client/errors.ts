/**
 * The one error class of the client. What a caller needs to know after a failure is not only why, but whether the
 * request took effect; so every error says its outcome:
 *
 *     refused   a server answered with an error: nothing was changed
 *     notSent   no server has seen the request: nothing was changed, sending it again is safe
 *     unknown   it was sent and no reply came: it may have taken effect, or still may
 *
 * Codes are ZooKeeper's own names (`NONODE`); those of the client's own are listed with them. Pure, any thread.
 */
import { ErrorCode, errorName, errorText } from '../wire/error-codes.ts';
import { opName } from '../wire/opcodes.ts';

export type Outcome = 'refused' | 'notSent' | 'unknown';

type ServerErrorName = Exclude<Uppercase<keyof typeof ErrorCode>, 'OK'>;

/** Failures that no server reports. */
const CLIENT_TEXTS = {
  CLOSED: 'this client was closed',
  SESSIONLOST: 'the session ended before the request could be sent',
  QUEUEFULL: 'too many requests are waiting for a connection',
  TOOLARGE: 'the request is larger than the server would accept',
  ABORTED: 'the call was cancelled',
  CACHEFULL: 'the cache may not hold so much',
  REPLYTOOLARGE: 'the reply is larger than replyBytesMax',
  BADREPLY: 'the reply could not be decoded',
  MULTIFAILED: 'the multi was not applied',
} as const;

export type ErrorName = ServerErrorName | keyof typeof CLIENT_TEXTS;

export interface ZkErrorFields<C extends ErrorName = ErrorName> {
  readonly code: C;
  /** The operation, as in `OpCode`: `create`, `getData` … */
  readonly op: string;
  /** As the caller gave it; empty where there is none. */
  readonly path: string;
  readonly outcome: Outcome;
  readonly cause?: unknown;
}

export class ZkError<C extends ErrorName = ErrorName> extends Error {
  override readonly name: string = 'ZkError';
  readonly code: C;
  readonly op: string;
  readonly path: string;
  readonly outcome: Outcome;

  constructor(fields: ZkErrorFields<C>, text: string = describe(fields.code)) {
    const at = fields.path === '' ? fields.op : `${fields.op} ${fields.path}`;
    const tail = fields.outcome === 'unknown' ? ' (it may have taken effect)' : '';
    super(
      `${at}: ${fields.code}, ${text}${tail}`,
      fields.cause === undefined ? undefined : { cause: fields.cause },
    );
    this.code = fields.code;
    this.op = fields.op;
    this.path = fields.path;
    this.outcome = fields.outcome;
  }
}

/** A multi that was refused: which operation was, and the code of each. */
export class MultiError extends ZkError<'MULTIFAILED'> {
  override readonly name = 'MultiError';
  /** Index of the operation that failed first; -1 when the server refused the request as a whole. */
  readonly failedIndex: number;
  /** Code of each operation; those before the failed one are `OK`, those behind it RUNTIMEINCONSISTENCY. */
  readonly codes: readonly (ErrorName | 'OK')[];

  constructor(path: string, failedIndex: number, codes: readonly (ErrorName | 'OK')[]) {
    const code = codes[failedIndex];
    super(
      { code: 'MULTIFAILED', op: 'multi', path, outcome: 'refused' },
      code === undefined || code === 'OK'
        ? CLIENT_TEXTS.MULTIFAILED
        : `not applied, operation ${failedIndex} failed: ${code}, ${describe(code)}`,
    );
    this.failedIndex = failedIndex;
    this.codes = codes;
  }
}

/** Whether `error` is a ZkError, and of this code if one is given. */
export function isZk<C extends ErrorName>(error: unknown, code?: C): error is ZkError<C> {
  return error instanceof ZkError && (code === undefined || error.code === code);
}

/** The name of a code in a reply; numbers that this version does not know read UNKNOWN(n). */
export function errorNameOf(err: number): ErrorName | 'OK' {
  return errorName(err) as ErrorName | 'OK';
}

/** The error that a server's reply means. */
export function refusal(err: number, op: number, path: string): ZkError {
  return new ZkError({ code: errorNameOf(err) as ErrorName, op: opName(op), path, outcome: 'refused' });
}

const TEXT_BY_NAME: ReadonlyMap<string, string> = new Map<string, string>([
  ...Object.values(ErrorCode).map((code): [string, string] => [errorName(code), errorText(code)]),
  ...Object.entries(CLIENT_TEXTS),
]);

function describe(code: string): string {
  return TEXT_BY_NAME.get(code) ?? 'an error that this version does not know';
}

/**
 * What goes wrong in a command, as one line for people and one exit status for scripts:
 *
 *     0  done                                   3  no connection: nothing was changed
 *     1  the server refused, or trees differ    4  sent, but no answer came: it may have taken effect
 *     2  the command itself cannot be read     130  interrupted
 *
 * Where Apache's shell has a wording of its own that people know, ours is the same. Pure.
 */
import { isZk, ZkError } from '../../client/index.ts';

export const Status = {
  done: 0,
  refused: 1,
  usage: 2,
  noConnection: 3,
  unknown: 4,
  interrupted: 130,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

export class ShellError extends Error {
  override readonly name = 'ShellError';
  readonly status: Status;

  constructor(message: string, status: Status) {
    super(message);
    this.status = status;
  }
}

/** The user wrote something that makes no sense. */
export function usageError(message: string): ShellError {
  return new ShellError(message, Status.usage);
}

/** A status without a complaint: the result has told already. */
export function toldAlready(status: Status): ShellError {
  return new ShellError('', status);
}

/** What the user asked for is not so, or is refused here. */
export function refusedError(message: string): ShellError {
  return new ShellError(message, Status.refused);
}

export interface FailureFacts {
  readonly message: string;
  readonly status: Status;
  /** Those of a ZkError. */
  readonly code?: string;
  readonly path?: string;
  readonly outcome?: string;
}

const APACHE_TEXTS: Readonly<Record<string, string>> = {
  NONODE: 'Node does not exist: ',
  NOCHILDRENFOREPHEMERALS: 'Ephemerals cannot have children: ',
  NODEEXISTS: 'Node already exists: ',
  NOTEMPTY: 'Node not empty: ',
  NOTREADONLY: 'Not a read-only call: ',
  INVALIDACL: 'Acl is not valid : ',
  NOAUTH: 'Insufficient permission : ',
  BADARGUMENTS: 'Arguments are not valid : ',
  BADVERSION: 'version No is not valid : ',
  QUOTAEXCEEDED: 'Quota has exceeded : ',
};

/** Codes that say something of the connection, not of the request. */
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  'CONNECTIONLOSS',
  'SESSIONLOST',
  'SESSIONEXPIRED',
  'CLOSED',
  'OPERATIONTIMEOUT',
  'QUEUEFULL',
]);

/** null: this is a defect of ours, not a failure. */
export function describeFailure(error: unknown): FailureFacts | null {
  if (isZk(error, 'ABORTED') || (error instanceof Error && error.name === 'AbortError')) {
    return { message: 'interrupted', status: Status.interrupted };
  }
  if (error instanceof ShellError) return { message: error.message, status: error.status };
  if (error instanceof ZkError) return describeZkError(error);
  if (isSystemError(error)) return { message: systemText(error), status: Status.usage };
  return null;
}

function describeZkError(error: ZkError): FailureFacts {
  const { code, path, outcome } = error;
  const known = error.outcome === 'refused' ? APACHE_TEXTS[code] : undefined;
  const message = known === undefined ? error.message : `${known}${path}`;
  return { message, status: statusOf(error), code, path, outcome };
}

function statusOf(error: ZkError): Status {
  if (error.outcome === 'unknown') return Status.unknown;
  return error.outcome === 'notSent' || CONNECTION_CODES.has(error.code)
    ? Status.noConnection
    : Status.refused;
}

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EEXIST: 'exists already',
  EISDIR: 'is a folder',
  ENOTDIR: 'a part of it is no folder',
  ENOSPC: 'no space left',
};

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

function systemText(error: SystemError): string {
  const what = error.path === undefined ? error.syscall : error.path;
  return `${what}: ${SYSTEM_TEXTS[error.code] ?? error.code}`;
}

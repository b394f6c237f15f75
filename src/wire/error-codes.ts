/**
 * The error codes of reply headers, multi results and error transactions. Protocol outcomes are values: code
 * that decides one returns the number, and only clients turn it into an exception. Pure tables, any thread.
 */

export const ErrorCode = {
  ok: 0,
  systemError: -1,
  runtimeInconsistency: -2,
  dataInconsistency: -3,
  connectionLoss: -4,
  marshallingError: -5,
  unimplemented: -6,
  operationTimeout: -7,
  badArguments: -8,
  unknownSession: -12,
  newConfigNoQuorum: -13,
  reconfigInProgress: -14,
  apiError: -100,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidCallback: -113,
  invalidAcl: -114,
  authFailed: -115,
  sessionMoved: -118,
  notReadOnly: -119,
  ephemeralOnLocalSession: -120,
  noWatcher: -121,
  requestTimeout: -122,
  reconfigDisabled: -123,
  sessionClosedRequireSaslAuth: -124,
  quotaExceeded: -125,
  throttledOp: -127,
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ErrorCode).map(([name, code]) => [code, name.toUpperCase()]),
);

/** The name as ZooKeeper's documentation writes it (`NONODE`); unknown codes keep their number. */
export function errorName(code: number): string {
  return NAMES.get(code) ?? `UNKNOWN(${code})`;
}

const TEXTS: ReadonlyMap<number, string> = new Map<number, string>([
  [ErrorCode.ok, 'ok'],
  [ErrorCode.systemError, 'system error'],
  [ErrorCode.runtimeInconsistency, 'not applied, because another operation of the same multi failed'],
  [ErrorCode.dataInconsistency, 'data inconsistency'],
  [ErrorCode.connectionLoss, 'the connection was lost; the outcome is unknown'],
  [ErrorCode.marshallingError, 'the request could not be decoded'],
  [ErrorCode.unimplemented, 'operation not supported by this server'],
  [ErrorCode.operationTimeout, 'operation timed out'],
  [ErrorCode.badArguments, 'bad argument: path, flags or ttl'],
  [ErrorCode.unknownSession, 'unknown session'],
  [ErrorCode.newConfigNoQuorum, 'no quorum of the new configuration is connected and synced'],
  [ErrorCode.reconfigInProgress, 'another reconfiguration is in progress'],
  [ErrorCode.apiError, 'api error'],
  [ErrorCode.noNode, 'the znode or its parent does not exist'],
  [ErrorCode.noAuth, 'the ACL denies this operation'],
  [ErrorCode.badVersion, 'the version does not match'],
  [ErrorCode.noChildrenForEphemerals, 'ephemeral znodes cannot have children'],
  [ErrorCode.nodeExists, 'the znode exists already'],
  [ErrorCode.notEmpty, 'the znode has children'],
  [ErrorCode.sessionExpired, 'the session has expired'],
  [ErrorCode.invalidCallback, 'invalid callback'],
  [ErrorCode.invalidAcl, 'the ACL is empty or invalid'],
  [ErrorCode.authFailed, 'authentication failed'],
  [ErrorCode.sessionMoved, 'the session has moved to another server'],
  [ErrorCode.notReadOnly, 'the server is read-only'],
  [ErrorCode.ephemeralOnLocalSession, 'a local session cannot own ephemeral znodes'],
  [ErrorCode.noWatcher, 'no such watch is set'],
  [ErrorCode.requestTimeout, 'the request timed out'],
  [ErrorCode.reconfigDisabled, 'reconfiguration is disabled on this server'],
  [ErrorCode.sessionClosedRequireSaslAuth, 'the server requires authentication'],
  [ErrorCode.quotaExceeded, 'the quota is exceeded'],
  [ErrorCode.throttledOp, 'the request waited too long and was dropped'],
]);

/** One clause for people, e.g. in a command-line client. */
export function errorText(code: number): string {
  return TEXTS.get(code) ?? `unknown error ${code}`;
}

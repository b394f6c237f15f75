/**
 * `ringkeeper/client`: what users of the library may name. Everything else is its inside.
 */
export { childOf, nameOf, parentOf } from '../base/paths.ts';
export { type Acl, OPEN_ACL, Perm } from '../wire/acl.ts';
export type { Stat } from '../wire/stat.ts';
export type { CacheChange, CacheEntry, CacheReset, CacheState, ContentChange } from './cache/cache-entry.ts';
export type { CacheItem, ChangeStream } from './cache/change-stream.ts';
export type { Cache } from './cache.ts';
export type { CacheOptions } from './cache-options.ts';
export type { CallOptions } from './client-core.ts';
export { bytes, type Codec, checked, int32be, int64be, json, type StandardSchema, utf8 } from './codecs.ts';
export { connect, open } from './connect.ts';
export type { Credential } from './credentials.ts';
export { type ErrorName, isZk, MultiError, type Outcome, ZkError } from './errors.ts';
export type { Follow, Followed } from './follow.ts';
export { removeLater, removeSurely, surely } from './janitor.ts';
export type { Lease } from './lease.ts';
export { transact } from './multi.ts';
export type { NodeHandle, NodeValue } from './node-handle.ts';
export {
  type Created,
  type CreateMode,
  type CreateOp,
  type Data,
  type NodeData,
  op,
  type ReadOp,
  type ResultOf,
  type WriteOp,
} from './operations.ts';
export { type ConnectOptions, digest } from './options.ts';
export { type SaslHook, saslDigest } from './sasl-digest.ts';
export type { Notice, SessionState, SessionTicket, StateChange } from './session-state.ts';
export type { Gap, NodeEvent, WatchItem, WatchStream } from './watch-stream.ts';
export type { Zk } from './zk.ts';
export type {
  Changed,
  Children,
  CreateOptions,
  DeleteOptions,
  Resolved,
  Watched,
  WatchOptions,
  WriteOptions,
} from './zk-options.ts';

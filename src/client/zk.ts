/**
 * The client as users see it: one session, or a view of it below another root. Every call is pipelined; order per session
 * is the contract. Paths are of this view; results too.
 */
import type { Zxid } from '../base/zxid.ts';
import type { Acl, SentAcl } from '../wire/acl.ts';
import { ErrorCode } from '../wire/error-codes.ts';
import { AddWatchMode, OpCode } from '../wire/opcodes.ts';
import type { PathRequestValue } from '../wire/request-values.ts';
import { ANY_VERSION } from '../wire/requests.ts';
import type { ClientInfo } from '../wire/responses.ts';
import type { Stat } from '../wire/stat.ts';
import { type Cache, openCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CallFacts, CallOptions, ClientCore } from './client-core.ts';
import type { Codec } from './codecs.ts';
import { parseConnectString } from './connect-string.ts';
import type { Credential } from './credentials.ts';
import { decodeChildren, decodeNodeData, decodeStat, nullIfMissing } from './decoders.ts';
import { Follow } from './follow.ts';
import { Lease } from './lease.ts';
import { multiFacts, multiReadFacts, type ReadResultsOf, type ResultsOf } from './multi.ts';
import { NodeHandle } from './node-handle.ts';
import {
  type Created,
  type CreateOp,
  type Data,
  type NodeData,
  op,
  type ReadOp,
  sizeOf,
  toRequest,
  validateOperation,
  type WriteOp,
} from './operations.ts';
import { createProtected, resolveCreate, resolveDelete, resolveSetData } from './outcome.ts';
import { createWithParents, ensurePath } from './parents.ts';
import { toClientPath, toServerPath, validatePath } from './paths.ts';
import { decoderOf } from './promise-call.ts';
import { deleteTree } from './recursive.ts';
import type { SessionState, SessionTicket } from './session-state.ts';
import type { StateStream } from './state-stream.ts';
import type { WatchKind } from './watch-registry.ts';
import { WatchStream } from './watch-stream.ts';
import { readWatched, type WatchableOp } from './watched-read.ts';
import type { ZkApi } from './zk-api.ts';
import type {
  Children,
  CreateOptions,
  DeleteOptions,
  ReconfigChange,
  Resolved,
  Watched,
  WatchOptions,
  WriteOptions,
} from './zk-options.ts';

type PathOp = WatchableOp | PathRequestValue['op'];

const BUFFER_DEFAULT = 10_000;
const CONFIG_PATH = '/zookeeper/config';

export class Zk implements ZkApi, AsyncDisposable {
  /** Shared by all views of the session. */
  readonly core: ClientCore;
  /** The root of this view on the server; empty = the root of the tree. */
  readonly chroot: string;
  readonly lease: Lease;

  constructor(core: ClientCore, chroot: string) {
    this.core = core;
    this.chroot = chroot;
    this.lease = new Lease(core);
  }

  get state(): SessionState {
    return this.core.present.state;
  }

  /** Counts the sessions of this client, from 1. */
  get epoch(): number {
    return this.core.present.epoch;
  }

  get sessionId(): bigint {
    return this.core.driver.machine.session.id;
  }

  /** `host:port` of the connection; null without one. */
  get server(): string | null {
    return this.core.present.server;
  }

  /** Ends this client and leaves its session, for `connect({ session })`. */
  detach(): SessionTicket {
    this.core.driver.detach();
    return this.core.driver.machine.session.ticket;
  }

  states(): StateStream {
    return this.core.states();
  }

  /** The same session, another root. */
  scope(path: string): Zk {
    validatePath(path, 'scope');
    return new Zk(this.core, path === '/' ? this.chroot : toServerPath(this.chroot, path));
  }

  /** Another list of servers, without a chroot. */
  updateServers(servers: string): void {
    this.core.driver.updateHosts(parseConnectString(servers).hosts);
  }

  /** Ends the session at the server, and with it every ephemeral znode. */
  async close(): Promise<void> {
    await this.core.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  create(path: string, data: Data = null, options: CreateOptions = {}): Promise<Created> {
    const operation = op.create(path, data, options);
    validateOperation(operation);
    if (options.protect) return createProtected(this, operation, options);
    if (options.resolve === true) return resolveCreate(this, operation, options);
    return options.parents === undefined
      ? this.createOnce(operation, options)
      : createWithParents(this, operation, options, options.parents);
  }

  getData(path: string, options?: CallOptions & { readonly watch?: false }): Promise<NodeData>;
  getData(path: string, options: CallOptions & { readonly watch: true }): Promise<NodeData & Watched>;
  getData(path: string, options: CallOptions & { readonly watch?: boolean } = {}): Promise<NodeData> {
    return this.read(path, OpCode.getData, decodeNodeData, options, null);
  }

  /** null when there is no such znode. */
  tryGetData(path: string, options: CallOptions = {}): Promise<NodeData | null> {
    const facts = this.facts<NodeData | null>(path, OpCode.getData, decodeNodeData);
    return this.core.call({ ...facts, fromError: nullIfMissing }, options);
  }

  /** null when there is no such znode; with `watch: true` its creation is then the event. */
  exists(path: string, options?: CallOptions & { readonly watch?: false }): Promise<Stat | null>;
  exists(
    path: string,
    options: CallOptions & { readonly watch: true },
  ): Promise<{ readonly stat: Stat | null } & Watched>;
  exists(path: string, options: CallOptions & { readonly watch?: boolean } = {}): Promise<unknown> {
    if (options.watch !== true) {
      const facts = this.facts<Stat | null>(path, OpCode.exists, decodeStat);
      return this.core.call({ ...facts, fromError: nullIfMissing }, options);
    }
    const decode = (...body: Parameters<typeof decodeStat>): { stat: Stat | null } => ({
      stat: decodeStat(...body),
    });
    const missing = (err: number): { stat: Stat | null } | undefined =>
      err === ErrorCode.noNode ? { stat: null } : undefined;
    return this.read(path, OpCode.exists, decode, options, missing);
  }

  children(path: string, options?: CallOptions & { readonly watch?: false }): Promise<Children>;
  children(path: string, options: CallOptions & { readonly watch: true }): Promise<Children & Watched>;
  children(path: string, options: CallOptions & { readonly watch?: boolean } = {}): Promise<Children> {
    return this.read(path, OpCode.getChildren2, decodeChildren, options, null);
  }

  setData(
    path: string,
    data: Data,
    options: WriteOptions & { readonly version: number; readonly resolve: true },
  ): Promise<Stat & Resolved>;
  setData(path: string, data: Data, options?: WriteOptions): Promise<Stat>;
  setData(path: string, data: Data, options: WriteOptions = {}): Promise<Stat> {
    const operation = op.setData(path, data, options.version);
    validateOperation(operation);
    if (options.resolve === true && options.version !== undefined)
      return resolveSetData(this, operation, options);
    return this.one(operation, OpCode.setData, decodeStat, options);
  }

  delete(path: string, options: DeleteOptions & { readonly resolve: true }): Promise<Resolved>;
  delete(path: string, options?: DeleteOptions): Promise<void>;
  async delete(path: string, options: DeleteOptions = {}): Promise<unknown> {
    const operation = op.delete(path, options.version);
    validateOperation(operation);
    if (options.recursive === true) return deleteTree(this, path, options);
    const missing =
      options.ifExists === true ? (err: number) => (err === ErrorCode.noNode ? null : undefined) : null;
    if (options.resolve === true) return resolveDelete(this, operation, options);
    await this.one<null>(operation, OpCode.delete, () => null, options, missing);
  }

  getAcl(
    path: string,
    options: CallOptions = {},
  ): Promise<{ readonly acl: readonly SentAcl[]; readonly stat: Stat }> {
    const decode = decoderOf(OpCode.getAcl, ({ acl, stat }) => ({ acl, stat }));
    return this.core.call(this.facts(path, OpCode.getAcl, decode), options);
  }

  setAcl(
    path: string,
    acl: readonly Acl[],
    options: CallOptions & { readonly version?: number } = {},
  ): Promise<Stat> {
    validatePath(path, 'setAcl');
    const { version = ANY_VERSION } = options;
    const request = { op: OpCode.setAcl, path: toServerPath(this.chroot, path), acl, version };
    return this.core.call(
      { request, path, bytes: sizeOf({ ...op.create(path), acl }), decode: decodeStat },
      options,
    );
  }

  /** Everything that was committed when the leader answered is seen by later reads of this session. */
  async sync(path = '/', options: CallOptions = {}): Promise<void> {
    await this.barrier('sync', options, path);
  }

  /**
   * `sync` rests on the leader's word; `quorum` is an empty transaction, committed by a quorum and applied here before it
   * is answered. Returns the zxid.
   */
  barrier(kind: 'sync' | 'quorum', options: CallOptions = {}, path = '/'): Promise<Zxid> {
    const decode = (_b: Uint8Array, _v: DataView, _s: number, _e: number, zxid: Zxid): Zxid => zxid;
    if (kind === 'sync') return this.core.call(this.facts(path, OpCode.sync, decode), options);
    return this.core.call({ request: { op: OpCode.multi, subs: [] }, path: '', bytes: 0, decode }, options);
  }

  /** Paths of this session's ephemeral znodes below `prefix`. */
  ephemerals(prefix = '/', options: CallOptions = {}): Promise<readonly string[]> {
    const decode = decoderOf(OpCode.getEphemerals, ({ paths }) =>
      paths.map((path) => toClientPath(this.chroot, path)),
    );
    return this.core.call(this.facts(prefix, OpCode.getEphemerals, decode), options);
  }

  countDescendants(path: string, options: CallOptions = {}): Promise<number> {
    const decode = decoderOf(OpCode.getAllChildrenNumber, ({ count }) => count);
    return this.core.call(this.facts(path, OpCode.getAllChildrenNumber, decode), options);
  }

  whoAmI(options: CallOptions = {}): Promise<readonly ClientInfo[]> {
    const decode = decoderOf(OpCode.whoAmI, ({ clients }) => clients);
    return this.core.call({ request: { op: OpCode.whoAmI }, path: '', bytes: 0, decode }, options);
  }

  /** Proves an identity now and on every later connection. */
  addAuth(credential: Credential, options: CallOptions = {}): Promise<void> {
    return this.core.addCredential(credential, options);
  }

  /** Text of the ensemble's configuration; never below a chroot. */
  config(options: CallOptions = {}): Promise<NodeData> {
    return new Zk(this.core, '').getData(CONFIG_PATH, options);
  }

  /** Changes the ensemble: lists of `server.N` lines or ids, or all members at once. */
  reconfig(change: ReconfigChange, options: CallOptions = {}): Promise<NodeData> {
    const { joining = null, leaving = null, members = null, ifConfig = -1 } = change;
    const request = { op: OpCode.reconfig, joining, leaving, members, configId: ifConfig };
    const bytes = 3 * ((joining?.length ?? 0) + (leaving?.length ?? 0) + (members?.length ?? 0));
    const decode = decoderOf(OpCode.reconfig, ({ data, stat }) => ({ data, stat }));
    return this.core.call({ request, path: CONFIG_PATH, bytes, decode }, options);
  }

  /** All or nothing. @throws MultiError that says which operation failed. */
  multi<const T extends readonly WriteOp[]>(ops: T, options: CallOptions = {}): Promise<ResultsOf<T>> {
    return this.core.call(multiFacts(ops, this.chroot), options);
  }

  /** Independent reads in one request: each result is a value or the error. */
  multiRead<const T extends readonly ReadOp[]>(ops: T, options: CallOptions = {}): Promise<ReadResultsOf<T>> {
    return this.core.call(multiReadFacts(ops, this.chroot), options);
  }

  /** Every change from here on, across reconnects; `gap` where some may have been missed. */
  async watch(path: string, options: WatchOptions = {}): Promise<WatchStream> {
    validatePath(path, 'watch');
    const { mode = 'node', buffer = BUFFER_DEFAULT, onEvent = null, signal, timeoutMs } = options;
    const kind: WatchKind = mode === 'node' ? 'persistent' : 'recursive';
    const serverPath = toServerPath(this.chroot, path);
    const stream = new WatchStream(this.chroot, buffer, onEvent, (one) =>
      this.core.unwatch(kind, serverPath, one),
    );
    const request = {
      op: OpCode.addWatch,
      path: serverPath,
      mode: mode === 'node' ? AddWatchMode.persistent : AddWatchMode.persistentRecursive,
    };
    await this.core.call(
      { request, path, bytes: path.length * 3, decode: () => undefined, watcher: stream },
      { signal, timeoutMs },
    );
    return stream;
  }

  /** A copy of a part of the tree that follows it, once it is loaded. @throws ZkError when it cannot be. */
  cache(path: string, options?: CacheOptions<Uint8Array | null>): Promise<Cache<Uint8Array | null>>;
  cache<T>(path: string, options: CacheOptions<T> & { readonly codec: Codec<T> }): Promise<Cache<T>>;
  cache<T>(path: string, options: CacheOptions<T> = {}): Promise<Cache<T>> {
    return openCache(this, path, options);
  }

  /** The newest value of a znode, now and whenever it changes; null = it is not there. Survives reconnects and expiry. */
  follow<T>(path: string, codec: Codec<T>, options: { readonly signal?: AbortSignal } = {}): Follow<T> {
    return new Follow(this, path, codec, options.signal ?? null);
  }

  /** One znode as a value. */
  node<T>(path: string, codec: Codec<T>): NodeHandle<T> {
    return new NodeHandle(this, path, codec);
  }

  /** The root of this view, and whatever is missing above it. */
  async ensureChroot(options: CallOptions = {}): Promise<void> {
    if (this.chroot !== '') await ensurePath(new Zk(this.core, ''), this.chroot, 'persistent', options);
  }

  /** Creates `path` and whatever is missing above it. */
  ensurePath(
    path: string,
    kind: 'container' | 'persistent' = 'persistent',
    options: CallOptions = {},
  ): Promise<void> {
    return ensurePath(this, path, kind, options);
  }

  /** Without any of the options that need more than one request. */
  createOnce(operation: CreateOp, options: CallOptions): Promise<Created> {
    const opcode = toRequest(operation, this.chroot).op as typeof OpCode.create2;
    const decode = decoderOf(opcode, ({ path, stat }) => ({ path: toClientPath(this.chroot, path), stat }));
    return this.one(operation, opcode, decode, options);
  }

  private one<T>(
    operation: WriteOp,
    opcode: number,
    decode: CallFacts<T>['decode'],
    options: CallOptions,
    fromError: CallFacts<T>['fromError'] = null,
  ): Promise<T> {
    const request = toRequest(operation, this.chroot);
    return this.core.call(
      {
        request: { ...request, op: opcode } as typeof request,
        path: operation.path,
        bytes: sizeOf(operation),
        decode,
        fromError,
      },
      options,
    );
  }

  private facts<T>(
    path: string,
    opcode: PathOp,
    decode: CallFacts<T>['decode'],
    watch = false,
    fromError: CallFacts<T>['fromError'] = null,
  ): CallFacts<T> {
    validatePath(path, 'path');
    const serverPath = toServerPath(this.chroot, path);
    const request = { op: opcode, path: serverPath, watch } as CallFacts<T>['request'];
    return { request, path, bytes: serverPath.length * 3, decode, fromError };
  }

  private read<T extends object>(
    path: string,
    opcode: WatchableOp,
    decode: CallFacts<T>['decode'],
    options: CallOptions & { readonly watch?: boolean },
    fromError: CallFacts<T>['fromError'],
  ): Promise<T> {
    const watch = options.watch === true;
    const facts = this.facts(path, opcode, decode, watch, fromError);
    return watch ? readWatched(this, facts, opcode, options) : this.core.call(facts, options);
  }
}

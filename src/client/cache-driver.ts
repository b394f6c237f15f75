/**
 * Ties a cache machine to a session: the watch, reads on the wire, one timer, who listens and who waits. Replies and events
 * reach the machine in the turn and in the order in which they arrive.
 */
import { MalformedRecord } from '../wire/jute-reader.ts';
import { AddWatchMode, OpCode } from '../wire/opcodes.ts';
import type { Stat } from '../wire/stat.ts';
import type { CacheChange, CacheEntry, CacheState } from './cache/cache-entry.ts';
import { type CacheFailure, CacheMachine, type CachePorts } from './cache/cache-machine.ts';
import { ChangeStream } from './cache/change-stream.ts';
import type { CacheRead } from './cache/read-queue.ts';
import { CacheCall, type CacheReplies } from './cache-call.ts';
import { type CacheOptions, resolveCacheOptions } from './cache-options.ts';
import type { CallOptions } from './client-core.ts';
import type { Codec } from './codecs.ts';
import { within } from './deadline.ts';
import { decodeChildren, decodeKeptNodeData, decodeStat } from './decoders.ts';
import { type ErrorName, refusal, ZkError } from './errors.ts';
import { toClientPath, toServerPath, validatePath } from './paths.ts';
import { callUser } from './user-code.ts';
import type { NodeEventType, Watcher, WatchKind } from './watch-registry.ts';
import type { ZkApi } from './zk-api.ts';

const OPS = { data: OpCode.getData, children: OpCode.getChildren2, stat: OpCode.exists } as const;

export class CacheDriver<T> implements Watcher, CachePorts<T>, CacheReplies {
  readonly zk: ZkApi;
  readonly path: string;
  readonly machine: CacheMachine<T>;
  /** Why it ended; null while it has not, or when it was closed. */
  error: unknown = null;
  private readonly codec: Codec<T>;
  private readonly bufferMax: number;
  private readonly onEach: ((change: CacheChange<T>) => void) | null;
  private readonly kind: WatchKind;
  private readonly streams = new Set<ChangeStream<T>>();
  private readonly waiting = new Set<(error: unknown) => void>();
  private readonly stopListening: () => void;
  private timer: NodeJS.Timeout | null = null;
  private timerAtMs = 0;

  constructor(zk: ZkApi, path: string, codec: Codec<T>, options: CacheOptions<T>) {
    validatePath(path, 'cache');
    const resolved = resolveCacheOptions(options);
    this.zk = zk;
    this.path = path;
    this.codec = codec;
    this.bufferMax = resolved.bufferMax;
    this.onEach = options.onChange ?? null;
    this.kind = resolved.depthMax === 0 ? 'persistent' : 'recursive';
    this.machine = new CacheMachine({ root: path, ...resolved }, this);
    this.stopListening = zk.core.listen((change) => {
      if (!zk.core.isConnected) this.machine.onAway(change.cause ?? change.state);
    });
  }

  get serverPath(): string {
    return toServerPath(this.zk.chroot, this.path);
  }

  changes(): ChangeStream<T> {
    const contents = {
      state: (): CacheState => this.machine.state,
      entries: () => this.machine.tree.entries(),
    };
    const stream = new ChangeStream<T>(contents, this.bufferMax, (one) => this.streams.delete(one));
    if (this.machine.isOver) stream.end(this.error);
    else this.streams.add(stream);
    return stream;
  }

  /** Sets the watch; when it is in place, everything is read. `onLoaded` runs after that. */
  watch(onLoaded: () => void, options: CallOptions): Promise<void> {
    const mode = this.kind === 'persistent' ? AddWatchMode.persistent : AddWatchMode.persistentRecursive;
    const request = { op: OpCode.addWatch, path: this.serverPath, mode } as const;
    const decode = (): void => {
      this.guard(() => this.machine.load(performance.now()));
      this.machine.whenCaughtUp(onLoaded);
    };
    return this.zk.core.call(
      { request, path: this.path, bytes: this.path.length * 3, decode, watcher: this },
      options,
    );
  }

  /** `promise`, unless the cache ends or the caller's time is up. */
  async unlessOver(promise: Promise<void>, options: CallOptions): Promise<void> {
    this.assertOpen();
    const over = Promise.withResolvers<never>();
    this.waiting.add(over.reject);
    try {
      await within(Promise.race([promise, over.promise]), options, (why, cause) => this.problem(why, cause));
    } finally {
      this.waiting.delete(over.reject);
    }
  }

  assertOpen(): void {
    if (this.machine.isOver) throw this.overError();
  }

  async close(): Promise<void> {
    if (this.machine.isOver) return;
    this.end('closed', null);
    await this.unwatch();
  }

  onEvent(type: NodeEventType, serverPath: string): void {
    const path = toClientPath(this.zk.chroot, serverPath);
    this.guard(() => this.machine.onEvent(type, path, performance.now()));
  }

  onGap(): void {
    this.guard(() => this.machine.onGap(performance.now()));
  }

  /** The client was closed, or a new session could not set the watch. */
  onEnd(): void {
    if (this.machine.isOver) return;
    if (this.zk.core.driver.machine.isOver) this.end('closed', null);
    else this.end('failed', this.problem('SESSIONEXPIRED', undefined));
  }

  send(read: CacheRead): boolean {
    const path = toServerPath(this.zk.chroot, read.path);
    return this.zk.core.driver.submit(new CacheCall(read, { op: OPS[read.kind], path, watch: false }, this));
  }

  onBody(read: CacheRead, body: Uint8Array, view: DataView, start: number, end: number): void {
    const { machine } = this;
    const nowMs = performance.now();
    this.guard(() => {
      if (read.kind === 'data') {
        const { data, stat } = decodeKeptNodeData(body, view, start, end);
        machine.onData(read, data, stat, nowMs);
      } else if (read.kind === 'children') {
        const { names, stat } = decodeChildren(body, view, start, end, 0);
        machine.onNames(read, names, stat, nowMs);
      } else machine.onStat(read, decodeStat(body, view, start, end), nowMs);
    });
  }

  onError(read: CacheRead, err: number): void {
    this.guard(() => this.machine.onRefused(read, err, performance.now()));
  }

  onLost(read: CacheRead): void {
    this.guard(() => this.machine.onUnanswered(read, performance.now()));
  }

  wakeAt(atMs: number): void {
    if (this.timer !== null && this.timerAtMs <= atMs) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timerAtMs = atMs;
    const tick = (): void => {
      this.timer = null;
      this.guard(() => this.machine.onTick(performance.now()));
    };
    this.timer = setTimeout(tick, Math.max(0, Math.ceil(atMs - performance.now())));
  }

  random(): number {
    return Math.random();
  }

  entry(path: string, data: Uint8Array | null, stat: Stat): CacheEntry<T> {
    try {
      return { path, value: this.codec.decode(data), stat, error: null };
    } catch (error) {
      const { message } = error as Error;
      return { path, value: undefined, stat, error: new TypeError(`${path}: ${message}`, { cause: error }) };
    }
  }

  onChange(change: CacheChange<T>): void {
    for (const stream of this.streams) stream.push(change);
    if (this.onEach !== null) callUser(this.onEach, change);
  }

  onFailed(failure: CacheFailure): void {
    this.failWith(
      failure.why === 'full'
        ? this.problem('CACHEFULL', new Error(failure.detail))
        : refusal(failure.err, OPS[failure.read.kind], failure.read.path),
    );
  }

  /** A reply that cannot be read, or a filter that throws, ends the cache, and not the connection that serves others too. */
  private guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.failWith(error instanceof MalformedRecord ? this.problem('BADREPLY', error) : error);
    }
  }

  private failWith(error: unknown): void {
    this.end('failed', error);
    void this.unwatch();
  }

  private unwatch(): Promise<void> {
    return this.zk.core.unwatch(this.kind, this.serverPath, this);
  }

  private end(state: 'failed' | 'closed', error: unknown): void {
    if (this.machine.isOver) return;
    this.error = error;
    this.machine.end(state);
    this.stopListening();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const stream of this.streams) stream.end(error);
    this.streams.clear();
    for (const reject of this.waiting) reject(this.overError());
    this.waiting.clear();
  }

  private overError(): unknown {
    return this.error ?? this.problem('CLOSED', undefined);
  }

  private problem(code: ErrorName, cause: unknown): ZkError {
    return new ZkError({ code, op: 'cache', path: this.path, outcome: 'notSent', cause });
  }
}

/**
 * What all views of one client share: the session, the way of a call into it and out again (bounds, cancellation,
 * deadlines, tracing), watches that are given up, and the state as others see it.
 */
import { channel } from 'node:diagnostics_channel';
import { OpCode, opName, WatcherType } from '../wire/opcodes.ts';
import type { Request } from '../wire/request-values.ts';
import { watchKindOf } from './call.ts';
import type { ConnectString } from './connect-string.ts';
import type { Credential } from './credentials.ts';
import { type ErrorName, type Outcome, ZkError } from './errors.ts';
import type { ResolvedOptions } from './options.ts';
import { type AnyPromiseCall, type Decoder, PromiseCall } from './promise-call.ts';
import { SessionDriver } from './session-driver.ts';
import type { StateChange } from './session-state.ts';
import { StateStream } from './state-stream.ts';
import type { Watcher, WatchKind } from './watch-registry.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bound of this call; 0 = none. */
  readonly timeoutMs?: number | undefined;
}

/** What a call is, beside its request. */
export interface CallFacts<T> {
  readonly request: Request;
  /** As the caller gave it. */
  readonly path: string;
  /** About its size in a frame, from above. */
  readonly bytes: number;
  readonly decode: Decoder<T>;
  readonly fromError?: ((err: number) => T | undefined) | null;
  /** Told of the event that this read watches for. */
  readonly watcher?: Watcher | null;
}

/** A request record without its variable parts, from above. */
const REQUEST_FIXED_BYTES = 64;
const requestChannel = channel('ringkeeper:client:request');
const stateChannel = channel('ringkeeper:client:state');

export class ClientCore {
  readonly options: ResolvedOptions;
  readonly driver: SessionDriver;
  /** Settles when the client has ended; never rejects. */
  readonly closed: Promise<StateChange>;
  present: StateChange = { state: 'connecting', epoch: 0, sessionId: 0n, server: null, cause: null };
  /** Connections so far: what was true on one need not be on the next. */
  connections = 0;
  private resolveClosed: (change: StateChange) => void = () => undefined;
  private readonly streams = new Set<StateStream>();
  private readonly listeners = new Set<(change: StateChange) => void>();

  constructor(target: ConnectString, options: ResolvedOptions) {
    this.options = options;
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
    this.driver = new SessionDriver({
      options,
      hosts: target.hosts,
      srvName: target.srvName,
      transport: options.transport,
      credentials: options.credentials,
      sasl: options.sasl,
      ticket: options.ticket,
      onState: (change) => this.onState(change),
      onNotice: options.onNotice,
    });
  }

  get isConnected(): boolean {
    return this.present.state === 'connected' || this.present.state === 'readonly';
  }

  /** Each change in the turn in which it happens. Returns how to stop listening. */
  listen(listener: (change: StateChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  states(): StateStream {
    const stream = new StateStream(this.present, (one) => this.streams.delete(one));
    if (this.driver.machine.isOver) stream.end();
    else this.streams.add(stream);
    return stream;
  }

  call<T>(facts: CallFacts<T>, options: CallOptions = {}): Promise<T> {
    const { request, path, bytes, decode, fromError = null, watcher = null } = facts;
    const serverPath = 'path' in request ? (request.path ?? '') : '';
    const watch = watcher === null ? null : { watcher, path: serverPath };
    const call = new PromiseCall(request, path, bytes + REQUEST_FIXED_BYTES, watch, decode, fromError);
    const refused = this.refuse(call, options);
    if (refused !== null) {
      call.abandon(refused, 'notSent', refused === 'ABORTED' ? options.signal?.reason : undefined);
      return call.promise;
    }
    if (!this.driver.submit(call)) {
      const { isClosing, isOver } = this.driver.machine;
      call.abandon(isClosing || isOver ? 'CLOSED' : 'QUEUEFULL', 'notSent', undefined);
      return call.promise;
    }
    this.limitWhereAsked(call, options);
    if (requestChannel.hasSubscribers) this.trace(call);
    return call.promise;
  }

  /** Gives up a watch here, and at the server if nobody else wants it. */
  async unwatch(kind: WatchKind, path: string, watcher: Watcher): Promise<void> {
    const type = this.driver.machine.registry.remove(kind, path, watcher);
    if (type !== null) await this.removeAtServer(path, type);
  }

  /** The credential stays, whatever becomes of who waits for its first answer. */
  addCredential(credential: Credential, options: CallOptions): Promise<void> {
    const request: Request = { op: OpCode.auth, scheme: credential.scheme, auth: credential.auth };
    const call = new PromiseCall<void>(request, '', 0, null, () => undefined);
    const { signal } = options;
    const isAborted = signal?.aborted === true;
    if (isAborted || this.driver.machine.isOver) {
      call.abandon(isAborted ? 'ABORTED' : 'CLOSED', 'notSent', signal?.reason);
      return call.promise;
    }
    this.driver.addCredential(credential, call);
    this.limitWhereAsked(call, options);
    return call.promise;
  }

  close(): Promise<StateChange> {
    this.driver.close();
    return this.closed;
  }

  /** Servers before 3.9 do not know the persistent types; there everything on the path goes, if nobody needs the rest. */
  private async removeAtServer(path: string, type: number): Promise<void> {
    if (!this.isConnected) return;
    const code = await this.tryRemove(path, type);
    if (code !== 'MARSHALLINGERROR' || this.driver.machine.registry.isWatched(path)) return;
    await this.tryRemove(path, WatcherType.any);
  }

  private async tryRemove(path: string, mode: number): Promise<ErrorName | null> {
    const request: Request = { op: OpCode.removeWatches, path, mode };
    try {
      await this.call({ request, path, bytes: path.length * 3, decode: () => undefined });
      return null;
    } catch (error) {
      // NOWATCHER is as good, and without a connection the server has forgotten it anyway.
      if (error instanceof ZkError) return error.code;
      throw error;
    }
  }

  private refuse(call: AnyPromiseCall, options: CallOptions): ErrorName | null {
    if (options.signal?.aborted === true) return 'ABORTED';
    if (call.bytes > this.options.requestBytesMax) return 'TOOLARGE';
    if (this.options.failOffline && !this.isConnected) return 'CONNECTIONLOSS';
    return null;
  }

  private limitWhereAsked(call: AnyPromiseCall, options: CallOptions): void {
    if (options.signal === undefined && (options.timeoutMs ?? this.options.requestTimeoutMs) === 0) return;
    this.limit(call, options);
  }

  private limit(call: AnyPromiseCall, options: CallOptions): void {
    const { signal } = options;
    const timeoutMs = options.timeoutMs ?? this.options.requestTimeoutMs;
    const cancel = (code: ErrorName, cause: unknown): void => {
      const outcome: Outcome = this.driver.machine.pipeline.cancel(call) ? 'notSent' : 'unknown';
      call.whenLate = () => this.giveBack(call);
      call.abandon(code, outcome, cause);
    };
    const onAbort = (): void => cancel('ABORTED', signal?.reason);
    const timer =
      timeoutMs > 0 ? setTimeout(() => cancel('OPERATIONTIMEOUT', undefined), timeoutMs) : undefined;
    signal?.addEventListener('abort', onAbort, { once: true });
    call.whenSettled(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    });
  }

  /** The reply to a cancelled read set a watch at the server that nobody here has. */
  private giveBack(call: AnyPromiseCall): void {
    const kind = call.watch === null ? null : watchKindOf(call.request, 0);
    if (kind === null) return;
    const { path, watcher } = call.watch!;
    const { registry } = this.driver.machine;
    registry.add(kind, path, watcher);
    void this.unwatch(kind, path, watcher);
  }

  private trace(call: AnyPromiseCall): void {
    const startedMs = performance.now();
    const facts = { op: opName(call.request.op), path: call.path, server: this.present.server, call };
    requestChannel.publish({ ...facts, phase: 'start' });
    const end = (outcome: string, error: unknown): void => {
      const { xid, zxid, sentAtMs, attempts } = call;
      const endedMs = performance.now();
      const queuedMs = sentAtMs === 0 ? endedMs - startedMs : Math.max(0, sentAtMs - startedMs);
      const times = { queuedMs, wireMs: sentAtMs === 0 ? 0 : endedMs - sentAtMs };
      requestChannel.publish({ ...facts, phase: 'end', xid, zxid, attempts, outcome, error, ...times });
    };
    call.promise.then(
      () => end('ok', null),
      (error: unknown) => end(error instanceof ZkError ? error.outcome : 'unknown', error),
    );
  }

  private onState(change: StateChange): void {
    this.present = change;
    if (this.isConnected) this.connections++;
    if (stateChannel.hasSubscribers) stateChannel.publish(change);
    for (const listener of [...this.listeners]) listener(change);
    for (const stream of this.streams) stream.push(change);
    if (change.state !== 'closed' && change.state !== 'authFailed') return;
    for (const stream of this.streams) stream.end();
    this.streams.clear();
    this.resolveClosed(change);
  }
}

/**
 * The newest value of a znode, as an async iterator: the present one first, then whenever it is another. Values in between
 * may be passed over, the newest never is. Survives reconnects and new sessions.
 *
 *     event or gap ──▶ dirty ──▶ one read at a time ──▶ newest ──next()──▶ reader
 */
import type { Stat } from '../wire/stat.ts';
import type { Codec } from './codecs.ts';
import { isZk } from './errors.ts';
import type { WatchStream } from './watch-stream.ts';
import type { ZkApi } from './zk-api.ts';

export interface Followed<T> {
  readonly value: T;
  readonly stat: Stat;
}

type Item<T> = Followed<T> | null;

export class Follow<T> implements AsyncIterableIterator<Item<T>>, AsyncDisposable {
  private readonly zk: ZkApi;
  private readonly path: string;
  private readonly codec: Codec<T>;
  private readonly signal: AbortSignal | null;
  private stream: WatchStream | null = null;
  private started = false;
  private ended = false;
  private error: unknown = null;
  private dirty = false;
  private reading = false;
  private newest: { readonly item: Item<T> } | null = null;
  /** mzxid of what was given last; null = nothing yet or "not there". */
  private givenMzxid: number | null = null;
  private gaveMissing = false;
  private waiting: PromiseWithResolvers<IteratorResult<Item<T>, undefined>> | null = null;
  private readonly onAbort = (): void => void this.stop(this.signal?.reason ?? null);

  constructor(zk: ZkApi, path: string, codec: Codec<T>, signal: AbortSignal | null) {
    this.zk = zk;
    this.path = path;
    this.codec = codec;
    this.signal = signal;
  }

  next(): Promise<IteratorResult<Item<T>, undefined>> {
    if (!this.started) this.start();
    if (this.waiting !== null)
      return Promise.reject(new TypeError('one reader at a time: next() is pending'));
    this.waiting = Promise.withResolvers();
    const { promise } = this.waiting;
    this.settle();
    return promise;
  }

  async return(): Promise<IteratorResult<Item<T>, undefined>> {
    await this.stop(null);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(null);
  }

  private start(): void {
    this.started = true;
    if (this.signal?.aborted === true) {
      this.onAbort();
      return;
    }
    this.signal?.addEventListener('abort', this.onAbort, { once: true });
    this.watch();
    void this.zk.core.closed.then(() => this.stop(null));
  }

  private watch(): void {
    const onEvent = (): void => this.look();
    this.zk.watch(this.path, { onEvent, timeoutMs: 0 }).then(
      (stream) => {
        this.stream = stream;
        if (this.ended) void stream[Symbol.asyncDispose]();
        else this.look();
      },
      (error: unknown) => {
        if (!isSessionEnd(error)) this.fail(error);
        else if (!this.ended) this.watch();
      },
    );
  }

  /** Something may be new: reads, once more if that changed while reading. */
  private look(): void {
    this.dirty = true;
    if (this.reading || this.ended) return;
    this.reading = true;
    this.dirty = false;
    this.zk.tryGetData(this.path, { timeoutMs: 0 }).then(
      (found) => {
        this.reading = false;
        if (found === null) this.offerMissing();
        else this.offer(found.data, found.stat);
        if (this.dirty) this.look();
      },
      (error: unknown) => {
        this.reading = false;
        // A read that a new session cut off is asked again by the gap that follows.
        if (!isSessionEnd(error)) this.fail(error);
      },
    );
  }

  private offer(data: Uint8Array | null, stat: Stat): void {
    if (stat.mzxid === this.givenMzxid) return;
    this.givenMzxid = stat.mzxid;
    this.gaveMissing = false;
    try {
      this.newest = { item: { value: this.codec.decode(data), stat } };
      this.settle();
    } catch (error) {
      this.fail(new TypeError(`${this.path}: ${(error as Error).message}`, { cause: error }));
    }
  }

  private offerMissing(): void {
    if (this.gaveMissing) return;
    this.gaveMissing = true;
    this.givenMzxid = null;
    this.newest = { item: null };
    this.settle();
  }

  private fail(error: unknown): void {
    this.error = error;
    void this.stop(null);
  }

  private settle(): void {
    const { waiting, newest } = this;
    if (waiting === null) return;
    if (newest !== null) {
      this.newest = null;
      this.waiting = null;
      waiting.resolve({ done: false, value: newest.item });
    } else if (this.ended) {
      this.waiting = null;
      const { error } = this;
      this.error = null;
      if (error === null) waiting.resolve({ done: true, value: undefined });
      else waiting.reject(error);
    }
  }

  private async stop(reason: unknown): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    if (reason !== null) this.error = reason;
    this.signal?.removeEventListener('abort', this.onAbort);
    this.settle();
    await this.stream?.[Symbol.asyncDispose]();
  }
}

/** It was cut off by the end of its session: to be asked again in the next. */
function isSessionEnd(error: unknown): boolean {
  return isZk(error, 'SESSIONLOST') || isZk(error, 'SESSIONEXPIRED');
}

/**
 * The changes of a cache as an async iterator. The first item is a `reset` with all that is held at that moment, so that a
 * reader needs nothing else; a reader that is too slow gets another one in place of what it missed. `next()` returns the
 * very promise that the cache resolves: a reader sees a change before any reply that the server sent behind it.
 */
import type { CacheChange, CacheEntry, CacheReset, CacheState } from './cache-entry.ts';

export type CacheItem<T> = CacheReset<T> | CacheChange<T>;

interface Contents<T> {
  state(): CacheState;
  entries(): Iterable<CacheEntry<T>>;
}

export class ChangeStream<T> implements AsyncIterableIterator<CacheItem<T>>, AsyncDisposable {
  private readonly contents: Contents<T>;
  private readonly bufferMax: number;
  private readonly onReturn: (stream: ChangeStream<T>) => void;
  private items: CacheChange<T>[] = [];
  private head = 0;
  /** What waits was dropped, or nothing was given yet. */
  private isBehind = true;
  private waiting: PromiseWithResolvers<IteratorResult<CacheItem<T>, undefined>> | null = null;
  private ended = false;
  private error: unknown = null;

  constructor(contents: Contents<T>, bufferMax: number, onReturn: (stream: ChangeStream<T>) => void) {
    this.contents = contents;
    this.bufferMax = bufferMax;
    this.onReturn = onReturn;
  }

  push(change: CacheChange<T>): void {
    if (this.isBehind) return;
    if (this.waiting !== null) {
      const { resolve } = this.waiting;
      this.waiting = null;
      resolve({ done: false, value: change });
    } else if (this.items.length - this.head < this.bufferMax) {
      this.items.push(change);
    } else {
      this.items = [];
      this.head = 0;
      this.isBehind = true;
    }
  }

  /** What waits is still given, then the end: of an error, if there is one. */
  end(error: unknown): void {
    this.ended = true;
    this.error = error;
    // Its contents are gone.
    this.isBehind = false;
    if (this.waiting !== null) void this.finish(this.waiting);
    this.waiting = null;
  }

  next(): Promise<IteratorResult<CacheItem<T>, undefined>> {
    if (this.waiting !== null)
      return Promise.reject(new TypeError('one reader at a time: next() is pending'));
    if (this.isBehind) {
      this.isBehind = false;
      const { contents } = this;
      const value: CacheReset<T> = {
        kind: 'reset',
        state: contents.state(),
        entries: [...contents.entries()],
      };
      return Promise.resolve({ done: false, value });
    }
    const change = this.items[this.head];
    if (change !== undefined) {
      this.head++;
      if (this.head === this.items.length) this.items = [];
      if (this.items.length === 0) this.head = 0;
      return Promise.resolve({ done: false, value: change });
    }
    const waiting: PromiseWithResolvers<IteratorResult<CacheItem<T>, undefined>> = Promise.withResolvers();
    if (this.ended) return this.finish(waiting);
    this.waiting = waiting;
    return waiting.promise;
  }

  return(): Promise<IteratorResult<CacheItem<T>, undefined>> {
    this.items = [];
    this.head = 0;
    this.onReturn(this);
    this.end(null);
    return Promise.resolve({ done: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The error is told once. */
  private finish(
    waiting: PromiseWithResolvers<IteratorResult<CacheItem<T>, undefined>>,
  ): Promise<IteratorResult<CacheItem<T>, undefined>> {
    const { error } = this;
    this.error = null;
    if (error === null) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(error);
    return waiting.promise;
  }
}

/**
 * Persistent watches as an async iterator. `next()` returns the very promise that the dispatcher resolves, and no async
 * function stands between: only so does a reader see an event before the reply of any request that could show newer data.
 *
 * The buffer is bounded. When a reader is too slow, what waits is dropped and replaced by one `gap`, which says: look again.
 */
import type { Zxid } from '../base/zxid.ts';
import { toClientPath } from './paths.ts';
import { callUser } from './user-code.ts';
import type { GapCause, NodeEventType, Watcher } from './watch-registry.ts';

export interface NodeEvent {
  readonly type: NodeEventType;
  readonly path: string;
  /** Of the change; null from servers before 3.9. */
  readonly zxid: Zxid | null;
}

/** Events may be missing here. */
export interface Gap {
  readonly type: 'gap';
  readonly cause: GapCause;
}

export type WatchItem = NodeEvent | Gap;

export class WatchStream implements AsyncIterableIterator<WatchItem>, AsyncDisposable, Watcher {
  private readonly chroot: string;
  private readonly bufferMax: number;
  private readonly onItem: ((item: WatchItem) => void) | null;
  private readonly remove: () => Promise<void>;
  private items: WatchItem[] = [];
  private head = 0;
  private waiting: ((result: IteratorResult<WatchItem, undefined>) => void) | null = null;
  private ended = false;

  /** `onItem`, where given, sees each item at once, in the turn of its arrival; the iterator then has none. */
  constructor(
    chroot: string,
    bufferMax: number,
    onItem: ((item: WatchItem) => void) | null,
    remove: (stream: WatchStream) => Promise<void>,
  ) {
    this.chroot = chroot;
    this.bufferMax = bufferMax;
    this.onItem = onItem;
    this.remove = () => remove(this);
  }

  onEvent(type: NodeEventType, path: string, zxid: Zxid | null): void {
    this.push({ type, path: toClientPath(this.chroot, path), zxid });
  }

  onGap(cause: GapCause): void {
    this.push({ type: 'gap', cause });
  }

  onEnd(): void {
    this.ended = true;
    this.waiting?.({ done: true, value: undefined });
    this.waiting = null;
  }

  next(): Promise<IteratorResult<WatchItem, undefined>> {
    const item = this.take();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    if (this.waiting !== null)
      return Promise.reject(new TypeError('one reader at a time: next() is pending'));
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  /** Leaving the loop removes the watch. */
  async return(): Promise<IteratorResult<WatchItem, undefined>> {
    await this[Symbol.asyncDispose]();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.ended) return;
    this.onEnd();
    this.items = [];
    await this.remove();
  }

  private push(item: WatchItem): void {
    if (this.ended) return;
    if (this.onItem !== null) {
      callUser(this.onItem, item);
      return;
    }
    if (this.waiting !== null) {
      const resolve = this.waiting;
      this.waiting = null;
      resolve({ done: false, value: item });
      return;
    }
    if (this.items.length - this.head >= this.bufferMax) {
      this.items = [{ type: 'gap', cause: 'overflow' }];
      this.head = 0;
    }
    this.items.push(item);
  }

  private take(): WatchItem | undefined {
    const item = this.items[this.head];
    if (item === undefined) return undefined;
    this.head++;
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    }
    return item;
  }
}

/** One event, then nothing: what `watch: true` on a read gives. */
export class OneShotWatch implements Watcher {
  readonly promise: Promise<NodeEvent>;
  private readonly chroot: string;
  private resolve: (event: NodeEvent) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;
  private readonly endError: () => unknown;
  settled = false;

  constructor(chroot: string, endError: () => unknown) {
    this.chroot = chroot;
    this.endError = endError;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Who does not await it is not to be ended by its end.
    this.promise.catch(() => undefined);
  }

  onEvent(type: NodeEventType, path: string, zxid: Zxid | null): void {
    this.settled = true;
    this.resolve({ type, path: toClientPath(this.chroot, path), zxid });
  }

  onGap(): void {}

  onEnd(): void {
    this.settled = true;
    this.reject(this.endError());
  }
}

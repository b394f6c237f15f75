/**
 * A copy of a part of the tree in this process: one znode, its children, or everything below. Reading it costs no request.
 * It is consistent across reconnects (see `cache/cache-machine.ts`), and says when it is not fresh: `state` is `stale`
 * from the loss of the connection until everything is compared again.
 *
 * Each entry is a committed state of its znode; two entries may be of different moments, as two reads would be. After
 * `sync()` all that was committed before the call is in it.
 */
import { childOf } from '../base/paths.ts';
import { OpCode } from '../wire/opcodes.ts';
import type { Request } from '../wire/request-values.ts';
import type { CacheEntry, CacheState } from './cache/cache-entry.ts';
import type { ChangeStream } from './cache/change-stream.ts';
import { CacheDriver } from './cache-driver.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CallOptions } from './client-core.ts';
import { bytes, type Codec } from './codecs.ts';
import { bounded } from './deadline.ts';
import { isZk } from './errors.ts';
import { toServerPath } from './paths.ts';
import type { ZkApi } from './zk-api.ts';

export class Cache<T> implements AsyncDisposable {
  /** The znode at its top. */
  readonly path: string;
  private readonly driver: CacheDriver<T>;

  constructor(driver: CacheDriver<T>) {
    this.path = driver.path;
    this.driver = driver;
  }

  get state(): CacheState {
    return this.driver.machine.state;
  }

  /** Why it failed, or null. */
  get error(): unknown {
    return this.driver.error;
  }

  /** Znodes that are held. */
  get size(): number {
    return this.driver.machine.tree.size;
  }

  /** Bytes of their data, as znodes have them. */
  get dataBytes(): number {
    return this.driver.machine.tree.dataBytes;
  }

  /**
   * Znodes that this client may not read, as of the last look: they are not held, and neither is what is below them. A
   * server tells no events of them; when an ACL has changed, `refresh` finds out.
   */
  get denied(): readonly string[] {
    return [...this.driver.machine.denied];
  }

  has(path: string): boolean {
    return this.driver.machine.tree.has(path);
  }

  /** null when there is no such znode here. */
  get(path: string): CacheEntry<T> | null {
    return this.driver.machine.tree.get(path);
  }

  /** Names of the children, without order; null when there is no such znode here. */
  children(path: string = this.path): readonly string[] | null {
    const { tree } = this.driver.machine;
    return tree.has(path) ? [...tree.namesOf(path)] : null;
  }

  /** Of the children that are held. */
  *childEntries(path: string = this.path): Generator<CacheEntry<T>, void, undefined> {
    const { tree } = this.driver.machine;
    for (const name of tree.namesOf(path)) yield tree.get(childOf(path, name))!;
  }

  /** Parents before their children; follows changes while it runs. */
  entries(): Iterable<CacheEntry<T>> {
    return this.driver.machine.tree.entries();
  }

  /** All entries of this moment; it does not change any more. */
  snapshot(): ReadonlyMap<string, CacheEntry<T>> {
    const all = new Map<string, CacheEntry<T>>();
    for (const entry of this.entries()) all.set(entry.path, entry);
    return all;
  }

  /** All that is held now, as one `reset`, then every change in order. */
  changes(): ChangeStream<T> {
    return this.driver.changes();
  }

  [Symbol.asyncIterator](): ChangeStream<T> {
    return this.changes();
  }

  /**
   * Everything that was committed before this call is in the cache when it resolves: what is read here then is
   * linearizable. `sync` rests on the leader's word, `quorum` on a committed transaction.
   */
  async sync(options: CallOptions & { readonly kind?: 'sync' | 'quorum' } = {}): Promise<void> {
    const { driver, path } = this;
    const { core, chroot } = driver.zk;
    const left = bounded(core, options);
    const request: Request =
      options.kind === 'quorum'
        ? { op: OpCode.multi, subs: [] }
        : { op: OpCode.sync, path: toServerPath(chroot, path) };
    for (;;) {
      driver.assertOpen();
      const caughtUp = Promise.withResolvers<void>();
      // In the turn of the reply: all events before it have been seen, none behind it.
      const decode = (): void => driver.machine.whenCaughtUp(caughtUp.resolve);
      try {
        await core.call({ request, path, bytes: path.length * 3, decode }, left());
      } catch (error) {
        if (!mayAskAgain(error)) throw error;
        continue;
      }
      await driver.unlessOver(caughtUp.promise, left());
      return;
    }
  }

  /** Compares everything with the server now, at the rate of `resync`: where ACLs have changed, or for peace of mind. */
  async refresh(options: CallOptions = {}): Promise<void> {
    const { driver } = this;
    driver.assertOpen();
    const done = Promise.withResolvers<void>();
    driver.machine.refresh(performance.now());
    driver.machine.whenCaughtUp(done.resolve);
    await driver.unlessOver(done.promise, bounded(driver.zk.core, options)());
  }

  /** Ends it and gives the watch up. */
  close(): Promise<void> {
    return this.driver.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Another session, or an empty transaction whose reply was lost: asking again changes nothing. */
function mayAskAgain(error: unknown): boolean {
  return (
    isZk(error, 'SESSIONLOST') ||
    isZk(error, 'SESSIONEXPIRED') ||
    (isZk(error, 'CONNECTIONLOSS') && error.outcome === 'unknown')
  );
}

/** Loaded, or it throws. */
export async function openCache<T>(zk: ZkApi, path: string, options: CacheOptions<T>): Promise<Cache<T>> {
  // Without a codec, T is what `bytes` makes.
  const codec = options.codec ?? (bytes as Codec<unknown> as Codec<T>);
  const driver = new CacheDriver(zk, path, codec, options);
  const left = bounded(zk.core, options);
  const loaded = Promise.withResolvers<void>();
  try {
    await driver.watch(loaded.resolve, left());
    await driver.unlessOver(loaded.promise, left());
    return new Cache(driver);
  } catch (error) {
    await driver.close();
    throw error;
  }
}

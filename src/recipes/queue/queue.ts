/**
 * Items that each go to one consumer, first come first or by priority, time or id. Two ways out:
 *
 *     claim   the item stays until it is done, and goes to somebody else when its consumer dies: at least once, and exactly
 *             once for what is written in the same transaction (`claim.ts`)
 *     take    the item goes at once: at most once
 *
 * Not a message broker: items are znodes, and each look at the queue lists them all. Fit for thousands of small items.
 * Whoever waits at an empty queue is woken by every put, and one of them gets it.
 *
 *     dialect     items                claims
 *     curator     `P/queue-…`          `P-claims/…`, or another lockPath    as QueueBuilder.lockPath
 *     kazoo       `P/entries/entry-…`  `P/taken/…`                          as LockingQueue; without claims `P/entry-…`, as Queue
 *     zookeeper   `P/qn-…`             none                                 as DistributedQueue
 */
import {
  bytes,
  type Codec,
  type Created,
  childOf,
  MultiError,
  nameOf,
  op,
  type Zk,
} from '../../client/index.ts';
import type { LeasePolicy } from '../contenders/lease.ts';
import { type WaitOptions, within } from '../contenders/wait.ts';
import { transactOnce } from '../once/once.ts';
import type { Claim } from './claim.ts';
import { type Buried, type Consuming, claimItem, marksPath, takeItem } from './claiming.ts';
import { unwrapValues, wrapValues } from './item-bytes.ts';
import { type Item, newItemName, type PutFields, type QueueDialect, type QueueOrder } from './item-names.ts';
import { firstItem, itemsAt, nextItem, type Place } from './search.ts';

export interface QueueOptions {
  readonly dialect?: QueueDialect;
  /** In which items come out; `kazoo` is always by priority. */
  readonly order?: QueueOrder;
  /** Whether consumers claim items before they work on them; all of one queue do, or none. */
  readonly claims?: boolean;
  /** Where claims are (`curator` only). */
  readonly claimsPath?: string;
  /** Consumers begin at one of so many items in front instead of the first, so that they meet less. */
  readonly spread?: number;
  /** An item that was claimed so often and never done goes to the dead letters. */
  readonly attemptsMax?: number;
  /** Where items go that nobody can read, or that were claimed too often. */
  readonly deadPath?: string;
  readonly onBuried?: (buried: Buried) => void;
  readonly policy?: LeasePolicy;
}

export interface PutOptions extends PutFields {
  readonly signal?: AbortSignal;
}

const EMPTY = new Uint8Array(0);

export class Queue<T> {
  readonly path: string;
  private readonly zk: Zk;
  private readonly codec: Codec<T>;
  private readonly place: Place;
  private readonly consuming: Consuming<T>;

  /** @throws TypeError for options that make no sense together. */
  constructor(zk: Zk, path: string, codec: Codec<T>, options: QueueOptions = {}) {
    const { attemptsMax = Number.POSITIVE_INFINITY, deadPath = `${path}-dead` } = options;
    this.zk = zk;
    this.path = path;
    this.codec = codec;
    this.place = placeOf(path, options);
    const { policy = 'suspended', onBuried = () => undefined } = options;
    const decode = (data: Uint8Array | null): readonly T[] => this.decode(data);
    this.consuming = { place: this.place, policy, attemptsMax, deadPath, onBuried, decode };
  }

  /**
   * Puts a value in, exactly once. Returns the name of its item.
   * @throws an error of the client; its outcome is `unknown` when the session ended while nobody could say.
   */
  async put(value: T, options: PutOptions = {}): Promise<string> {
    const [name] = await this.putAll([value], options);
    return name ?? '';
  }

  /** All or none. Returns the names of the items; none when the reply that had them was lost. */
  async putAll(values: readonly T[], { signal, ...fields }: PutOptions = {}): Promise<string[]> {
    const { dialect, order, itemsPath } = this.place;
    const path = childOf(itemsPath, newItemName(dialect, order, fields));
    const ops = values.map((value) => op.create(path, this.encode(value), { mode: 'persistentSequential' }));
    for (;;) {
      try {
        const created = await transactOnce(this.zk, marksPath(this.place), ops, signal);
        return ((created ?? []) as Created[]).map((one) => nameOf(one.path));
      } catch (error) {
        if (!(error instanceof MultiError) || error.codes[error.failedIndex] !== 'NONODE') throw error;
        await this.zk.ensurePath(itemsPath, 'persistent', { signal });
      }
    }
  }

  /** Waits for an item and claims it. @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
  claim(options: WaitOptions = {}): Promise<Claim<T>> {
    const grab = this.claimer();
    return within(this.path, options, (signal) => nextItem(this.zk, this.place, grab, signal));
  }

  /** null when no item is free. */
  tryClaim(options: { readonly signal?: AbortSignal } = {}): Promise<Claim<T> | null> {
    return firstItem(this.zk, this.place, this.claimer(), options.signal);
  }

  /** Claim after claim. What is not done when the loop goes on, goes back into the queue. @throws the signal's reason. */
  async *claims(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Claim<T>, never, undefined> {
    for (;;) {
      const claim = await this.claim(options);
      try {
        yield claim;
      } finally {
        // Not waited for: without a connection it goes with the next one, or with the session.
        void claim.release();
      }
    }
  }

  /** Waits for an item and removes it: what is not done with it then is never done. */
  async take(options: WaitOptions = {}): Promise<T> {
    if (this.place.claimsPath === null) {
      const values = await within(this.path, options, (signal) =>
        nextItem(
          this.zk,
          this.place,
          (item, until) => takeItem(this.zk, this.consuming, item, until),
          signal,
        ),
      );
      return values[0]!;
    }
    const claim = await this.claim(options);
    await claim.done();
    return claim.value;
  }

  /** Removes what has this id (order `id`), unless somebody works on it. Returns how many. */
  async remove(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    if (this.place.order !== 'id') throw new TypeError(`a queue of order ${this.place.order} has no ids`);
    const wanted = newItemName('curator', 'id', { id });
    let removed = 0;
    for (const item of await itemsAt(this.zk, this.place, options.signal)) {
      if (item.name.startsWith(wanted) && (await this.removeItem(item, options.signal))) removed++;
    }
    return removed;
  }

  /** Items in the queue, with those that somebody works on, in order. */
  items(options: { readonly signal?: AbortSignal } = {}): Promise<Item[]> {
    return itemsAt(this.zk, this.place, options.signal);
  }

  private async removeItem(item: Item, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.place.claimsPath === null)
      return (await takeItem(this.zk, this.consuming, item, signal)) !== null;
    const claim = await claimItem(this.zk, this.consuming, item, signal);
    await claim?.done();
    return claim !== null;
  }

  private claimer(): (item: Item, signal: AbortSignal | undefined) => Promise<Claim<T> | null> {
    if (this.place.claimsPath === null)
      throw new TypeError(`${this.path}: its other consumers do not look at claims; use take()`);
    return (item, signal) => claimItem(this.zk, this.consuming, item, signal);
  }

  private encode(value: T): Uint8Array {
    const encoded = this.codec.encode(value) ?? EMPTY;
    return this.place.dialect === 'curator' ? wrapValues([encoded]) : encoded;
  }

  private decode(data: Uint8Array | null): readonly T[] {
    if (this.place.dialect !== 'curator') return [this.codec.decode(data)];
    const values = unwrapValues(data ?? EMPTY);
    if (values.length === 0) throw new TypeError('an item without a value');
    return values.map((one) => this.codec.decode(one));
  }
}

function placeOf(path: string, options: QueueOptions): Place {
  const { dialect = 'curator', claims = dialect !== 'zookeeper', spread = 1 } = options;
  const { order = dialect === 'kazoo' ? 'priority' : 'plain', claimsPath = `${path}-claims` } = options;
  if (dialect === 'kazoo' && order !== 'priority') throw new TypeError('dialect kazoo is always by priority');
  if (dialect === 'zookeeper' && (claims || order !== 'plain'))
    throw new TypeError('dialect zookeeper has neither claims nor another order than plain');
  if (options.claimsPath !== undefined && (dialect !== 'curator' || !claims))
    throw new TypeError('claimsPath is for claims of dialect curator');
  if (!Number.isSafeInteger(spread) || spread < 1)
    throw new TypeError(`spread must be 1 or more, not ${spread}`);
  const isLocking = dialect === 'kazoo' && claims;
  return {
    path,
    itemsPath: isLocking ? childOf(path, 'entries') : path,
    claimsPath: !claims ? null : isLocking ? childOf(path, 'taken') : claimsPath,
    dialect,
    order,
    spread,
  };
}

/** `codec` says what values are; bytes if left out. */
export function queue(zk: Zk, path: string): Queue<Uint8Array | null>;
export function queue<T>(zk: Zk, path: string, codec: Codec<T>, options?: QueueOptions): Queue<T>;
export function queue(
  zk: Zk,
  path: string,
  codec: Codec<unknown> = bytes as Codec<unknown>,
  options?: QueueOptions,
): Queue<unknown> {
  return new Queue(zk, path, codec, options);
}

/**
 * Finding the next item that is free, and waiting for one. A first look sets no watch, because a busy queue has something;
 * only who finds nothing looks again with watches and waits: for another list of items, for a claim that ends, or for the
 * time at which an item is due.
 */
import { type Changed, type Children, isZk, type Zk } from '../../client/index.ts';
import { MixedDialectError } from '../contenders/errors.ts';
import { anyOf, inAnySession, isSessionEnd, untilChanged } from '../contenders/wait.ts';
import { byOrder, type Item, parseItem, type QueueDialect, type QueueOrder } from './item-names.ts';

/** Where a queue lies in the tree, and how its names read. */
export interface Place {
  readonly path: string;
  readonly itemsPath: string;
  /** null: its consumers take items without claims. */
  readonly claimsPath: string | null;
  readonly dialect: QueueDialect;
  readonly order: QueueOrder;
  /** Consumers begin at one of so many items in front, so that they meet less. */
  readonly spread: number;
}

/** Gets hold of an item; null when somebody else was faster. */
export type Grab<R> = (item: Item, signal: AbortSignal | undefined) => Promise<R | null>;

/** setTimeout's longest. */
const TIMER_MAX_MS = 0x7fffffff;

/** The first item that `grab` gets hold of. @throws MixedDialectError, the signal's reason, or an error of the client. */
export async function nextItem<R>(
  zk: Zk,
  place: Place,
  grab: Grab<R>,
  signal: AbortSignal | undefined,
): Promise<R> {
  for (let isWatching = false; ; isWatching = !isWatching) {
    try {
      const got = await oneLook(zk, place, grab, isWatching, signal);
      if (got !== null) return got;
    } catch (error) {
      if (!isSessionEnd(error)) throw error;
    }
  }
}

/** As `nextItem`, without waiting: null when nothing is free. */
export function firstItem<R>(
  zk: Zk,
  place: Place,
  grab: Grab<R>,
  signal: AbortSignal | undefined,
): Promise<R | null> {
  return inAnySession(() => oneLook(zk, place, grab, false, signal));
}

/** All items, in order. */
export async function itemsAt(zk: Zk, place: Place, signal?: AbortSignal): Promise<Item[]> {
  return itemsIn((await list(zk, place.itemsPath, false, signal)).names, place);
}

interface Look {
  readonly names: readonly string[];
  readonly changed: Changed | null;
}

async function oneLook<R>(
  zk: Zk,
  place: Place,
  grab: Grab<R>,
  isWatching: boolean,
  signal: AbortSignal | undefined,
): Promise<R | null> {
  const changes: Changed[] = [];
  try {
    const all = await list(zk, place.itemsPath, isWatching, signal);
    if (all.changed !== null) changes.push(all.changed);
    const items = itemsIn(all.names, place);
    const claims = items.length === 0 ? null : await claimsAt(zk, place, isWatching, signal);
    if (claims !== null && claims.changed !== null) changes.push(claims.changed);
    const taken = new Set(claims?.names);
    const nowMs = Date.now();
    let dueMs = Number.POSITIVE_INFINITY;
    let missed = false;
    for (const item of spreadOut(items, place.spread)) {
      if (taken.has(item.name)) continue;
      if (item.dueMs > nowMs) dueMs = Math.min(dueMs, item.dueMs);
      else {
        const got = await grab(item, signal);
        if (got !== null) return got;
        missed = true;
      }
    }
    // Who missed one looks again at once: what it ran into need not make another event.
    if (isWatching && !missed) await untilAny(changes, dueMs - nowMs, signal);
    return null;
  } finally {
    for (const changed of changes) changed[Symbol.dispose]();
  }
}

function itemsIn(names: readonly string[], place: Place): Item[] {
  const items: Item[] = [];
  for (const name of names) {
    const item = parseItem(place.dialect, place.order, name);
    if (typeof item === 'string') throw new MixedDialectError(place.path, place.dialect, item, name);
    if (item !== null) items.push(item);
  }
  return items.sort(byOrder);
}

function spreadOut(items: readonly Item[], spread: number): readonly Item[] {
  const first = Math.floor(Math.random() * Math.min(spread, items.length));
  return first === 0 ? items : [...items.slice(first), ...items.slice(0, first)];
}

async function claimsAt(
  zk: Zk,
  place: Place,
  isWatching: boolean,
  signal: AbortSignal | undefined,
): Promise<Look | null> {
  return place.claimsPath === null ? null : list(zk, place.claimsPath, isWatching, signal);
}

/** Children of a path that is made if it is missing. */
async function list(
  zk: Zk,
  path: string,
  isWatching: boolean,
  signal: AbortSignal | undefined,
): Promise<Look> {
  for (;;) {
    try {
      if (isWatching) return await zk.children(path, { watch: true, signal });
      const { names }: Children = await zk.children(path, { signal });
      return { names, changed: null };
    } catch (error) {
      if (!isZk(error, 'NONODE')) throw error;
      await zk.ensurePath(path, 'persistent', { signal });
    }
  }
}

async function untilAny(
  changes: readonly Changed[],
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const due = new AbortController();
  const timer =
    waitMs === Number.POSITIVE_INFINITY
      ? undefined
      : setTimeout(() => due.abort(), Math.min(waitMs, TIMER_MAX_MS));
  const until = anyOf(signal, due.signal);
  try {
    await Promise.race(changes.map((changed) => untilChanged(changed, until)));
  } catch (error) {
    if (signal?.aborted === true || !due.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    due.abort();
  }
}

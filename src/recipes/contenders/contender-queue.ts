/**
 * Queueing for something: an ephemeral sequential znode each, the lowest goes first, and each watches only the one in front,
 * so that a release wakes one.
 *
 *     create own (protected) ─▶ list ─▶ nobody in front ───────────────▶ ours
 *            ▲                    │
 *            │                    └▶ watch the nearest in front ─gone─▶ the next in front …  (those in front only vanish)
 *            └──── our znode is gone, or of a session that has ended
 *
 * Nothing is believed across a reconnect: before it says "ours", the znode is there and of this session.
 */
import { randomUUID } from 'node:crypto';
import type { Zxid } from '../../base/zxid.ts';
import { childOf, type Data, isZk, nameOf, removeLater, type Zk } from '../../client/index.ts';
import { MixedDialectError } from './errors.ts';
import {
  type Contender,
  type ContenderKind,
  contendersOf,
  type Dialect,
  newName,
  parseName,
} from './names.ts';

export interface QueueOptions {
  readonly dialect: Dialect;
  readonly kind: ContenderKind;
  readonly data: Data;
  readonly signal: AbortSignal | undefined;
  /** Those in front whose going this one waits for, nearest last. */
  readonly inFront: (lower: readonly Contender[]) => readonly Contender[];
  /** After a wake: the list is asked for again, because it may not only have shrunk. */
  readonly relist?: boolean;
}

export interface Turn {
  readonly path: string;
  /** czxid of our znode. */
  readonly token: Zxid;
}

interface Own {
  readonly path: string;
  readonly token: Zxid;
  readonly epoch: number;
  readonly connections: number;
}

/** Waits for our turn. @throws the signal's reason; our znode is gone then. */
export async function takeTurn(zk: Zk, path: string, options: QueueOptions): Promise<Turn> {
  for (;;) {
    const own = await enter(zk, path, options);
    try {
      if (await waitInLine(zk, path, own, options)) return own;
    } catch (error) {
      removeLater(zk, own.path);
      throw error;
    }
    if (zk.epoch === own.epoch) removeLater(zk, own.path);
  }
}

/** One look: ours at once, or not at all. */
export async function tryTurn(zk: Zk, path: string, options: QueueOptions): Promise<Turn | null> {
  const own = await enter(zk, path, options);
  try {
    const lower = await lowerThan(zk, path, own, options);
    if (lower !== null && options.inFront(lower).length === 0) return own;
  } catch (error) {
    removeLater(zk, own.path);
    throw error;
  }
  await zk.delete(own.path, { ifExists: true });
  return null;
}

/** Who queues at `path`, first come first. */
export async function contendersAt(zk: Zk, path: string): Promise<Contender[]> {
  try {
    return contendersOf((await zk.children(path)).names);
  } catch (error) {
    if (isZk(error, 'NONODE')) return [];
    throw error;
  }
}

async function enter(zk: Zk, path: string, options: QueueOptions): Promise<Own> {
  const { dialect, kind, data, signal } = options;
  const { name, prefix } = newName(dialect, kind, randomUUID(), zk.sessionId);
  const created = await zk.create(childOf(path, name), data, {
    mode: 'ephemeralSequential',
    // ZooKeeper's own names are unique per session only by their number: never taken for found.
    ...(dialect === 'zookeeper' ? {} : { protect: prefix }),
    parents: 'container',
    ...(signal === undefined ? {} : { signal }),
  });
  const stat = created.stat ?? (await zk.exists(created.path));
  return { path: created.path, token: stat?.czxid ?? 0, epoch: zk.epoch, connections: zk.core.connections };
}

/** False: our znode is gone; queue again. */
async function waitInLine(zk: Zk, path: string, own: Own, options: QueueOptions): Promise<boolean> {
  let front = await inFrontOf(zk, path, own, options);
  while (front !== null) {
    const next = front.at(-1);
    if (next === undefined) return isStillOurs(zk, own);
    await untilGone(zk, childOf(path, next.name), options.signal);
    front = options.relist === true ? await inFrontOf(zk, path, own, options) : front.slice(0, -1);
  }
  return false;
}

async function inFrontOf(
  zk: Zk,
  path: string,
  own: Own,
  options: QueueOptions,
): Promise<readonly Contender[] | null> {
  const lower = await lowerThan(zk, path, own, options);
  return lower === null ? null : options.inFront(lower);
}

/** Contenders in front, or null when our own znode is not in the list. */
async function lowerThan(zk: Zk, path: string, own: Own, options: QueueOptions): Promise<Contender[] | null> {
  const all = contendersOf((await zk.children(path, { signal: options.signal })).names);
  const mine = parseName(nameOf(own.path))!;
  const foreign = all.find((one) => one.dialect !== options.dialect);
  if (foreign !== undefined)
    throw new MixedDialectError(path, options.dialect, foreign.dialect, foreign.name);
  if (!all.some((one) => one.name === mine.name)) return null;
  return all.filter((one) => one.sequence < mine.sequence);
}

/** Resolves when the znode is not there. A look that fails with the connection is made again. */
async function untilGone(zk: Zk, path: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    // getData and not exists: of a znode that is gone already, exists would leave a watch behind.
    const { changed } = await zk.getData(path, { watch: true, signal });
    await untilFirst(changed, signal);
  } catch (error) {
    if (isZk(error, 'NONODE') || isZk(error, 'SESSIONEXPIRED') || isZk(error, 'SESSIONLOST')) return;
    throw error;
  }
}

/** The event, or the signal's reason; then the watch is given up. */
async function untilFirst(
  changed: Promise<unknown> & Disposable,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal === undefined) {
    await changed;
    return;
  }
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    changed[Symbol.dispose]();
    reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([changed, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Asked only if the connection has changed since the znode was made. */
async function isStillOurs(zk: Zk, own: Own): Promise<boolean> {
  if (zk.core.connections === own.connections && zk.core.isConnected) return true;
  const stat = await zk.exists(own.path);
  return stat !== null && stat.ephemeralOwner === zk.sessionId && stat.czxid === own.token;
}

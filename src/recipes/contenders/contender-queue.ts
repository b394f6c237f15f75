/**
 * Queueing for something: an ephemeral sequential znode each, the lowest goes first, and each watches only the one in front,
 * so that a release wakes one.
 *
 *     create own (protected) ─▶ list ─▶ nobody in front ──────────────────────────────────▶ ours
 *            ▲                   ▲│                                                            ▲
 *            │                   │└▶ watch the nearest in front ─gone─▶ it was the only one ───┘
 *            │                   └──────────────────────────────gone, others are left
 *            └──── our znode is gone, or of a session that has ended
 *
 * Nothing is believed across a reconnect: before it says "ours", the znode is there and of this session.
 */
import { randomUUID } from 'node:crypto';
import type { Zxid } from '../../base/zxid.ts';
import { childOf, type Data, isZk, nameOf, removeLater, type Zk } from '../../client/index.ts';
import { MixedDialectError } from './errors.ts';
import type { Turn } from './lease.ts';
import {
  type Contender,
  type ContenderKind,
  contendersOf,
  type Dialect,
  newName,
  parseName,
} from './names.ts';
import { isSessionEnd, untilChanged } from './wait.ts';

export interface QueueOptions {
  readonly dialect: Dialect;
  readonly kind: ContenderKind;
  readonly data: Data;
  readonly signal: AbortSignal | undefined;
  /** Those in front whose going this one waits for, nearest last. */
  readonly inFront: (lower: readonly Contender[]) => readonly Contender[];
  /** After a wake the list is asked for again in any case, because it may not only have shrunk. */
  readonly relist?: boolean;
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
    const turn = await oneTry(zk, path, options, waitInLine);
    if (typeof turn !== 'string') return turn;
  }
}

/** One look: ours at once, or not at all. */
export async function tryTurn(zk: Zk, path: string, options: QueueOptions): Promise<Turn | null> {
  for (;;) {
    const turn = await oneTry(zk, path, options, lookOnce);
    if (turn === 'taken') return null;
    if (turn !== 'gone') return turn;
  }
}

type Outcome = 'ours' | 'taken' | 'gone';
type Wait = (zk: Zk, path: string, own: Own, options: QueueOptions) => Promise<Outcome>;

/** `gone`: our znode is, or the session that it belonged to. Unless it is ours, nothing is left of this try. */
async function oneTry(
  zk: Zk,
  path: string,
  options: QueueOptions,
  wait: Wait,
): Promise<Turn | 'taken' | 'gone'> {
  let own: Own | null = null;
  let outcome: Outcome = 'gone';
  try {
    own = await enter(zk, path, options);
    outcome = await wait(zk, path, own, options);
    return outcome === 'ours' ? own : outcome;
  } catch (error) {
    if (isSessionEnd(error)) return 'gone';
    throw error;
  } finally {
    if (own !== null && outcome !== 'ours') removeLater(zk, own.path);
  }
}

async function lookOnce(zk: Zk, path: string, own: Own, options: QueueOptions): Promise<Outcome> {
  const front = await inFrontOf(zk, path, own, options);
  if (front === null) return 'gone';
  return front.length > 0 ? 'taken' : isStillOurs(zk, own, options.signal);
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
    protect: prefix,
    parents: 'container',
    ...(signal === undefined ? {} : { signal }),
  });
  const stat = created.stat ?? (await zk.exists(created.path));
  return { path: created.path, token: stat?.czxid ?? 0, epoch: zk.epoch, connections: zk.core.connections };
}

async function waitInLine(zk: Zk, path: string, own: Own, options: QueueOptions): Promise<Outcome> {
  let front = await inFrontOf(zk, path, own, options);
  while (front !== null) {
    const next = front.at(-1);
    if (next === undefined) return isStillOurs(zk, own, options.signal);
    if (!(await untilGone(zk, childOf(path, next.name), options.signal))) return 'gone';
    // Those in front only vanish, but asking one by one which of them did would cost a round trip each.
    front = front.length > 1 || options.relist === true ? await inFrontOf(zk, path, own, options) : [];
  }
  return 'gone';
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

/** Waits until the znode is not there. False: the session that watched it has ended first. */
async function untilGone(zk: Zk, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    for (;;) {
      // getData and not exists: of a znode that is gone already, exists would leave a watch behind.
      const { changed } = await zk.getData(path, { watch: true, signal });
      const event = await untilChanged(changed, signal);
      if (event === null) return false;
      // Its name is never given again, so there is nothing to be asked. Other data is no reason to go on.
      if (event.type === 'deleted') return true;
    }
  } catch (error) {
    if (isZk(error, 'NONODE')) return true;
    if (isSessionEnd(error)) return false;
    throw error;
  }
}

/** Asked only if the connection has changed since the znode was made. */
async function isStillOurs(zk: Zk, own: Own, signal: AbortSignal | undefined): Promise<Outcome> {
  if (zk.core.connections === own.connections && zk.core.isConnected) return 'ours';
  const stat = await zk.exists(own.path, { signal });
  return stat !== null && stat.ephemeralOwner === zk.sessionId && stat.czxid === own.token ? 'ours' : 'gone';
}

/**
 * Getting hold of one item: a claim on it, the item itself, or its way to the dead letters, where it goes when its bytes
 * are no value or when it was claimed too often without being done. Each is one transaction; who is second is refused.
 */
import { randomUUID } from 'node:crypto';
import type { Zxid } from '../../base/zxid.ts';
import {
  type Created,
  childOf,
  isZk,
  MultiError,
  type NodeData,
  op,
  parentOf,
  type WriteOp,
  type Zk,
} from '../../client/index.ts';
import { stillUnknown } from '../contenders/errors.ts';
import type { LeasePolicy } from '../contenders/lease.ts';
import { inAnySession, isSessionEnd } from '../contenders/wait.ts';
import { transactOnce } from '../once/once.ts';
import { Claim, type Claimed } from './claim.ts';
import type { Item } from './item-names.ts';
import type { Place } from './search.ts';

/** An item that no consumer gets any more. */
export interface Buried {
  /** Where its bytes are now; the folder of all such when the reply that named it was lost. */
  readonly path: string;
  readonly item: string;
  readonly reason: string;
}

export interface Consuming<T> {
  readonly place: Place;
  readonly policy: LeasePolicy;
  /** Claims that an item may have; infinite = any number. */
  readonly attemptsMax: number;
  readonly deadPath: string;
  readonly onBuried: (buried: Buried) => void;
  /** @throws any error: these bytes are no value. */
  readonly decode: (bytes: Uint8Array | null) => readonly T[];
}

/** null: somebody else was faster. */
export async function claimItem<T>(
  zk: Zk,
  how: Consuming<T>,
  item: Item,
  signal: AbortSignal | undefined,
): Promise<Claim<T> | null> {
  const itemPath = childOf(how.place.itemsPath, item.name);
  const claimPath = childOf(how.place.claimsPath!, item.name);
  const found = await zk.tryGetData(itemPath, { signal });
  if (found === null) return null;
  const values = await readOrBury(zk, how, item, found, signal);
  if (values === null) return null;
  const claimed = await tryClaim(zk, { itemPath, claimPath, found }, signal);
  return claimed === null ? null : new Claim(zk, { ...claimed, values }, how.policy);
}

/** Removes the item and returns what was in it; null: somebody else was faster. */
export async function takeItem<T>(
  zk: Zk,
  how: Consuming<T>,
  item: Item,
  signal: AbortSignal | undefined,
): Promise<readonly T[] | null> {
  const itemPath = childOf(how.place.itemsPath, item.name);
  const found = await zk.tryGetData(itemPath, { signal });
  if (found === null) return null;
  const values = await readOrBury(zk, how, item, found, signal);
  if (values === null) return null;
  const remove = [op.delete(itemPath, found.stat.version)] as const;
  try {
    const removed = await unlessRefused(transactOnce(zk, marksPath(how.place), remove, signal));
    return removed === 'refused' ? null : values;
  } catch (error) {
    if (!isZk(error) || error.outcome !== 'unknown' || signal?.aborted === true || isZk(error, 'CLOSED'))
      throw error;
    // The session ended with the answer on its way. What is still there was not removed.
    const stat = await inAnySession(() => zk.exists(itemPath, { signal }));
    if (stat?.version !== found.stat.version) throw error;
    return null;
  }
}

/** Where markers of transactions are; beside the queue, because others would take them for items. */
export function marksPath(place: Place): string {
  return `${place.path}-marks`;
}

interface Wanted {
  readonly itemPath: string;
  readonly claimPath: string;
  readonly found: NodeData;
}

async function tryClaim(
  zk: Zk,
  { itemPath, claimPath, found }: Wanted,
  signal: AbortSignal | undefined,
): Promise<Omit<Claimed<never>, 'values'> | null> {
  // As kazoo writes it. Tells our claim from that of another consumer in this session.
  const word = randomUUID().replaceAll('-', '');
  const { version } = found.stat;
  for (;;) {
    const { sessionId } = zk;
    const ops = [
      op.create(claimPath, word, { mode: 'ephemeral' }),
      op.setData(itemPath, found.data, version),
    ] as const;
    try {
      const [, stat] = await zk.multi(ops, { signal });
      return { itemPath, claimPath, sessionId, version: stat.version, token: stat.mzxid };
    } catch (error) {
      if (error instanceof MultiError) {
        if (error.codes[0] !== 'NONODE') return null;
        await zk.ensurePath(parentOf(claimPath), 'persistent', { signal });
        continue;
      }
      if (isSessionEnd(error)) continue;
      if (!isZk(error) || error.outcome !== 'unknown' || isZk(error, 'CLOSED') || isZk(error, 'AUTHFAILED'))
        throw error;
      const claim = await findClaim(zk, claimPath, signal).catch((cause: unknown) => {
        // Given up, or nobody can be asked: an item that nobody works on is not to be kept from the others.
        removeIfOurs(zk, claimPath, word);
        throw stillUnknown(cause, error);
      });
      if (claim === null) continue;
      // Of another consumer, or of our own session that has ended meanwhile: it goes with that.
      if (claim.word !== word || claim.owner !== zk.sessionId) return null;
      return { itemPath, claimPath, sessionId: claim.owner, version: version + 1, token: claim.token };
    }
  }
}

interface FoundClaim {
  readonly word: string;
  readonly owner: bigint;
  readonly token: Zxid;
}

function findClaim(zk: Zk, claimPath: string, signal?: AbortSignal): Promise<FoundClaim | null> {
  return inAnySession(async () => {
    // Another server may be behind the one that took the request.
    await zk.sync(claimPath, { signal });
    const found = await zk.tryGetData(claimPath, { signal });
    if (found === null) return null;
    const { czxid, ephemeralOwner } = found.stat;
    return { word: Buffer.from(found.data ?? []).toString(), owner: ephemeralOwner, token: czxid };
  });
}

/** Given up with its claim under way: what it may have made is taken away. */
function removeIfOurs(zk: Zk, claimPath: string, word: string): void {
  const remove = async (): Promise<void> => {
    const claim = await findClaim(zk, claimPath);
    // Of this session, so nobody else can have one of that name while the delete is on its way.
    if (claim?.word === word && claim.owner === zk.sessionId) await zk.delete(claimPath, { ifExists: true });
  };
  // Without a connection it goes with the session.
  remove().catch(() => undefined);
}

/** null: it is not to be had, because it was buried or taken. */
async function readOrBury<T>(
  zk: Zk,
  how: Consuming<T>,
  item: Item,
  found: NodeData,
  signal: AbortSignal | undefined,
): Promise<readonly T[] | null> {
  const { version } = found.stat;
  if (how.place.claimsPath !== null && version >= how.attemptsMax) {
    await bury(zk, how, item, found, `claimed ${version} times and never done`, signal);
    return null;
  }
  try {
    return how.decode(found.data);
  } catch (error) {
    await bury(zk, how, item, found, error instanceof Error ? error.message : String(error), signal);
    return null;
  }
}

async function bury<T>(
  zk: Zk,
  how: Consuming<T>,
  item: Item,
  found: NodeData,
  reason: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { itemsPath, claimsPath } = how.place;
  // Sequential, because the names of a queue that was made anew begin again.
  const dead = op.create(childOf(how.deadPath, `${item.name}-`), found.data, {
    mode: 'persistentSequential',
  });
  const ops: WriteOp[] = [dead, op.delete(childOf(itemsPath, item.name), found.stat.version)];
  if (claimsPath !== null) {
    // Only while nobody has a claim on it.
    const claimPath = childOf(claimsPath, item.name);
    ops.push(op.create(claimPath, null, { mode: 'ephemeral' }), op.delete(claimPath));
  }
  await zk.ensurePath(how.deadPath, 'persistent', { signal });
  const results = await unlessRefused(transactOnce(zk, marksPath(how.place), ops, signal));
  if (results === 'refused') return;
  const path = (results?.[0] as Created | undefined)?.path ?? how.deadPath;
  how.onBuried({ path, item: item.name, reason });
}

async function unlessRefused<T>(transaction: Promise<T>): Promise<T | 'refused'> {
  try {
    return await transaction;
  } catch (error) {
    if (error instanceof MultiError) return 'refused';
    throw error;
  }
}

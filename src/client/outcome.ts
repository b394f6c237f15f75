/**
 * Writes whose reply was lost: what can be found out about them, is. Each function sends its write, and only where the
 * connection broke behind it looks at the tree:
 *
 *     create                NODEEXISTS now? ours if it is of this session; if newer than the call and with our bytes, perhaps
 *     create, sequential    a name of our own in front (`_c_<uuid>-`): listed in the parent, it is found or was not made
 *     delete                NONODE now, or another znode in its place: gone, by us or by another
 *     setData(version v)    version v + 1 with our bytes: perhaps ours
 *
 * "Perhaps" is told as `maybeOther`: another client may have asked for the same.
 *
 * A refusal behind a lost reply says nothing about the lost one (another may have come in between), so it keeps its code
 * and is told as `unknown`, unless the tree shows that ours had no effect. Nothing that could undo a later writer is
 * repeated, with one exception: a delete of a znode that is made again between our look and our second try.
 * Cancellation and deadlines bound the whole, not each request.
 */
import { randomUUID } from 'node:crypto';
import { childOf, nameOf, parentOf } from '../base/paths.ts';
import type { Zxid } from '../base/zxid.ts';
import type { Stat } from '../wire/stat.ts';
import type { CallOptions } from './client-core.ts';
import { bounded } from './deadline.ts';
import { isZk, ZkError } from './errors.ts';
import { removeLater } from './janitor.ts';
import { type Created, type CreateOp, type DeleteOp, type SetDataOp, toBytes } from './operations.ts';
import { createWithParents } from './parents.ts';
import type { ZkApi } from './zk-api.ts';
import type { CreateOptions, DeleteOptions, Resolved } from './zk-options.ts';

/** What Curator puts in front too: tools and other clients know the form. */
const PROTECTED_PREFIX = '_c_';

const CERTAIN: Resolved = { maybeOther: false };
const PERHAPS: Resolved = { maybeOther: true };

export async function createProtected(
  zk: ZkApi,
  operation: CreateOp,
  options: CreateOptions,
): Promise<Created> {
  const parent = parentOf(operation.path);
  const given = typeof options.protect === 'string' ? options.protect : null;
  const prefix = given ?? `${PROTECTED_PREFIX}${randomUUID()}-`;
  const own =
    given === null ? { ...operation, path: childOf(parent, prefix + nameOf(operation.path)) } : operation;
  const left = bounded(zk.core, options);
  let lost: ZkError | null = null;
  try {
    for (;;) {
      try {
        return await send(zk, own, options, left());
      } catch (error) {
        if (!wasCutOff(error)) throw error;
        lost = error;
        const found = await inAnySession(() => findByPrefix(zk, parent, prefix, left()));
        if (found === null) continue;
        const stat = await inAnySession(() => zk.exists(found, left()));
        if (stat === null) continue;
        if (!own.mode?.startsWith('ephemeral') || stat.ephemeralOwner === zk.sessionId)
          return { path: found, stat };
        // Of a session that has ended meanwhile: about to vanish, and not ours any more.
        removeLater(zk, found);
      }
    }
  } catch (error) {
    const mayBeThere = lost !== null || (error instanceof ZkError && error.outcome === 'unknown');
    if (!mayBeThere) throw error;
    // Cancelled or failed for good with its create under way: what it may have made is taken away.
    removeByPrefix(zk, parent, prefix);
    throw asUnknown(error, 'create', operation.path);
  }
}

export async function resolveCreate(
  zk: ZkApi,
  operation: CreateOp,
  options: CreateOptions,
): Promise<Created> {
  if (operation.mode?.endsWith('Sequential')) {
    throw new TypeError(`create ${operation.path}: sequential znodes are found again by { protect: true }`);
  }
  const before = zk.core.driver.machine.session.seenZxid;
  const { path } = operation;
  const left = bounded(zk.core, options);
  return resolve('create', path, async (lost) => {
    try {
      return { ...(await send(zk, operation, options, left())), ...CERTAIN };
    } catch (error) {
      if (!lost || !isZk(error, 'NODEEXISTS')) throw error;
      const found = await inAnySession(() => zk.tryGetData(path, left()));
      // Gone again: whoever made it, the next try tells.
      if (found === null) return null;
      const { stat } = found;
      // It was there before we asked.
      if (stat.czxid <= before) throw new Refused(error);
      const isEphemeral = operation.mode === 'ephemeral';
      const ours = isEphemeral
        ? stat.ephemeralOwner === zk.sessionId
        : sameBytes(found.data, toBytes(operation.data));
      if (ours) return { path, stat, maybeOther: !isEphemeral };
      throw error;
    }
  });
}

export async function resolveDelete(
  zk: ZkApi,
  operation: DeleteOp,
  options: DeleteOptions,
): Promise<Resolved> {
  const { ifExists = false } = options;
  const { path, version } = operation;
  const before = zk.core.driver.machine.session.seenZxid;
  const left = bounded(zk.core, options);
  return resolve('delete', path, async (lost) => {
    if (lost && (await inAnySession(() => isAnother(zk, path, before, left())))) return PERHAPS;
    try {
      await zk.delete(path, { ...left(), version, ifExists: ifExists && !lost });
    } catch (error) {
      if (!lost || !isZk(error, 'NONODE')) throw error;
      return PERHAPS;
    }
    return CERTAIN;
  });
}

export async function resolveSetData(
  zk: ZkApi,
  operation: SetDataOp,
  options: CallOptions,
): Promise<Stat & Resolved> {
  const { path, version } = operation;
  const before = zk.core.driver.machine.session.seenZxid;
  const left = bounded(zk.core, options);
  return resolve('setData', path, async (lost) => {
    try {
      return Object.assign(await zk.setData(path, operation.data, { ...left(), version }), CERTAIN);
    } catch (error) {
      if (!lost || !isZk(error, 'BADVERSION')) throw error;
      const found = await inAnySession(() => zk.tryGetData(path, left()));
      const stat = found?.stat;
      if (stat?.version === version + 1 && sameBytes(found!.data, toBytes(operation.data)))
        return Object.assign(stat, PERHAPS);
      // The one version that ours could have made is another's.
      if (stat?.version === version + 1 && stat.czxid <= before) throw new Refused(error);
      throw error;
    }
  });
}

/** A look at the tree is as good in the next session, when the present one ends before it is answered. */
async function inAnySession<T>(look: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (!isZk(error, 'SESSIONLOST') && !isZk(error, 'SESSIONEXPIRED')) throw error;
    }
  }
}

/** The tree shows that the lost request had no effect. */
class Refused {
  readonly error: ZkError;
  constructor(error: ZkError) {
    this.error = error;
  }
}

/** Tries until something is known; null from `attempt` = not yet. */
async function resolve<T>(
  op: string,
  path: string,
  attempt: (lost: boolean) => Promise<T | null>,
): Promise<T> {
  let lost = false;
  for (;;) {
    try {
      const result = await attempt(lost);
      if (result !== null) return result;
    } catch (error) {
      if (error instanceof Refused) throw error.error;
      if (!wasCutOff(error)) throw lost ? asUnknown(error, op, path) : error;
      lost = true;
    }
  }
}

/** Whether the znode is a younger one than what was to be deleted. */
async function isAnother(zk: ZkApi, path: string, before: Zxid, options: CallOptions): Promise<boolean> {
  const stat = await zk.exists(path, options);
  return stat !== null && stat.czxid > before;
}

/** The connection broke behind the request: it may have been carried out, and the client can still ask. */
function wasCutOff(error: unknown): error is ZkError<'CONNECTIONLOSS'> {
  return isZk(error, 'CONNECTIONLOSS') && error.outcome === 'unknown';
}

/** After a lost reply: the code of what ended the search, and the outcome of what it was for. */
function asUnknown(error: unknown, op: string, path: string): unknown {
  if (!(error instanceof ZkError) || (error.outcome === 'unknown' && error.op.startsWith(op))) return error;
  return new ZkError({ code: error.code, op, path, outcome: 'unknown', cause: error });
}

function send(zk: ZkApi, operation: CreateOp, options: CreateOptions, call: CallOptions): Promise<Created> {
  return options.parents === undefined
    ? zk.createOnce(operation, call)
    : createWithParents(zk, operation, call, options.parents);
}

/**
 * What a lost create made, or null. Another server than the one that was asked may be behind it, so it catches up first;
 * a request that is still on its way through the old one is refused from then on, because the session has moved.
 */
async function findByPrefix(
  zk: ZkApi,
  parent: string,
  prefix: string,
  call: CallOptions,
): Promise<string | null> {
  try {
    await zk.sync(parent, call);
    const { names } = await zk.children(parent, call);
    const name = names.find((one) => one.startsWith(prefix));
    return name === undefined ? null : childOf(parent, name);
  } catch (error) {
    if (isZk(error, 'NONODE')) return null;
    throw error;
  }
}

function removeByPrefix(zk: ZkApi, parent: string, prefix: string): void {
  const find = async (): Promise<void> => {
    // Behind the create on the same connection, or after it on the next: by then it is there or never will be.
    const found = await findByPrefix(zk, parent, prefix, { timeoutMs: 0 });
    if (found !== null) removeLater(zk, found);
  };
  // Without a client there is nobody to remove it; ephemerals go with the session.
  find().catch(() => undefined);
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

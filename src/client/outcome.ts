/**
 * Writes whose reply was lost: what can be found out about them, is. Each function sends its write, and only where the
 * outcome is unknown looks at the tree:
 *
 *     create                NODEEXISTS now? ours if it is an ephemeral of this session, or new and with our bytes
 *     create, sequential    a name of our own in front (`_c_<uuid>-`): listed in the parent, it is found or was not made
 *     delete                NONODE now: gone, by us or by another
 *     setData(version v)    version v + 1 with our bytes: ours
 *
 * What stays unknown is rejected as such. Nothing that could undo a later writer is ever repeated.
 */
import { randomUUID } from 'node:crypto';
import type { Stat } from '../wire/stat.ts';
import type { CallOptions } from './client-core.ts';
import { isZk, ZkError } from './errors.ts';
import { removeLater } from './janitor.ts';
import { type Created, type CreateOp, type SetDataOp, toBytes } from './operations.ts';
import { createWithParents } from './parents.ts';
import { childOf, nameOf, parentOf } from './paths.ts';
import type { ZkApi } from './zk-api.ts';
import type { CreateOptions } from './zk-options.ts';

/** What Curator puts in front too: tools and other clients know the form. */
const PROTECTED_PREFIX = '_c_';

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
  const epoch = zk.epoch;
  try {
    for (;;) {
      try {
        return await send(zk, own, options);
      } catch (error) {
        if (!wasUnknown(error) || options.signal?.aborted === true) throw error;
        // Another server may be behind the one that took the request.
        await inAnySession(() => zk.sync(parent, callOf(options)));
        const found = await inAnySession(() => findByPrefix(zk, parent, prefix, options));
        if (found === null) continue;
        const stat = await inAnySession(() => zk.exists(found, callOf(options)));
        if (stat === null) continue;
        if (!own.mode?.startsWith('ephemeral') || stat.ephemeralOwner === zk.sessionId)
          return { path: found, stat };
        // Of a session that has ended meanwhile: about to vanish, and not ours any more.
        removeLater(zk, found);
      }
    }
  } catch (error) {
    // Cancelled or failed for good with its create under way: what it may have made is taken away.
    if (wasUnknown(error)) removeByPrefix(zk, parent, prefix, epoch);
    throw error;
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
  const seen = zk.core.driver.machine.session.seenZxid;
  let lost: ZkError | null = null;
  for (;;) {
    try {
      return await send(zk, operation, options);
    } catch (error) {
      if (wasUnknown(error) && options.signal?.aborted !== true) {
        lost = error;
        continue;
      }
      if (lost === null || !isZk(error, 'NODEEXISTS')) throw error;
      const found = await inAnySession(() => zk.tryGetData(operation.path, callOf(options)));
      if (found === null) continue;
      const isEphemeral = operation.mode === 'ephemeral';
      const { stat } = found;
      const ours = isEphemeral
        ? stat.ephemeralOwner === zk.sessionId
        : stat.czxid > seen && sameBytes(found.data, toBytes(operation.data));
      if (ours) return { path: operation.path, stat };
      throw error;
    }
  }
}

export async function resolveDelete<T>(zk: ZkApi, send: () => Promise<T>): Promise<T | null> {
  let lost = false;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (lost && isZk(error, 'NONODE')) return null;
      if (!wasUnknown(error) || zk.core.driver.machine.isOver) throw error;
      lost = true;
    }
  }
}

export async function resolveSetData(zk: ZkApi, operation: SetDataOp, options: CallOptions): Promise<Stat> {
  const { path, version } = operation;
  const call = { ...callOf(options), version };
  let lost = false;
  for (;;) {
    try {
      return await zk.setData(path, operation.data, call);
    } catch (error) {
      if (wasUnknown(error) && options.signal?.aborted !== true) {
        lost = true;
        continue;
      }
      if (!lost || !isZk(error, 'BADVERSION')) throw error;
      const found = await inAnySession(() => zk.tryGetData(path, callOf(options)));
      if (found?.stat.version === version + 1 && sameBytes(found.data, toBytes(operation.data)))
        return found.stat;
      throw error;
    }
  }
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

/** The request may have been carried out, and the client can still ask. */
function wasUnknown(error: unknown): error is ZkError {
  return (
    error instanceof ZkError &&
    error.outcome === 'unknown' &&
    error.code !== 'CLOSED' &&
    error.code !== 'AUTHFAILED'
  );
}

function send(zk: ZkApi, operation: CreateOp, options: CreateOptions): Promise<Created> {
  const call = callOf(options);
  return options.parents === undefined
    ? zk.createOnce(operation, call)
    : createWithParents(zk, operation, call, options.parents);
}

function callOf(options: CallOptions): CallOptions {
  const { signal, timeoutMs } = options;
  return { signal, timeoutMs };
}

async function findByPrefix(
  zk: ZkApi,
  parent: string,
  prefix: string,
  options: CallOptions,
): Promise<string | null> {
  try {
    const { names } = await zk.children(parent, callOf(options));
    const name = names.find((one) => one.startsWith(prefix));
    return name === undefined ? null : childOf(parent, name);
  } catch (error) {
    if (isZk(error, 'NONODE')) return null;
    throw error;
  }
}

function removeByPrefix(zk: ZkApi, parent: string, prefix: string, epoch: number): void {
  const find = async (): Promise<void> => {
    // Behind the create on the same connection, or after it on the next: by then it is there or never will be.
    const found = await findByPrefix(zk, parent, prefix, {});
    if (found !== null && zk.epoch === epoch) removeLater(zk, found);
  };
  find().catch(() => undefined);
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

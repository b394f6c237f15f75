/**
 * Znodes with what is missing above them. A parent that was there a moment ago may be gone (containers are removed when
 * they are empty), so nothing is remembered: NONODE at any time means that parents are made again.
 */
import { parentOf } from '../base/paths.ts';
import type { CallOptions } from './client-core.ts';
import { bounded } from './deadline.ts';
import { isZk } from './errors.ts';
import { type Created, type CreateOp, op } from './operations.ts';
import type { ZkApi } from './zk-api.ts';

export type ParentKind = 'container' | 'persistent';

export async function createWithParents(
  zk: ZkApi,
  operation: CreateOp,
  options: CallOptions,
  kind: ParentKind,
): Promise<Created> {
  const left = bounded(zk.core, options);
  for (;;) {
    try {
      return await zk.createOnce(operation, left());
    } catch (error) {
      if (!isZk(error, 'NONODE') || parentOf(operation.path) === '/') throw error;
      await ensurePath(zk, parentOf(operation.path), kind, left());
    }
  }
}

export async function ensurePath(
  zk: ZkApi,
  path: string,
  kind: ParentKind,
  options: CallOptions,
): Promise<void> {
  if (path === '/') return;
  const left = bounded(zk.core, options);
  for (;;) {
    try {
      await createWithParents(zk, op.create(path, null, { mode: kind }), left(), kind);
      return;
    } catch (error) {
      if (isZk(error, 'NODEEXISTS')) return;
      // Servers without containers.
      if (kind === 'container' && isZk(error, 'UNIMPLEMENTED'))
        return ensurePath(zk, path, 'persistent', left());
      if (!isBroken(error)) throw error;
    }
  }
}

/** Whoever made it, it is there: what became of the request needs no answer, it is sent again. */
function isBroken(error: unknown): boolean {
  if (isZk(error, 'CONNECTIONLOSS')) return error.outcome === 'unknown';
  return isZk(error, 'SESSIONLOST') || isZk(error, 'SESSIONEXPIRED');
}

/**
 * Trees of znodes: deleting one, deepest first, many at a time.
 */
import { childOf } from '../base/paths.ts';
import type { CallOptions } from './client-core.ts';
import { bounded } from './deadline.ts';
import { isZk } from './errors.ts';
import type { ZkApi } from './zk-api.ts';

/** Deletes under way at a time. */
const WIDTH = 256;
/** Somebody may create below while we delete; this often we begin again. */
const ROUNDS_MAX = 100;

/** `path` and everything below it. What others create meanwhile goes too. */
export async function deleteTree(
  zk: ZkApi,
  path: string,
  options: CallOptions & { readonly ifExists?: boolean; readonly version?: number },
): Promise<void> {
  const { version } = options;
  const left = bounded(zk.core, options);
  for (let round = 0; ; round++) {
    const below = path === '/' ? await ownTree(zk, left) : await pathsBelow(zk, path, left);
    await deleteAll(zk, below.reverse(), left);
    if (path === '/') return;
    try {
      await zk.delete(path, {
        ...left(),
        ...(version === undefined ? {} : { version }),
        ifExists: options.ifExists ?? false,
      });
      return;
    } catch (error) {
      if (!isZk(error, 'NOTEMPTY') || round === ROUNDS_MAX) throw error;
    }
  }
}

/** `left` says what is left of the caller's time. Paths below `path`, parents before children; empty when it is not there. */
export async function pathsBelow(zk: ZkApi, path: string, left: () => CallOptions): Promise<string[]> {
  const found: string[] = [];
  let level = [path];
  while (level.length > 0) {
    const next: string[] = [];
    for (let from = 0; from < level.length; from += WIDTH) {
      const lists = await Promise.all(
        level.slice(from, from + WIDTH).map((one) => childrenOf(zk, one, left())),
      );
      for (const list of lists) for (const child of list) next.push(child);
    }
    for (const one of next) found.push(one);
    level = next;
  }
  return found;
}

/** All but what belongs to the server. */
async function ownTree(zk: ZkApi, left: () => CallOptions): Promise<string[]> {
  const all = await pathsBelow(zk, '/', left);
  return all.filter((path) => path !== '/zookeeper' && !path.startsWith('/zookeeper/'));
}

async function childrenOf(zk: ZkApi, path: string, options: CallOptions): Promise<string[]> {
  try {
    const { names } = await zk.children(path, options);
    return names.map((name) => childOf(path, name));
  } catch (error) {
    if (isZk(error, 'NONODE')) return [];
    throw error;
  }
}

async function deleteAll(zk: ZkApi, paths: readonly string[], left: () => CallOptions): Promise<void> {
  for (let from = 0; from < paths.length; from += WIDTH) {
    const part = paths.slice(from, from + WIDTH).map(async (path) => {
      try {
        await zk.delete(path, { ...left(), ifExists: true });
      } catch (error) {
        // A child came meanwhile: the next round sees it.
        if (!isZk(error, 'NOTEMPTY')) throw error;
      }
    });
    await Promise.all(part);
  }
}

/**
 * A tree with what its znodes hold, in the order of a walk: the currency of `dump`, `restore`, `diff`, `find` and `grep`.
 * Data and ACLs are read some znodes ahead; how many follows from their sizes, which the listing has told already, so that
 * memory stays bounded however large the values are.
 */
import { isZk, type Stat, type Zk, type ZkError } from '../../client/index.ts';
import type { AclEntry } from '../command/acl-text.ts';
import { isServers } from './count.ts';
import { type Visit, walkTree } from './walk.ts';
import { kindOf, type ZnodeKind } from './znode-kind.ts';

export interface Znode {
  /** Below the root of the tree; the root itself is `/`. */
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly kind: ZnodeKind;
  /** Only from a file: servers do not tell. */
  readonly ttlMs: number | null;
  /** null when it was not asked for. */
  readonly acl: readonly AclEntry[] | null;
  /** null when it comes from a file. */
  readonly stat: Stat | null;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  readonly withAcl: boolean;
  /** Whose data is not needed reads null. */
  readonly needsData?: (visit: Visit) => boolean;
  readonly depthMax?: number;
  /** What may not be read: passed over when this returns, with everything below. Default: throws. */
  readonly onUnreadable?: (path: string, error: ZkError) => void | Promise<void>;
}

/** Znodes read ahead, and their bytes; one of any size always fits. */
const AHEAD_MAX = 256;
const AHEAD_BYTES_MAX = 4 * 1024 * 1024;

interface Ahead {
  readonly bytes: number;
  /** null = it has vanished, or may not be read. */
  readonly znode: Promise<Znode | null>;
}

/** What belongs to the server is left out below `/`. */
export async function* readTree(zk: Zk, root: string, options: ReadOptions): AsyncGenerator<Znode> {
  const ahead: Ahead[] = [];
  let aheadBytes = 0;
  const take = (): Promise<Znode | null> => {
    const first = ahead.shift()!;
    aheadBytes -= first.bytes;
    return first.znode;
  };
  for await (const visit of visitsOf(zk, root, options)) {
    const bytes = visit.stat?.dataLength ?? 0;
    while (ahead.length > 0 && (ahead.length >= AHEAD_MAX || aheadBytes + bytes > AHEAD_BYTES_MAX)) {
      const znode = await take();
      if (znode !== null) yield znode;
    }
    const znode = readOne(zk, root, visit, options);
    // One that fails before its turn fails at its turn.
    znode.catch(() => undefined);
    ahead.push({ bytes, znode });
    aheadBytes += bytes;
  }
  while (ahead.length > 0) {
    const znode = await take();
    if (znode !== null) yield znode;
  }
}

async function* visitsOf(zk: Zk, root: string, options: ReadOptions): AsyncGenerator<Visit> {
  const { signal, depthMax = Number.POSITIVE_INFINITY } = options;
  const isOwn = root !== '/' || zk.chroot !== '';
  const enters = (path: string): boolean => isOwn || !isServers(zk, path);
  for await (const visit of walkTree(zk, root, { signal, depthMax, enters })) {
    if (!enters(visit.path)) continue;
    if (visit.error === null) yield visit;
    else if (options.onUnreadable === undefined) throw visit.error;
    else await options.onUnreadable(visit.path, visit.error);
  }
}

async function readOne(zk: Zk, root: string, visit: Visit, options: ReadOptions): Promise<Znode | null> {
  const { signal, withAcl, needsData } = options;
  const { path } = visit;
  const wantsData = needsData === undefined || needsData(visit);
  try {
    const [found, access] = await Promise.all([
      wantsData ? zk.getData(path, { signal }) : null,
      withAcl ? zk.getAcl(path, { signal }) : null,
    ]);
    const stat = found?.stat ?? visit.stat!;
    return {
      path: relativeTo(root, path),
      data: found?.data ?? null,
      kind: kindOf(stat),
      ttlMs: null,
      acl: access?.acl ?? null,
      stat,
    };
  } catch (error) {
    if (isZk(error, 'NONODE')) return null;
    if (!isZk(error, 'NOAUTH') || options.onUnreadable === undefined) throw error;
    await options.onUnreadable(path, error);
    return null;
  }
}

/** `/b` of `/a/b` below `/a`. */
export function relativeTo(root: string, path: string): string {
  if (root === '/') return path;
  return path === root ? '/' : path.slice(root.length);
}

export function absoluteFrom(root: string, path: string): string {
  if (path === '/') return root;
  return root === '/' ? path : root + path;
}

/** The order of a walk: names compared one by one. Below 0: `a` comes first. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  const left = a === '/' ? [] : a.slice(1).split('/');
  const right = b === '/' ? [] : b.slice(1).split('/');
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i] !== right[i]) return left[i]! < right[i]! ? -1 : 1;
  }
  return left.length - right.length;
}

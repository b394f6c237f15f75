/** The tree as a plain walk finds it: what a cache of it must hold. */
import { type CacheEntry, isZk, utf8, type Zk } from '../../../src/client/index.ts';

/** Path to data and the zxids that tell one state of a znode from another. */
export async function treeOf(zk: Zk, root: string, depthMax = Infinity): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const visit = async (path: string, depth: number): Promise<void> => {
    try {
      const { data, stat } = await zk.getData(path);
      found.set(path, line(utf8.decode(data), stat));
      if (depth === depthMax || stat.numChildren === 0) return;
      const { names } = await zk.children(path);
      await Promise.all(names.map((name) => visit(path === '/' ? `/${name}` : `${path}/${name}`, depth + 1)));
    } catch (error) {
      if (!isZk(error, 'NONODE') && !isZk(error, 'NOAUTH')) throw error;
    }
  };
  await visit(root, 0);
  return sorted(found);
}

export function contentsOf(entries: Iterable<CacheEntry<string>>): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, value, stat } of entries) found.set(path, line(value ?? '?', stat));
  return sorted(found);
}

function line(data: string, stat: CacheEntry<string>['stat']): string {
  return `${data} ${stat.czxid} ${stat.mzxid} ${stat.version}`;
}

function sorted(map: Map<string, string>): Map<string, string> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

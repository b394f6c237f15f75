/** Trees of members, to be compared. */
import type { Stat, Zk } from '../../../src/client/index.ts';

export type Tree = Record<string, string>;

/** As text, so that the first difference is found at once; a Stat of the client is read field by field. */
function plain(bytes: string | null, stat: Stat): string {
  const { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner, pzxid } = stat;
  return [bytes, czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner, pzxid].join(' ');
}

/** All znodes below `path` with data and stat, as a client sees them; what is of the server and not of the data left out. */
export async function treeOf(zk: Zk, path = ''): Promise<Tree> {
  const { names } = await zk.children(path === '' ? '/' : path);
  const below = names.filter((name) => path !== '' || name !== 'zookeeper').map((name) => `${path}/${name}`);
  const nodes = await Promise.all(
    below.sort().map(async (child) => {
      const { data, stat } = await zk.getData(child);
      const bytes = data === null ? null : Buffer.from(data).toString('base64');
      return { [child]: plain(bytes, stat), ...(stat.numChildren > 0 ? await treeOf(zk, child) : {}) };
    }),
  );
  return Object.assign({}, ...nodes);
}

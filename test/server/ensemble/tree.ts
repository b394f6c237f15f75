/** Trees of members, to be compared. */
import { connect, type Zk } from '../../../src/client/index.ts';
import { RingkeeperServer } from '../../support/ringkeeper.ts';
import type { RingkeeperMember } from './ringkeeper-member.ts';

export type Tree = Record<string, unknown>;

/** All znodes below `path` with data and stat, as a client sees them; what is of the server and not of the data left out. */
export async function treeOf(zk: Zk, path = ''): Promise<Tree> {
  const { names } = await zk.children(path === '' ? '/' : path);
  const below = names.filter((name) => path !== '' || name !== 'zookeeper').map((name) => `${path}/${name}`);
  const nodes = await Promise.all(
    below.sort().map(async (child) => {
      const { data, stat } = await zk.getData(child);
      const bytes = data === null ? null : Buffer.from(data).toString('base64');
      return { [child]: { bytes, ...stat }, ...(stat.numChildren > 0 ? await treeOf(zk, child) : {}) };
    }),
  );
  return Object.assign({}, ...nodes);
}

/** What a member that has stopped has on its disk. */
export async function treeOnDisk(member: RingkeeperMember): Promise<Tree> {
  const alone = new RingkeeperServer({ config: { dataDir: member.dataDir } });
  try {
    await alone.start();
    await using zk = await connect(alone.address);
    return await treeOf(zk);
  } finally {
    await alone.dispose();
  }
}

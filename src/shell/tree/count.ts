/**
 * How much lies below a znode: asked of the server, or counted where it cannot tell (before 3.6).
 */
import { isZk, type Zk } from '../../client/index.ts';
import { walkTree } from './walk.ts';

/** The znode itself is not counted; below `/` neither is what belongs to the server, unless `withServer`. */
export async function countBelow(
  zk: Zk,
  path: string,
  signal: AbortSignal,
  withServer = false,
): Promise<number> {
  const count = await countAll(zk, path, signal);
  if (withServer || path !== '/' || zk.chroot !== '') return count;
  return count - (await countAll(zk, '/zookeeper', signal)) - 1;
}

async function countAll(zk: Zk, path: string, signal: AbortSignal): Promise<number> {
  try {
    return await zk.countDescendants(path, { signal });
  } catch (error) {
    if (!isZk(error, 'UNIMPLEMENTED')) throw error;
    let count = -1;
    for await (const _ of walkTree(zk, path, { signal })) count++;
    return count;
  }
}

/** What a walk of everything passes over: the server's own znodes. */
export function isServers(zk: Zk, path: string): boolean {
  return zk.chroot === '' && (path === '/zookeeper' || path.startsWith('/zookeeper/'));
}

/** `1,234 znodes` */
export function znodes(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'znode' : 'znodes'}`;
}

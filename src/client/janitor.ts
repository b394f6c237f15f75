/**
 * Deletes that must not be lost: a lock's node whose release met a broken connection would hold the lock for ever. Each is
 * tried across reconnects until the znode is gone, the session that owned it has ended, or the client has.
 */
import { isZk, ZkError } from './errors.ts';
import type { ZkApi } from './zk-api.ts';

const TRIES_MAX = 1_000;

/** Deletes in the background; nobody waits. Only for znodes that end with this session or are of a unique name. */
export function removeLater(zk: ZkApi, path: string): void {
  void removeSurely(zk, path);
}

/** Settles once `path` is gone, or nothing more can be done about it. Never rejects with an error of ZooKeeper. */
export async function removeSurely(zk: ZkApi, path: string): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      await zk.delete(path, { ifExists: true });
      return;
    } catch (error) {
      if (!(error instanceof ZkError)) throw error;
      // Refused for good (no right, not empty), or the client has ended: the session's end takes ephemerals along.
      if (error.outcome === 'refused' || isZk(error, 'CLOSED') || isZk(error, 'AUTHFAILED')) return;
    }
  }
}

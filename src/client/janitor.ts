/**
 * Deletes that must not be lost: a lock's node whose release met a broken connection would hold the lock for ever. Each is
 * tried across reconnects until the znode is gone, a server refuses it for good, or the client has ended.
 */
import type { ClientCore } from './client-core.ts';
import { isZk, ZkError } from './errors.ts';
import type { ZkApi } from './zk-api.ts';

/** Before another try while the queue of requests is full. */
const PAUSE_MS = 50;

/** Deletes in the background; nobody waits. Only for znodes that end with this session or are of a unique name. */
export function removeLater(zk: ZkApi, path: string): void {
  void removeSurely(zk, path);
}

/**
 * Settles once `path` is gone, or nothing more can be done about it. Never rejects with an error of ZooKeeper. With
 * `sessionId`, an ephemeral znode of that session whose name others use too: never asked for in a later session.
 */
export function removeSurely(zk: ZkApi, path: string, sessionId?: bigint): Promise<void> {
  return surely(zk, async () => {
    if (sessionId !== undefined && zk.sessionId !== sessionId) return;
    await zk.delete(path, { ifExists: true, timeoutMs: 0 });
  });
}

/** Tries until `attempt` succeeds, is refused for good, or the client has ended. Never rejects with an error of ZooKeeper. */
export async function surely(zk: ZkApi, attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!(error instanceof ZkError)) throw error;
      // Refused for good (no right, not empty), or the client has ended: the session's end takes ephemerals along.
      if (error.outcome === 'refused' || zk.core.driver.machine.isOver || isZk(error, 'CLOSED')) return;
      await chance(zk.core);
    }
  }
}

/** Until another try makes sense: there is a connection, and some time has passed for the queue to drain. */
async function chance(core: ClientCore): Promise<void> {
  if (core.isConnected) {
    await new Promise<void>((resolve) => setTimeout(resolve, PAUSE_MS).unref());
    return;
  }
  await new Promise<void>((resolve) => {
    const stop = core.listen((change) => {
      if (change.state === 'suspended' || change.state === 'lost' || change.state === 'connecting') return;
      stop();
      resolve();
    });
  });
}

/**
 * Asking a holder to give up: somebody writes `__REVOKE__` (Curator's word) or `unlock` into the holder's znode. It is a
 * request; a holder that does not hear it can be forced by deleting its znode, which it learns from its signal.
 */
import { isZk, op, type Zk } from '../../client/index.ts';
import type { Lease } from '../contenders/lease.ts';
import { isSessionEnd, untilChanged } from '../contenders/wait.ts';

const WORD = '__REVOKE__';
const WORDS: readonly string[] = [WORD, 'unlock'];

/**
 * Resolves true when somebody asks; false when the lease is over without. A znode that somebody deleted ends the lease.
 */
export async function untilRevoked(zk: Zk, lease: Lease): Promise<boolean> {
  const stop = new AbortController();
  void lease.untilOver().then(() => stop.abort());
  try {
    for (;;) {
      const { data, changed } = await zk.getData(lease.path, { watch: true, signal: stop.signal });
      if (data !== null && WORDS.includes(Buffer.from(data).toString())) {
        changed[Symbol.dispose]();
        return true;
      }
      await untilChanged(changed, stop.signal);
    }
  } catch (error) {
    if (stop.signal.aborted) return false;
    if (isZk(error, 'NONODE')) lease.lose('its znode was deleted');
    else if (!isSessionEnd(error) && !isZk(error, 'CLOSED')) throw error;
    return false;
  }
}

/** Asks the holder of the contender `path` to give up. False: it is not there any more. */
export async function askToRevoke(zk: Zk, path: string): Promise<boolean> {
  try {
    await zk.multi([op.setData(path, WORD)]);
    return true;
  } catch (error) {
    if (isZk(error, 'MULTIFAILED')) return false;
    throw error;
  }
}

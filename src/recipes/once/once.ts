/**
 * A transaction that takes effect exactly once, also when its reply is lost: it carries a marker, an ephemeral znode of a
 * unique name. As long as the session lives, the marker is there if and only if the transaction was applied.
 *
 *     multi [ops…, create marker] ──reply lost──▶ sync, marker there? ─yes─▶ done
 *                  ▲                                                └no──▶ again
 *                  └──────────────────────────────────────────────────────┘
 *
 * When the session ends in between, nobody knows any more, and that is what is thrown.
 */
import { randomUUID } from 'node:crypto';
import {
  childOf,
  isZk,
  MultiError,
  op,
  type ResultOf,
  removeLater,
  type WriteOp,
  type Zk,
  type ZkError,
} from '../../client/index.ts';
import { stillUnknown } from '../contenders/errors.ts';
import { isSessionEnd } from '../contenders/wait.ts';

type Results<T extends readonly WriteOp[]> = { -readonly [K in keyof T]: ResultOf<T[K]> };

/**
 * `parent` is where the marker goes; it is made if it is missing. null: applied, but what it answered is lost.
 * @throws MultiError for what was refused, or a ZkError whose outcome is `unknown` when the session ended.
 */
export async function transactOnce<const T extends readonly WriteOp[]>(
  zk: Zk,
  parent: string,
  ops: T,
  signal?: AbortSignal,
): Promise<Results<T> | null> {
  const marker = childOf(parent, `_m_${randomUUID()}`);
  const { epoch } = zk;
  for (;;) {
    try {
      const results = await zk.multi([...ops, op.create(marker, null, { mode: 'ephemeral' })], { signal });
      removeLater(zk, marker);
      return results.slice(0, -1) as Results<T>;
    } catch (error) {
      if (isMissingParent(error, ops.length)) {
        await zk.ensurePath(parent, 'persistent', { signal });
        continue;
      }
      if (!isZk(error) || error.outcome !== 'unknown') throw error;
      if (signal?.aborted === true || isZk(error, 'CLOSED') || isZk(error, 'AUTHFAILED')) throw error;
      if (await isThere(zk, marker, epoch, error, signal)) {
        removeLater(zk, marker);
        return null;
      }
    }
  }
}

function isMissingParent(error: unknown, index: number): boolean {
  return error instanceof MultiError && error.failedIndex === index && error.codes[index] === 'NONODE';
}

/** @throws `lost` when the session that could tell is over, or why nobody can be asked. */
async function isThere(
  zk: Zk,
  marker: string,
  epoch: number,
  lost: ZkError,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    // Another server may be behind the one that took the request.
    await zk.sync(marker, { signal });
    const stat = await zk.exists(marker, { signal });
    if (zk.epoch === epoch) return stat !== null;
  } catch (error) {
    if (!isSessionEnd(error)) throw stillUnknown(error, lost);
  }
  throw lost;
}

/**
 * From a turn in a queue to a lease, with a bound in time: what every exclusive recipe does.
 */
import type { Data, Zk } from '../../client/index.ts';
import { type QueueOptions, takeTurn, tryTurn } from './contender-queue.ts';
import { Lease, type LeasePolicy } from './lease.ts';
import type { Contender, ContenderKind, Dialect } from './names.ts';
import { type WaitOptions, within } from './wait.ts';

export interface AcquireOptions extends WaitOptions {
  /** Stored in our znode, for people who look. */
  readonly data?: Data;
}

/** How a recipe queues. */
export interface QueueKind {
  readonly dialect: Dialect;
  readonly policy: LeasePolicy;
  readonly kind: ContenderKind;
  readonly inFront: (lower: readonly Contender[]) => readonly Contender[];
  readonly relist?: boolean;
}

/** @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
export function acquireLease(zk: Zk, path: string, how: QueueKind, options: AcquireOptions): Promise<Lease> {
  return within(path, options, async (signal) => {
    const turn = await takeTurn(zk, path, queueOptions(how, options.data, signal));
    return new Lease(zk, turn, how.policy);
  });
}

/** null when somebody else is in front. */
export async function tryLease(
  zk: Zk,
  path: string,
  how: QueueKind,
  options: Omit<AcquireOptions, 'timeoutMs'>,
): Promise<Lease | null> {
  const turn = await tryTurn(zk, path, queueOptions(how, options.data, options.signal));
  return turn === null ? null : new Lease(zk, turn, how.policy);
}

/** Runs `work` while holding. Rejects with LeaseLostError when it was lost meanwhile. */
export async function holding<T>(lease: Lease, work: (lease: Lease) => Promise<T>): Promise<T> {
  await using held = lease;
  const result = await work(held);
  if (held.signal.aborted) throw held.signal.reason;
  return result;
}

function queueOptions(how: QueueKind, data: Data = null, signal: AbortSignal | undefined): QueueOptions {
  const { dialect, kind, inFront, relist = false } = how;
  return { dialect, kind, data, signal, inFront, relist };
}

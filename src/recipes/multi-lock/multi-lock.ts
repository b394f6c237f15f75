/**
 * Several locks as one. They are acquired in the order of their paths, whatever order they are named in: two who want the
 * same locks never wait for each other in a circle. Released in reverse.
 */
import { MultiError, op, type ResultOf, type WriteOp, type Zk } from '../../client/index.ts';
import type { AcquireOptions } from '../contenders/acquire.ts';
import type { Lease } from '../contenders/lease.ts';
import { anyOf, within } from '../contenders/wait.ts';
import { Lock, type LockOptions } from '../lock/lock.ts';

/** All of them, held. */
export class MultiLease implements AsyncDisposable {
  /** In the order of their paths. */
  readonly leases: readonly Lease[];
  /** Fires when any of them may no longer be held. */
  readonly signal: AbortSignal;

  constructor(leases: readonly Lease[]) {
    this.leases = leases;
    this.signal = AbortSignal.any(leases.map((lease) => lease.signal));
  }

  /** @throws LeaseLostError when one of them may no longer be held. */
  assertHeld(): void {
    for (const lease of this.leases) lease.assertHeld();
  }

  /** All of `ops`, only if all of them are still held. */
  async guard<const T extends readonly WriteOp[]>(
    ops: T,
  ): Promise<{ -readonly [K in keyof T]: ResultOf<T[K]> }> {
    this.assertHeld();
    const [first, ...others] = this.leases;
    try {
      const results = await first!.guard([...others.map(({ path }) => op.check(path)), ...ops]);
      return results.slice(others.length) as { -readonly [K in keyof T]: ResultOf<T[K]> };
    } catch (error) {
      // The first check is that of `first` itself, which tells on its own.
      const lost = error instanceof MultiError ? others[error.failedIndex - 1] : undefined;
      if (lost === undefined) throw error;
      lost.lose('its znode is gone');
      throw lost.signal.reason;
    }
  }

  async release(): Promise<void> {
    await Promise.all(this.leases.toReversed().map((lease) => lease.release()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

export class MultiLock {
  private readonly path: string;
  private readonly locks: readonly Lock[];

  /** @throws TypeError without paths. */
  constructor(zk: Zk, paths: readonly string[], options: LockOptions = {}) {
    const sorted = [...new Set(paths)].sort();
    if (sorted.length === 0) throw new TypeError('a lock of several paths needs at least one');
    this.path = sorted.join(', ');
    this.locks = sorted.map((path) => new Lock(zk, path, options));
  }

  /** All or none. @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
  acquire(options: AcquireOptions = {}): Promise<MultiLease> {
    const { data = null } = options;
    return within(this.path, options, async (signal) => {
      const leases: Lease[] = [];
      try {
        for (const lock of this.locks) {
          // One that is lost while the next is waited for ends the wait.
          const until = anyOf(signal, ...leases.map((lease) => lease.signal));
          leases.push(await lock.acquire({ data, ...(until === undefined ? {} : { signal: until }) }));
        }
        for (const lease of leases) lease.assertHeld();
        return new MultiLease(leases);
      } catch (error) {
        // Not waited for: without a connection they go with the next one, or with the session.
        for (const lease of leases.toReversed()) void lease.release();
        throw error;
      }
    });
  }
}

export function multiLock(zk: Zk, paths: readonly string[], options?: LockOptions): MultiLock {
  return new MultiLock(zk, paths, options);
}

/**
 * A lock that one holder has at a time, in the order in which they came.
 *
 * ```ts
 * await using lease = await lock(zk, '/locks/report').acquire({ signal, timeoutMs: 5_000 });
 * await lease.guard([op.setData('/report', text)]);
 * ```
 *
 * Reentrant for who names itself: `acquire({ owner })` gives the same owner a further lease on the same znode at once. The
 * znode goes with the last of them; each ends on its own when the session does.
 */
import { childOf, type Zk } from '../../client/index.ts';
import {
  type AcquireOptions,
  acquireLease,
  holding,
  type QueueKind,
  tryLease,
} from '../contenders/acquire.ts';
import { contendersAt } from '../contenders/contender-queue.ts';
import { Lease, type LeasePolicy } from '../contenders/lease.ts';
import type { Contender, Dialect } from '../contenders/names.ts';
import { orAborted, within } from '../contenders/wait.ts';
import { askToRevoke, untilRevoked } from './revocation.ts';

export interface LockOptions {
  /** Whose names are used: other clients of the same family share the lock. */
  readonly dialect?: Dialect;
  readonly policy?: LeasePolicy;
}

export interface LockAcquireOptions extends AcquireOptions {
  /** Anything that tells one holder inside this process from another: it may hold several times. */
  readonly owner?: unknown;
}

interface Held {
  /** The owner's first lease, or the wait for it. */
  readonly first: Promise<Lease>;
  leases: number;
}

export class Lock {
  readonly path: string;
  private readonly zk: Zk;
  private readonly how: QueueKind;
  private readonly owners = new Map<unknown, Held>();

  constructor(zk: Zk, path: string, options: LockOptions = {}) {
    this.zk = zk;
    this.path = path;
    const { dialect = 'curator', policy = 'suspended' } = options;
    this.how = { dialect, policy, kind: 'lock', inFront: (lower) => lower };
  }

  /** @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
  acquire(options: LockAcquireOptions = {}): Promise<Lease> {
    const { owner } = options;
    return owner === undefined
      ? acquireLease(this.zk, this.path, this.how, options)
      : this.acquireFor(owner, options);
  }

  /** null when somebody else has it. */
  tryAcquire(options: Omit<AcquireOptions, 'timeoutMs'> = {}): Promise<Lease | null> {
    return tryLease(this.zk, this.path, this.how, options);
  }

  /** Runs `work` while holding. Rejects with LeaseLostError when it was lost meanwhile. */
  async do<T>(work: (lease: Lease) => Promise<T>, options: LockAcquireOptions = {}): Promise<T> {
    return holding(await this.acquire(options), work);
  }

  /** The holder first, then who waits. */
  contenders(): Promise<Contender[]> {
    return contendersAt(this.zk, this.path);
  }

  /** Asks the present holder to give up; false when nobody holds. */
  async revoke(): Promise<boolean> {
    const [holder] = await this.contenders();
    return holder !== undefined && askToRevoke(this.zk, childOf(this.path, holder.name));
  }

  /** Resolves true when somebody asks for what `lease` holds, false when it ends without. */
  revoked(lease: Lease): Promise<boolean> {
    return untilRevoked(this.zk, lease);
  }

  private async acquireFor(owner: unknown, options: AcquireOptions): Promise<Lease> {
    const there = this.owners.get(owner);
    if (there !== undefined) {
      const wait = there.first.catch(() => null);
      const first = await within(this.path, options, (signal) => orAborted(wait, signal));
      // Over or given up meanwhile: queue again.
      if (first === null || this.owners.get(owner) !== there || first.signal.aborted)
        return this.acquireFor(owner, options);
      return this.share(owner, there, first);
    }
    const held: Held = { first: acquireLease(this.zk, this.path, this.how, options), leases: 0 };
    this.owners.set(owner, held);
    try {
      return this.share(owner, held, await held.first);
    } catch (error) {
      if (this.owners.get(owner) === held) this.owners.delete(owner);
      throw error;
    }
  }

  /** A lease of its own on the znode of `first`, which is never handed out itself. */
  private share(owner: unknown, held: Held, first: Lease): Lease {
    held.leases++;
    const remove = async (): Promise<void> => {
      if (--held.leases > 0) return;
      if (this.owners.get(owner) === held) this.owners.delete(owner);
      await first.release();
    };
    const lease = new Lease(this.zk, first, this.how.policy, remove);
    void first.untilOver().then(() => {
      if (this.owners.get(owner) === held) this.owners.delete(owner);
      if (first.signal.aborted) lease.lose('the session or the znode is gone');
    });
    return lease;
  }
}

export function lock(zk: Zk, path: string, options?: LockOptions): Lock {
  return new Lock(zk, path, options);
}

/**
 * A lock that one holder has at a time, in the order in which they came.
 *
 * ```ts
 * await using lease = await lock(zk, '/locks/report').acquire({ signal, timeoutMs: 5_000 });
 * await lease.guard([op.setData('/report', text)]);
 * ```
 *
 * Reentrant for who names itself: `acquire({ owner })` gives the same owner a further lease at once (`owners.ts`).
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
import type { Lease, LeasePolicy } from '../contenders/lease.ts';
import type { Contender, Dialect } from '../contenders/names.ts';
import { type OwnedAcquireOptions, Owners } from '../contenders/owners.ts';
import { askToRevoke, untilRevoked } from './revocation.ts';

export interface LockOptions {
  /** Whose names are used: other clients of the same family share the lock. */
  readonly dialect?: Dialect;
  readonly policy?: LeasePolicy;
}

export class Lock {
  readonly path: string;
  private readonly zk: Zk;
  private readonly how: QueueKind;
  private readonly owners: Owners;

  constructor(zk: Zk, path: string, options: LockOptions = {}) {
    this.zk = zk;
    this.path = path;
    const { dialect = 'curator', policy = 'suspended' } = options;
    this.how = { dialect, policy, kind: 'lock', inFront: (lower) => lower };
    this.owners = new Owners(zk, path, policy, (wanted) => acquireLease(zk, path, this.how, wanted));
  }

  /** @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
  acquire(options: OwnedAcquireOptions = {}): Promise<Lease> {
    return this.owners.acquire(options);
  }

  /** null when somebody else has it. */
  tryAcquire(options: Omit<AcquireOptions, 'timeoutMs'> = {}): Promise<Lease | null> {
    return tryLease(this.zk, this.path, this.how, options);
  }

  /** Runs `work` while holding. Rejects with LeaseLostError when it was lost meanwhile. */
  async do<T>(work: (lease: Lease) => Promise<T>, options: OwnedAcquireOptions = {}): Promise<T> {
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
}

export function lock(zk: Zk, path: string, options?: LockOptions): Lock {
  return new Lock(zk, path, options);
}

/**
 * Who holds several times: an owner that names itself gets a further lease on the znode it has already, at once. The znode
 * goes with the last of them; each ends on its own when the session does.
 *
 *     acquire({ owner })  first ─▶ queue ─▶ lease ─┐
 *                         again ───────────────────┴▶ a lease of its own on the same znode
 */
import type { Zk } from '../../client/index.ts';
import type { AcquireOptions } from './acquire.ts';
import { Lease, type LeasePolicy } from './lease.ts';
import { orAborted, within } from './wait.ts';

export interface OwnedAcquireOptions extends AcquireOptions {
  /** Anything that tells one holder inside this process from another: it may hold several times. */
  readonly owner?: unknown;
}

interface Held {
  /** The owner's first lease, or the wait for it. Never handed out itself. */
  readonly first: Promise<Lease>;
  leases: number;
}

export class Owners {
  private readonly zk: Zk;
  private readonly path: string;
  private readonly policy: LeasePolicy;
  private readonly acquireAnew: (options: AcquireOptions) => Promise<Lease>;
  private readonly held = new Map<unknown, Held>();
  private readonly byLease = new WeakMap<Lease, unknown>();

  constructor(
    zk: Zk,
    path: string,
    policy: LeasePolicy,
    acquireAnew: (options: AcquireOptions) => Promise<Lease>,
  ) {
    this.zk = zk;
    this.path = path;
    this.policy = policy;
    this.acquireAnew = acquireAnew;
  }

  /** Whether `owner` holds, as far as this process knows. */
  isHolding(owner: unknown): boolean {
    return (this.held.get(owner)?.leases ?? 0) > 0;
  }

  /** undefined: of nobody who named itself. */
  ownerOf(lease: Lease): unknown {
    return this.byLease.get(lease);
  }

  acquire(options: OwnedAcquireOptions): Promise<Lease> {
    const { owner } = options;
    return owner === undefined ? this.acquireAnew(options) : this.acquireFor(owner, options);
  }

  /** A lease that was got in another way becomes the owner's first. */
  adopt(owner: unknown, lease: Lease): Lease {
    if (owner === undefined) return lease;
    const held: Held = { first: Promise.resolve(lease), leases: 0 };
    this.held.set(owner, held);
    return this.share(owner, held, lease);
  }

  private async acquireFor(owner: unknown, options: AcquireOptions): Promise<Lease> {
    const there = this.held.get(owner);
    if (there !== undefined) {
      const wait = there.first.catch(() => null);
      const first = await within(this.path, options, (signal) => orAborted(wait, signal));
      // Over or given up meanwhile: queue again.
      if (first === null || this.held.get(owner) !== there || first.signal.aborted)
        return this.acquireFor(owner, options);
      return this.share(owner, there, first);
    }
    const held: Held = { first: this.acquireAnew(options), leases: 0 };
    this.held.set(owner, held);
    try {
      return this.share(owner, held, await held.first);
    } catch (error) {
      this.forget(owner, held);
      throw error;
    }
  }

  /** A lease of its own on the znode of `first`. */
  private share(owner: unknown, held: Held, first: Lease): Lease {
    held.leases++;
    const remove = async (): Promise<void> => {
      if (--held.leases > 0) return;
      this.forget(owner, held);
      await first.release();
    };
    const lease = new Lease(this.zk, first, this.policy, remove);
    this.byLease.set(lease, owner);
    void first.untilOver().then(() => {
      this.forget(owner, held);
      if (first.signal.aborted) lease.lose('the session or the znode is gone');
    });
    return lease;
  }

  private forget(owner: unknown, held: Held): void {
    if (this.held.get(owner) === held) this.held.delete(owner);
  }
}

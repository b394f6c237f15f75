/**
 * A lock that many readers share, or one writer has alone, in the order in which they came: a reader waits for the writers
 * in front of it, a writer for everybody in front. A writer's release wakes all readers behind it, which is right.
 *
 * Downgrade: who writes may go on as a reader without a moment in which another writer could come in between. Its reader's
 * znode takes the writer's number, so it stands where the writer stood. The other way round there is no way: two readers
 * who both want to write would wait for each other for ever. A wait like that is refused at once where it can be seen: from
 * an `owner` that names itself on both sides.
 */
import { randomUUID } from 'node:crypto';
import { childOf, nameOf, parentOf, removeLater, type Zk } from '../../client/index.ts';
import { type AcquireOptions, acquireLease, type QueueKind, tryLease } from '../contenders/acquire.ts';
import { contendersAt } from '../contenders/contender-queue.ts';
import { DeadlockError, LeaseLostError } from '../contenders/errors.ts';
import { Lease, type LeasePolicy } from '../contenders/lease.ts';
import { type Contender, type Dialect, newName, numberOf } from '../contenders/names.ts';
import { type OwnedAcquireOptions, Owners } from '../contenders/owners.ts';
import type { LockOptions } from '../lock/lock.ts';

/** Anything that is not a reader is waited for, also a plain lock of kazoo on the same path. */
const isWriter = (one: Contender): boolean => one.kind !== 'read';

const WRITES_ALREADY = 'its owner writes already: downgrade() makes the writer a reader';
const READS_ALREADY =
  'a reader cannot become a writer, because two who try wait for each other: release, acquire to write, read again';

/** One side of it. Reentrant for an owner that names itself. */
export class LockSide {
  readonly owners: Owners;
  private readonly zk: Zk;
  private readonly path: string;
  private readonly how: QueueKind;
  private readonly refuse: (owner: unknown) => void;

  /** `refuse` throws when the wait of `owner` would never end. */
  constructor(zk: Zk, path: string, how: QueueKind, refuse: (owner: unknown) => void) {
    this.zk = zk;
    this.path = path;
    this.how = how;
    this.refuse = refuse;
    this.owners = new Owners(zk, path, how.policy, (options) => acquireLease(zk, path, how, options));
  }

  /** @throws AcquireTimeoutError, MixedDialectError, DeadlockError, the signal's reason, or an error of the client. */
  async acquire(options: OwnedAcquireOptions = {}): Promise<Lease> {
    this.refuse(options.owner);
    return this.owners.acquire(options);
  }

  /** null when it would have to wait. */
  tryAcquire(options: Omit<AcquireOptions, 'timeoutMs'> = {}): Promise<Lease | null> {
    return tryLease(this.zk, this.path, this.how, options);
  }
}

export class ReadWriteLock {
  readonly path: string;
  readonly read: LockSide;
  readonly write: LockSide;
  private readonly zk: Zk;
  private readonly dialect: Dialect;
  private readonly policy: LeasePolicy;

  /** @throws TypeError for a dialect that has no such names. */
  constructor(zk: Zk, path: string, options: LockOptions = {}) {
    const { dialect = 'curator', policy = 'suspended' } = options;
    if (dialect === 'zookeeper') throw new TypeError('dialect zookeeper has no names for readers');
    this.zk = zk;
    this.path = path;
    this.dialect = dialect;
    this.policy = policy;
    // A downgrade puts a znode behind a number already passed: after a wake the list is asked for again.
    const both = { dialect, policy, relist: true };
    const readers: QueueKind = { ...both, kind: 'read', inFront: (lower) => lower.filter(isWriter) };
    const writers: QueueKind = { ...both, kind: 'write', inFront: (lower) => lower };
    this.read = new LockSide(zk, path, readers, (owner) => this.refuse(this.write, owner, WRITES_ALREADY));
    this.write = new LockSide(zk, path, writers, (owner) => this.refuse(this.read, owner, READS_ALREADY));
  }

  /**
   * Turns a writer's lease into a reader's. `writer` is released; when this fails, it is still held unless its signal says
   * otherwise. The reader's token is larger than the writer's.
   */
  async downgrade(writer: Lease): Promise<Lease> {
    if (parentOf(writer.path) !== this.path)
      throw new TypeError(`${writer.path} is no lease of ${this.path}`);
    writer.assertHeld();
    const { epoch } = this.zk;
    const { name } = newName(this.dialect, 'read', randomUUID(), this.zk.sessionId);
    const path = childOf(this.path, name + numberOf(nameOf(writer.path)));
    const created = await this.zk.create(path, null, { mode: 'ephemeral', resolve: true });
    const stat = created.stat ?? (await this.zk.exists(path));
    // Only while the writer's own znode is there does nobody come in between.
    if (writer.signal.aborted || this.zk.epoch !== epoch || stat === null) {
      removeLater(this.zk, path);
      throw new LeaseLostError(writer.path, 'the connection was gone while it was made a reader');
    }
    const reader = new Lease(this.zk, { path, token: stat.czxid }, this.policy);
    try {
      await writer.verify();
    } catch (error) {
      await reader.release();
      throw error;
    }
    const owner = this.write.owners.ownerOf(writer);
    await writer.release();
    return this.read.owners.adopt(owner, reader);
  }

  /** In the order in which they came. */
  contenders(): Promise<Contender[]> {
    return contendersAt(this.zk, this.path);
  }

  private refuse(otherSide: LockSide, owner: unknown, reason: string): void {
    if (owner !== undefined && otherSide.owners.isHolding(owner)) throw new DeadlockError(this.path, reason);
  }
}

export function readWriteLock(zk: Zk, path: string, options?: LockOptions): ReadWriteLock {
  return new ReadWriteLock(zk, path, options);
}

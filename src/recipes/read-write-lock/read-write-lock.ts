/**
 * A lock that many readers share, or one writer has alone, in the order in which they came: a reader waits for the writers
 * in front of it, a writer for everybody in front. A writer's release wakes all readers behind it, which is right.
 *
 * Downgrade: who writes may go on as a reader without a moment in which another writer could come in between. Its reader's
 * znode takes the writer's number, so it stands where the writer stood. The other way round two readers would wait for each
 * other for ever, so there is no upgrade.
 */
import { randomUUID } from 'node:crypto';
import { childOf, nameOf, parentOf, removeLater, type Zk } from '../../client/index.ts';
import { type AcquireOptions, acquireLease, type QueueKind, tryLease } from '../contenders/acquire.ts';
import { contendersAt } from '../contenders/contender-queue.ts';
import { LeaseLostError } from '../contenders/errors.ts';
import { Lease, type LeasePolicy } from '../contenders/lease.ts';
import { type Contender, type Dialect, newName, numberOf } from '../contenders/names.ts';
import type { LockOptions } from '../lock/lock.ts';

/** Anything that is not a reader is waited for, also a plain lock of kazoo on the same path. */
const isWriter = (one: Contender): boolean => one.kind !== 'read';

/** One side of it. */
export class LockSide {
  protected readonly zk: Zk;
  protected readonly path: string;
  protected readonly how: QueueKind;

  constructor(zk: Zk, path: string, how: QueueKind) {
    this.zk = zk;
    this.path = path;
    this.how = how;
  }

  /** @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
  acquire(options: AcquireOptions = {}): Promise<Lease> {
    return acquireLease(this.zk, this.path, this.how, options);
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
    this.read = new LockSide(zk, path, readers);
    this.write = new LockSide(zk, path, { ...both, kind: 'write', inFront: (lower) => lower });
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
    await writer.release();
    return reader;
  }

  /** In the order in which they came. */
  contenders(): Promise<Contender[]> {
    return contendersAt(this.zk, this.path);
  }
}

export function readWriteLock(zk: Zk, path: string, options?: LockOptions): ReadWriteLock {
  return new ReadWriteLock(zk, path, options);
}

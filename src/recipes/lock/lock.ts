/**
 * A lock that one holder has at a time, in the order in which they came.
 *
 * ```ts
 * await using lease = await lock(zk, '/locks/report').acquire({ signal, timeoutMs: 5_000 });
 * await lease.guard([op.setData('/report', text)]);
 * ```
 */
import type { Data, Zk } from '../../client/index.ts';
import { contendersAt, type QueueOptions, takeTurn, tryTurn } from '../contenders/contender-queue.ts';
import { AcquireTimeoutError } from '../contenders/errors.ts';
import { Lease, type LeasePolicy } from '../contenders/lease.ts';
import type { Contender, Dialect } from '../contenders/names.ts';

export interface LockOptions {
  /** Whose names are used: other clients of the same family share the lock. */
  readonly dialect?: Dialect;
  readonly policy?: LeasePolicy;
}

export interface AcquireOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Stored in our znode, for people who look. */
  readonly data?: Data;
}

export class Lock {
  readonly path: string;
  private readonly zk: Zk;
  private readonly dialect: Dialect;
  private readonly policy: LeasePolicy;

  constructor(zk: Zk, path: string, options: LockOptions = {}) {
    this.zk = zk;
    this.path = path;
    this.dialect = options.dialect ?? 'curator';
    this.policy = options.policy ?? 'suspended';
  }

  /** @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const { signal, timeoutMs } = options;
    const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const both = [signal, late].filter((one) => one !== undefined);
    const any = both.length === 0 ? undefined : AbortSignal.any(both);
    try {
      const { path, token } = await takeTurn(
        this.zk,
        this.path,
        this.queueOptions(options.data ?? null, any),
      );
      return new Lease(this.zk, path, token, this.policy);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (late?.aborted === true) throw new AcquireTimeoutError(this.path, timeoutMs!);
      throw error;
    }
  }

  /** null when somebody else has it. */
  async tryAcquire(options: Omit<AcquireOptions, 'timeoutMs'> = {}): Promise<Lease | null> {
    const turn = await tryTurn(this.zk, this.path, this.queueOptions(options.data ?? null, options.signal));
    return turn === null ? null : new Lease(this.zk, turn.path, turn.token, this.policy);
  }

  /** Runs `work` while holding. Rejects with LeaseLostError when it was lost meanwhile. */
  async do<T>(work: (lease: Lease) => Promise<T>, options: AcquireOptions = {}): Promise<T> {
    await using lease = await this.acquire(options);
    const result = await work(lease);
    if (lease.signal.aborted) throw lease.signal.reason;
    return result;
  }

  /** The holder first, then who waits. */
  contenders(): Promise<Contender[]> {
    return contendersAt(this.zk, this.path);
  }

  private queueOptions(data: Data, signal: AbortSignal | undefined): QueueOptions {
    return { dialect: this.dialect, kind: 'lock', data, signal, inFront: (lower) => lower };
  }
}

export function lock(zk: Zk, path: string, options?: LockOptions): Lock {
  return new Lock(zk, path, options);
}

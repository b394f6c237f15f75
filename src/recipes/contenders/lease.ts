/**
 * Something that is held exclusively, for as long as a znode of ours is there. What this process knows is always a moment
 * old; so there are three ways to be safe, from weak to strong:
 *
 *     signal, assertHeld()   local: stop when the connection has been away (or, by policy, when the session may be over)
 *     token                  grows from holder to holder: whoever is written to refuses smaller ones
 *     verify(), guard(ops)   a committed transaction that fails once the znode is gone
 */
import type { Zxid } from '../../base/zxid.ts';
import type { ResultOf } from '../../client/index.ts';
import { MultiError, op, removeSurely, transact, type WriteOp, type Zk } from '../../client/index.ts';
import { LeaseLostError } from './errors.ts';
import { mayTryAgain, untilAborted } from './wait.ts';

/** What was got: our znode, and the zxid that created it. */
export interface Turn {
  readonly path: string;
  readonly token: Zxid;
}

/** When the signal fires: as soon as the connection is gone, or only when the session may have expired. */
export type LeasePolicy = 'suspended' | 'session';

export class Lease implements AsyncDisposable {
  /** The zxid that created our znode: larger than that of every holder before. */
  readonly token: Zxid;
  /** Our znode. */
  readonly path: string;
  private readonly zk: Zk;
  private readonly abort = new AbortController();
  private readonly stopListening: () => void;
  private readonly remove: () => Promise<void>;
  private readonly over = Promise.withResolvers<void>();
  private released: Promise<void> | null = null;

  /** `remove` takes away what makes it ours; by default, our znode. */
  constructor(zk: Zk, { path, token }: Turn, policy: LeasePolicy, remove?: () => Promise<void>) {
    this.zk = zk;
    this.path = path;
    this.token = token;
    this.remove = remove ?? (() => removeSurely(zk, path));
    const { epoch } = zk;
    this.stopListening = zk.core.listen((change) => {
      if (change.state === 'suspended' && policy === 'session') return;
      if (change.state === 'connected' && change.epoch === epoch) return;
      this.lose(`the session is ${change.state}`);
    });
  }

  /** Fires when it may no longer be held; its reason says why. */
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** As far as this process knows without asking. */
  get isHeld(): boolean {
    return this.released === null && !this.signal.aborted && this.zk.lease.isHeld;
  }

  /** @throws LeaseLostError when it may no longer be held. Asks nobody; cheap enough for every step. */
  assertHeld(): void {
    if (this.signal.aborted) throw this.signal.reason;
    if (this.released !== null) throw new LeaseLostError(this.path, 'it was released');
    if (!this.zk.lease.isHeld) throw new LeaseLostError(this.path, 'no server has been heard for too long');
  }

  /** Waits until it may no longer be held, or was released. */
  async untilOver(): Promise<void> {
    await Promise.race([untilAborted(this.signal), this.over.promise]);
  }

  /** A committed proof. Returns the zxid at which it was held. @throws LeaseLostError when there is none. */
  async verify(): Promise<Zxid> {
    this.assertHeld();
    for (;;) {
      try {
        const { zxid } = await this.transact([]);
        return zxid;
      } catch (error) {
        if (this.signal.aborted) throw this.signal.reason;
        // It writes nothing: with a lease that outlives the connection, the same is asked again.
        if (!mayTryAgain(error)) throw error;
      }
    }
  }

  /** All of `ops`, only if it is still held. */
  async guard<const T extends readonly WriteOp[]>(
    ops: T,
  ): Promise<{ -readonly [K in keyof T]: ResultOf<T[K]> }> {
    this.assertHeld();
    const { results } = await this.transact(ops);
    return results.slice(1) as { -readonly [K in keyof T]: ResultOf<T[K]> };
  }

  /** Gives it up. Settles when the next may have it, or when nothing more can be done about it. */
  release(): Promise<void> {
    this.released ??= this.giveUp();
    return this.released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** It is over, whoever says so. */
  lose(reason: string): void {
    if (this.released !== null) return;
    this.abort.abort(new LeaseLostError(this.path, reason));
    // An abandoned znode would stand in everybody's way until the session ends.
    void this.release();
  }

  private async giveUp(): Promise<void> {
    this.stopListening();
    this.over.resolve();
    await this.remove();
  }

  private async transact(ops: readonly WriteOp[]): Promise<{ zxid: Zxid; results: readonly unknown[] }> {
    try {
      return await transact(this.zk, [op.check(this.path), ...ops]);
    } catch (error) {
      if (error instanceof MultiError && error.failedIndex === 0) {
        this.lose('its znode is gone');
        // That, or it was released meanwhile.
        this.assertHeld();
      }
      throw error;
    }
  }
}

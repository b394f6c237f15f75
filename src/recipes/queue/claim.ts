/**
 * An item that one consumer has while it works on it. What is in the tree:
 *
 *     item   P/queue-0000000007          its version counts the claims; a claim writes the same bytes again
 *     claim  P-locks/queue-0000000007    ephemeral, with a word of our own in it
 *
 *     claim = multi [create claim, setData(item, same bytes, version)]
 *     done  = multi [delete(item, version of the claim), delete claim, what else belongs to it]
 *
 * So who was paused beyond its session and claims to be done is refused, although its successor holds a claim of the same
 * name: the item has another version. Also when the reply to `done` is lost is it known what became of it: until then the
 * claim is not given up, and as long as it is there, the item was not removed.
 */
import type { Zxid } from '../../base/zxid.ts';
import {
  isZk,
  MultiError,
  op,
  type ResultOf,
  type Stat,
  surely,
  type WriteOp,
  type Zk,
  type ZkError,
} from '../../client/index.ts';
import { stillUnknown } from '../contenders/errors.ts';
import { Lease, type LeasePolicy } from '../contenders/lease.ts';
import { inAnySession } from '../contenders/wait.ts';

type Results<T extends readonly WriteOp[]> = { -readonly [K in keyof T]: ResultOf<T[K]> };

/** What a claim has got hold of. */
export interface Claimed<T> {
  readonly itemPath: string;
  readonly claimPath: string;
  readonly version: number;
  readonly token: Zxid;
  readonly sessionId: bigint;
  readonly values: readonly T[];
}

export class Claim<T> implements AsyncDisposable {
  /** More than one only in items of Curator's that hold several. */
  readonly values: readonly T[];
  /** Which claim of this item it is, from 1: those before it were not done. */
  readonly attempt: number;
  /** Its signal says when another may have the item; `guard` binds writes before the end to the claim. */
  readonly lease: Lease;
  private readonly zk: Zk;
  private readonly claimed: Claimed<T>;
  private isDone = false;
  private finishing: Promise<unknown> | null = null;

  constructor(zk: Zk, claimed: Claimed<T>, policy: LeasePolicy) {
    this.zk = zk;
    this.claimed = claimed;
    this.values = claimed.values;
    this.attempt = claimed.version;
    const turn = { path: claimed.claimPath, token: claimed.token };
    this.lease = new Lease(zk, turn, policy, () => this.giveBack());
  }

  get value(): T {
    return this.values[0]!;
  }

  /** The item as it lies in the queue. */
  get path(): string {
    return this.claimed.itemPath;
  }

  /**
   * The item and `ops` together, exactly once: the item goes, `ops` are applied, or neither. null: applied, but what it
   * answered is lost.
   * @throws LeaseLostError when it is not ours any more, MultiError when one of `ops` was refused (then it is still ours), or
   * a ZkError whose outcome is `unknown` when the session ended and the item is gone.
   */
  async done<const O extends readonly WriteOp[]>(ops: O = [] as unknown as O): Promise<Results<O> | null> {
    this.lease.assertHeld();
    if (this.finishing !== null) throw new TypeError(`${this.path}: done() is under way already`);
    const finishing = this.finish(ops);
    this.finishing = finishing;
    try {
      return await finishing;
    } finally {
      this.finishing = null;
      if (this.isDone) await this.lease.release();
    }
  }

  /** Puts it back where it was, for another to claim. */
  release(): Promise<void> {
    return this.lease.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  private async finish<const O extends readonly WriteOp[]>(ops: O): Promise<Results<O> | null> {
    const { itemPath, claimPath, version } = this.claimed;
    for (;;) {
      try {
        const results = await this.zk.multi([op.delete(itemPath, version), op.delete(claimPath), ...ops]);
        this.isDone = true;
        return results.slice(2) as unknown as Results<O>;
      } catch (error) {
        if (error instanceof MultiError && (error.failedIndex === 0 || error.failedIndex === 1)) this.gone();
        if (!isZk(error) || error.outcome !== 'unknown') throw error;
        if (isZk(error, 'CLOSED') || isZk(error, 'AUTHFAILED')) throw error;
        this.isDone = await this.wasApplied(error);
        if (this.isDone) return null;
      }
    }
  }

  /** @throws `lost` when nobody can know any more. */
  private async wasApplied(lost: ZkError): Promise<boolean> {
    const { itemPath, version, sessionId } = this.claimed;
    const look = async (): Promise<Stat | null> => {
      // Another server may be behind the one that took the request.
      await this.zk.sync(itemPath);
      return this.zk.exists(itemPath);
    };
    const stat = await inAnySession(look).catch((error: unknown) => {
      throw stillUnknown(error, lost);
    });
    if (stat === null && this.zk.sessionId !== sessionId) throw lost;
    // Still there, in a later session: whoever has it next, it was not removed by us.
    if (stat !== null && (stat.version !== version || this.zk.sessionId !== sessionId)) this.gone();
    return stat === null;
  }

  private gone(): never {
    this.lease.lose('somebody else has claimed the item, or taken it');
    throw this.lease.signal.reason;
  }

  private async giveBack(): Promise<void> {
    // The claim tells whether `done` was applied; it stays until that is known.
    await this.finishing?.catch(() => undefined);
    if (!this.isDone) await surely(this.zk, () => this.deleteClaim());
  }

  /** Only ours: neither in a later session, nor when somebody removed it by hand and another has claimed since. */
  private async deleteClaim(): Promise<void> {
    const { itemPath, claimPath, version, sessionId } = this.claimed;
    if (this.zk.sessionId !== sessionId) return;
    try {
      await this.zk.multi([op.check(itemPath, version), op.delete(claimPath)], { timeoutMs: 0 });
    } catch (error) {
      if (!(error instanceof MultiError) || error.codes[0] !== 'NONODE') throw error;
      // Without its item nobody else claims by that name.
      if (this.zk.sessionId === sessionId) await this.zk.delete(claimPath, { ifExists: true, timeoutMs: 0 });
    }
  }
}

/**
 * One leader at a time. A term is a lease: `token` grows from leader to leader, `signal` fires before anybody else can be
 * sure to lead; nobody leads while the connection is away.
 *
 *     for await (const term of election(zk, '/leader', { id: 'host-1' }).terms({ signal })) {
 *       await lead(term.signal);          // until then, nobody else; the next turn of the loop queues again
 *     }
 *
 * Two kinds in Curator's names, and they do not mix on one path: `latch` (LeaderLatch), for those who lead as long as they
 * can, and `selector` (LeaderSelector), which is a lock and shares kazoo's names too.
 */
import type { Zxid } from '../../base/zxid.ts';
import { type Changed, childOf, isZk, type Zk } from '../../client/index.ts';
import { acquireLease, holding, type QueueKind } from '../contenders/acquire.ts';
import type { Lease, LeasePolicy } from '../contenders/lease.ts';
import { contendersOf, type Dialect } from '../contenders/names.ts';
import { isSessionEnd, untilChanged, type WaitOptions } from '../contenders/wait.ts';

export interface ElectionOptions {
  /** Who we are, for all who look. */
  readonly id?: string;
  readonly kind?: 'latch' | 'selector';
  readonly dialect?: Dialect;
  readonly policy?: LeasePolicy;
}

/** Who leads, as an observer sees it. */
export interface Leader {
  readonly id: string;
  readonly path: string;
  /** As the leader's own term has it. */
  readonly token: Zxid;
}

interface Look {
  readonly leader: Leader | null;
  readonly changed: Changed;
}

export class Election {
  readonly path: string;
  private readonly zk: Zk;
  private readonly id: string;
  private readonly how: QueueKind;

  constructor(zk: Zk, path: string, options: ElectionOptions = {}) {
    const { id = '', kind = 'latch', dialect = 'curator', policy = 'suspended' } = options;
    this.zk = zk;
    this.path = path;
    this.id = id;
    this.how = { dialect, policy, kind: kind === 'latch' ? 'latch' : 'lock', inFront: (lower) => lower };
  }

  /** Waits until we lead. @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
  lead(options: WaitOptions = {}): Promise<Lease> {
    return acquireLease(this.zk, this.path, this.how, { ...options, data: this.id });
  }

  /** Leads while `work` runs. Rejects with LeaseLostError when the term ended meanwhile. */
  async do<T>(work: (term: Lease) => Promise<T>, options: WaitOptions = {}): Promise<T> {
    return holding(await this.lead(options), work);
  }

  /** Term after term. A term ends with the turn of the loop, then we queue again. @throws the signal's reason. */
  async *terms(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Lease, never, undefined> {
    for (;;) {
      const term = await this.lead(options);
      try {
        yield term;
      } finally {
        // Not waited for: without a connection it goes with the next one, or with the session.
        void term.release();
      }
    }
  }

  /** Who leads; null = nobody. */
  async leader(options: { readonly signal?: AbortSignal } = {}): Promise<Leader | null> {
    for (;;) {
      const look = await this.look(options.signal);
      look?.changed[Symbol.dispose]();
      if (look !== null) return look.leader;
    }
  }

  /** Who leads, now and whenever it is another; leaders in between may be passed over. @throws the signal's reason. */
  async *follow(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Leader | null, never, undefined> {
    const { signal } = options;
    let given: Zxid | null | undefined;
    for (;;) {
      const look = await this.look(signal);
      if (look === null) continue;
      try {
        const token = look.leader?.token ?? null;
        if (token !== given) {
          given = token;
          yield look.leader;
        }
        await untilChanged(look.changed, signal);
      } finally {
        look.changed[Symbol.dispose]();
      }
    }
  }

  /** The first in the queue, and what tells that it may be another. null: it changed while we looked. */
  private async look(signal: AbortSignal | undefined): Promise<Look | null> {
    try {
      const { names, changed: listChanged } = await this.zk.children(this.path, { watch: true, signal });
      const [first] = contendersOf(names);
      if (first === undefined) return { leader: null, changed: listChanged };
      const path = childOf(this.path, first.name);
      const found = await this.zk.tryGetData(path, { signal });
      if (found !== null) {
        const id = Buffer.from(found.data ?? []).toString();
        return { leader: { id, path, token: found.stat.czxid }, changed: listChanged };
      }
      listChanged[Symbol.dispose]();
      return null;
    } catch (error) {
      if (isSessionEnd(error)) return null;
      if (!isZk(error, 'NONODE')) throw error;
      return this.lookForPath(signal);
    }
  }

  private async lookForPath(signal: AbortSignal | undefined): Promise<Look | null> {
    try {
      const { stat, changed } = await this.zk.exists(this.path, { watch: true, signal });
      if (stat === null) return { leader: null, changed };
      changed[Symbol.dispose]();
      return null;
    } catch (error) {
      if (isSessionEnd(error)) return null;
      throw error;
    }
  }
}

export function election(zk: Zk, path: string, options?: ElectionOptions): Election {
  return new Election(zk, path, options);
}

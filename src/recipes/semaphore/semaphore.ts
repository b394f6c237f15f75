/**
 * A number of places, each held by a lease. Who wants some queues at a mutex; only who has the mutex makes its znodes,
 * counts, and watches until there is room, so a release wakes one:
 *
 *     mutex ─▶ create own place(s) ─▶ count ≤ max ? ─yes─▶ held ─▶ mutex released
 *                     ▲                  └no─▶ watch the list, count again
 *                     └── the connection was away: own places are removed, begin again
 *
 * Places are made before they are counted, so the count never passes the limit, whoever fails when. Several places are had
 * all or none.
 *
 *     curator   mutex `P/locks`        places `P/leases/_c_<uuid>-lease-#`    the limit is agreed upon outside
 *     kazoo     mutex `P-__lock__`     places `P/<32 hex>`                    the limit is the text in P, checked
 */
import { randomUUID } from 'node:crypto';
import { childOf, isZk, removeLater, removeSurely, type Zk } from '../../client/index.ts';
import { type AcquireOptions, acquireLease, type QueueKind } from '../contenders/acquire.ts';
import { Lease, type LeasePolicy, type Turn } from '../contenders/lease.ts';
import { anyOf, isSessionEnd, untilChanged, within } from '../contenders/wait.ts';

export interface SemaphoreOptions {
  /** Places in all. */
  readonly max: number;
  readonly dialect?: 'curator' | 'kazoo';
  readonly policy?: LeasePolicy;
}

export interface SemaphoreAcquireOptions extends AcquireOptions {
  /** Places wanted, all or none; 1 if left out. */
  readonly weight?: number;
}

export class Semaphore {
  readonly path: string;
  readonly max: number;
  private readonly zk: Zk;
  private readonly isKazoo: boolean;
  private readonly policy: LeasePolicy;
  private readonly mutex: QueueKind;

  /** @throws TypeError for a limit that makes no sense. */
  constructor(zk: Zk, path: string, options: SemaphoreOptions) {
    const { max, dialect = 'curator', policy = 'suspended' } = options;
    if (!Number.isSafeInteger(max) || max < 1) throw new TypeError(`max must be 1 or more, not ${max}`);
    this.zk = zk;
    this.path = path;
    this.max = max;
    this.isKazoo = dialect === 'kazoo';
    this.policy = policy;
    this.mutex = { dialect, policy: 'suspended', kind: 'lock', inFront: (lower) => lower };
  }

  /** @throws AcquireTimeoutError, MixedDialectError, the signal's reason, or an error of the client. */
  async acquire(options: SemaphoreAcquireOptions = {}): Promise<Lease> {
    const { weight = 1 } = options;
    if (!Number.isSafeInteger(weight) || weight < 1 || weight > this.max)
      throw new TypeError(`${this.path}: weight must be 1 to ${this.max}, not ${weight}`);
    await this.prepare(options.signal);
    return within(this.path, options, async (signal) => {
      for (;;) {
        const turns = await this.attempt(weight, options, signal);
        if (turns !== null) return this.leaseOf(turns);
      }
    });
  }

  /** Places that are taken, or about to be. */
  async taken(): Promise<number> {
    try {
      return (await this.zk.children(this.placesPath)).names.length;
    } catch (error) {
      if (isZk(error, 'NONODE')) return 0;
      throw error;
    }
  }

  private get placesPath(): string {
    return this.isKazoo ? this.path : childOf(this.path, 'leases');
  }

  /** kazoo's limit is stored; whoever believes in another is refused. */
  private async prepare(signal: AbortSignal | undefined): Promise<void> {
    if (!this.isKazoo) return;
    await this.zk.ensurePath(this.path, 'persistent', { signal });
    const found = await this.zk.getData(this.path, { signal });
    const text = Buffer.from(found.data ?? []).toString();
    if (text === '') await this.zk.setData(this.path, String(this.max), { signal });
    else if (Number(text) !== this.max)
      throw new TypeError(`${this.path}: the limit there is ${text}, not ${this.max}`);
  }

  /** null: the connection was away; nothing is left behind. */
  private async attempt(
    weight: number,
    options: AcquireOptions,
    signal: AbortSignal | undefined,
  ): Promise<readonly Turn[] | null> {
    const lockPath = this.isKazoo ? `${this.path}-__lock__` : childOf(this.path, 'locks');
    const mutex = await acquireLease(this.zk, lockPath, this.mutex, { signal });
    const until = anyOf(signal, mutex.signal);
    const turns: Turn[] = [];
    try {
      for (let i = 0; i < weight; i++) turns.push(await this.createPlace(options, until));
      await this.untilRoom(until);
      if (!mutex.signal.aborted) return turns;
    } catch (error) {
      this.dropAll(turns);
      if (signal?.aborted !== true && (mutex.signal.aborted || isSessionEnd(error))) return null;
      throw error;
    } finally {
      // Not waited for: it is deleted before anything that this session asks for later.
      void mutex.release();
    }
    this.dropAll(turns);
    return null;
  }

  private async createPlace(options: AcquireOptions, signal: AbortSignal | undefined): Promise<Turn> {
    const { data = null } = options;
    const unique = this.isKazoo ? randomUUID().replaceAll('-', '') : `_c_${randomUUID()}`;
    const path = childOf(this.placesPath, this.isKazoo ? unique : `${unique}-lease-`);
    const mode = this.isKazoo ? 'ephemeral' : 'ephemeralSequential';
    const parents = this.isKazoo ? 'persistent' : 'container';
    // The name is unique either way, so it is found again by it; and taken away again, if it is given up on its way.
    const created = await this.zk.create(path, data, { mode, protect: unique, parents, signal });
    const stat = created.stat ?? (await this.zk.exists(created.path));
    return { path: created.path, token: stat?.czxid ?? 0 };
  }

  private async untilRoom(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      // Mostly there is room: a watch that nobody waits for would cost a request to give up.
      if ((await this.zk.children(this.placesPath, { signal })).names.length <= this.max) return;
      const { names, changed } = await this.zk.children(this.placesPath, { watch: true, signal });
      if (names.length <= this.max) {
        changed[Symbol.dispose]();
        return;
      }
      await untilChanged(changed, signal);
    }
  }

  private leaseOf(turns: readonly Turn[]): Lease {
    const newest = turns.at(-1)!;
    const remove = async (): Promise<void> => {
      await Promise.all(turns.map((turn) => removeSurely(this.zk, turn.path)));
    };
    return new Lease(this.zk, newest, this.policy, remove);
  }

  private dropAll(turns: readonly Turn[]): void {
    for (const turn of turns) removeLater(this.zk, turn.path);
  }
}

export function semaphore(zk: Zk, path: string, options: SemaphoreOptions): Semaphore {
  return new Semaphore(zk, path, options);
}

/**
 * Several begin together and end together. One path per round: what a round leaves behind would open the next.
 *
 *     enter   own znode ─▶ members ≥ count ? ─yes─▶ create `ready` ─▶ in
 *                ▲                          └no─▶ watch `ready` and the members ─▶ `ready` is there, or was ─▶ in
 *                └── our session ended: our znode went with it
 *     leave   alone ─▶ delete own, delete `ready` ─▶ out
 *             lowest ─▶ wait for the highest to go        others ─▶ delete own, wait for the lowest to go
 *
 * Shared with kazoo and Curator. Theirs may remove `ready` while one of us is still on its way in; having seen it once
 * is enough. Who dies inside no longer counts when the others leave.
 */
import { randomUUID } from 'node:crypto';
import { childOf, type Data, isZk, nameOf, removeLater, type Zk } from '../../client/index.ts';
import { isSessionEnd, mayTryAgain, untilChanged, type WaitOptions, within } from '../contenders/wait.ts';

export interface DoubleBarrierOptions {
  /** How many begin together. */
  readonly members: number;
  /** Stored in our znode, for people who look. */
  readonly data?: Data;
}

const READY = 'ready';

export class DoubleBarrier {
  readonly path: string;
  private readonly zk: Zk;
  private readonly options: DoubleBarrierOptions;
  private readonly readyPath: string;
  private own: string | null = null;

  /** @throws TypeError for a number that makes no sense. */
  constructor(zk: Zk, path: string, options: DoubleBarrierOptions) {
    if (!Number.isSafeInteger(options.members) || options.members < 1)
      throw new TypeError(`members must be 1 or more, not ${options.members}`);
    this.zk = zk;
    this.path = path;
    this.options = options;
    this.readyPath = childOf(path, READY);
  }

  /** Resolves once enough are there. @throws AcquireTimeoutError, the signal's reason, or an error of the client; out then. */
  async enter(options: WaitOptions = {}): Promise<void> {
    if (this.own !== null) throw new TypeError(`${this.path}: entered already`);
    await within(this.path, options, async (signal) => {
      for (;;) {
        const own = await this.join(signal);
        try {
          if (own !== null && (await this.untilReady(own, signal))) {
            this.own = own;
            return;
          }
        } catch (error) {
          if (!isSessionEnd(error)) {
            removeLater(this.zk, own!);
            throw error;
          }
        }
        if (own !== null) removeLater(this.zk, own);
      }
    });
  }

  /** Resolves once all are out. @throws AcquireTimeoutError, the signal's reason, or an error of the client. */
  async leave(options: WaitOptions = {}): Promise<void> {
    const { own } = this;
    if (own === null) throw new TypeError(`${this.path}: not entered`);
    await within(this.path, options, async (signal) => {
      for (;;) {
        try {
          if (await this.stepOut(own, signal)) break;
        } catch (error) {
          if (!isSessionEnd(error)) throw error;
        }
      }
    });
    this.own = null;
    removeLater(this.zk, this.readyPath);
  }

  /** null: the session ended meanwhile. */
  private async join(signal: AbortSignal | undefined): Promise<string | null> {
    const unique = randomUUID();
    try {
      const { path } = await this.zk.create(childOf(this.path, unique), this.options.data ?? null, {
        mode: 'ephemeral',
        protect: unique,
        parents: 'persistent',
        signal,
      });
      return path;
    } catch (error) {
      if (isSessionEnd(error)) return null;
      throw error;
    }
  }

  /** False: our own znode is gone. */
  private async untilReady(own: string, signal: AbortSignal | undefined): Promise<boolean> {
    // Set first: `ready` may come and go while we count.
    const ready = await this.zk.exists(this.readyPath, { watch: true, signal });
    let seen = ready.stat !== null;
    void ready.changed.then(
      (event) => {
        seen ||= event.type === 'created';
      },
      () => undefined,
    );
    try {
      while (!seen) {
        const { names, changed } = await this.zk.children(this.path, { watch: true, signal });
        const members = names.filter((name) => name !== READY);
        const isFull = members.length >= this.options.members;
        if (seen || names.includes(READY) || isFull || !members.includes(nameOf(own))) {
          changed[Symbol.dispose]();
          if (seen || names.includes(READY)) return true;
          // Counted only while we are one of them, and of the present session.
          if (!members.includes(nameOf(own))) return false;
          await this.open(signal);
          return true;
        }
        if (!(await untilChanged(changed, signal))) return false;
      }
      return true;
    } finally {
      ready.changed[Symbol.dispose]();
    }
  }

  private async open(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      try {
        await this.zk.create(this.readyPath, null, { signal });
        return;
      } catch (error) {
        if (isZk(error, 'NODEEXISTS')) return;
        if (signal?.aborted === true || !mayTryAgain(error)) throw error;
      }
    }
  }

  /** One round of the way out; true when nobody is left. */
  private async stepOut(own: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { names } = await this.zk.children(this.path, { signal });
    const members = names.filter((name) => name !== READY).sort();
    const mine = nameOf(own);
    const [lowest] = members;
    if (lowest === undefined) return true;
    if (members.length === 1 && lowest === mine) {
      await this.zk.delete(own, { ifExists: true, resolve: true, signal });
      return true;
    }
    const isLowest = lowest === mine;
    if (!isLowest && members.includes(mine))
      await this.zk.delete(own, { ifExists: true, resolve: true, signal });
    await this.untilChangedAt(childOf(this.path, isLowest ? members.at(-1)! : lowest), signal);
    return false;
  }

  private async untilChangedAt(path: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      const { changed } = await this.zk.getData(path, { watch: true, signal });
      await untilChanged(changed, signal);
    } catch (error) {
      if (!isZk(error, 'NONODE')) throw error;
    }
  }
}

export function doubleBarrier(zk: Zk, path: string, options: DoubleBarrierOptions): DoubleBarrier {
  return new DoubleBarrier(zk, path, options);
}

/**
 * A znode that is there as long as this process is: made again when somebody deletes it, and in each new session. Its data
 * is what was set last.
 *
 *     look ─▶ nothing there ─────────────────▶ create ─────────────────────────┐
 *       ▲     of a former session of ours ───▶ multi [delete(version), create] ┼─▶ ours ─▶ watch ─┐
 *       │     of somebody else ─▶ wait for its end | replace it | refuse       │                  │
 *       │     ours, other data ──▶ setData(version) ───────────────────────────┘                  │
 *       └── changed, deleted, session ended, other data wanted ◀──────────────────────────────────┘
 *
 * Nothing is taken for ours by the answer to a create, only by looking; so a lost reply needs no care of its own.
 */
import {
  type Acl,
  type Data,
  isZk,
  MultiError,
  op,
  removeSurely,
  type Stat,
  type Zk,
} from '../../client/index.ts';
import { inAnySession, isSessionEnd, mayTryAgain, orAborted, untilChanged } from '../contenders/wait.ts';

export interface PersistentNodeOptions {
  /** `persistent` stays when the process ends, unless it is closed. */
  readonly mode?: 'ephemeral' | 'persistent';
  /** A znode of somebody else is there. */
  readonly onTaken?: 'wait' | 'replace' | 'refuse';
  readonly acl?: readonly Acl[];
  /** What is missing above it. */
  readonly parents?: 'container' | 'persistent';
}

/** Former sessions whose znodes are taken over; older ones have expired long ago. */
const FORMER_MAX = 16;
/** It changed between the look and what was done about it. */
const AT_ONCE: ReadonlySet<string> = new Set(['BADVERSION', 'NONODE', 'NODEEXISTS']);
/** Before the next try, where what is refused may pass: a quota, a throttle, a full queue of requests. */
const PAUSE_MS = 500;

export class PersistentNode implements AsyncDisposable {
  readonly path: string;
  /** Settles when it ends: by `close`, or rejected with what no next try can mend. */
  readonly ended: Promise<void>;
  private readonly zk: Zk;
  private readonly options: PersistentNodeOptions;
  private readonly stop = new AbortController();
  private readonly sessions: bigint[] = [];
  private data: Data;
  private refresh = new AbortController();
  private there = Promise.withResolvers<void>();
  private present: Stat | null = null;
  private closing: Promise<void> | null = null;

  constructor(zk: Zk, path: string, data: Data, options: PersistentNodeOptions = {}) {
    this.zk = zk;
    this.path = path;
    this.data = data;
    this.options = options;
    this.there.promise.catch(() => undefined);
    this.ended = this.run();
    // Whoever waits for nothing is not to be ended by it; `ready` rejects too.
    this.ended.catch(() => undefined);
  }

  /** Whether it is there, as far as this process knows without asking. */
  get isThere(): boolean {
    return this.present !== null && this.zk.lease.isHeld;
  }

  /** Waits until it is there, with the data set last. @throws what ended it, or the signal's reason. */
  async ready(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    while (this.present === null) await orAborted(this.there.promise, options.signal);
  }

  /** Other data, now and whenever it is made again. Resolves once it is there. @throws as `ready`. */
  async set(data: Data, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.data = data;
    this.missing();
    this.refresh.abort();
    await this.ready(options);
  }

  /** Removes it. Settles when it is gone, or nothing more can be done about it. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private get isEphemeral(): boolean {
    return this.options.mode !== 'persistent';
  }

  private async end(): Promise<void> {
    this.stop.abort(new TypeError(`${this.path}: closed`));
    await this.ended.catch(() => undefined);
    // A name that others may use: only as long as the session is ours.
    const { sessionId } = this.zk;
    const stat = await inAnySession(() => this.zk.exists(this.path)).catch(() => null);
    if (stat !== null && this.isOurs(stat)) {
      await removeSurely(this.zk, this.path, this.isEphemeral ? sessionId : undefined);
    }
  }

  private async run(): Promise<void> {
    try {
      while (!this.stop.signal.aborted) await this.turn();
    } catch (error) {
      if (this.stop.signal.aborted) return;
      this.missing();
      this.there.reject(error);
      throw error;
    } finally {
      if (this.stop.signal.aborted) this.there.reject(this.stop.signal.reason);
    }
  }

  /** One way around the picture above. @throws what no next try can mend. */
  private async turn(): Promise<void> {
    this.refresh = new AbortController();
    const signal = AbortSignal.any([this.stop.signal, this.refresh.signal]);
    try {
      const { stat, changed } = await this.zk.exists(this.path, { watch: true, signal });
      try {
        this.remember();
        if (await this.settle(stat)) await untilChanged(changed, signal);
      } finally {
        changed[Symbol.dispose]();
        this.missing();
      }
    } catch (error) {
      if (this.refresh.signal.aborted || isSessionEnd(error)) return;
      if (!isZk(error) || isZk(error, 'CLOSED') || isZk(error, 'AUTHFAILED')) throw error;
      if (mayTryAgain(error) || AT_ONCE.has(error.code)) return;
      if (isZk(error, 'NOAUTH') || isZk(error, 'INVALIDACL') || isZk(error, 'BADARGUMENTS')) throw error;
      await pause(signal);
    }
  }

  /** True: nothing is to be done before a change. */
  private async settle(stat: Stat | null): Promise<boolean> {
    if (stat === null) return this.make();
    if (!this.isOurs(stat)) return this.onTaken(stat);
    if (await this.isCurrent(stat)) {
      this.present = stat;
      this.there.resolve();
      return true;
    }
    await this.zk.setData(this.path, this.data, { version: stat.version, signal: this.stop.signal });
    return false;
  }

  private async make(): Promise<false> {
    const { acl, parents = 'container', mode = 'ephemeral' } = this.options;
    const fields = { mode, parents, signal: this.stop.signal, ...(acl === undefined ? {} : { acl }) };
    try {
      await this.zk.create(this.path, this.data, fields);
    } catch (error) {
      if (!isZk(error, 'NODEEXISTS')) throw error;
    }
    return false;
  }

  private onTaken(stat: Stat): Promise<boolean> | boolean {
    const { onTaken = 'wait' } = this.options;
    if (this.sessions.includes(stat.ephemeralOwner) || onTaken === 'replace') return this.replace(stat);
    if (onTaken === 'wait') return true;
    throw new TypeError(`${this.path} is there already, and is not ours`);
  }

  /** In one step, so that nobody sees it missing. */
  private async replace(stat: Stat): Promise<false> {
    const { acl, mode = 'ephemeral' } = this.options;
    const fields = { mode, ...(acl === undefined ? {} : { acl }) };
    const ops = [op.delete(this.path, stat.version), op.create(this.path, this.data, fields)] as const;
    try {
      await this.zk.multi(ops, { signal: this.stop.signal });
    } catch (error) {
      const code = error instanceof MultiError ? error.codes[error.failedIndex] : undefined;
      if (code !== 'BADVERSION' && code !== 'NONODE' && code !== 'NODEEXISTS') throw error;
    }
    return false;
  }

  private isOurs(stat: Stat): boolean {
    return stat.ephemeralOwner === (this.isEphemeral ? this.zk.sessionId : 0n);
  }

  private async isCurrent(stat: Stat): Promise<boolean> {
    const found = await this.zk.tryGetData(this.path, { signal: this.stop.signal });
    if (found === null || found.stat.czxid !== stat.czxid) return false;
    const wanted = typeof this.data === 'string' ? Buffer.from(this.data) : this.data;
    if (wanted === null || found.data === null) return wanted === found.data;
    return Buffer.compare(wanted, found.data) === 0;
  }

  private remember(): void {
    const { sessionId } = this.zk;
    if (this.sessions.at(-1) === sessionId) return;
    this.sessions.push(sessionId);
    if (this.sessions.length > FORMER_MAX) this.sessions.shift();
  }

  private missing(): void {
    if (this.present === null) return;
    this.present = null;
    this.there = Promise.withResolvers();
    this.there.promise.catch(() => undefined);
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PAUSE_MS);
  try {
    await orAborted(promise, signal);
  } catch {
    // Something else is to be done first.
  } finally {
    clearTimeout(timer);
  }
}

/** Made at once, and kept until it is closed. */
export function persistentNode(
  zk: Zk,
  path: string,
  data: Data = null,
  options?: PersistentNodeOptions,
): PersistentNode {
  return new PersistentNode(zk, path, data, options);
}

/**
 * One configuration for many processes, as a JSON object in a znode: validated before it is written and before it is taken,
 * followed by all, and put back when it was a mistake. One znode holds all of it, so what changes together is seen together.
 *
 *     base (file) < /cfg (tree) < overrides (environment) ─▶ schema ─valid──▶ value
 *                                                                 └invalid─▶ the last good value stays; `invalid` is told
 *
 * Each write names the version it is based on and leaves a copy (`history.ts`) in the same transaction.
 */
import { randomUUID } from 'node:crypto';
import {
  bytes,
  checked,
  isZk,
  MultiError,
  type NodeData,
  op,
  parentOf,
  type StandardSchema,
  type WriteOp,
  type Zk,
  ZkError,
} from '../../client/index.ts';
import { stillUnknown } from '../contenders/errors.ts';
import { inAnySession, mayTryAgain, orAborted } from '../contenders/wait.ts';
import {
  copyOf,
  copyPath,
  type FormerVersion,
  historyPath,
  readHistory,
  trimHistory,
  writerOf,
} from './history.ts';
import { type Document, merge, parseDocument } from './layers.ts';

export interface ConfigOptions<T> {
  readonly schema?: StandardSchema<T>;
  /** Below what is in the tree: what comes with the program. */
  readonly base?: Document;
  /** Above what is in the tree: what this machine insists on. */
  readonly overrides?: Document;
  /** Copies of former versions that are kept. */
  readonly history?: number;
}

export type ConfigChange<T> =
  | { readonly kind: 'value'; readonly value: T; readonly version: number }
  /** What is there now cannot be taken; the last good value is still in force. */
  | { readonly kind: 'invalid'; readonly version: number; readonly error: Error };

interface Call {
  readonly signal?: AbortSignal;
}

/** Of a configuration that is not in the tree. */
const MISSING = -1;
const HISTORY_DEFAULT = 10;

export class Config<T> implements AsyncDisposable {
  readonly path: string;
  private readonly zk: Zk;
  private readonly options: ConfigOptions<T>;
  private readonly kept: number;
  private readonly stop = new AbortController();
  private readonly following: Promise<void>;
  private isOver = false;
  private good: { readonly value: T; readonly version: number } | null = null;
  private latest: ConfigChange<T> | null = null;
  private next = Promise.withResolvers<void>();

  /** @throws TypeError for a number of copies that makes no sense. */
  constructor(zk: Zk, path: string, options: ConfigOptions<T>) {
    const { history = HISTORY_DEFAULT } = options;
    if (!Number.isSafeInteger(history) || history < 1)
      throw new TypeError(`history must be 1 or more, not ${history}`);
    this.zk = zk;
    this.path = path;
    this.options = options;
    this.kept = history;
    this.next.promise.catch(() => undefined);
    this.following = this.follow();
  }

  /** The last good one. */
  get value(): T {
    return this.inForce().value;
  }

  /** Of the last good one: the znode's version, or -1 when it is of the other layers alone. */
  get version(): number {
    return this.inForce().version;
  }

  /** The present one, then whenever it is another; ones in between may be passed over. @throws the signal's reason. */
  async *changes(call: Call = {}): AsyncGenerator<ConfigChange<T>, void, undefined> {
    let given: ConfigChange<T> | null = null;
    for (;;) {
      const { latest, next } = this;
      if (latest !== null && latest !== given) {
        given = latest;
        yield latest;
      } else if (this.isOver) return;
      else await orAborted(next.promise, call.signal);
    }
  }

  /**
   * Writes the tree's part. With `version`, only in place of that one.
   * @throws TypeError when the whole would not be valid, BADVERSION when it was changed meanwhile.
   */
  async set(document: Document, options: Call & { readonly version?: number } = {}): Promise<number> {
    const { version, signal } = options;
    if (version === undefined) return this.replace(() => document, signal);
    const written = await this.write(document, version, signal);
    if (written !== null) return written;
    throw new ZkError({ code: 'BADVERSION', op: 'setData', path: this.path, outcome: 'refused' });
  }

  /** Changes the tree's part by comparing versions: `change` may run again with a newer one. Returns the new version. */
  update(change: (document: Document) => Document, call: Call = {}): Promise<number> {
    return this.replace(
      (present) => change(present === null ? {} : parseDocument(present.data)),
      call.signal,
    );
  }

  /** Puts a former version back, as a new one; without a number, the one before the present. Returns the new version. */
  async rollback(version?: number, call: Call = {}): Promise<number> {
    const present = (await inAnySession(() => this.zk.exists(this.path, call)))?.version ?? MISSING;
    const former = await this.history(call);
    const wanted = former.find((one) =>
      version === undefined ? one.version < present : one.version === version,
    );
    if (wanted !== undefined) return this.replace(() => wanted.document, call.signal);
    throw new RangeError(
      `${this.path}: no copy of ${version === undefined ? 'a former version' : `version ${version}`}`,
    );
  }

  /** Versions of which there is a copy, the newest first. */
  history(call: Call = {}): Promise<FormerVersion[]> {
    return inAnySession(() => readHistory(this.zk, this.path, call.signal));
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.following;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Waits for the first good value. @throws TypeError when what is there is not valid. */
  async ready(): Promise<this> {
    await this.next.promise;
    this.inForce();
    return this;
  }

  private inForce(): { readonly value: T; readonly version: number } {
    if (this.good !== null) return this.good;
    throw this.latest?.kind === 'invalid'
      ? this.latest.error
      : new TypeError(`${this.path}: nothing read yet`);
  }

  private async follow(): Promise<void> {
    try {
      for await (const item of this.zk.follow(this.path, bytes, { signal: this.stop.signal })) {
        if (item === null) this.take(() => ({}), MISSING);
        else this.take(() => parseDocument(item.value), item.stat.version);
      }
    } catch (error) {
      if (!this.stop.signal.aborted) this.next.reject(error);
    } finally {
      this.isOver = true;
      this.next.resolve();
    }
  }

  private take(read: () => Document, version: number): void {
    try {
      const value = this.validate(read());
      this.good = { value, version };
      this.latest = { kind: 'value', value, version };
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      const error = new TypeError(`${this.path}, version ${version}: ${text}`, { cause });
      this.latest = { kind: 'invalid', version, error };
    }
    const { resolve } = this.next;
    this.next = Promise.withResolvers();
    this.next.promise.catch(() => undefined);
    resolve();
  }

  /** @throws an error that says what is wrong. */
  private validate(document: Document): T {
    const { base = {}, overrides = {}, schema } = this.options;
    const whole = merge([base, document, overrides]);
    return schema === undefined ? (whole as T) : checked(schema, whole);
  }

  /** By comparing versions. What is there need not be readable, unless `make` reads it. */
  private async replace(
    make: (present: NodeData | null) => Document,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    for (;;) {
      const found = await inAnySession(() => this.zk.tryGetData(this.path, { signal }));
      const written = await this.write(make(found), found?.stat.version ?? MISSING, signal);
      if (written !== null) return written;
    }
  }

  /** The new version; null: it is not the one that this is based on any more. */
  private async write(
    document: Document,
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<number | null> {
    this.validate(document);
    const id = randomUUID();
    const ops = this.writeOps(document, version, id);
    let lost: ZkError | null = null;
    for (;;) {
      try {
        await this.zk.multi(ops, { signal });
        break;
      } catch (error) {
        if (error instanceof MultiError) {
          if (await this.mend(error, ops.length - 1, version, signal)) continue;
          if (lost === null) return null;
        } else if (!isZk(error) || signal?.aborted === true || !mayTryAgain(error)) {
          throw lost === null ? error : stillUnknown(error, lost);
        } else if (error.outcome !== 'unknown') continue;
        else lost = error;
        // Sent again it is refused, if it was applied or another came first.
        const writer = await this.writerOf(version + 1, lost, signal);
        if (writer === id) break;
        if (error !== lost && writer !== null) return null;
        // Both are gone by now, the version and its copy: nobody can say whose it was.
        if (error !== lost) throw lost;
      }
    }
    // What is not trimmed now is trimmed by the next write.
    trimHistory(this.zk, this.path, this.kept).catch(() => undefined);
    return version + 1;
  }

  /** The id of the write that made this version; null = there is no copy of it. */
  private writerOf(version: number, lost: ZkError, signal: AbortSignal | undefined): Promise<string | null> {
    return inAnySession(() => writerOf(this.zk, this.path, version, signal)).catch((error: unknown) => {
      throw stillUnknown(error, lost);
    });
  }

  private writeOps(document: Document, version: number, id: string): WriteOp[] {
    const text = JSON.stringify(document);
    const copy = op.create(copyPath(this.path, version + 1), copyOf(document, id));
    return version === MISSING
      ? [op.create(this.path, text), op.create(historyPath(this.path)), copy]
      : [op.setData(this.path, text, version), copy];
  }

  /** Makes what was missing. False: another version is there. */
  private async mend(
    error: MultiError,
    last: number,
    version: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { failedIndex, codes } = error;
    const isMissing = codes[failedIndex] === 'NONODE';
    if (isMissing && failedIndex === last) {
      await this.zk.ensurePath(historyPath(this.path), 'persistent', { signal });
      return true;
    }
    if (isMissing && version === MISSING) {
      await this.zk.ensurePath(parentOf(this.path), 'persistent', { signal });
      return true;
    }
    if (failedIndex !== 0) throw error;
    return false;
  }
}

/** Resolves at the first good value. @throws TypeError when what is there is not valid; it is closed then. */
export async function config<T = Document>(
  zk: Zk,
  path: string,
  options: ConfigOptions<T> = {},
): Promise<Config<T>> {
  const made = new Config(zk, path, options);
  try {
    return await made.ready();
  } catch (error) {
    await made.close();
    throw error;
  }
}

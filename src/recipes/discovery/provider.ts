/**
 * The instances of one service, followed, and which of them gets the next request. While there is no connection the last
 * list seen stays in use. Who fails is left out for a time (`instance-record.ts`).
 *
 *     call(work):  pick ─▶ work(instance) ─▶ answered: how long it took
 *                                        └─▶ failed: a failure more, thrown on
 */
import type { Cache, CacheOptions, Zk } from '../../client/index.ts';
import { inAnySession } from '../contenders/wait.ts';
import { instanceCodec, type ServiceInstance } from './instance.ts';
import { EJECTION_DEFAULT, type Ejection, InstanceRecord } from './instance-record.ts';
import { type Candidate, type Selection, type SelectionName, selectionOf } from './selection.ts';

export interface ProviderOptions<P> {
  /** `roundRobin` if left out; or a strategy of one's own. */
  readonly select?: SelectionName | Selection<P>;
  /** 0 or more; if left out, the payload's `weight`, or 1. */
  readonly weight?: (instance: ServiceInstance<P>) => number;
  /** Who is asked first; the others only when none of these is left: those in the same zone, of the same version. */
  readonly prefer?: (instance: ServiceInstance<P>) => boolean;
  readonly ejection?: Partial<Ejection>;
  /** A znode that is no instance; it is passed over. */
  readonly onInvalid?: (path: string, error: Error) => void;
  /** How fast all are compared behind a reconnect, as `CacheOptions`. */
  readonly resync?: CacheOptions<ServiceInstance<P>>['resync'];
  readonly signal?: AbortSignal;
}

export class NoInstanceError extends Error {
  override readonly name = 'NoInstanceError';

  constructor(path: string) {
    super(`${path}: no instance that is enabled and not left out`);
  }
}

export class ServiceProvider<P> implements AsyncDisposable {
  readonly path: string;
  private readonly cache: Cache<ServiceInstance<P>>;
  private readonly options: ProviderOptions<P>;
  private readonly ejection: Ejection;
  private readonly select: Selection<P>;
  private readonly records = new Map<string, InstanceRecord>();
  private readonly following: Promise<void>;
  private enabled: readonly ServiceInstance<P>[] = [];
  private failure: { readonly error: unknown } | null = null;

  constructor(cache: Cache<ServiceInstance<P>>, options: ProviderOptions<P>) {
    const { select = 'roundRobin', ejection = {} } = options;
    this.path = cache.path;
    this.cache = cache;
    this.options = options;
    this.ejection = { ...EJECTION_DEFAULT, ...ejection };
    this.select = typeof select === 'string' ? selectionOf(select) : select;
    this.rebuild();
    this.following = this.follow();
  }

  /** All that are registered and enabled, with those that are left out. Asks nobody. */
  get instances(): readonly ServiceInstance<P>[] {
    return this.enabled;
  }

  /** Those that may get a request. */
  get available(): readonly ServiceInstance<P>[] {
    return this.candidates().map(({ instance }) => instance);
  }

  /** The next one; null when there is none. @throws what ended the cache of them. What becomes of it is for `report`; `call` does both. */
  pick(): ServiceInstance<P> | null {
    const candidates = this.candidates();
    return candidates.length === 0 ? null : this.select(candidates, Math.random).instance;
  }

  /** Runs `work` with the next one, and counts what becomes of it. @throws NoInstanceError, or what `work` throws. */
  async call<T>(work: (instance: ServiceInstance<P>) => Promise<T>): Promise<T> {
    const instance = this.pick();
    if (instance === null) throw new NoInstanceError(this.path);
    const record = this.recordOf(instance.id);
    const startMs = performance.now();
    record.inFlight++;
    try {
      const result = await work(instance);
      record.succeeded(performance.now() - startMs);
      return result;
    } catch (error) {
      this.report(instance);
      throw error;
    } finally {
      record.inFlight--;
    }
  }

  /** It failed; after several times in a row it is left out for a while. */
  report(instance: ServiceInstance<P>): void {
    const nowMs = performance.now();
    const record = this.records.get(instance.id);
    if (record === undefined || !record.failed(nowMs, this.ejection)) return;
    const out = this.enabled.filter(({ id }) => this.recordOf(id).isOut(nowMs)).length;
    if (out + 1 <= this.ejection.shareMax * this.enabled.length) record.eject(nowMs, this.ejection);
  }

  /** Whoever registered before this call is among the instances after it. */
  async sync(call: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.cache.sync(call);
    this.rebuild();
  }

  async close(): Promise<void> {
    await this.cache.close();
    await this.following;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async follow(): Promise<void> {
    for await (const { kind } of this.cache.changes())
      if (kind !== 'stale' && kind !== 'live') this.rebuild();
  }

  private rebuild(): void {
    const enabled: ServiceInstance<P>[] = [];
    for (const entry of this.cache.childEntries()) {
      if (entry.error !== null) this.options.onInvalid?.(entry.path, entry.error);
      else if (entry.value.enabled) enabled.push(entry.value);
    }
    // An order of its own, so that one after the other means the same before and after a change.
    this.enabled = enabled.sort((a, b) => (a.id < b.id ? -1 : 1));
    const ids = new Set(enabled.map(({ id }) => id));
    for (const id of this.records.keys()) if (!ids.has(id)) this.records.delete(id);
    for (const id of ids) this.recordOf(id);
  }

  private candidates(): Candidate<P>[] {
    if (this.failure !== null) throw this.failure.error;
    const nowMs = performance.now();
    const { prefer } = this.options;
    const all = this.enabled
      .filter(({ id }) => !this.recordOf(id).isOut(nowMs))
      .map((instance) => this.candidateOf(instance));
    const preferred = prefer === undefined ? [] : all.filter(({ instance }) => prefer(instance));
    return preferred.length > 0 ? preferred : all;
  }

  private candidateOf(instance: ServiceInstance<P>): Candidate<P> {
    const { inFlight, latencyMs } = this.recordOf(instance.id);
    const weight = (this.options.weight ?? weightOf)(instance);
    return { instance, inFlight, latencyMs, weight: weight > 0 && Number.isFinite(weight) ? weight : 0 };
  }

  private recordOf(id: string): InstanceRecord {
    let record = this.records.get(id);
    if (record === undefined) {
      record = new InstanceRecord();
      this.records.set(id, record);
    }
    return record;
  }
}

function weightOf({ payload }: ServiceInstance): number {
  const weight = (payload as { readonly weight?: unknown } | null)?.weight;
  return typeof weight === 'number' ? weight : 1;
}

/** Loaded when it resolves. */
export async function openProvider<P>(
  zk: Zk,
  path: string,
  options: ProviderOptions<P>,
): Promise<ServiceProvider<P>> {
  const { signal, resync = {} } = options;
  const cache = await inAnySession(() =>
    zk.cache(path, {
      scope: 'children',
      codec: instanceCodec<P>(),
      resync,
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  return new ServiceProvider(cache, options);
}

/**
 * One znode as a value of a type.
 */

import type { Stat } from '../wire/stat.ts';
import type { CallOptions } from './client-core.ts';
import type { Codec } from './codecs.ts';
import { bounded } from './deadline.ts';
import { isZk } from './errors.ts';
import { Follow } from './follow.ts';
import type { ZkApi } from './zk-api.ts';

export interface NodeValue<T> {
  readonly value: T;
  readonly stat: Stat;
}

const ATTEMPTS_DEFAULT = 100;

export class NodeHandle<T> {
  readonly path: string;
  private readonly zk: ZkApi;
  private readonly codec: Codec<T>;

  constructor(zk: ZkApi, path: string, codec: Codec<T>) {
    this.zk = zk;
    this.path = path;
    this.codec = codec;
  }

  /** null when there is no such znode. @throws TypeError when its bytes are no value of this kind. */
  async get(options: CallOptions = {}): Promise<NodeValue<T> | null> {
    const found = await this.zk.tryGetData(this.path, options);
    return found === null ? null : { value: this.read(found.data), stat: found.stat };
  }

  set(value: T, options: CallOptions & { readonly version?: number } = {}): Promise<Stat> {
    return this.zk.setData(this.path, this.codec.encode(value), options);
  }

  /**
   * Changes the value by comparing versions: `change` may run again with a newer value. It gets null, and creates, when the
   * znode is not there. Returns what was written.
   */
  async update(
    change: (value: T | null) => T,
    options: CallOptions & { readonly attempts?: number } = {},
  ): Promise<T> {
    const { attempts = ATTEMPTS_DEFAULT, ...call } = options;
    const left = bounded(this.zk.core, call);
    for (let attempt = 1; ; attempt++) {
      const found = await this.get(left());
      const value = change(found?.value ?? null);
      try {
        if (found === null)
          await this.zk.create(this.path, this.codec.encode(value), { ...left(), parents: 'persistent' });
        else await this.set(value, { ...left(), version: found.stat.version });
        return value;
      } catch (error) {
        const changed = isZk(error, 'BADVERSION') || isZk(error, 'NODEEXISTS') || isZk(error, 'NONODE');
        if (!changed || attempt >= attempts) throw error;
      }
    }
  }

  follow(options: { readonly signal?: AbortSignal } = {}): Follow<T> {
    return new Follow(this.zk, this.path, this.codec, options.signal ?? null);
  }

  private read(data: Uint8Array | null): T {
    try {
      return this.codec.decode(data);
    } catch (error) {
      throw new TypeError(`${this.path}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/**
 * A number in a znode that many change. Each change compares versions, so none is lost; with `exactlyOnce` none is counted
 * twice either when a reply is lost: the change carries a marker (`once.ts`). Without it, a change whose reply was lost is
 * looked for, and where it cannot be told from somebody else's, the error says `unknown`.
 *
 *     decimal   text, as kazoo's Counter       int32   Curator's SharedCount, DistributedAtomicInteger
 *                                              int64   Curator's DistributedAtomicLong
 */
import { type Codec, int32be, int64be, isZk, op, utf8, type Zk, type ZkError } from '../../client/index.ts';
import { stillUnknown } from '../contenders/errors.ts';
import { isSessionEnd, mayTryAgain } from '../contenders/wait.ts';
import { transactOnce } from '../once/once.ts';

export interface CounterOptions {
  readonly format?: 'decimal' | 'int32' | 'int64';
  /** Costs a marker in each change: one znode more made and deleted. */
  readonly exactlyOnce?: boolean;
}

interface Call {
  readonly signal?: AbortSignal;
}

interface Read {
  readonly value: number;
  readonly version: number;
}

const INT32_MAX = 0x7fffffff;

const decimal: Codec<number> = {
  encode: (value) => utf8.encode(String(value)),
  decode(bytes) {
    const text = utf8.decode(bytes);
    if (!/^-?\d+$/.test(text)) throw new TypeError(`"${text}" is no whole number`);
    return Number(text);
  },
};

const int64: Codec<number> = {
  encode: (value) => int64be.encode(BigInt(value)),
  decode: (bytes) => Number(int64be.decode(bytes)),
};

const FORMATS = { decimal, int32: int32be, int64 } as const;

export class Counter {
  readonly path: string;
  private readonly zk: Zk;
  private readonly codec: Codec<number>;
  private readonly most: number;
  private readonly exactlyOnce: boolean;

  constructor(zk: Zk, path: string, options: CounterOptions = {}) {
    const { format = 'decimal', exactlyOnce = false } = options;
    this.zk = zk;
    this.path = path;
    this.codec = FORMATS[format];
    this.most = format === 'int32' ? INT32_MAX : Number.MAX_SAFE_INTEGER;
    this.exactlyOnce = exactlyOnce;
  }

  /** 0 when there is no such znode yet. @throws TypeError when its bytes are no such number. */
  async get(call: Call = {}): Promise<number> {
    return (await this.read(call))?.value ?? 0;
  }

  /** Adds a whole number, also a negative one. Returns the sum. @throws RangeError when it does not fit. */
  add(amount: number, call: Call = {}): Promise<number> {
    if (!Number.isSafeInteger(amount)) throw new TypeError(`${this.path}: ${amount} is no whole number`);
    return this.change((value) => value + amount, call);
  }

  /** Sets it to what `next` makes of the present value; `next` may run again. Returns the new value. */
  async change(next: (value: number) => number, call: Call = {}): Promise<number> {
    for (;;) {
      const there = await this.readOrMake(call);
      const value = this.fitting(next(there.value));
      if (await this.write(value, there.version, call)) return value;
    }
  }

  private fitting(value: number): number {
    if (Number.isSafeInteger(value) && value <= this.most && value >= -this.most - 1) return value;
    throw new RangeError(`${this.path}: ${value} does not fit this counter`);
  }

  /** False: somebody else was faster. */
  private write(value: number, version: number, call: Call): Promise<boolean> {
    return this.exactlyOnce ? this.writeOnce(value, version, call) : this.writePlain(value, version, call);
  }

  private async writeOnce(value: number, version: number, call: Call): Promise<boolean> {
    try {
      await transactOnce(
        this.zk,
        this.path,
        [op.setData(this.path, this.codec.encode(value), version)],
        call.signal,
      );
      return true;
    } catch (error) {
      if (isZk(error, 'MULTIFAILED')) return false;
      throw error;
    }
  }

  private async writePlain(value: number, version: number, call: Call): Promise<boolean> {
    let lost: ZkError | null = null;
    for (;;) {
      try {
        await this.zk.setData(this.path, this.codec.encode(value), { version, ...call });
        return true;
      } catch (error) {
        if (isZk(error, 'NONODE')) return false;
        if (isZk(error, 'BADVERSION')) {
          if (lost === null || (await this.isCertainlyOf(value, version, lost, call))) return false;
          throw lost;
        }
        const isOpen = isZk(error) && (lost !== null || error.outcome === 'unknown');
        if (!isOpen) throw error;
        if (call.signal?.aborted === true || !mayTryAgain(error)) throw stillUnknown(error, lost ?? error);
        // Sent again with the same version, in this session or the next: at most one of the two is applied.
        lost ??= error;
      }
    }
  }

  /** Whether the change behind `version` was another's: the only one since, and to another value than ours. */
  private async isCertainlyOf(value: number, version: number, lost: ZkError, call: Call): Promise<boolean> {
    const there = await this.read(call).catch((error: unknown) => {
      throw stillUnknown(error, lost);
    });
    return there !== null && there.version === version + 1 && there.value !== value;
  }

  private async readOrMake(call: Call): Promise<Read> {
    for (;;) {
      const there = await this.read(call);
      if (there !== null) return there;
      try {
        await this.zk.create(this.path, this.codec.encode(0), { parents: 'persistent', ...call });
      } catch (error) {
        // Whoever made it made it 0.
        const again = isZk(error, 'NODEEXISTS') || mayTryAgain(error);
        if (!again || call.signal?.aborted === true) throw error;
      }
    }
  }

  private async read(call: Call): Promise<Read | null> {
    for (;;) {
      try {
        const found = await this.zk.tryGetData(this.path, call);
        if (found === null) return null;
        const { data, stat } = found;
        // Made without a value, as kazoo does.
        const value = data === null || data.length === 0 ? 0 : this.codec.decode(data);
        return { value: this.fitting(value), version: stat.version };
      } catch (error) {
        if (!isSessionEnd(error)) throw error;
      }
    }
  }
}

export function counter(zk: Zk, path: string, options?: CounterOptions): Counter {
  return new Counter(zk, path, options);
}

/**
 * From an entry of a mix to a request, for the entries that need no memory of earlier replies. What touches znodes
 * that the load itself makes (create, delete) is in own-znodes.ts; encoded-lane.ts puts both together.
 */

import { Prng } from '../../src/base/prng.ts';
import { OPEN_ACL } from '../../src/wire/acl.ts';
import { CreateFlags, OpCode } from '../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../src/wire/request-values.ts';
import { ANY_VERSION } from '../../src/wire/requests.ts';
import type { CountRange, MixEntry, PhasePlan } from '../plan/plan.ts';
import { existsRequest, getRequest, setRequest } from '../session/frames.ts';
import { type KeyChooser, makeKeyChooser } from './key-chooser.ts';
import type { KeySpace } from './key-space.ts';
import { ValueSource } from './value-source.ts';

export type MixLoad = Extract<PhasePlan['load'], { kind: 'mix' }>;

export class MixRequests {
  /** Keys and directories that the last request was about, as target numbers of the key space. */
  targets: number[] = [];
  readonly values: ValueSource;
  private readonly space: KeySpace;
  private readonly keys: KeyChooser;
  private readonly prng: Prng;
  private scratchCount = 0;
  /** Distinguishes the znodes made inside multis by different senders. */
  private readonly sender: string;

  constructor(load: MixLoad, space: KeySpace, seed: number, sender: string) {
    this.prng = new Prng(seed);
    this.space = space;
    this.sender = sender;
    this.keys = makeKeyChooser(load.keys, space.keyCount, this.prng.uint32());
    this.values = new ValueSource(load.values, this.prng);
  }

  nextKey(): number {
    return this.keys.next();
  }

  nextDirectory(): number {
    return this.prng.below(this.space.directoryCount);
  }

  /** Not for create and delete. */
  make(entry: MixEntry): Request {
    const { space } = this;
    if (entry.op === 'getChildren' || (entry.op === 'watch' && entry.on === 'children')) {
      const directory = this.nextDirectory();
      this.targets = [space.directoryTarget(directory)];
      return { op: OpCode.getChildren2, path: space.directoryPath(directory), watch: entry.op === 'watch' };
    }
    if (entry.op === 'multi') return this.multi(entry.of, entry.count);
    if (entry.op === 'multiRead') return this.multiRead(entry.of, entry.count);
    const key = this.keys.next();
    this.targets = [key];
    return this.onKey(entry, space.keyPath(key));
  }

  private onKey(entry: MixEntry, path: string): Request {
    if (entry.op === 'get') return getRequest(path);
    if (entry.op === 'set') return setRequest(path, this.values.next());
    if (entry.op === 'exists') return existsRequest(path);
    if (entry.op === 'sync') return { op: OpCode.sync, path };
    return {
      op: entry.op === 'watch' && entry.on === 'exists' ? OpCode.exists : OpCode.getData,
      path,
      watch: true,
    };
  }

  private multi(of: 'set' | 'check' | 'createDelete', range: CountRange): Request {
    const count = this.count(range);
    if (of === 'createDelete') return { op: OpCode.multi, subs: this.createDeletes(count) };
    this.targets = this.distinctKeys(count);
    const subs = this.targets.map((key): MultiSubRequest => {
      const path = this.space.keyPath(key);
      if (of === 'check') return { op: OpCode.check, path, version: ANY_VERSION };
      return { op: OpCode.setData, path, data: this.values.next(), version: ANY_VERSION };
    });
    return { op: OpCode.multi, subs };
  }

  /** Pairs that leave nothing behind: an odd count is rounded up. */
  private createDeletes(count: number): MultiSubRequest[] {
    const subs: MultiSubRequest[] = [];
    this.targets = [];
    while (subs.length < count) {
      const directory = this.space.directoryPath(this.nextDirectory());
      const path = `${directory}/m${this.sender}-${this.scratchCount++}`;
      subs.push(
        { op: OpCode.create, path, data: this.values.next(), acl: OPEN_ACL, flags: CreateFlags.persistent },
        { op: OpCode.delete, path, version: ANY_VERSION },
      );
    }
    return subs;
  }

  /** As the plan chooses them; one that is there already gives way to its neighbour. At most all keys. */
  private distinctKeys(count: number): number[] {
    const { keyCount } = this.space;
    const keys = new Set<number>();
    while (keys.size < Math.min(count, keyCount)) {
      let key = this.keys.next();
      while (keys.has(key)) key = (key + 1) % keyCount;
      keys.add(key);
    }
    return [...keys];
  }

  private multiRead(of: 'get' | 'getChildren', range: CountRange): Request {
    this.targets = [];
    const subs = Array.from({ length: this.count(range) }, (): MultiSubRequest => {
      if (of === 'get')
        return { op: OpCode.getData, path: this.space.keyPath(this.keys.next()), watch: false };
      return { op: OpCode.getChildren, path: this.space.directoryPath(this.nextDirectory()), watch: false };
    });
    return { op: OpCode.multiRead, subs };
  }

  private count({ min, max }: CountRange): number {
    return min + this.prng.below(max - min + 1);
  }
}

/** Its events are measured, so the acknowledgements that belong to them are remembered. */
export function hasWatches(load: MixLoad): boolean {
  return load.entries.some(({ op }) => op === 'watch');
}

/** True when a phase can be sent from a tape: no request depends on an earlier reply, none leaves something behind. */
export function fitsTape(load: MixLoad): boolean {
  return load.entries.every(
    ({ op }) => op !== 'create' && op !== 'delete' && op !== 'watch' && op !== 'multi' && op !== 'multiRead',
  );
}

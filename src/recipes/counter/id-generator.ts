/**
 * Numbers that nobody else gets: a block at a time is taken from a counter, its numbers are handed out locally. What is not
 * used when the process ends, or was taken by a request whose reply was lost, is passed over; none is given twice.
 */
import type { Zk } from '../../client/index.ts';
import { mayTryAgain } from '../contenders/wait.ts';
import { Counter, type CounterOptions } from './counter.ts';

export interface IdOptions {
  readonly format?: CounterOptions['format'];
  /** Numbers taken at a time. */
  readonly block?: number;
}

const BLOCK_DEFAULT = 1_000;

export class IdGenerator {
  private readonly counter: Counter;
  private readonly block: number;
  /** The block in use: the next number, and the one behind its last. */
  private next = 0;
  private end = 0;
  private refilling: Promise<void> | null = null;

  /** @throws TypeError for a block that makes no sense. */
  constructor(zk: Zk, path: string, options: IdOptions = {}) {
    const { block = BLOCK_DEFAULT, format = 'decimal' } = options;
    if (!Number.isSafeInteger(block) || block < 1)
      throw new TypeError(`block must be 1 or more, not ${block}`);
    this.counter = new Counter(zk, path, { format });
    this.block = block;
  }

  /** From 0 on; grows within this process. @throws RangeError when the counter is used up. */
  async id(): Promise<number> {
    while (this.next === this.end) {
      this.refilling ??= this.refill().finally(() => {
        this.refilling = null;
      });
      await this.refilling;
    }
    return this.next++;
  }

  private async refill(): Promise<void> {
    for (;;) {
      try {
        this.end = await this.counter.add(this.block);
        this.next = this.end - this.block;
        return;
      } catch (error) {
        if (!mayTryAgain(error)) throw error;
      }
    }
  }
}

export function idGenerator(zk: Zk, path: string, options?: IdOptions): IdGenerator {
  return new IdGenerator(zk, path, options);
}

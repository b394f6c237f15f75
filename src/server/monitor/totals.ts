/**
 * Numbers that one thread counts and the thread of the four-letter words reads. Counting is plain arithmetic on the
 * counting thread's own array; `publish` copies what has changed to shared memory, as rarely as its owner likes.
 * Which number is which says a table of indices (`{ requests: 0, … }`), one per stage.
 */
import { Counters, type CountersHandle, createCounters } from '../../shm/counters.ts';

export type TotalsTable = Readonly<Record<string, number>>;

export function createTotals(table: TotalsTable): CountersHandle {
  return createCounters(Object.keys(table));
}

/** One at a time; a new one goes on from what the one before has published. */
export class Totals {
  private readonly counters: Counters;
  private readonly values: Float64Array;
  private readonly published: Float64Array;

  constructor(handle: CountersHandle) {
    this.counters = new Counters(handle);
    this.values = Float64Array.from(handle.names, (_, index) => this.counters.get(index));
    this.published = this.values.slice();
  }

  get(index: number): number {
    return this.values[index]!;
  }

  add(index: number, amount: number): void {
    this.values[index]! += amount;
  }

  set(index: number, value: number): void {
    this.values[index] = value;
  }

  publish(): void {
    for (let index = 0; index < this.values.length; index++) {
      const value = Math.round(this.values[index]!);
      if (value === this.published[index]) continue;
      this.published[index] = value;
      this.counters.set(index, value);
    }
  }
}

/** A reset is the reader's affair: it remembers from where to count. */
export class TotalsReader {
  private readonly counters: Counters;
  private readonly base: Float64Array;

  constructor(handle: CountersHandle) {
    this.counters = new Counters(handle);
    this.base = new Float64Array(handle.names.length);
  }

  /** As it stands: for what goes up and down. */
  now(index: number): number {
    return this.counters.get(index);
  }

  /** Growth since the last reset. */
  since(index: number): number {
    return this.counters.get(index) - this.base[index]!;
  }

  reset(): void {
    for (let index = 0; index < this.base.length; index++) this.base[index] = this.counters.get(index);
  }
}

/**
 * What waits its turn, oldest first: a ring that grows. Taking one costs the same however many wait; of an array, each
 * `shift` would move all the others. Its owner bounds it. Pure.
 *
 *     items    · · 4 5 6 7 · ·        head ▲ counts up for ever, as tail does; a place is its lower bits
 */
const CAPACITY_START = 16;

export class Fifo<T> {
  private items: (T | undefined)[] = new Array(CAPACITY_START).fill(undefined);
  private head = 0;
  private tail = 0;

  get length(): number {
    return this.tail - this.head;
  }

  /** The oldest; there must be one. */
  get first(): T {
    return this.items[this.head & (this.items.length - 1)] as T;
  }

  push(item: T): void {
    if (this.length === this.items.length) this.grow();
    this.items[this.tail++ & (this.items.length - 1)] = item;
  }

  /** Takes the oldest; there must be one. */
  shift(): T {
    const at = this.head++ & (this.items.length - 1);
    const item = this.items[at] as T;
    this.items[at] = undefined;
    return item;
  }

  /** The newest becomes the oldest: it has tried, and nobody is to overtake it. */
  newestToFront(): void {
    const mask = this.items.length - 1;
    const at = --this.tail & mask;
    const item = this.items[at];
    this.items[at] = undefined;
    this.items[--this.head & mask] = item;
  }

  /** Takes out each one that is `item`: a look at all of them. */
  remove(item: T): void {
    for (let left = this.length; left > 0; left--) {
      const next = this.shift();
      if (next !== item) this.push(next);
    }
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let at = this.head; at < this.tail; at++) yield this.items[at & (this.items.length - 1)] as T;
  }

  private grow(): void {
    const before = this.items.length;
    const larger: (T | undefined)[] = new Array(2 * before).fill(undefined);
    for (let at = this.head; at < this.tail; at++)
      larger[at & (2 * before - 1)] = this.items[at & (before - 1)];
    this.items = larger;
  }
}

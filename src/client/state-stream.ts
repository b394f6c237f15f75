/**
 * State changes as an async iterator, beginning with the present state. Bounded: a reader that sleeps through more than
 * `CHANGES_MAX` changes misses the oldest of them; the newest is always there.
 */
import type { StateChange } from './session-state.ts';

const CHANGES_MAX = 1_000;

export class StateStream implements AsyncIterableIterator<StateChange> {
  private readonly changes: StateChange[];
  private readonly onReturn: (stream: StateStream) => void;
  private waiting: ((result: IteratorResult<StateChange, undefined>) => void) | null = null;
  private ended = false;

  constructor(present: StateChange, onReturn: (stream: StateStream) => void) {
    this.changes = [present];
    this.onReturn = onReturn;
  }

  push(change: StateChange): void {
    if (this.waiting !== null) {
      const resolve = this.waiting;
      this.waiting = null;
      resolve({ done: false, value: change });
      return;
    }
    if (this.changes.length === CHANGES_MAX) this.changes.shift();
    this.changes.push(change);
  }

  end(): void {
    this.ended = true;
    this.waiting?.({ done: true, value: undefined });
    this.waiting = null;
  }

  next(): Promise<IteratorResult<StateChange, undefined>> {
    const change = this.changes.shift();
    if (change !== undefined) return Promise.resolve({ done: false, value: change });
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    if (this.waiting !== null)
      return Promise.reject(new TypeError('one reader at a time: next() is pending'));
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<StateChange, undefined>> {
    this.end();
    this.onReturn(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

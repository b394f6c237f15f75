/**
 * A queue of calls in a growing ring of slots: taking and adding allocates nothing once it has its size. Pure.
 */
import type { Call } from './call.ts';

const SLOTS_MIN = 64;

export class CallQueue {
  private slots: (Call | null)[] = new Array<Call | null>(SLOTS_MIN).fill(null);
  private head = 0;
  length = 0;
  /** The sum of what is in it. */
  bytes = 0;

  push(call: Call): void {
    if (this.length === this.slots.length) this.grow();
    this.slots[(this.head + this.length) & (this.slots.length - 1)] = call;
    this.length++;
    this.bytes += call.bytes;
  }

  /** In front of all others. */
  unshift(call: Call): void {
    if (this.length === this.slots.length) this.grow();
    this.head = (this.head - 1) & (this.slots.length - 1);
    this.slots[this.head] = call;
    this.length++;
    this.bytes += call.bytes;
  }

  peek(): Call | null {
    return this.length === 0 ? null : this.slots[this.head]!;
  }

  shift(): Call | null {
    if (this.length === 0) return null;
    const call = this.slots[this.head]!;
    this.slots[this.head] = null;
    this.head = (this.head + 1) & (this.slots.length - 1);
    this.length--;
    this.bytes -= call.bytes;
    return call;
  }

  /** Takes one out of the middle; the order of the others stays. */
  remove(call: Call): boolean {
    const mask = this.slots.length - 1;
    let to = 0;
    for (let i = 0; i < this.length; i++) {
      const one = this.slots[(this.head + i) & mask]!;
      if (one !== call) this.slots[(this.head + to++) & mask] = one;
    }
    if (to === this.length) return false;
    this.slots[(this.head + to) & mask] = null;
    this.length = to;
    this.bytes -= call.bytes;
    return true;
  }

  /** Everything, in order; the queue is empty afterwards. */
  drain(): Call[] {
    const all: Call[] = [];
    for (let call = this.shift(); call !== null; call = this.shift()) all.push(call);
    return all;
  }

  private grow(): void {
    const bigger = new Array<Call | null>(this.slots.length * 2).fill(null);
    for (let i = 0; i < this.length; i++) bigger[i] = this.slots[(this.head + i) & (this.slots.length - 1)]!;
    this.slots = bigger;
    this.head = 0;
  }
}

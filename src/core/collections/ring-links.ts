/**
 * Doubly linked rings over small numbers (slots, watches), as two typed-array columns beside the table whose rows
 * they link: a row stands in at most one ring, leaves it in O(1), and no ring costs more than its head.
 *
 *     head ──▶ 3 ⇄ 8 ⇄ 5 ⇄ (3)        `before[head]` is the tail, so appending keeps the order of arrival
 */

import { grownInts } from './columns.ts';

/** The head of a ring without members. */
export const EMPTY_RING = -1;

export class RingLinks {
  after = new Int32Array(0);
  before = new Int32Array(0);

  /** Makes room for rows below `capacity`. */
  reserve(capacity: number): void {
    if (capacity <= this.after.length) return;
    this.after = grownInts(this.after, capacity);
    this.before = grownInts(this.before, capacity);
  }

  /** Adds `row` at the end of the ring and returns the ring's head. */
  append(head: number, row: number): number {
    if (head === EMPTY_RING) {
      this.after[row] = row;
      this.before[row] = row;
      return row;
    }
    const tail = this.before[head]!;
    this.after[tail] = row;
    this.before[row] = tail;
    this.after[row] = head;
    this.before[head] = row;
    return head;
  }

  /** Takes `row` out of the ring and returns the ring's head, EMPTY_RING when it was the last. */
  remove(head: number, row: number): number {
    const next = this.after[row]!;
    if (next === row) return EMPTY_RING;
    const previous = this.before[row]!;
    this.after[previous] = next;
    this.before[next] = previous;
    return head === row ? next : head;
  }
}

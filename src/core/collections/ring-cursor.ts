/**
 * A walk along a ring that may change while it is interrupted: it sees every row that stays from its begin to its end,
 * once, and none that is added meanwhile, so it ends however fast rows come. Whoever takes rows out of rings tells the
 * cursors first.
 *
 *     ⇄ 3 ⇄ 8 ⇄ 5 ⇄ 9 ⇄ 2 ⇄        rows between `next` and `last` are still to come; 2 came after the begin
 *           next    last           8 goes: next = 5        9 goes: last = 5
 */
import { EMPTY_RING, type RingLinks } from './ring-links.ts';

export const NO_MORE_ROWS = -1;

export class RingCursor {
  private readonly links: RingLinks;
  private next: number;
  private last: number;

  /** From `first` on, as a rule the head, to `last`, as a rule the tail. */
  constructor(
    links: RingLinks,
    first: number,
    last = first === EMPTY_RING ? NO_MORE_ROWS : links.before[first]!,
  ) {
    this.links = links;
    this.next = first === EMPTY_RING ? NO_MORE_ROWS : first;
    this.last = last;
  }

  /** The next row, or `NO_MORE_ROWS`. */
  take(): number {
    const row = this.next;
    if (row !== NO_MORE_ROWS) this.pass(row);
    return row;
  }

  /** `row` is about to leave its ring, which need not be this one. */
  onRemove(row: number): void {
    if (this.next === NO_MORE_ROWS) return;
    if (row === this.next) this.pass(row);
    else if (row === this.last) this.last = this.links.before[row]!;
  }

  private pass(row: number): void {
    this.next = row === this.last ? NO_MORE_ROWS : this.links.after[row]!;
  }
}

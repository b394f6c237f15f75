/**
 * A map from a pair of int32 to a small non-negative int32: session id halves to a session slot, (connection,
 * path) to a watch. Open addressing with linear probing over one typed array: no object per entry, no bigint
 * and no string to look something up.
 *
 *     cell: { a, b, value }, value −1 = empty; at most half of the cells are in use
 *
 * Deletion closes the gap by moving later cells of the run back, so there are no tombstones and the cost of a
 * search depends only on what is in the table now.
 */

import type { KeyedHash } from '../../base/keyed-hash.ts';

const EMPTY = -1;
const CELL_INTS = 3;
const CAPACITY_MIN = 16;

export class PairIndex {
  size = 0;
  private readonly hash: KeyedHash;
  private mask = CAPACITY_MIN - 1;
  private cells = emptyCells(CAPACITY_MIN);

  constructor(hash: KeyedHash) {
    this.hash = hash;
  }

  /** The value of (a, b), or -1. */
  find(a: number, b: number): number {
    const cells = this.cells;
    const mask = this.mask;
    for (let i = this.hash.ofPair(a, b) & mask; ; i = (i + 1) & mask) {
      const at = i * CELL_INTS;
      const value = cells[at + 2]!;
      if (value === EMPTY || (cells[at] === a && cells[at + 1] === b)) return value;
    }
  }

  /** Adds (a, b), which must not be there yet. */
  insert(a: number, b: number, value: number): void {
    if ((this.size + 1) * 2 > this.mask + 1) this.grow();
    this.place(a, b, value);
    this.size++;
  }

  /** Removes (a, b); true if it was there. */
  remove(a: number, b: number): boolean {
    const cells = this.cells;
    const mask = this.mask;
    let hole = this.hash.ofPair(a, b) & mask;
    for (; ; hole = (hole + 1) & mask) {
      const at = hole * CELL_INTS;
      if (cells[at + 2] === EMPTY) return false;
      if (cells[at] === a && cells[at + 1] === b) break;
    }
    for (let i = (hole + 1) & mask; cells[i * CELL_INTS + 2] !== EMPTY; i = (i + 1) & mask) {
      const at = i * CELL_INTS;
      const home = this.hash.ofPair(cells[at]!, cells[at + 1]!) & mask;
      // The cell may fill the hole unless its home lies cyclically in (hole, i].
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      cells.copyWithin(hole * CELL_INTS, at, at + CELL_INTS);
      hole = i;
    }
    cells[hole * CELL_INTS + 2] = EMPTY;
    this.size--;
    return true;
  }

  private place(a: number, b: number, value: number): void {
    let i = this.hash.ofPair(a, b) & this.mask;
    while (this.cells[i * CELL_INTS + 2] !== EMPTY) i = (i + 1) & this.mask;
    this.cells[i * CELL_INTS] = a;
    this.cells[i * CELL_INTS + 1] = b;
    this.cells[i * CELL_INTS + 2] = value;
  }

  private grow(): void {
    const old = this.cells;
    const capacity = (this.mask + 1) * 2;
    this.cells = emptyCells(capacity);
    this.mask = capacity - 1;
    for (let at = 0; at < old.length; at += CELL_INTS) {
      if (old[at + 2] !== EMPTY) this.place(old[at]!, old[at + 1]!, old[at + 2]!);
    }
  }
}

function emptyCells(capacity: number): Int32Array {
  return new Int32Array(capacity * CELL_INTS).fill(EMPTY);
}

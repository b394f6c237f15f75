/**
 * What changed a key after a given zxid. Keys are asked in ascending order, so that finding the key costs nothing.
 *
 *     rows of a key      0x10   0x14   0x15   0x20          by zxid
 *     earliest call us     5      9      8      8           of this row and those behind it
 */
import { orderedBy } from './stable-order.ts';

export const NO_CHANGE = -1;

export class ChangeIndex {
  private readonly rows: Uint32Array;
  private readonly keys: Int32Array;
  private readonly zxids: Float64Array;
  private readonly earliestUs: Float64Array;
  private from = 0;
  private to = 0;

  /** `keys`, `zxids` and `callUs` are columns that `rows` point into. */
  constructor(rows: Uint32Array, keys: Int32Array, zxids: Float64Array, callUs: Float64Array) {
    this.rows = orderedBy(orderedBy(rows, zxids), keys);
    this.keys = keys;
    this.zxids = zxids;
    this.earliestUs = new Float64Array(rows.length);
    for (let i = rows.length - 1; i >= 0; i--) {
      const row = this.rows[i]!;
      const next = this.rows[i + 1];
      const behind = next !== undefined && keys[next] === keys[row] ? this.earliestUs[i + 1]! : Infinity;
      this.earliestUs[i] = Math.min(callUs[row]!, behind);
    }
  }

  /** Turns to `key`, which is not below the one before. */
  seek(key: number): void {
    const { rows, keys } = this;
    if (this.from < this.to && keys[rows[this.from]!] === key) return;
    let from = this.to;
    while (from < rows.length && keys[rows[from]!]! < key) from++;
    let to = from;
    while (to < rows.length && keys[rows[to]!] === key) to++;
    this.from = from;
    this.to = to;
  }

  /** The row with the lowest zxid above `zxid`, or NO_CHANGE. */
  firstAfter(zxid: number): number {
    const place = this.placeAfter(zxid);
    return place < this.to ? this.rows[place]! : NO_CHANGE;
  }

  /** When the first of all changes above `zxid` was called for; Infinity without one. */
  earliestCallAfter(zxid: number): number {
    const place = this.placeAfter(zxid);
    return place < this.to ? this.earliestUs[place]! : Number.POSITIVE_INFINITY;
  }

  private placeAfter(zxid: number): number {
    let low = this.from;
    let high = this.to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.zxids[this.rows[middle]!]! <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

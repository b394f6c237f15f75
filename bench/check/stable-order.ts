/**
 * Orders of millions of records by whole-number columns: a stable radix sort of record numbers, so that a sort by
 * several columns is one pass after another, the least significant column first. Linear, no comparator, no objects.
 */

const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;
const TWO_32 = 4294967296;

type Column = Float64Array | Uint32Array | Int32Array;

/** `rows` by ascending `column[row]`, equal ones in the order they had. Values are whole, |v| < 2^53. */
export function orderedBy(rows: Uint32Array, column: Column): Uint32Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows.length; i++) {
    const value = column[rows[i]!]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  let order = rows;
  for (let unit = 1; unit <= high - low; unit *= TWO_32) {
    const wordMax = Math.min((high - low) / unit, TWO_32 - 1);
    for (let shift = 0; shift < 32 && 2 ** shift <= wordMax; shift += DIGIT_BITS) {
      order = distribute(order, column, low, unit, shift);
    }
  }
  return order;
}

/** 0, 1, ... count - 1 */
export function firstRows(count: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}

/** One pass: by the digit at `shift` of the 32-bit word of `value - low` that `unit` (1 or 2^32) selects. */
function distribute(
  rows: Uint32Array,
  column: Column,
  low: number,
  unit: number,
  shift: number,
): Uint32Array {
  const places = new Uint32Array(DIGITS);
  for (let i = 0; i < rows.length; i++) {
    const digit = (((column[rows[i]!]! - low) / unit) >>> shift) & (DIGITS - 1);
    places[digit]!++;
  }
  let next = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = places[digit]!;
    places[digit] = next;
    next += count;
  }
  const order = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const digit = (((column[rows[i]!]! - low) / unit) >>> shift) & (DIGITS - 1);
    order[places[digit]!++] = rows[i]!;
  }
  return order;
}

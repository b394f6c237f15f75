/**
 * The block sizes of the arena: pure tables, computed once. A page of 64 KiB (4096 grains of 16 bytes) is cut into
 * equal slots of one class.
 *
 *     up to 512 B     every multiple of 16 B                     32 classes   waste < 16 B a record
 *     up to 4 KiB     8 steps per doubling                       24 classes   waste < 1/8
 *     up to 32 KiB    the largest sizes of which n = 15 ... 2    14 classes   no page can hold more of them
 *                     fit into a page
 */
import { GRAIN_SHIFT } from './segments.ts';

export const PAGE_BYTES = 64 * 1024;
export const PAGE_GRAIN_SHIFT = 12;
export const PAGE_GRAINS = 1 << PAGE_GRAIN_SHIFT;
export const GRAIN_BYTES = 1 << GRAIN_SHIFT;

/** The largest record that shares a page with others. */
export const SLOT_BYTES_MAX = PAGE_BYTES / 2;

const FINE_GRAINS_MAX = 32;
const STEPS_PER_DOUBLING = 8;
const DOUBLINGS = 3;

/** Grains of a slot of each class, ascending. */
export const CLASS_GRAINS = classGrains();
export const CLASS_COUNT = CLASS_GRAINS.length;

/** Slots of each class in a page. */
export const CLASS_SLOTS = CLASS_GRAINS.map((grains) => Math.floor(PAGE_GRAINS / grains));

/** The class of a record by its grains, 0 ... SLOT_BYTES_MAX / 16; no grains take the first class. */
export const CLASS_OF_GRAINS = classOfGrains();

function classGrains(): Uint16Array {
  const sizes: number[] = [];
  for (let grains = 1; grains <= FINE_GRAINS_MAX; grains++) sizes.push(grains);
  for (let doubling = 0; doubling < DOUBLINGS; doubling++) {
    const base = FINE_GRAINS_MAX << doubling;
    for (let step = 1; step <= STEPS_PER_DOUBLING; step++)
      sizes.push(base + (base / STEPS_PER_DOUBLING) * step);
  }
  for (let slots = 15; slots >= 2; slots--) sizes.push(Math.floor(PAGE_GRAINS / slots));
  return Uint16Array.from(sizes);
}

function classOfGrains(): Uint8Array {
  const table = new Uint8Array(SLOT_BYTES_MAX / GRAIN_BYTES + 1);
  let sizeClass = 0;
  for (let grains = 0; grains < table.length; grains++) {
    if (grains > CLASS_GRAINS[sizeClass]!) sizeClass++;
    table[grains] = sizeClass;
  }
  return table;
}

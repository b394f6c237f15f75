/**
 * Allocator of the znode store: blocks of 1 byte to 64 MiB inside shared segments. The one writer of the store calls
 * it; readers on other threads never see it, they only follow offsets. Nothing here touches the blocks: all
 * bookkeeping is in private tables, so a block keeps its bytes until it is handed out again.
 *
 * A page serves one size class (`size-classes.ts`) and has a bitmap of its free slots; the lowest free slot is taken
 * first. Blocks above 32 KiB are runs of whole pages (`page-pool.ts`).
 *
 *     page number -> class, live count, bitmap of free slots, place
 *
 *     place:   CURRENT --last slot taken--> FULL --a block freed--> listed in group 0 ... 7 by live share
 *                 ^                                                     |              |
 *                 +---- the class needs a page: fullest group first ----+              | ^ readmitWithdrawn
 *                                                                  withdrawSparsePages v |
 *              UNUSED (in the pool) <------- last block freed ------- listed or WITHDRAWN
 *
 * Filling the fullest pages first lets the emptier ones run empty. Where that is not enough, because sizes have
 * shifted, the owner compacts (`compactor.ts`): `withdrawSparsePages` picks pages whose blocks fit into free slots
 * elsewhere, the owner goes through its own pointers, moves each block that `isWithdrawn` and frees the old one, at
 * once or when its readers have gone; `readmitWithdrawn` gives back to allocation what has not run empty.
 */
import { assert } from '../base/assert.ts';
import { PagePool } from './page-pool.ts';
import { GRAIN_SHIFT, SEGMENT_BYTES, type Segments } from './segments.ts';
import {
  CLASS_COUNT,
  CLASS_GRAINS,
  CLASS_OF_GRAINS,
  CLASS_SLOTS,
  GRAIN_BYTES,
  PAGE_BYTES,
  PAGE_GRAIN_SHIFT,
  PAGE_GRAINS,
  SLOT_BYTES_MAX,
} from './size-classes.ts';
import { grown } from './typed-arrays.ts';

/** The largest block fills a segment; one from half of that up usually needs a fresh one. */
export const BLOCK_BYTES_MAX = SEGMENT_BYTES;

// Classes beyond the size classes.
const CLASS_NONE = 0xff;
const CLASS_RUN = 0xfe;

// Places of a page; below GROUPS it is the group in whose list it hangs.
const GROUPS = 8;
const CURRENT = GROUPS;
const FULL = GROUPS + 1;
const WITHDRAWN = GROUPS + 2;
const UNUSED = GROUPS + 3;

/** Words of a page's bitmap: one bit per grain, so that every class has enough. */
const MAP_SHIFT = 7;
const MAP_WORDS = PAGE_GRAINS / 32;

/** A page stays in group g while its live count is at least GROUP_FLOOR[class * GROUPS + g]. */
const GROUP_FLOOR = groupFloors();

export interface ArenaOptions {
  /** Limit of `reservedBytes`. */
  readonly bytesMax: number;
}

export class Arena {
  readonly segments: Segments;
  /** Bytes of all live blocks, each rounded up to its class. */
  usedBytes = 0;
  /** Pages out of allocation that still hold blocks. */
  withdrawnPages = 0;
  private readonly pool: PagePool;
  /** By class: the page that allocations come from, 0 = none. */
  private readonly current = new Int32Array(CLASS_COUNT);
  /** By class and group: first listed page, 0 = none. */
  private readonly heads = new Int32Array(CLASS_COUNT * GROUPS);
  /** By class: free slots of all pages that are not withdrawn. */
  private readonly freeSlots = new Int32Array(CLASS_COUNT);
  // By page.
  private classes = new Uint8Array(0);
  private places = new Uint8Array(0);
  /** Live blocks; of a run its pages. */
  private live = new Uint16Array(0);
  /** No bitmap word below this one has a free slot. */
  private firstWord = new Uint8Array(0);
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  /** MAP_WORDS words per page, 1 = free. */
  private maps = new Int32Array(0);

  /** Adds the first segment if there is none yet. */
  constructor(segments: Segments, options: ArenaOptions) {
    this.segments = segments;
    this.pool = new PagePool(segments, Math.floor(options.bytesMax / PAGE_BYTES));
  }

  /** Bytes of all pages in use. */
  get reservedBytes(): number {
    return this.pool.usedPages * PAGE_BYTES;
  }

  /** Pages of the segments so far that hold nothing. */
  get freePages(): number {
    return this.pool.freePages;
  }

  /** Whether a block of `bytes` could be allocated now and leave `spareBytes` of whole pages for others. */
  hasRoom(bytes: number, spareBytes: number): boolean {
    if (this.pool.hasRoom(Math.ceil((bytes + spareBytes) / PAGE_BYTES))) return true;
    if (bytes > SLOT_BYTES_MAX) return false;
    const sizeClass = CLASS_OF_GRAINS[(bytes + GRAIN_BYTES - 1) >> GRAIN_SHIFT]!;
    return this.freeSlots[sizeClass]! > 0;
  }

  /** The same for two blocks together. */
  hasRoomForBoth(bytes: number, otherBytes: number, spareBytes: number): boolean {
    if (this.pool.hasRoom(Math.ceil((bytes + otherBytes + spareBytes) / PAGE_BYTES) + 1)) return true;
    if (bytes > SLOT_BYTES_MAX || otherBytes > SLOT_BYTES_MAX) return false;
    const sizeClass = CLASS_OF_GRAINS[(bytes + GRAIN_BYTES - 1) >> GRAIN_SHIFT]!;
    const otherClass = CLASS_OF_GRAINS[(otherBytes + GRAIN_BYTES - 1) >> GRAIN_SHIFT]!;
    if (sizeClass === otherClass) return this.freeSlots[sizeClass]! > 1;
    return this.freeSlots[sizeClass]! > 0 && this.freeSlots[otherClass]! > 0;
  }

  /** The offset of a block of at least `bytes` bytes with undefined content; 0 = the limit is reached. */
  allocate(bytes: number): number {
    assert(bytes > 0 && bytes <= BLOCK_BYTES_MAX, 'arena block size out of range');
    if (bytes > SLOT_BYTES_MAX) return this.allocateRun(bytes);
    const sizeClass = CLASS_OF_GRAINS[(bytes + GRAIN_BYTES - 1) >> GRAIN_SHIFT]!;
    let page = this.current[sizeClass]!;
    if (page === 0) {
      page = this.nextPage(sizeClass);
      if (page === 0) return 0;
    }
    const maps = this.maps;
    let word = (page << MAP_SHIFT) + this.firstWord[page]!;
    while (maps[word] === 0) word++;
    const free = maps[word]!;
    const bit = free & -free;
    maps[word] = free ^ bit;
    const inPage = word & (MAP_WORDS - 1);
    this.firstWord[page] = inPage;
    const live = this.live[page]! + 1;
    this.live[page] = live;
    this.freeSlots[sizeClass]!--;
    if (live === CLASS_SLOTS[sizeClass]) {
      this.places[page] = FULL;
      this.current[sizeClass] = 0;
    }
    const grains = CLASS_GRAINS[sizeClass]!;
    this.usedBytes += grains << GRAIN_SHIFT;
    const slot = (inPage << 5) + 31 - Math.clz32(bit);
    return (page << PAGE_GRAIN_SHIFT) + Math.imul(slot, grains);
  }

  /** Gives a block back; nobody may read it any more. */
  free(offset: number): void {
    const page = offset >>> PAGE_GRAIN_SHIFT;
    const sizeClass = this.classOf(offset);
    if (sizeClass === CLASS_RUN) {
      this.freeRun(offset);
      return;
    }
    const grains = CLASS_GRAINS[sizeClass]!;
    const grain = offset & (PAGE_GRAINS - 1);
    const slot = (grain / grains) | 0;
    assert(Math.imul(slot, grains) === grain, 'arena free of an offset inside a block');
    const inPage = slot >> 5;
    const word = (page << MAP_SHIFT) + inPage;
    const bit = 1 << (slot & 31);
    assert((this.maps[word]! & bit) === 0, 'arena block freed twice');
    this.maps[word] = this.maps[word]! | bit;
    if (inPage < this.firstWord[page]!) this.firstWord[page] = inPage;
    const live = this.live[page]! - 1;
    this.live[page] = live;
    this.usedBytes -= grains << GRAIN_SHIFT;
    const place = this.places[page]!;
    if (place !== WITHDRAWN) this.freeSlots[sizeClass]!++;
    if (place === CURRENT) return;
    if (live === 0) this.releasePage(page, place);
    else if (place === FULL) this.list(page, live);
    else if (place < GROUPS && live < GROUP_FLOOR[sizeClass * GROUPS + place]!) {
      this.unlist(page);
      this.list(page, live);
    }
  }

  /** Bytes of the block at `offset`, at least what was asked for. */
  sizeOf(offset: number): number {
    const sizeClass = this.classOf(offset);
    if (sizeClass === CLASS_RUN) return this.live[offset >>> PAGE_GRAIN_SHIFT]! * PAGE_BYTES;
    return CLASS_GRAINS[sizeClass]! << GRAIN_SHIFT;
  }

  /**
   * Takes at most `pagesMax` pages out of allocation that are worth emptying, the emptiest of each class first, and
   * returns how many. Less than `liveShareMax` of their slots are live (rounded up to eighths), and the free slots left
   * in other pages of their class take all those blocks, so that emptying them needs no new page. One plan at a time.
   */
  withdrawSparsePages(liveShareMax: number, pagesMax: number): number {
    assert(this.withdrawnPages === 0, 'arena pages are withdrawn already');
    let count = 0;
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      this.listCurrent(sizeClass);
      const slots = CLASS_SLOTS[sizeClass]!;
      // Losing a page takes away its free slots and fills others with its blocks: together, all its slots.
      let slack = this.freeSlots[sizeClass]!;
      for (let group = 0; group < GROUPS * liveShareMax; group++) {
        const head = sizeClass * GROUPS + group;
        while (this.heads[head] !== 0 && slack >= slots && count < pagesMax) {
          this.withdraw(this.heads[head]!);
          slack -= slots;
          count++;
        }
      }
    }
    return count;
  }

  /** Whether the block lies in a page that is to be emptied. */
  isWithdrawn(offset: number): boolean {
    return this.places[offset >>> PAGE_GRAIN_SHIFT] === WITHDRAWN;
  }

  /** Lets allocation have again what is still withdrawn. */
  readmitWithdrawn(): void {
    for (let page = 0; this.withdrawnPages > 0; page++) {
      if (this.places[page] !== WITHDRAWN) continue;
      const sizeClass = this.classes[page]!;
      this.freeSlots[sizeClass] = this.freeSlots[sizeClass]! + CLASS_SLOTS[sizeClass]! - this.live[page]!;
      this.withdrawnPages--;
      this.list(page, this.live[page]!);
    }
  }

  private classOf(offset: number): number {
    const page = offset >>> PAGE_GRAIN_SHIFT;
    assert(offset > 0 && page < this.classes.length, 'arena offset out of range');
    const sizeClass = this.classes[page]!;
    assert(sizeClass !== CLASS_NONE, 'arena offset in a free page');
    return sizeClass;
  }

  private allocateRun(bytes: number): number {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const page = this.takePages(pages);
    if (page === 0) return 0;
    this.classes[page] = CLASS_RUN;
    this.live[page] = pages;
    this.usedBytes += pages * PAGE_BYTES;
    return page << PAGE_GRAIN_SHIFT;
  }

  private freeRun(offset: number): void {
    assert((offset & (PAGE_GRAINS - 1)) === 0, 'arena free of an offset inside a block');
    const page = offset >>> PAGE_GRAIN_SHIFT;
    const pages = this.live[page]!;
    this.usedBytes -= pages * PAGE_BYTES;
    this.classes[page] = CLASS_NONE;
    this.pool.give(page, pages);
  }

  /** The fullest page of the class with a free slot, else a fresh one; 0 = the limit is reached. */
  private nextPage(sizeClass: number): number {
    let page = 0;
    for (let group = GROUPS - 1; group >= 0 && page === 0; group--) {
      page = this.heads[sizeClass * GROUPS + group]!;
    }
    if (page !== 0) {
      this.unlist(page);
    } else {
      page = this.takePages(1);
      if (page === 0) return 0;
      this.classes[page] = sizeClass;
      this.live[page] = 0;
      this.firstWord[page] = 0;
      const slots = CLASS_SLOTS[sizeClass]!;
      this.fillMap(page, slots);
      this.freeSlots[sizeClass] = this.freeSlots[sizeClass]! + slots;
    }
    this.places[page] = CURRENT;
    this.current[sizeClass] = page;
    return page;
  }

  private takePages(pages: number): number {
    const page = this.pool.take(pages);
    const pageEnd = this.pool.pageEnd;
    if (this.classes.length < pageEnd) {
      const known = this.classes.length;
      this.classes = grown(this.classes, pageEnd);
      this.classes.fill(CLASS_NONE, known);
      this.places = grown(this.places, pageEnd);
      this.live = grown(this.live, pageEnd);
      this.firstWord = grown(this.firstWord, pageEnd);
      this.next = grown(this.next, pageEnd);
      this.previous = grown(this.previous, pageEnd);
      this.maps = grown(this.maps, pageEnd * MAP_WORDS);
    }
    return page;
  }

  /** Of an empty page. */
  private releasePage(page: number, place: number): void {
    if (place < GROUPS) this.unlist(page);
    if (place === WITHDRAWN) {
      this.withdrawnPages--;
    } else {
      const sizeClass = this.classes[page]!;
      this.freeSlots[sizeClass] = this.freeSlots[sizeClass]! - CLASS_SLOTS[sizeClass]!;
    }
    this.classes[page] = CLASS_NONE;
    this.places[page] = UNUSED;
    this.pool.give(page, 1);
  }

  /** Marks the first `slots` slots free and the rest of the map, which is no slot, not free. */
  private fillMap(page: number, slots: number): void {
    const start = page << MAP_SHIFT;
    this.maps.fill(0, start, start + MAP_WORDS);
    this.maps.fill(-1, start, start + (slots >> 5));
    if ((slots & 31) !== 0) this.maps[start + (slots >> 5)] = (1 << (slots & 31)) - 1;
  }

  private withdraw(page: number): void {
    const sizeClass = this.classes[page]!;
    this.unlist(page);
    this.places[page] = WITHDRAWN;
    this.freeSlots[sizeClass] = this.freeSlots[sizeClass]! - CLASS_SLOTS[sizeClass]! + this.live[page]!;
    this.withdrawnPages++;
  }

  private list(page: number, live: number): void {
    const sizeClass = this.classes[page]!;
    const group = Math.floor((live * GROUPS) / CLASS_SLOTS[sizeClass]!);
    const index = sizeClass * GROUPS + group;
    const head = this.heads[index]!;
    this.next[page] = head;
    this.previous[page] = 0;
    if (head !== 0) this.previous[head] = page;
    this.heads[index] = page;
    this.places[page] = group;
  }

  private unlist(page: number): void {
    const next = this.next[page]!;
    const previous = this.previous[page]!;
    if (next !== 0) this.previous[next] = previous;
    if (previous !== 0) this.next[previous] = next;
    else this.heads[this.classes[page]! * GROUPS + this.places[page]!] = next;
  }

  /** Puts the current page of a class among the others, so that a plan sees every page with free slots. */
  private listCurrent(sizeClass: number): void {
    const page = this.current[sizeClass]!;
    if (page === 0) return;
    this.current[sizeClass] = 0;
    if (this.live[page] === 0) this.releasePage(page, CURRENT);
    else this.list(page, this.live[page]!);
  }
}

function groupFloors(): Uint16Array {
  const floors = new Uint16Array(CLASS_COUNT * GROUPS);
  for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
    for (let group = 0; group < GROUPS; group++) {
      floors[sizeClass * GROUPS + group] = Math.ceil((group * CLASS_SLOTS[sizeClass]!) / GROUPS);
    }
  }
  return floors;
}

/**
 * Counts the blocks that live in an arena, by size class, and says how many pages and segments the arena may hold for
 * them. The bounds follow from how it allocates (`src/shm/arena.ts`, `page-pool.ts`):
 *
 *     pages of a class     a fresh page is taken only when every page of the class is full, and one that has run empty
 *                          goes back, but for the page that allocations come from:
 *                              pages <= min(ceil(most blocks ever / slots), blocks now + 1)
 *     after a compaction   pages fuller than the share s stay; of others, less than one page's worth of free slots:
 *                              pages <= blocks now / (s x slots) + 1
 *     segments             one is added only when no free run is long enough for a request of at most R pages. Each free
 *                          run is then shorter than R and has a used page or a segment's end on its left:
 *                              segments <= 1 + (1 + R x most pages ever used) / (pages per segment + 1 - R)
 *
 * The first one has no bound by the live bytes of the moment: one small block per page is enough to keep as many pages
 * of each class as the class ever had. With compaction there is one; segments never go back in any case.
 */
import { SEGMENT_PAGES } from '../../../src/shm/page-pool.ts';
import {
  CLASS_COUNT,
  CLASS_OF_GRAINS,
  CLASS_SLOTS,
  GRAIN_BYTES,
  PAGE_BYTES,
  SLOT_BYTES_MAX,
} from '../../../src/shm/size-classes.ts';

export class BlockCensus {
  private readonly live = new Int32Array(CLASS_COUNT);
  private readonly most = new Int32Array(CLASS_COUNT);
  private runPages = 0;
  private longestRun = 1;

  /** `bytes`: as asked for. */
  onAllocated(bytes: number): void {
    if (bytes > SLOT_BYTES_MAX) {
      const pages = Math.ceil(bytes / PAGE_BYTES);
      this.runPages += pages;
      if (pages > this.longestRun) this.longestRun = pages;
      return;
    }
    const sizeClass = classOf(bytes);
    const live = this.live[sizeClass]! + 1;
    this.live[sizeClass] = live;
    if (live > this.most[sizeClass]!) this.most[sizeClass] = live;
  }

  onFreed(bytes: number): void {
    if (bytes > SLOT_BYTES_MAX) this.runPages -= Math.ceil(bytes / PAGE_BYTES);
    else this.live[classOf(bytes)]!--;
  }

  /** Without compaction, at any time. */
  pagesMax(): number {
    let pages = this.runPages;
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      const ever = Math.ceil(this.most[sizeClass]! / CLASS_SLOTS[sizeClass]!);
      pages += Math.min(ever, this.live[sizeClass]! + 1);
    }
    return pages;
  }

  /** Right after a compaction that has emptied every page it planned. */
  pagesMaxCompacted(liveShareMax: number): number {
    let pages = this.runPages;
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      const live = this.live[sizeClass]!;
      if (live > 0) pages += Math.floor(live / (liveShareMax * CLASS_SLOTS[sizeClass]!)) + 1;
    }
    return pages;
  }

  /** `mostPages`: most that were ever in use at once. */
  segmentsMax(mostPages: number): number {
    const longest = this.longestRun;
    return 1 + Math.floor((1 + longest * mostPages) / (SEGMENT_PAGES + 1 - longest));
  }
}

function classOf(bytes: number): number {
  return CLASS_OF_GRAINS[Math.ceil(bytes / GRAIN_BYTES)]!;
}

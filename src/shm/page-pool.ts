/**
 * Hands out runs of contiguous 64 KiB pages from the segments to the arena, best fit, and joins what comes back with
 * its free neighbours. Pages are numbered over all segments; a run never crosses a segment's end. All of it is the
 * writer's private bookkeeping; the pages themselves are not touched.
 *
 * Free runs hang in lists by length: one list per length up to 64 pages, then one per doubling. A run writes its
 * length at both of its ends, which is how a returned neighbour finds its borders:
 *
 *     page        7    8    9   10   11   12   13
 *               used | free run, 4 pages   | used          edge[8] = edge[11] = 4, edge[7] = edge[12] = 0
 *
 * Best fit keeps the untouched rest of the newest segment, the longest run of all, for last: memory that the
 * system has already committed is used again before new memory is.
 */
import { SEGMENT_BYTES, SEGMENTS_MAX, type Segments } from './segments.ts';
import { PAGE_BYTES } from './size-classes.ts';
import { grown } from './typed-arrays.ts';

export const SEGMENT_PAGES = SEGMENT_BYTES / PAGE_BYTES;

const EXACT_LISTS = 64;
/** 65-128, 129-256, 257-512, 513-1024. */
const LIST_COUNT = EXACT_LISTS + Math.log2(SEGMENT_PAGES / EXACT_LISTS);

/** Page 0 is never handed out, so that offset 0 and page number 0 can mean "none". */
const FIRST_PAGE = 1;

export class PagePool {
  /** Pages handed out. */
  usedPages = 0;
  /** Pages of the segments so far that are not handed out. */
  freePages = 0;
  /** Page numbers are below this. */
  pageEnd = 0;
  private readonly segments: Segments;
  private readonly pagesMax: number;
  /** First run of each list, 0 = empty. */
  private readonly heads = new Int32Array(LIST_COUNT);
  // By first page of a free run.
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  /** At the first and last page of a free run its length, at those of a used run 0, in between anything. */
  private edge = new Int32Array(0);

  constructor(segments: Segments, pagesMax: number) {
    this.segments = segments;
    this.pagesMax = pagesMax;
    this.addSegment();
  }

  /** Whether the limit leaves so many pages, contiguous or not. */
  hasRoom(pages: number): boolean {
    return this.usedPages + pages <= this.pagesMax;
  }

  /** The first of `pages` contiguous pages (at most a segment), or 0 when the limit is reached. */
  take(pages: number): number {
    if (!this.hasRoom(pages)) return 0;
    let run = this.bestFit(pages);
    if (run === 0) {
      if (this.segments.list.length === SEGMENTS_MAX) return 0;
      this.addSegment();
      run = this.bestFit(pages);
    }
    const length = this.edge[run]!;
    this.unlink(run, length);
    if (length > pages) this.link(run + pages, length - pages);
    this.edge[run] = 0;
    this.edge[run + pages - 1] = 0;
    this.usedPages += pages;
    this.freePages -= pages;
    return run;
  }

  /** Takes back a run that `take` gave, whole. */
  give(run: number, pages: number): void {
    this.usedPages -= pages;
    this.freePages += pages;
    let first = run;
    let end = run + pages;
    if (first % SEGMENT_PAGES !== 0 && this.edge[first - 1]! > 0) {
      first -= this.edge[first - 1]!;
      this.unlink(first, run - first);
    }
    if (end % SEGMENT_PAGES !== 0 && this.edge[end]! > 0) {
      const after = this.edge[end]!;
      this.unlink(end, after);
      end += after;
    }
    this.link(first, end - first);
  }

  private bestFit(pages: number): number {
    let list = listOf(pages);
    while (list < EXACT_LISTS) {
      if (this.heads[list] !== 0) return this.heads[list]!;
      list++;
    }
    for (; list < LIST_COUNT; list++) {
      let best = 0;
      for (let run = this.heads[list]!; run !== 0; run = this.next[run]!) {
        if (this.edge[run]! < pages) continue;
        if (best === 0 || this.edge[run]! < this.edge[best]!) best = run;
      }
      if (best !== 0) return best;
    }
    return 0;
  }

  private addSegment(): void {
    if (this.segments.list.length * SEGMENT_PAGES === this.pageEnd) this.segments.grow();
    const start = Math.max(this.pageEnd, FIRST_PAGE);
    this.pageEnd += SEGMENT_PAGES;
    this.next = grown(this.next, this.pageEnd);
    this.previous = grown(this.previous, this.pageEnd);
    this.edge = grown(this.edge, this.pageEnd);
    this.freePages += this.pageEnd - start;
    this.link(start, this.pageEnd - start);
  }

  private link(run: number, length: number): void {
    const list = listOf(length);
    const head = this.heads[list]!;
    this.next[run] = head;
    this.previous[run] = 0;
    if (head !== 0) this.previous[head] = run;
    this.heads[list] = run;
    this.edge[run] = length;
    this.edge[run + length - 1] = length;
  }

  private unlink(run: number, length: number): void {
    const next = this.next[run]!;
    const previous = this.previous[run]!;
    if (next !== 0) this.previous[next] = previous;
    if (previous !== 0) this.next[previous] = next;
    else this.heads[listOf(length)] = next;
  }
}

function listOf(length: number): number {
  if (length <= EXACT_LISTS) return length - 1;
  // 65-128 -> 64, 129-256 -> 65, ...: the position of the highest bit of length - 1, which is 6 for 65-128.
  return EXACT_LISTS + (31 - Math.clz32(length - 1)) - 6;
}

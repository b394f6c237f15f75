/**
 * When and how fast an arena's owner compacts it. Pages in use may be worth `LEVEL` of the live blocks and a bit; above
 * that, or when room runs out, a round empties sparse pages, a slice per tick, so that nobody waits for it:
 *
 *     resting ──above the level, or short──▶ round: withdraw sparse pages; slices of the sweep ... ; readmit what is left
 *        ▲                                     │
 *        └── at once, or REST_MS later ◀───────┘ every position seen, all pages empty, no room to move a block, or the
 *            when it was of little use           owner's blocks are pinned
 *
 * Blocks have no owner's mark, so the owner goes through its own pointers: a sweep is one look at each of its positions
 * (0 ... positionEnd - 1, in a circle; a round begins where the one before has stopped, so rounds that are cut short
 * still get everywhere). What a round cannot move stays where it is, and the next one plans anew.
 */
import type { Arena } from './arena.ts';

export const LEVEL = 1.5;
export const LEVEL_SPARE_BYTES = 8 * 1024 * 1024;

/** Pages fuller than this are not worth emptying. */
export const LIVE_SHARE_MAX = 0.75;

/** Withdrawn at once: 512 MiB, half a millisecond. */
const PAGES_PER_ROUND = 8192;

// A slice is so many looks, or as many moves or moved bytes as take as long: about half a millisecond. The first ones
// of a round are shorter, because code that has not run for long is slow.
const SLICE_LOOKS_FIRST = 4096;
const SLICE_LOOKS_MAX = 65_536;
const LOOKS_PER_MOVE = 32;
const MOVED_BYTES_PER_LOOK = 16;

/** A round that empties fewer, or less than half of its pages, was of little use: what stood in its way must go first. */
const USEFUL_PAGES = 16;
const REST_MS = 5_000;

/** No block could be had, or none without taking what is kept back for others. */
export const NO_ROOM = -1;

/** The owner of an arena's blocks. */
export interface BlockSweep {
  /** One past the last position; may grow and shrink meanwhile. */
  readonly positionEnd: number;
  /** No block may be moved for now. */
  readonly isPinned: boolean;
  /** Room runs out: pages are emptied below the level too. */
  readonly isShort: boolean;
  /** Moves the block of this position if it is withdrawn (and may be moved): its bytes, 0 = nothing to do, or NO_ROOM. */
  relocate(position: number): number;
}

/** Whether pages in use are worth so much more than the blocks in them that a compaction pays. */
export function isSparse(arena: Arena): boolean {
  return arena.reservedBytes > LEVEL * arena.usedBytes + LEVEL_SPARE_BYTES;
}

export class Compactor {
  /** Rounds that have ended, blocks and bytes moved. */
  rounds = 0;
  movedBlocks = 0;
  movedBytes = 0;
  private readonly arena: Arena;
  private readonly owner: BlockSweep;
  private position = 0;
  /** Positions that this round has not looked at; 0 = resting. */
  private left = 0;
  /** Withdrawn for this round. */
  private planned = 0;
  private sliceLooks = 0;
  private restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(arena: Arena, owner: BlockSweep) {
    this.arena = arena;
    this.owner = owner;
  }

  /** A slice of work if there is any, between two uses of the owner's blocks. `nowMs` monotonic. */
  tick(nowMs: number): void {
    if (this.left === 0 && !this.begin(nowMs)) return;
    if (this.owner.isPinned) this.left = 0;
    else this.sweep();
    if (this.left === 0) this.end(nowMs);
  }

  private begin(nowMs: number): boolean {
    if (nowMs < this.restUntilMs || this.owner.isPinned) return false;
    if (!isSparse(this.arena) && !this.owner.isShort) return false;
    this.planned = this.arena.withdrawSparsePages(LIVE_SHARE_MAX, PAGES_PER_ROUND);
    if (this.planned === 0) this.restUntilMs = nowMs + REST_MS;
    else this.left = this.owner.positionEnd;
    this.sliceLooks = SLICE_LOOKS_FIRST;
    return this.planned > 0;
  }

  private sweep(): void {
    const { arena, owner, sliceLooks } = this;
    const end = owner.positionEnd;
    const bytesEnd = this.movedBytes + sliceLooks * MOVED_BYTES_PER_LOOK;
    const blocksEnd = this.movedBlocks + sliceLooks / LOOKS_PER_MOVE;
    let position = this.position;
    let left = this.left;
    for (let looks = 0; left > 0 && looks < sliceLooks; looks++) {
      if (position >= end) position = 0;
      const bytes = owner.relocate(position++);
      left--;
      if (bytes === 0) continue;
      if (bytes === NO_ROOM) {
        left = 0;
        break;
      }
      this.movedBlocks++;
      this.movedBytes += bytes;
      if (arena.withdrawnPages === 0) left = 0;
      if (this.movedBytes >= bytesEnd || this.movedBlocks >= blocksEnd) break;
    }
    this.position = position;
    this.left = left;
    this.sliceLooks = Math.min(2 * sliceLooks, SLICE_LOOKS_MAX);
  }

  private end(nowMs: number): void {
    const emptied = this.planned - this.arena.withdrawnPages;
    if (emptied < USEFUL_PAGES || emptied * 2 < this.planned) this.restUntilMs = nowMs + REST_MS;
    this.arena.readmitWithdrawn();
    this.rounds++;
  }
}

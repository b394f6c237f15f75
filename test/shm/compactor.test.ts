/**
 * When the compactor begins, how far a slice goes, and when it rests: with an owner of blocks of one size, most of
 * which are gone again, so that a few are left in every page.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../../src/shm/arena.ts';
import { type BlockSweep, Compactor, isSparse, LEVEL_SPARE_BYTES, NO_ROOM } from '../../src/shm/compactor.ts';
import { Segments } from '../../src/shm/segments.ts';
import { PAGE_BYTES } from '../../src/shm/size-classes.ts';

const BLOCK_BYTES = 1024;
const SLOTS = 64;
/** As in the compactor. */
const SLICE_LOOKS_FIRST = 4096;
const SLICE_LOOKS_MAX = 65_536;
const SLICE_BYTES_MAX = 1024 * 1024;
const REST_MS = 5_000;

class Blocks implements BlockSweep {
  readonly arena = new Arena(new Segments(), { bytesMax: 1024 ** 3 });
  readonly compactor = new Compactor(this.arena, this);
  offsets: number[] = [];
  /** Positions behind the blocks, with nothing to move. */
  emptyPositions = 0;
  isPinned = false;
  isShort = false;
  /** Answers in place of a move. */
  answer: number | null = null;
  looks = 0;
  nowMs = 0;

  /** `keep` of the blocks of every page. */
  constructor(pages: number, keep: number) {
    const all = Array.from({ length: pages * SLOTS }, () => this.arena.allocate(BLOCK_BYTES));
    this.offsets = all.filter((_, i) => i % SLOTS < keep);
    for (const [i, offset] of all.entries()) if (i % SLOTS >= keep) this.arena.free(offset);
  }

  get positionEnd(): number {
    return this.offsets.length + this.emptyPositions;
  }

  get pages(): number {
    return this.arena.reservedBytes / PAGE_BYTES;
  }

  relocate(position: number): number {
    this.looks++;
    if (position >= this.offsets.length) return 0;
    const old = this.offsets[position]!;
    if (!this.arena.isWithdrawn(old)) return 0;
    if (this.answer !== null) return this.answer;
    this.offsets[position] = this.arena.allocate(BLOCK_BYTES);
    this.arena.free(old);
    return BLOCK_BYTES;
  }

  tick(afterMs = 50): void {
    this.nowMs += afterMs;
    this.compactor.tick(this.nowMs);
  }

  round(): void {
    const { rounds } = this.compactor;
    for (let i = 0; this.compactor.rounds === rounds; i++) {
      assert.ok(i < 1000);
      this.tick();
    }
  }
}

test('below the level nothing happens', () => {
  const blocks = new Blocks(LEVEL_SPARE_BYTES / PAGE_BYTES, 1);
  assert.ok(!isSparse(blocks.arena));
  for (let i = 0; i < 10; i++) blocks.tick();
  assert.equal(blocks.looks, 0);
  assert.equal(blocks.arena.withdrawnPages, 0);
});

test('above it a round empties sparse pages, and then it rests', () => {
  const blocks = new Blocks(512, 1);
  blocks.round();
  assert.equal(blocks.pages, 512 / SLOTS);
  assert.equal(blocks.arena.withdrawnPages, 0);
  const { rounds, movedBlocks, movedBytes } = blocks.compactor;
  assert.equal(rounds, 1);
  assert.ok(movedBlocks >= 500 && movedBlocks < 512, `${movedBlocks}`);
  assert.equal(movedBytes, movedBlocks * BLOCK_BYTES);
  const { looks } = blocks;
  for (let i = 0; i < 10; i++) blocks.tick();
  assert.equal(blocks.looks, looks);
});

test('when room runs out pages are emptied below the level too, but not for a few of them over and over', () => {
  const blocks = new Blocks(100, 8);
  blocks.tick();
  assert.equal(blocks.looks, 0);
  blocks.isShort = true;
  blocks.round();
  assert.equal(blocks.pages, 13);
  const { looks } = blocks;
  blocks.tick(REST_MS - 1);
  blocks.tick(1);
  assert.equal(blocks.looks, looks, 'nothing is left to be emptied');
  // Two pages, half empty: worth a round, but not the next one at once.
  for (let left = 0; left < 2; left++) {
    for (let i = 0; i < 40; i++) blocks.arena.free(blocks.offsets.pop()!);
    blocks.tick(left === 0 ? REST_MS : 50);
    assert.equal(blocks.compactor.rounds, 2);
  }
});

test('a slice is bounded in what it looks at; the first ones of a round are shorter', () => {
  const blocks = new Blocks(512, 1);
  blocks.emptyPositions = 3 * SLICE_LOOKS_MAX;
  blocks.answer = 0;
  let slice = SLICE_LOOKS_FIRST;
  for (let before = 0; blocks.compactor.rounds === 0; before = blocks.looks) {
    blocks.tick();
    assert.equal(blocks.looks - before, Math.min(slice, blocks.positionEnd - before));
    slice = Math.min(2 * slice, SLICE_LOOKS_MAX);
  }
  assert.equal(slice, SLICE_LOOKS_MAX);
  assert.equal(blocks.looks, blocks.positionEnd, 'every position once');
});

test('a slice is bounded in what it moves', () => {
  const blocks = new Blocks(1024, 20);
  let slices = 0;
  for (let before = 0; blocks.compactor.rounds === 0; before = blocks.compactor.movedBlocks) {
    blocks.tick();
    slices++;
    const { movedBlocks } = blocks.compactor;
    assert.ok(movedBlocks - before <= SLICE_BYTES_MAX / BLOCK_BYTES, `${movedBlocks - before}`);
  }
  assert.ok(slices > 10, `${slices}`);
});

test('a round that could not empty its pages gives them back and is not repeated at once', () => {
  const blocks = new Blocks(512, 1);
  blocks.answer = 0;
  blocks.tick();
  assert.equal(blocks.arena.withdrawnPages, 0, 'readmitted');
  assert.equal(blocks.compactor.rounds, 1);
  const { looks } = blocks;
  blocks.tick(REST_MS - 1);
  assert.equal(blocks.looks, looks);
  blocks.answer = null;
  blocks.tick(1);
  assert.ok(blocks.compactor.movedBlocks > 0);
  blocks.round();
  assert.ok(!isSparse(blocks.arena));
});

test('no room for a block ends the round, and what was moved has moved', () => {
  const blocks = new Blocks(512, 1);
  const relocate = blocks.relocate.bind(blocks);
  blocks.relocate = (position) => (blocks.compactor.movedBlocks === 100 ? NO_ROOM : relocate(position));
  blocks.round();
  assert.equal(blocks.compactor.movedBlocks, 100);
  assert.equal(blocks.compactor.rounds, 1);
  assert.equal(blocks.pages, 412);
  assert.equal(blocks.arena.withdrawnPages, 0);
});

test('pinned blocks: no round begins, one under way ends, and the next goes on where it was', () => {
  const blocks = new Blocks(512, 1);
  blocks.isPinned = true;
  blocks.tick();
  assert.equal(blocks.looks, 0);
  assert.equal(blocks.arena.withdrawnPages, 0);
  blocks.isPinned = false;
  // The blocks lie behind more positions than a slice looks at.
  const { offsets } = blocks;
  blocks.offsets = [...Array<number>(2 * SLICE_LOOKS_FIRST).fill(offsets.pop()!), ...offsets];
  blocks.answer = 0;
  blocks.tick();
  assert.ok(blocks.arena.withdrawnPages > 0);
  blocks.isPinned = true;
  blocks.tick();
  assert.equal(blocks.arena.withdrawnPages, 0);
  assert.equal(blocks.looks, SLICE_LOOKS_FIRST, 'pinned blocks are not looked at');
  blocks.isPinned = false;
  const seen: number[] = [];
  blocks.relocate = (position) => {
    seen.push(position);
    return 0;
  };
  blocks.tick(REST_MS);
  assert.equal(seen[0], SLICE_LOOKS_FIRST);
});

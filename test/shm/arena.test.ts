import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { Arena, BLOCK_BYTES_MAX } from '../../src/shm/arena.ts';
import {
  GRAIN_SHIFT,
  SEGMENT_BYTES,
  SEGMENT_GRAIN_MASK,
  SEGMENT_GRAIN_SHIFT,
  Segments,
} from '../../src/shm/segments.ts';
import { PAGE_BYTES } from '../../src/shm/size-classes.ts';

const MIB = 1024 * 1024;

/**
 * An owner of blocks: gives every block an identity in its first and last word, and checks it before letting it go.
 * A block that overlaps another, or that the arena touches, loses its identity.
 */
class Owner {
  readonly arena: Arena;
  readonly offsets: number[] = [];
  readonly sizes: number[] = [];
  private readonly segments = new Segments();
  private readonly slotOf = new Map<number, number>();

  constructor(bytesMax: number) {
    this.arena = new Arena(this.segments, { bytesMax });
  }

  add(bytes: number): boolean {
    const offset = this.arena.allocate(bytes);
    if (offset === 0) return false;
    assert.ok(this.arena.sizeOf(offset) >= bytes);
    assert.ok(!this.slotOf.has(offset), 'a live block was handed out');
    this.slotOf.set(offset, this.offsets.length);
    this.mark(offset, bytes, offset);
    this.offsets.push(offset);
    this.sizes.push(bytes);
    return true;
  }

  remove(slot: number): void {
    const offset = this.offsets[slot]!;
    this.check(slot);
    this.slotOf.delete(offset);
    this.arena.free(offset);
    const lastOffset = this.offsets.pop()!;
    const lastBytes = this.sizes.pop()!;
    if (slot === this.offsets.length) return;
    this.offsets[slot] = lastOffset;
    this.sizes[slot] = lastBytes;
    this.slotOf.set(lastOffset, slot);
  }

  /** As the znode store does: every block of the sparse pages moves. */
  compact(liveShareMax: number): number {
    const count = this.arena.withdrawSparsePages(liveShareMax, 10_000);
    const reserved = this.arena.reservedBytes;
    for (let slot = 0; slot < this.offsets.length; slot++) {
      if (this.arena.isWithdrawn(this.offsets[slot]!)) this.move(slot);
    }
    assert.equal(this.arena.withdrawnPages, 0);
    assert.equal(this.arena.reservedBytes, reserved - count * PAGE_BYTES, 'every page of the plan came back');
    return count;
  }

  private move(slot: number): void {
    const offset = this.offsets[slot]!;
    this.check(slot);
    const size = this.sizes[slot]!;
    const moved = this.arena.allocate(size);
    assert.ok(moved > 0 && !this.slotOf.has(moved) && !this.arena.isWithdrawn(moved));
    this.mark(moved, size, moved);
    this.offsets[slot] = moved;
    this.slotOf.delete(offset);
    this.slotOf.set(moved, slot);
    this.arena.free(offset);
  }

  checkAll(): void {
    let used = 0;
    for (let slot = 0; slot < this.offsets.length; slot++) {
      this.check(slot);
      used += this.arena.sizeOf(this.offsets[slot]!);
    }
    assert.equal(this.arena.usedBytes, used);
    assert.ok(this.arena.reservedBytes >= used);
  }

  private check(slot: number): void {
    const offset = this.offsets[slot]!;
    const { words, first, last } = this.edges(offset, this.sizes[slot]!);
    assert.equal(words[first], offset, 'first word of the block');
    assert.equal(words[last], offset, 'last word of the block');
  }

  private mark(offset: number, bytes: number, identity: number): void {
    const { words, first, last } = this.edges(offset, bytes);
    words[first] = identity;
    words[last] = identity;
  }

  private edges(offset: number, bytes: number) {
    const words = this.segments.list[offset >>> SEGMENT_GRAIN_SHIFT]!.words;
    const first = ((offset & SEGMENT_GRAIN_MASK) << GRAIN_SHIFT) >> 2;
    return { words, first, last: first + (Math.max(bytes, 4) >> 2) - 1 };
  }
}

test('blocks of every kind are disjoint, sized and counted', () => {
  const owner = new Owner(256 * MIB);
  const kinds = [
    1,
    16,
    17,
    100,
    512,
    513,
    4096,
    4097,
    20_000,
    32_768,
    32_769,
    65_536,
    65_537,
    1_000_000,
    20 * MIB,
  ];
  for (const bytes of kinds) for (let i = 0; i < 3; i++) assert.ok(owner.add(bytes));
  owner.checkAll();
  while (owner.offsets.length > 0) owner.remove(0);
  assert.equal(owner.arena.usedBytes, 0);
  // One page per class stays at hand.
  assert.ok(owner.arena.reservedBytes <= kinds.length * PAGE_BYTES);
});

test('blocks up to a whole segment, not more', () => {
  const segments = new Segments();
  const arena = new Arena(segments, { bytesMax: 4 * SEGMENT_BYTES });
  const offset = arena.allocate(BLOCK_BYTES_MAX);
  assert.equal(offset, 1 << SEGMENT_GRAIN_SHIFT, 'the first segment lacks its first page');
  assert.equal(arena.sizeOf(offset), SEGMENT_BYTES);
  assert.equal(segments.buffers().length, 2);
  assert.throws(() => arena.allocate(BLOCK_BYTES_MAX + 1), /out of range/);
  assert.throws(() => arena.allocate(0), /out of range/);
});

test('the limit is an answer, and freed memory can be used again', () => {
  const owner = new Owner(MIB);
  while (owner.add(1000));
  assert.equal(owner.arena.reservedBytes, MIB);
  assert.ok(owner.arena.usedBytes > 0.95 * MIB);
  assert.equal(owner.arena.allocate(100_000), 0);
  const count = owner.offsets.length;
  for (let i = 0; i < count; i++) owner.remove(owner.offsets.length - 1);
  assert.ok(owner.add(800_000));
  while (owner.add(50));
  owner.checkAll();
});

test('misuse is an assertion', () => {
  const arena = new Arena(new Segments(), { bytesMax: MIB });
  const offset = arena.allocate(100);
  const run = arena.allocate(100_000);
  assert.throws(() => arena.free(offset + 1), /inside a block/);
  assert.throws(() => arena.free(run + 1), /inside a block/);
  assert.throws(() => arena.free(0), /out of range/);
  assert.throws(() => arena.free(-5), /out of range/);
  arena.free(offset);
  assert.throws(() => arena.free(offset), /freed twice/);
  arena.free(run);
  assert.throws(() => arena.free(run), /free page/);
  assert.throws(() => arena.sizeOf(run), /free page/);
});

test('a store adopts segments that exist and never touches what it has not handed out', () => {
  const segments = new Segments();
  segments.grow();
  const arena = new Arena(segments, { bytesMax: 200 * MIB });
  assert.equal(segments.list.length, 1);
  assert.ok(arena.allocate(100) > 0);
  assert.ok(arena.freePages > 1000);
  assert.ok(segments.list[0]!.bytes.subarray(0, 256 * 1024).every((byte) => byte === 0));
  assert.deepEqual(new Segments(segments.buffers()).buffers(), segments.buffers());
});

test('a million records of 230 bytes stay within 250 MB', () => {
  const arena = new Arena(new Segments(), { bytesMax: 1024 * MIB });
  for (let i = 0; i < 1_000_000; i++) arena.allocate(230);
  assert.ok(arena.reservedBytes < 250e6, `${arena.reservedBytes}`);
});

test('allocation prefers fuller pages, so that emptier ones run empty', () => {
  const owner = new Owner(64 * MIB);
  const random = new Prng(7);
  for (let i = 0; i < 20_000; i++) owner.add(240);
  const full = owner.arena.reservedBytes;
  for (let i = 0; i < 10_000; i++) owner.remove(random.below(owner.offsets.length));
  assert.ok(owner.arena.reservedBytes > 0.9 * full, 'random frees alone empty no page');
  for (let i = 0; i < 400_000; i++) {
    owner.remove(random.below(owner.offsets.length));
    owner.add(240);
  }
  assert.ok(owner.arena.reservedBytes < 0.8 * full, `${owner.arena.reservedBytes} of ${full}`);
  owner.checkAll();
});

for (const seed of [1, 2, 3]) {
  test(`sizes and lifetimes that keep changing: no overlap, bounded waste after compaction (seed ${seed})`, () => {
    const owner = new Owner(512 * MIB);
    const random = new Prng(seed);
    for (let phase = 0; phase < 12; phase++) {
      const typical = random.pick([24, 90, 230, 700, 1100, 3000, 9000, 20_000]);
      const spread = random.pick([1, 1.5, 4]);
      const live = Math.floor((random.pick([1, 4, 16]) * MIB) / typical);
      const large = random.chance(0.3) ? 0.002 : 0;
      for (let i = 0; i < 15_000; i++) {
        const grow = owner.offsets.length < live ? 0.8 : 0.3;
        if (owner.offsets.length === 0 || random.chance(grow)) {
          const bytes = Math.ceil(typical * (1 + random.fraction() * (spread - 1)));
          assert.ok(owner.add(random.chance(large) ? 40_000 + random.below(400_000) : bytes));
        } else {
          owner.remove(random.below(owner.offsets.length));
        }
      }
      owner.checkAll();
      owner.compact(0.75);
      assert.equal(owner.compact(0.75), 0, 'one pass finds all there is');
      owner.checkAll();
      // Pages over 3/4 full, or one short of a page's worth of free slots per class; large runs round up to pages.
      const perClass = 70 * PAGE_BYTES;
      assert.ok(owner.arena.reservedBytes <= owner.arena.usedBytes / 0.7 + perClass);
    }
  });
}

/** 240 B blocks, 273 a page: 10 left in each of the first two pages, page 3 full, the last one half full. */
function sparse() {
  const arena = new Arena(new Segments(), { bytesMax: 64 * MIB });
  const offsets = Array.from({ length: 956 }, () => arena.allocate(240));
  const pages = [0, 1, 2, 3].map((page) => offsets.slice(page * 273, (page + 1) * 273));
  for (const page of pages.slice(0, 2)) for (const offset of page.splice(10)) arena.free(offset);
  return { arena, pages };
}

test('blocks of withdrawn pages say so, and no others; a page that ran empty is anybody’s again', () => {
  const { arena, pages } = sparse();
  assert.ok(!pages.flat().some((offset) => arena.isWithdrawn(offset)));
  assert.equal(arena.withdrawSparsePages(0.1, 10), 2);
  assert.equal(arena.withdrawnPages, 2);
  assert.deepEqual(
    pages.map((page) => page.every((offset) => arena.isWithdrawn(offset))),
    [true, true, false, false],
  );
  assert.ok(
    !pages
      .slice(2)
      .flat()
      .some((offset) => arena.isWithdrawn(offset)),
  );
  assert.ok(!arena.isWithdrawn(arena.allocate(100_000)), 'a run is never withdrawn');
  for (const offset of pages[0]!) arena.free(offset);
  assert.equal(arena.withdrawnPages, 1);
  const first = pages[0]![0]!;
  const again = Array.from({ length: 600 }, () => arena.allocate(4));
  assert.ok(again.includes(first), 'the page is in use again, by another class');
  assert.ok(!arena.isWithdrawn(first));
});

test('nothing is allocated from a withdrawn page until it is readmitted', () => {
  const { arena, pages } = sparse();
  const reserved = arena.reservedBytes;
  arena.withdrawSparsePages(0.1, 10);
  const inFourth = Array.from({ length: 273 - pages[3]!.length }, () => arena.allocate(240));
  assert.ok(inFourth.every((offset) => !arena.isWithdrawn(offset)));
  assert.equal(arena.reservedBytes, reserved, 'taken from the page that was half full');
  arena.readmitWithdrawn();
  assert.equal(arena.withdrawnPages, 0);
  assert.ok(!pages.flat().some((offset) => arena.isWithdrawn(offset)));
  const readmitted = Array.from({ length: 2 * 263 }, () => arena.allocate(240));
  assert.equal(arena.reservedBytes, reserved, 'every slot that was free is taken before a fresh page');
  assert.equal(new Set([...readmitted, ...pages.flat()]).size, readmitted.length + pages.flat().length);
  arena.allocate(240);
  assert.equal(arena.reservedBytes, reserved + PAGE_BYTES);
});

test('a page that is readmitted and runs empty then goes back to the pool', () => {
  const { arena, pages } = sparse();
  const reserved = arena.reservedBytes;
  arena.withdrawSparsePages(0.1, 10);
  arena.free(pages[0]!.pop()!);
  arena.readmitWithdrawn();
  for (const offset of pages[0]!) arena.free(offset);
  assert.equal(arena.reservedBytes, reserved - PAGE_BYTES);
});

test('a plan takes no more pages than asked for, the emptiest first, and only one at a time', () => {
  const { arena, pages } = sparse();
  for (const offset of pages[1]!.splice(2)) arena.free(offset);
  for (let i = 0; i < 40; i++) arena.free(pages[2]!.pop()!);
  assert.equal(arena.withdrawSparsePages(0.9, 1), 1);
  assert.equal([0, 1].filter((page) => arena.isWithdrawn(pages[page]![0]!)).length, 1);
  assert.ok(!arena.isWithdrawn(pages[2]![0]!));
  assert.throws(() => arena.withdrawSparsePages(0.9, 1), /withdrawn already/);
});

test('free slots of withdrawn pages are no room', () => {
  const arena = new Arena(new Segments(), { bytesMax: 4 * PAGE_BYTES });
  const offsets = Array.from({ length: 4 * 273 }, () => arena.allocate(240));
  assert.ok(!arena.hasRoom(240, 0));
  for (let i = 0; i < 2 * 273; i++) if (i % 273 >= 136) arena.free(offsets[i]!);
  assert.ok(arena.hasRoom(240, 0));
  assert.ok(!arena.hasRoom(500, 0), 'of another class');
  assert.equal(arena.withdrawSparsePages(0.75, 10), 1);
  let taken = 0;
  while (arena.hasRoom(240, 0)) {
    assert.notEqual(arena.allocate(240), 0);
    taken++;
  }
  assert.equal(taken, 137, 'the free slots of the one page that is left');
  assert.equal(arena.allocate(240), 0);
  arena.readmitWithdrawn();
  assert.ok(arena.hasRoom(240, 0));
  assert.notEqual(arena.allocate(240), 0);
});

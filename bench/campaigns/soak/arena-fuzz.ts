/**
 * An owner of arena blocks that does to the allocator what years of changing clients would: sizes that shift, waves of
 * deletion, and two adversaries. The model knows every live block, so that what the arena holds can be compared with
 * what it must hold.
 *
 *     drift      the typical size walks from 100 B to 24 KB and back, random blocks are replaced
 *     waves      most of all blocks go at once, blocks of another size come
 *     pins       for one size after another: fill up, then free all but one block per page
 *     doubling   runs of 1, 2, 4 ... 16 pages: fill up, then free every second one, so that no gap fits the next size
 *
 * A compacting owner does what the server's store does (`src/shm/compactor.ts`), but all slices of a round at once: when
 * the pages in use are worth more than `LEVEL` of the live blocks it moves the blocks of sparse pages together. A plain
 * owner only allocates and frees. The memory itself is never touched: only the allocator's bookkeeping is tried.
 */
import { assert } from '../../../src/base/assert.ts';
import { Prng } from '../../../src/base/prng.ts';
import { Arena } from '../../../src/shm/arena.ts';
import { type BlockSweep, Compactor, isSparse } from '../../../src/shm/compactor.ts';
import { SEGMENT_BYTES, Segments } from '../../../src/shm/segments.ts';
import { PAGE_GRAIN_SHIFT } from '../../../src/shm/size-classes.ts';
import { BlockCensus } from './block-census.ts';

export type Regime = 'drift' | 'waves' | 'pins' | 'doubling';

export interface FuzzOptions {
  readonly seed: number;
  /** Bytes of live blocks that the load works up to, rounded up to their classes. */
  readonly liveBytes: number;
  readonly compacts: boolean;
}

const BYTES_MAX = 16 * 1024 ** 3;

const DRIFT_SIZES = [100, 160, 250, 400, 700, 1100, 2000, 3500, 6000, 11_000, 24_000];
const WAVE_SIZES = [120, 230, 500, 900, 1800, 5000, 14_000];
/** Exact sizes of classes. */
const PINNED_SIZES = [112, 160, 240, 368, 496, 704, 1024, 1536, 2048, 3072, 4096];
const DOUBLED_BYTES = [64, 128, 256, 512, 1024].map((kib) => kib * 1024);
const ROUND_MS = 60_000;
const WAVES = 4;
const WAVE_KEPT = 0.1;

export class ArenaFuzz implements BlockSweep {
  readonly segments = new Segments();
  readonly arena: Arena;
  readonly census = new BlockCensus();
  readonly compactor: Compactor;
  readonly isPinned = false;
  readonly isShort = false;
  regime: Regime = 'drift';
  /** Allocations and frees of the load; those of compactions do not count. */
  steps = 0;
  /** What was asked for, of the live blocks. */
  liveBytes = 0;
  private nowMs = 0;
  private readonly options: FuzzOptions;
  private readonly random: Prng;
  private readonly load: Iterator<void>;
  private readonly offsets: number[] = [];
  private readonly sizes: number[] = [];
  /** Offset -> place in the two above. */
  private readonly places = new Map<number, number>();

  constructor(options: FuzzOptions) {
    this.options = options;
    this.random = new Prng(options.seed);
    this.arena = new Arena(this.segments, { bytesMax: BYTES_MAX });
    this.compactor = new Compactor(this.arena, this);
    this.load = this.endless();
  }

  /** One allocation or one free. */
  step(): void {
    this.load.next();
    this.steps++;
  }

  /** Address space of the segments: never given back. */
  get heldBytes(): number {
    return this.segments.list.length * SEGMENT_BYTES;
  }

  get liveBlocks(): number {
    return this.offsets.length;
  }

  /** Of a sweep: one position per live block. */
  get positionEnd(): number {
    return this.offsets.length;
  }

  /** Moves the blocks of sparse pages together until pages in use are below the level. */
  compact(): void {
    while (isSparse(this.arena)) {
      const { rounds } = this.compactor;
      // Past every rest: nothing here is in the way of a round.
      this.nowMs += ROUND_MS;
      while (this.compactor.rounds === rounds) this.compactor.tick(this.nowMs);
    }
  }

  /** Of the compactor, during `compact`. */
  relocate(position: number): number {
    const offset = this.offsets[position]!;
    if (!this.arena.isWithdrawn(offset)) return 0;
    const bytes = this.sizes[position]!;
    const moved = this.arena.allocate(bytes);
    assert(moved !== 0, 'what was there has room elsewhere');
    this.arena.free(offset);
    this.places.delete(offset);
    this.places.set(moved, position);
    this.offsets[position] = moved;
    return bytes;
  }

  // ---- the load: one yield per allocation or free --------------------------------------------------------

  private *endless(): Generator<void, never> {
    for (;;) {
      yield* this.inRegime('drift', this.drift());
      yield* this.inRegime('waves', this.waves());
      yield* this.inRegime('pins', this.pins());
      yield* this.inRegime('doubling', this.doubling());
    }
  }

  private *inRegime(regime: Regime, load: Generator<void>): Generator<void> {
    this.regime = regime;
    yield* load;
  }

  private *drift(): Generator<void> {
    for (const typical of [...DRIFT_SIZES, ...DRIFT_SIZES.toReversed()]) {
      const replaced = Math.ceil(this.options.liveBytes / typical);
      for (let i = 0; i < replaced; i++) {
        while (this.isFull) yield this.freeRandom();
        yield this.add(this.around(typical));
      }
    }
  }

  private *waves(): Generator<void> {
    for (let wave = 0; wave < WAVES; wave++) {
      const typical = this.random.pick(WAVE_SIZES);
      while (!this.isFull) yield this.add(this.around(typical));
      const kept = Math.ceil(this.liveBlocks * WAVE_KEPT);
      while (this.liveBlocks > kept) yield this.freeRandom();
    }
  }

  private *pins(): Generator<void> {
    for (const bytes of PINNED_SIZES) {
      while (!this.isFull) yield this.add(bytes);
      const pinned = new Set<number>();
      // Downwards: the block that takes a freed one's place has been looked at before.
      for (let place = this.liveBlocks - 1; place >= 0; place--) {
        if (this.sizes[place] !== bytes) continue;
        const page = this.offsets[place]! >>> PAGE_GRAIN_SHIFT;
        if (pinned.has(page)) yield this.free(place);
        else pinned.add(page);
      }
    }
    while (this.liveBlocks > 0) yield this.freeRandom();
  }

  private *doubling(): Generator<void> {
    for (const bytes of DOUBLED_BYTES) {
      while (!this.isFull) yield this.add(bytes);
      const byAddress = this.offsets.filter((_, place) => this.sizes[place] === bytes).sort((a, b) => a - b);
      for (let i = 0; i < byAddress.length; i += 2) yield this.free(this.placeOf(byAddress[i]!));
    }
    while (this.liveBlocks > 0) yield this.freeRandom();
  }

  // ---- blocks --------------------------------------------------------------------------------------------

  private get isFull(): boolean {
    return this.arena.usedBytes >= this.options.liveBytes;
  }

  private around(typical: number): number {
    return Math.ceil(typical * (0.6 + 0.8 * this.random.fraction()));
  }

  private add(bytes: number): void {
    const offset = this.arena.allocate(bytes);
    assert(offset !== 0, 'the limit is far above what this load needs');
    this.places.set(offset, this.liveBlocks);
    this.offsets.push(offset);
    this.sizes.push(bytes);
    this.liveBytes += bytes;
    this.census.onAllocated(bytes);
    this.compactIfSparse();
  }

  private freeRandom(): void {
    this.free(this.random.below(this.liveBlocks));
  }

  private free(place: number): void {
    const offset = this.offsets[place]!;
    const bytes = this.sizes[place]!;
    const lastOffset = this.offsets.pop()!;
    const lastBytes = this.sizes.pop()!;
    if (place < this.liveBlocks) {
      this.offsets[place] = lastOffset;
      this.sizes[place] = lastBytes;
      this.places.set(lastOffset, place);
    }
    this.places.delete(offset);
    this.liveBytes -= bytes;
    this.arena.free(offset);
    this.census.onFreed(bytes);
    this.compactIfSparse();
  }

  private placeOf(offset: number): number {
    return this.places.get(offset)!;
  }

  private compactIfSparse(): void {
    if (this.options.compacts && isSparse(this.arena)) this.compact();
  }
}

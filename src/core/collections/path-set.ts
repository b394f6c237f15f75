/**
 * A set of paths (stored form), each with a small number that stays its own until it is removed: the key of
 * tables that hang things on paths which need not exist as znodes (watches, quotas). Core thread only; finding
 * allocates nothing.
 *
 *     buckets[hash & mask] -> path number -> next path of the bucket ...      columns by path number
 */
import { assert } from '../../base/assert.ts';
import { type KeyedHash, PrefixHashes } from '../../base/keyed-hash.ts';
import { equalBytes, pathText } from '../path/path.ts';
import { ByteStore } from './byte-store.ts';
import { grownInts } from './columns.ts';

/** Index of a path in its set. */
export type PathNumber = number;
export const NO_PATH: PathNumber = -1;

const SLASH = 0x2f;
const CAPACITY_START = 16;

export class PathSet {
  size = 0;
  private readonly prefixes: PrefixHashes;
  private store: ByteStore;
  private readonly storeBytesMax: number | undefined;
  private buckets = new Int32Array(CAPACITY_START).fill(NO_PATH);
  private mask = CAPACITY_START - 1;
  private hashes = new Int32Array(CAPACITY_START);
  /** Next path in the same bucket; of a free number: the next free one. */
  private nexts = new Int32Array(CAPACITY_START);
  private offsets = new Int32Array(CAPACITY_START);
  /** -1 marks a free number. */
  private lengths = new Int32Array(CAPACITY_START);
  private firstFree = NO_PATH;
  private numberEnd = 0;

  /** `storeBytesMax`: for the bytes of the paths; absent: two gigabytes. */
  constructor(hash: KeyedHash, storeBytesMax?: number) {
    this.storeBytesMax = storeBytesMax;
    this.store = new ByteStore(storeBytesMax);
    this.prefixes = new PrefixHashes(hash);
  }

  /** `hash` is the keyed hash of the path. */
  find(bytes: Uint8Array, start: number, length: number, hash: number): PathNumber {
    let path = this.buckets[hash & this.mask]!;
    while (path !== NO_PATH) {
      if (
        this.hashes[path] === hash &&
        this.lengths[path] === length &&
        equalBytes(bytes, start, this.store.bytes, this.offsets[path]!, length)
      ) {
        return path;
      }
      path = this.nexts[path]!;
    }
    return NO_PATH;
  }

  /**
   * The deepest path of the set that is the given path or one of its ancestors. One pass: the hashes of the
   * prefixes fall out of it.
   */
  findDeepest(bytes: Uint8Array, start: number, length: number): PathNumber {
    let deepest = NO_PATH;
    const { prefixes } = this;
    prefixes.wrap(bytes, start);
    for (let i = 0; i < length; i++) {
      if (bytes[start + i] !== SLASH) continue;
      const path = this.find(bytes, start, i, prefixes.of(i));
      if (path !== NO_PATH) deepest = path;
    }
    const path = this.find(bytes, start, length, prefixes.of(length));
    return path === NO_PATH ? deepest : path;
  }

  /** Adds a path that is not in the set; numbers start at 0 and freed ones are used again. */
  add(bytes: Uint8Array, start: number, length: number, hash: number): PathNumber {
    let path = this.firstFree;
    if (path === NO_PATH) {
      path = this.numberEnd++;
      if (path === this.hashes.length) this.grow();
    } else {
      this.firstFree = this.nexts[path]!;
    }
    this.hashes[path] = hash;
    this.offsets[path] = this.store.add(bytes, start, length);
    this.lengths[path] = length;
    this.nexts[path] = this.buckets[hash & this.mask]!;
    this.buckets[hash & this.mask] = path;
    this.size++;
    return path;
  }

  /**
   * Whether a path of this length can be added. Blocks of other sizes that removed paths have left behind are no
   * reason to refuse: where they are a quarter of the store, the paths move together into a new one.
   */
  fits(length: number): boolean {
    if (this.store.fits(length)) return true;
    if (this.store.liveBytes * 4 > this.store.usedBytes * 3) return false;
    this.moveTogether();
    return this.store.fits(length);
  }

  lengthOf(path: PathNumber): number {
    return this.lengths[path]!;
  }

  private moveTogether(): void {
    const old = this.store;
    this.store = new ByteStore(this.storeBytesMax);
    for (let path = 0; path < this.numberEnd; path++) {
      const length = this.lengths[path]!;
      if (length >= 0) this.offsets[path] = this.store.add(old.bytes, this.offsets[path]!, length);
    }
  }

  remove(path: PathNumber): void {
    assert(this.has(path), 'no path with this number');
    const bucket = this.hashes[path]! & this.mask;
    if (this.buckets[bucket] === path) {
      this.buckets[bucket] = this.nexts[path]!;
    } else {
      let before = this.buckets[bucket]!;
      while (this.nexts[before] !== path) before = this.nexts[before]!;
      this.nexts[before] = this.nexts[path]!;
    }
    this.store.free(this.offsets[path]!, this.lengths[path]!);
    this.lengths[path] = -1;
    this.nexts[path] = this.firstFree;
    this.firstFree = path;
    this.size--;
  }

  /** Whether the number is in use; numbers in use are below `end`. */
  has(path: PathNumber): boolean {
    return path < this.numberEnd && this.lengths[path]! >= 0;
  }

  get end(): number {
    return this.numberEnd;
  }

  /** A copy of the path. */
  copy(path: PathNumber): Uint8Array {
    const offset = this.offsets[path]!;
    return this.store.bytes.slice(offset, offset + this.lengths[path]!);
  }

  text(path: PathNumber): string {
    return pathText(this.store.bytes, this.offsets[path]!, this.lengths[path]!);
  }

  private grow(): void {
    const capacity = this.hashes.length * 2;
    this.hashes = grownInts(this.hashes, capacity);
    this.nexts = grownInts(this.nexts, capacity);
    this.offsets = grownInts(this.offsets, capacity);
    this.lengths = grownInts(this.lengths, capacity);
    this.buckets = new Int32Array(capacity).fill(NO_PATH);
    this.mask = capacity - 1;
    // Every number is in use when the set grows, except the one about to be given out.
    for (let path = 0; path < this.numberEnd - 1; path++) {
      const bucket = this.hashes[path]! & this.mask;
      this.nexts[path] = this.buckets[bucket]!;
      this.buckets[bucket] = path;
    }
  }
}

/**
 * Path hash -> node id: open addressing with linear probing in the store's shared segments.
 *
 * The index is cut into 1,024 tables by the hash's upper bits and each grows on its own, so that the cost of
 * growth comes in steps of a thousandth of the tree and no single create ever waits for a rehash of all of it.
 * Deletion shifts the cluster back instead of leaving marks: the table never silts up.
 *
 *   table: capacity × { hash int32, nodeId int32 }, nodeId 0 = empty; at most 3/4 full
 */
import { assert } from '../../base/assert.ts';
import { StoreFullFailure } from '../../base/failure.ts';
import type { Arena } from '../../shm/arena.ts';
import type { Segments } from '../../shm/segments.ts';
import { SEGMENT_GRAIN_MASK, SEGMENT_GRAIN_SHIFT } from '../../shm/segments.ts';

const TABLE_BITS = 10;
export const TABLES = 1 << TABLE_BITS;
const TABLE_SHIFT = 32 - TABLE_BITS;
const CAPACITY_MIN = 8;

/** Asks the owner whether a node has the searched path (the hash already agrees). */
export interface PathMatch {
  matches(nodeId: number, bytes: Uint8Array, start: number, length: number): boolean;
}

export class PathIndex {
  size = 0;
  private readonly segments: Segments;
  private readonly arena: Arena;
  private readonly owner: PathMatch;
  private readonly words: Int32Array[] = [];
  /** Word position of each table in its segment. */
  private readonly bases = new Int32Array(TABLES);
  private readonly masks = new Int32Array(TABLES);
  private readonly counts = new Int32Array(TABLES);
  private readonly offsets = new Int32Array(TABLES);

  constructor(segments: Segments, arena: Arena, owner: PathMatch) {
    this.segments = segments;
    this.arena = arena;
    this.owner = owner;
    for (let t = 0; t < TABLES; t++) this.install(t, CAPACITY_MIN);
  }

  /** The id of the node with this path, 0 when there is none. */
  find(hash: number, bytes: Uint8Array, start: number, length: number): number {
    const t = hash >>> TABLE_SHIFT;
    const words = this.words[t]!;
    const base = this.bases[t]!;
    const mask = this.masks[t]!;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const at = base + (i << 1);
      const id = words[at + 1]!;
      if (id === 0) return 0;
      if (words[at] === hash && this.owner.matches(id, bytes, start, length)) return id;
    }
  }

  insert(hash: number, nodeId: number): void {
    const t = hash >>> TABLE_SHIFT;
    const capacity = this.masks[t]! + 1;
    if ((this.counts[t]! + 1) * 4 > capacity * 3) this.grow(t, capacity * 2);
    this.place(t, hash, nodeId);
    this.counts[t]!++;
    this.size++;
  }

  remove(hash: number, nodeId: number): void {
    const t = hash >>> TABLE_SHIFT;
    const words = this.words[t]!;
    const base = this.bases[t]!;
    const mask = this.masks[t]!;
    let hole = hash & mask;
    while (words[base + (hole << 1) + 1] !== nodeId) {
      assert(words[base + (hole << 1) + 1] !== 0, 'node is not in the path index');
      hole = (hole + 1) & mask;
    }
    // Walk the cluster; an entry whose home lies cyclically outside (hole, i] may move into the hole.
    for (let i = (hole + 1) & mask; words[base + (i << 1) + 1] !== 0; i = (i + 1) & mask) {
      const home = words[base + (i << 1)]! & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        words[base + (hole << 1)] = words[base + (i << 1)]!;
        words[base + (hole << 1) + 1] = words[base + (i << 1) + 1]!;
        hole = i;
      }
    }
    words[base + (hole << 1) + 1] = 0;
    this.counts[t]!--;
    this.size--;
  }

  /** Where the table's block lies. */
  offsetOf(t: number): number {
    return this.offsets[t]!;
  }

  /** The table's bytes have been copied to another block of the same size; the old one is the caller's to free. */
  moveTo(t: number, offset: number): void {
    const segment = this.segments.list[offset >>> SEGMENT_GRAIN_SHIFT]!;
    this.words[t] = segment.words;
    this.bases[t] = (offset & SEGMENT_GRAIN_MASK) << 2;
    this.offsets[t] = offset;
  }

  private place(t: number, hash: number, nodeId: number): void {
    const words = this.words[t]!;
    const base = this.bases[t]!;
    const mask = this.masks[t]!;
    let i = hash & mask;
    while (words[base + (i << 1) + 1] !== 0) i = (i + 1) & mask;
    words[base + (i << 1)] = hash;
    words[base + (i << 1) + 1] = nodeId;
  }

  private grow(t: number, capacity: number): void {
    const words = this.words[t]!;
    const base = this.bases[t]!;
    const end = base + ((this.masks[t]! + 1) << 1);
    const old = this.offsets[t]!;
    this.install(t, capacity);
    for (let at = base; at < end; at += 2) {
      if (words[at + 1] !== 0) this.place(t, words[at]!, words[at + 1]!);
    }
    this.arena.free(old);
  }

  private install(t: number, capacity: number): void {
    const offset = this.arena.allocate(capacity * 8);
    if (offset === 0) throw new StoreFullFailure();
    const segment = this.segments.list[offset >>> SEGMENT_GRAIN_SHIFT]!;
    const base = (offset & SEGMENT_GRAIN_MASK) << 2;
    segment.words.fill(0, base, base + capacity * 2);
    this.masks[t] = capacity - 1;
    this.moveTo(t, offset);
  }
}

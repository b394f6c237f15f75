/**
 * Committed children of each node: an array of child ids per parent in the arena, filled without gaps. Adding
 * appends, removing moves the last id into the gap (order is unspecified in this protocol), and each child
 * knows its place: both cost O(1) however large the parent is, and a copy of the list is one memory copy.
 */
import { assert } from '../../base/assert.ts';
import { StoreFullFailure } from '../../base/failure.ts';
import type { Arena } from '../../shm/arena.ts';
import type { Segments } from '../../shm/segments.ts';
import { SEGMENT_GRAIN_MASK, SEGMENT_GRAIN_SHIFT } from '../../shm/segments.ts';
import type { NodeTable } from './node-table.ts';
import { NODE_BLOCK_MASK, NODE_BLOCK_SHIFT } from './node-table.ts';

const IDS_MIN = 4;

export class Children {
  private readonly nodes: NodeTable;
  private readonly arena: Arena;
  private readonly segments: Segments;

  constructor(nodes: NodeTable, arena: Arena, segments: Segments) {
    this.nodes = nodes;
    this.arena = arena;
    this.segments = segments;
  }

  count(parent: number): number {
    return this.nodes.childCount[parent >>> NODE_BLOCK_SHIFT]![parent & NODE_BLOCK_MASK]!;
  }

  /** What the list takes more when the parent has so many children: 0 while they fit. */
  growthBytes(parent: number, count: number): number {
    const list = this.nodes.childList[parent >>> NODE_BLOCK_SHIFT]![parent & NODE_BLOCK_MASK]!;
    return list === 0 || count <= this.capacity(list) ? 0 : this.arena.sizeOf(list) * 2;
  }

  /**
   * Room for so many children, before they are committed: a commit must not find the store full. (The first list of a
   * parent is made at commit all the same: its 16 bytes always fit into what the store keeps back.)
   */
  reserve(parent: number, count: number): void {
    const block = parent >>> NODE_BLOCK_SHIFT;
    const index = parent & NODE_BLOCK_MASK;
    const list = this.nodes.childList[block]![index]!;
    if (list !== 0 && count > this.capacity(list)) {
      const committed = this.nodes.childCount[block]![index]!;
      this.nodes.childList[block]![index] = this.resize(list, committed, this.capacity(list) * 2);
    }
  }

  add(parent: number, child: number): void {
    const block = parent >>> NODE_BLOCK_SHIFT;
    const index = parent & NODE_BLOCK_MASK;
    const count = this.nodes.childCount[block]![index]!;
    let list = this.nodes.childList[block]![index]!;
    if (list === 0) {
      list = this.allocate(IDS_MIN);
      this.nodes.childList[block]![index] = list;
    } else if (count === this.capacity(list)) {
      list = this.resize(list, count, count * 2);
      this.nodes.childList[block]![index] = list;
    }
    this.words(list)[this.base(list) + count] = child;
    this.nodes.childAt[child >>> NODE_BLOCK_SHIFT]![child & NODE_BLOCK_MASK] = count;
    this.nodes.childCount[block]![index] = count + 1;
  }

  remove(parent: number, child: number): void {
    const block = parent >>> NODE_BLOCK_SHIFT;
    const index = parent & NODE_BLOCK_MASK;
    const list = this.nodes.childList[block]![index]!;
    const last = this.nodes.childCount[block]![index]! - 1;
    const at = this.nodes.childAt[child >>> NODE_BLOCK_SHIFT]![child & NODE_BLOCK_MASK]!;
    const words = this.words(list);
    const base = this.base(list);
    assert(last >= 0 && words[base + at] === child, 'child list does not know the removed child');
    const moved = words[base + last]!;
    words[base + at] = moved;
    this.nodes.childAt[moved >>> NODE_BLOCK_SHIFT]![moved & NODE_BLOCK_MASK] = at;
    this.nodes.childCount[block]![index] = last;
    if (last === 0) {
      this.arena.free(list);
      this.nodes.childList[block]![index] = 0;
    } else if (last > IDS_MIN && last * 4 <= this.capacity(list)) {
      this.shrink(block, index, list, last);
    }
  }

  /** The id of the child at `place` in [0, count). */
  at(parent: number, place: number): number {
    const list = this.nodes.childList[parent >>> NODE_BLOCK_SHIFT]![parent & NODE_BLOCK_MASK]!;
    return this.words(list)[this.base(list) + place]!;
  }

  private capacity(list: number): number {
    return this.arena.sizeOf(list) >> 2;
  }

  // A list that stays too long is no reason to fail.
  private shrink(block: number, index: number, list: number, count: number): void {
    const shorter = this.arena.allocate(count * 2 * 4);
    if (shorter === 0) return;
    const from = this.base(list);
    this.words(shorter).set(this.words(list).subarray(from, from + count), this.base(shorter));
    this.arena.free(list);
    this.nodes.childList[block]![index] = shorter;
  }

  private resize(list: number, count: number, capacity: number): number {
    const larger = this.allocate(capacity);
    const from = this.base(list);
    this.words(larger).set(this.words(list).subarray(from, from + count), this.base(larger));
    this.arena.free(list);
    return larger;
  }

  private allocate(ids: number): number {
    const offset = this.arena.allocate(ids * 4);
    if (offset === 0) throw new StoreFullFailure();
    return offset;
  }

  private words(list: number): Int32Array {
    return this.segments.list[list >>> SEGMENT_GRAIN_SHIFT]!.words;
  }

  private base(list: number): number {
    return (list & SEGMENT_GRAIN_MASK) << 2;
  }
}

/**
 * Moves the blocks of the znode store out of pages that are to be emptied (`shm/compactor.ts`). Every block has one
 * pointer, and these are all of them:
 *
 *     position   0 ... tables - 1    tables + 2 id         tables + 2 id + 1
 *     block      table of the index  the node's record     the node's child list
 *
 * Tables and lists are read by the core only, within one call: the old block is freed at once. A record's offset is
 * also held by who reads inside an epoch (a large reply of the core): the old one is retired, as when it is replaced.
 * Its bytes, generation and digest included, stay what they are.
 *
 * Not moved: records that are proposed (proposals and undo lists name them; once they are committed nobody does), and
 * anything while a snapshot runs (its thread knows the segments of its beginning, and which version to look for).
 */
import type { Arena } from '../../shm/arena.ts';
import { type BlockSweep, NO_ROOM } from '../../shm/compactor.ts';
import type { EpochWriter } from '../../shm/epochs.ts';
import { GRAIN_SHIFT, SEGMENT_GRAIN_MASK, SEGMENT_GRAIN_SHIFT, type Segments } from '../../shm/segments.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { NODE_BLOCK_MASK, NODE_BLOCK_SHIFT, type NodeTable } from './node-table.ts';
import { type PathIndex, TABLES } from './path-index.ts';
import type { PointInTime } from './point-in-time.ts';
import type { Offset } from './record.ts';

export interface StoreParts {
  readonly segments: Segments;
  readonly arena: Arena;
  readonly nodes: NodeTable;
  readonly index: PathIndex;
  readonly epochs: EpochWriter;
  readonly pointInTime: PointInTime;
  /** Kept back for what must not fail. */
  readonly spareBytes: number;
}

export class StoreSweep implements BlockSweep {
  private readonly parts: StoreParts;
  private readonly arena: Arena;
  private readonly nodes: NodeTable;

  constructor(parts: StoreParts) {
    this.parts = parts;
    this.arena = parts.arena;
    this.nodes = parts.nodes;
  }

  get positionEnd(): number {
    return TABLES + 2 * this.nodes.idEnd;
  }

  get isPinned(): boolean {
    return this.parts.pointInTime.active;
  }

  /** Before writes are refused. */
  get isShort(): boolean {
    const { spareBytes } = this.parts;
    return !this.arena.hasRoom(spareBytes, spareBytes);
  }

  relocate(position: number): number {
    if (position < TABLES) return this.relocateTable(position);
    const id = (position - TABLES) >>> 1;
    const block = id >>> NODE_BLOCK_SHIFT;
    const index = id & NODE_BLOCK_MASK;
    return ((position - TABLES) & 1) === 0
      ? this.relocateRecord(block, index)
      : this.relocateChildList(block, index);
  }

  private relocateTable(table: number): number {
    const { index } = this.parts;
    const old = index.offsetOf(table);
    if (!this.arena.isWithdrawn(old)) return 0;
    const copy = this.copyOf(old);
    if (copy === 0) return NO_ROOM;
    index.moveTo(table, copy);
    this.arena.free(old);
    return this.arena.sizeOf(copy);
  }

  private relocateRecord(block: number, index: number): number {
    const slots = this.nodes.slots[block]!;
    const old = slots[index]!;
    if (old === 0 || !this.arena.isWithdrawn(old) || this.nodes.pending[block]![index] !== 0) return 0;
    const copy = this.copyOf(old);
    if (copy === 0) return NO_ROOM;
    Atomics.store(slots, index, copy);
    this.parts.epochs.retire(old);
    return this.arena.sizeOf(copy);
  }

  private relocateChildList(block: number, index: number): number {
    const lists = this.nodes.childList[block]!;
    const old = lists[index]!;
    if (old === 0 || !this.arena.isWithdrawn(old)) return 0;
    const copy = this.copyOf(old);
    if (copy === 0) return NO_ROOM;
    lists[index] = copy;
    this.arena.free(old);
    return this.arena.sizeOf(copy);
  }

  /** A block of the same class with the same bytes; 0 = no room. */
  private copyOf(old: Offset): Offset {
    const { arena, parts } = this;
    const bytes = arena.sizeOf(old);
    if (!arena.hasRoom(bytes, parts.spareBytes)) return 0;
    const copy = arena.allocate(bytes);
    if (copy === 0) return 0;
    const { list } = parts.segments;
    const from = list[old >>> SEGMENT_GRAIN_SHIFT]!.bytes;
    const to = list[copy >>> SEGMENT_GRAIN_SHIFT]!.bytes;
    copyBytes(from, byteOf(old), bytes, to, byteOf(copy));
    return copy;
  }
}

function byteOf(offset: Offset): number {
  return (offset & SEGMENT_GRAIN_MASK) << GRAIN_SHIFT;
}

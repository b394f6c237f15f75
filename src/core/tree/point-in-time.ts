/**
 * Snapshots of one moment while writes go on, without stopping anything and without copying the tree.
 *
 * `begin` raises the store's generation; every record published from then on carries it, so whatever carries a
 * lower one belongs to the moment. The first time such a record is replaced or deleted before the snapshot
 * thread has visited its node, the core *holds* it instead of retiring it: at most one extra version per node,
 * whatever the write rate. The handover, per node:
 *
 *     core (replacing R by N)                     snapshot thread (visiting)
 *     1  visited[id]? yes: retire R, done         1  s = load(slot[id])
 *     2  store(held[id], R)                       2  s is of the moment: use s
 *     3  store(slot[id], N)                       3  else use h = load(held[id]); 0 = node was not there
 *                                                 4  copy the record out, then store(visited[id], 1)
 *
 * Reader step 1 seeing N implies it sees step 2 of the core (all are sequentially consistent), so it finds R.
 * The reader runs all steps inside an epoch (`enter` … `leave`): a *newer* record that it looks at only to find
 * that it is newer may be replaced meanwhile, and must not be reused under its eyes.
 * A record that the core retires after seeing visited = 1 has been copied out already. A record read at step 2
 * and replaced meanwhile is held, because visited is still 0. Node ids may be reused at will: the new tenant's
 * record has the new generation, and `held` still has the old one.
 */
import { assert } from '../../base/assert.ts';
import type { EpochsHandle, EpochWriter } from '../../shm/epochs.ts';
import { EpochReader } from '../../shm/epochs.ts';
import type { Segments } from '../../shm/segments.ts';
import { SEGMENT_GRAIN_SHIFT } from '../../shm/segments.ts';
import type { TreeHandle } from '../ports/ports.ts';
import { DepthOrder } from './depth-order.ts';
import type { NodeTable } from './node-table.ts';
import { NODE_BLOCK_MASK, NODE_BLOCK_SHIFT } from './node-table.ts';
import type { Offset } from './record.ts';
import { ZnodeCursor } from './record.ts';

/** How many nodes a reader looks at before it lets retired records go. */
const IDS_PER_EPOCH = 4096;
/** Which of the tree's epoch readers the snapshot thread is. */
const SNAPSHOT_READER = 0;

/** The core's side. */
export class PointInTime {
  generation = 1;
  active = false;
  private readonly nodes: NodeTable;
  private readonly segments: Segments;
  private readonly epochs: EpochsHandle;
  private readonly retired: EpochWriter;
  private heldIds: number[] = [];
  private readonly reader: EpochReader;

  constructor(nodes: NodeTable, segments: Segments, epochs: EpochsHandle, retired: EpochWriter) {
    this.nodes = nodes;
    this.segments = segments;
    this.epochs = epochs;
    this.retired = retired;
    this.reader = new EpochReader(epochs, SNAPSHOT_READER);
  }

  /** Whether the snapshot thread may be reading records at this moment. */
  get isReaderInside(): boolean {
    return this.reader.isInside;
  }

  begin(): TreeHandle {
    assert(!this.active, 'a snapshot is already running');
    this.active = true;
    this.generation++;
    return {
      segments: this.segments.buffers(),
      slotBlocks: this.nodes.slots.map(sharedBuffer),
      heldBlocks: this.nodes.held.map(sharedBuffer),
      visitedBlocks: this.nodes.visited.map(sharedBuffer),
      nodeIdEnd: this.nodes.idEnd,
      generation: this.generation,
      epochs: this.epochs,
    };
  }

  /** True when the record had to be kept for the snapshot; else it is the caller's to retire. */
  hold(nodeId: number, old: Offset, oldGeneration: number): boolean {
    if (!this.active || oldGeneration >= this.generation) return false;
    const block = nodeId >>> NODE_BLOCK_SHIFT;
    const index = nodeId & NODE_BLOCK_MASK;
    if (Atomics.load(this.nodes.visited[block]!, index) === 1) return false;
    Atomics.store(this.nodes.held[block]!, index, old);
    this.heldIds.push(nodeId);
    return true;
  }

  /**
   * The snapshot thread reads no more (done or failed): held records are retired, because a large reply of the core
   * may still need them, and marks cleared.
   */
  end(): void {
    assert(this.active, 'no snapshot is running');
    this.active = false;
    for (const id of this.heldIds) {
      const held = this.nodes.held[id >>> NODE_BLOCK_SHIFT]!;
      this.retired.retire(held[id & NODE_BLOCK_MASK]!);
      held[id & NODE_BLOCK_MASK] = 0;
    }
    this.heldIds = [];
    for (const block of this.nodes.visited) block.fill(0);
  }
}

/** The snapshot thread's side: visits every node of the moment, parents before children. */
export class PointInTimeReader {
  readonly cursor: ZnodeCursor;
  readonly epoch: EpochReader;
  private readonly handle: TreeHandle;
  private readonly slots: Int32Array[];
  private readonly held: Int32Array[];
  private readonly visited: Int8Array[];
  private readonly segmentCount: number;

  constructor(handle: TreeHandle, segments: Segments) {
    this.handle = handle;
    this.cursor = new ZnodeCursor(segments);
    this.segmentCount = segments.list.length;
    this.epoch = new EpochReader(handle.epochs, SNAPSHOT_READER);
    this.slots = handle.slotBlocks.map((buffer) => new Int32Array(buffer));
    this.held = handle.heldBlocks.map((buffer) => new Int32Array(buffer));
    this.visited = handle.visitedBlocks.map((buffer) => new Int8Array(buffer));
  }

  /**
   * Ids of all nodes of the moment by depth, because a snapshot file must name a parent before its children. `onEnter` is
   * called inside the epoch, each time it has been entered, before anything is read; it may throw.
   */
  order(onEnter: () => void = nothing): DepthOrder {
    const order = new DepthOrder(this.handle.nodeIdEnd);
    this.epoch.enter();
    onEnter();
    // Downwards, so that each depth comes out upwards: nodes lie in memory much as their ids go.
    for (let id = this.handle.nodeIdEnd - 1; id > 0; id--) {
      if (id % IDS_PER_EPOCH === 0) {
        this.epoch.enter();
        onEnter();
      }
      if (this.moveTo(id)) order.add(id, this.cursor.depth);
    }
    this.epoch.leave();
    return order;
  }

  /** Inside an epoch: moves the cursor to the node's record of the moment; false when it was not there. */
  moveTo(id: number): boolean {
    const block = id >>> NODE_BLOCK_SHIFT;
    const index = id & NODE_BLOCK_MASK;
    const offset = Atomics.load(this.slots[block]!, index);
    // A segment added after the beginning holds only later records.
    if (offset !== 0 && offset >>> SEGMENT_GRAIN_SHIFT < this.segmentCount) {
      this.cursor.moveTo(offset);
      if (this.cursor.generation < this.handle.generation) return true;
    }
    const held = Atomics.load(this.held[block]!, index);
    if (held === 0) return false;
    this.cursor.moveTo(held);
    return true;
  }

  /** The node's record has been copied out; the core need not keep it. */
  markVisited(id: number): void {
    Atomics.store(this.visited[id >>> NODE_BLOCK_SHIFT]!, id & NODE_BLOCK_MASK, 1);
  }
}

function sharedBuffer(array: Int32Array | Int8Array): SharedArrayBuffer {
  return array.buffer as SharedArrayBuffer;
}

function nothing(): void {}

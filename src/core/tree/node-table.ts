/**
 * What the store keeps per node id, in blocks of 65,536 ids that are added as the tree grows (a block is never
 * moved, so other threads keep what they were given). Ids are dense, start at 1, and are reused.
 *
 *   shared with the snapshot thread         private to the core
 *     slot     record offset, 0 = absent      pending     newest proposed record, 0 = none
 *     held     version kept for a snapshot    childList   arena offset of the child ids
 *     visited  1 = snapshot has this node     childCount  committed children
 *                                             childAt     own place in the parent's list
 */
import { assert } from '../../base/assert.ts';

export const NODE_BLOCK_SHIFT = 16;
export const NODE_BLOCK_SIZE = 1 << NODE_BLOCK_SHIFT;
export const NODE_BLOCK_MASK = NODE_BLOCK_SIZE - 1;

export class NodeTable {
  readonly slots: Int32Array[] = [];
  readonly held: Int32Array[] = [];
  readonly visited: Int8Array[] = [];
  readonly pending: Int32Array[] = [];
  readonly childList: Int32Array[] = [];
  readonly childCount: Int32Array[] = [];
  readonly childAt: Int32Array[] = [];
  /** One past the largest id ever given. */
  idEnd = 1;
  private free = new Int32Array(1024);
  private freeCount = 0;

  constructor() {
    this.addBlock();
  }

  allocate(): number {
    if (this.freeCount > 0) return this.free[--this.freeCount]!;
    const id = this.idEnd++;
    if (id >>> NODE_BLOCK_SHIFT === this.slots.length) this.addBlock();
    return id;
  }

  release(id: number): void {
    assert(this.slot(id) === 0 && this.pendingOf(id) === 0, 'released node id is still in use');
    if (this.freeCount === this.free.length) {
      const larger = new Int32Array(this.free.length * 2);
      larger.set(this.free);
      this.free = larger;
    }
    this.free[this.freeCount++] = id;
  }

  slot(id: number): number {
    return this.slots[id >>> NODE_BLOCK_SHIFT]![id & NODE_BLOCK_MASK]!;
  }

  pendingOf(id: number): number {
    return this.pending[id >>> NODE_BLOCK_SHIFT]![id & NODE_BLOCK_MASK]!;
  }

  setPending(id: number, offset: number): void {
    this.pending[id >>> NODE_BLOCK_SHIFT]![id & NODE_BLOCK_MASK] = offset;
  }

  private addBlock(): void {
    this.slots.push(new Int32Array(new SharedArrayBuffer(NODE_BLOCK_SIZE * 4)));
    this.held.push(new Int32Array(new SharedArrayBuffer(NODE_BLOCK_SIZE * 4)));
    this.visited.push(new Int8Array(new SharedArrayBuffer(NODE_BLOCK_SIZE)));
    this.pending.push(new Int32Array(NODE_BLOCK_SIZE));
    this.childList.push(new Int32Array(NODE_BLOCK_SIZE));
    this.childCount.push(new Int32Array(NODE_BLOCK_SIZE));
    this.childAt.push(new Int32Array(NODE_BLOCK_SIZE));
  }
}

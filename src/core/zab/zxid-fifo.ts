/**
 * Zxids in the order in which they came, growing; as doubles in a typed array, so that none is ever a boxed number
 * (base/zxid.ts). One owner. Its bound is that of what it stands for: the proposals in flight.
 */
import { assert } from '../../base/assert.ts';
import type { Zxid } from '../../base/zxid.ts';

const CAPACITY_MIN = 64;

export class ZxidFifo {
  private zxids = new Float64Array(CAPACITY_MIN);
  private head = 0;
  /** How many there are. */
  length = 0;

  push(zxid: Zxid): void {
    const { capacity } = this;
    if (this.length === capacity) this.grow();
    this.zxids[(this.head + this.length) & (this.capacity - 1)] = zxid;
    this.length++;
  }

  /** The oldest, which must be there. */
  get first(): Zxid {
    assert(this.length > 0, 'no zxid is left');
    return this.zxids[this.head]!;
  }

  shift(): Zxid {
    const zxid = this.first;
    this.head = (this.head + 1) & (this.capacity - 1);
    this.length--;
    return zxid;
  }

  clear(): void {
    this.length = 0;
  }

  private get capacity(): number {
    return this.zxids.length;
  }

  private grow(): void {
    const { capacity, head } = this;
    const bigger = new Float64Array(2 * capacity);
    bigger.set(this.zxids.subarray(head));
    bigger.set(this.zxids.subarray(0, head), capacity - head);
    this.zxids = bigger;
    this.head = 0;
  }
}

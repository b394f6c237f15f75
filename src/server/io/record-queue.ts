/**
 * Records that did not fit into a ring, in order, in blocks of ordinary memory. Unbounded by itself: its owner stops
 * taking new work while it is not empty. Same record shape as the ring (`length | kind | payload`, 8-byte aligned).
 */
import { assert } from '../../base/assert.ts';
import type { RingProducer } from '../../shm/ring.ts';

const HEADER_BYTES = 8;
const RECORDS_PER_BLOCK_MIN = 8;

class Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used = 0;
  read = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }
}

export class RecordQueue {
  /** Where `claim` points into; both change with every claim. */
  bytes: Uint8Array;
  view: DataView;
  private readonly blockBytes: number;
  private readonly blocks: Block[] = [];
  /** The block emptied last. */
  private spare: Block | null = null;

  constructor(recordBytesMax: number) {
    this.blockBytes = RECORDS_PER_BLOCK_MIN * span(recordBytesMax);
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  /** Room for a payload of at most `length` bytes; the record counts from here on, so a commit must follow. */
  claim(kind: number, length: number): number {
    let block = this.blocks.at(-1);
    if (block === undefined || this.blockBytes - block.used < span(length)) {
      block = this.takeBlock();
      this.blocks.push(block);
    }
    this.bytes = block.bytes;
    this.view = block.view;
    block.view.setInt32(block.used + 4, kind);
    return block.used + HEADER_BYTES;
  }

  commit(length: number): void {
    const block = this.blocks.at(-1);
    assert(block !== undefined, 'record queue commit without a claim');
    block.view.setInt32(block.used, length);
    block.used += span(length);
  }

  /** Moves records to the ring until it is full; true when all have gone. */
  moveTo(ring: RingProducer): boolean {
    for (;;) {
      const block = this.blocks[0];
      if (block === undefined) return true;
      while (block.read < block.used) {
        const length = block.view.getInt32(block.read);
        const offset = ring.claim(block.view.getInt32(block.read + 4), length);
        if (offset === -1) return false;
        const start = block.read + HEADER_BYTES;
        ring.bytes.set(block.bytes.subarray(start, start + length), offset);
        ring.commit(length);
        block.read += span(length);
      }
      this.blocks.shift();
      block.used = 0;
      block.read = 0;
      this.spare = block;
    }
  }

  private takeBlock(): Block {
    const block = this.spare ?? new Block(this.blockBytes);
    this.spare = null;
    return block;
  }
}

function span(length: number): number {
  return (length + HEADER_BYTES + 7) & -8;
}

/** A transaction of the simulation as the bytes of a proposal, and the tree of all of them as those behind SNAP. */
import { readInt64, writeInt64 } from '../../../src/base/int64.ts';
import { viewOf } from '../../wire/bytes.ts';
import type { Txn } from './member-disk.ts';

const TXN_BYTES = 12;

export function txnBytes({ zxid, value }: Txn): Uint8Array {
  const bytes = new Uint8Array(TXN_BYTES);
  writeInt64(viewOf(bytes), 0, zxid);
  viewOf(bytes).setInt32(8, value);
  return bytes;
}

export function txnAt(view: DataView, at: number): Txn {
  return { zxid: readInt64(view, at), value: view.getInt32(at + 8) };
}

export function treeBytes(txns: readonly Txn[]): Uint8Array {
  const bytes = new Uint8Array(4 + TXN_BYTES * txns.length);
  viewOf(bytes).setInt32(0, txns.length);
  for (const [i, txn] of txns.entries()) bytes.set(txnBytes(txn), 4 + TXN_BYTES * i);
  return bytes;
}

/** Collects a tree from pieces. */
export class TreeReader {
  private bytes = Buffer.alloc(0);

  /** Returns how many of the bytes belong to it; `txns` is there when it is whole. */
  take(bytes: Uint8Array, start: number, end: number): number {
    const before = this.bytes.length;
    this.bytes = Buffer.concat([this.bytes, bytes.slice(start, end)]);
    if (this.bytes.length < 4) return end - start;
    const whole = 4 + TXN_BYTES * this.bytes.readInt32BE(0);
    if (this.bytes.length < whole) return end - start;
    this.bytes = this.bytes.subarray(0, whole);
    return whole - before;
  }

  get txns(): Txn[] | null {
    if (this.bytes.length < 4) return null;
    const count = this.bytes.readInt32BE(0);
    if (this.bytes.length < 4 + TXN_BYTES * count) return null;
    const view = viewOf(this.bytes);
    return Array.from({ length: count }, (_, i) => txnAt(view, 4 + TXN_BYTES * i));
  }
}

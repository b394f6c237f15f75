/** What a member has on its disk: transactions in order, some of them not yet synced, and its two epochs. */
import type { Prng } from '../../../src/base/prng.ts';

export interface Txn {
  readonly zxid: number;
  readonly value: number;
}

export class MemberDisk {
  acceptedEpoch = 0;
  currentEpoch = 0;
  private txns: Txn[] = [];
  private durableCount = 0;

  get records(): readonly Txn[] {
    return this.txns;
  }

  get lastZxid(): number {
    return this.txns.at(-1)?.zxid ?? 0;
  }

  get durableZxid(): number {
    return this.txns[this.durableCount - 1]?.zxid ?? 0;
  }

  append(txn: Txn): void {
    this.txns.push(txn);
  }

  /** The first `count` records are on the disk. */
  onSynced(count: number): void {
    this.durableCount = Math.max(this.durableCount, Math.min(count, this.txns.length));
  }

  /** At once and for good, as by a file that is renamed into place. */
  replace(txns: readonly Txn[]): void {
    this.txns = [...txns];
    this.durableCount = this.txns.length;
  }

  truncate(zxid: number): void {
    this.replace(this.txns.filter((txn) => txn.zxid <= zxid));
  }

  /** Of what was not synced any number of the first may have arrived all the same. */
  crash(prng: Prng): void {
    const kept = this.durableCount + prng.below(this.txns.length - this.durableCount + 1);
    this.txns = this.txns.slice(0, kept);
    this.durableCount = kept;
  }

  /** Whether the record at `index` is `txn`, and synced. */
  holds(index: number, txn: Txn): boolean {
    const mine = this.txns[index];
    return index < this.durableCount && mine?.zxid === txn.zxid && mine.value === txn.value;
  }
}

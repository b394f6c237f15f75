/**
 * Decides when the log has grown enough for a new file and a snapshot. Counts since the last roll; the limit is
 * half fixed and half random, so that the servers of an ensemble do not all write snapshots at the same moment:
 *
 *     due  when  txns > snapCount/2 + R   or   bytes > snapBytesMax/2 + S,   R < snapCount/2, S < snapBytesMax/2
 *
 * Owned by the log appender; the randomness is injected.
 */
import { assert } from '../base/assert.ts';
import type { Prng } from '../base/prng.ts';

export interface SnapshotTriggerOptions {
  /** At least 2. */
  readonly snapCount: number;
  /** 0 = no limit by size. */
  readonly snapBytesMax: number;
}

export class SnapshotTrigger {
  due = false;
  private txnCount = 0;
  private byteCount = 0;
  private txnLimit = 0;
  private byteLimit = 0;
  private readonly options: SnapshotTriggerOptions;
  private readonly prng: Prng;

  constructor(options: SnapshotTriggerOptions, prng: Prng) {
    assert(options.snapCount >= 2, 'snapCount is at least 2');
    this.options = options;
    this.prng = prng;
    this.reset();
  }

  onTxn(bytes: number): void {
    this.txnCount++;
    this.byteCount += bytes;
    if (this.txnCount > this.txnLimit || this.byteCount > this.byteLimit) this.due = true;
  }

  /** Begins a new period with new random limits. */
  reset(): void {
    const halfCount = Math.floor(this.options.snapCount / 2);
    const halfBytes = Math.floor(this.options.snapBytesMax / 2);
    this.due = false;
    this.txnCount = 0;
    this.byteCount = 0;
    this.txnLimit = halfCount + this.prng.below(halfCount);
    this.byteLimit = halfBytes === 0 ? Infinity : halfBytes + this.prng.below(halfBytes);
  }
}

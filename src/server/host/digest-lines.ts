/**
 * Log lines about transactions of other servers after which this tree's digest is not the one they came with: the first
 * at once, what follows within a minute together. Such a difference ends nothing: Apache writes wrong digests under load.
 * Called once per tick; core thread.
 */
import { zxidHex } from '../../base/zxid.ts';
import type { Statistics } from '../../core/progress/statistics.ts';
import type { Log } from '../logging/logging.ts';

const BETWEEN_LINES_MS = 60_000;

export class DigestLines {
  private readonly statistics: Statistics;
  private readonly log: Log;
  private told = 0;
  private nextMs = 0;

  constructor(statistics: Statistics, log: Log) {
    this.statistics = statistics;
    this.log = log;
  }

  /** At a clean stop: what would have been told later. */
  end(): void {
    this.onTick(Number.POSITIVE_INFINITY);
  }

  onTick(nowMs: number): void {
    const { foreignDigestMismatches, firstForeignMismatch } = this.statistics;
    if (foreignDigestMismatches === this.told || nowMs < this.nextMs) return;
    this.log.warn('the tree digest differs from the one that the leader sent', {
      transactions: foreignDigestMismatches - this.told,
      firstZxid: `0x${zxidHex(firstForeignMismatch.value)}`,
    });
    this.told = foreignDigestMismatches;
    this.nextMs = nowMs + BETWEEN_LINES_MS;
  }
}

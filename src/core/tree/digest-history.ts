/**
 * The tree's digests every 128 zxids, the newest 1,024 of them, for the `hash` word. Columns, not objects: a digest that
 * is compared between servers must not be a number in a box (base/zxid.ts). Core thread.
 */
import type { Zxid } from '../../base/zxid.ts';
import type { DigestSum } from './digest.ts';

export const DIGEST_INTERVAL = 128;
const DIGESTS_MAX = 1024;

export class DigestHistory {
  private readonly zxids = new Float64Array(DIGESTS_MAX);
  private readonly highs = new Uint32Array(DIGESTS_MAX);
  private readonly lows = new Uint32Array(DIGESTS_MAX);
  private count = 0;

  add(zxid: Zxid, { high, low }: DigestSum): void {
    const at = this.count++ % DIGESTS_MAX;
    this.zxids[at] = zxid;
    this.highs[at] = high;
    this.lows[at] = low;
  }

  /** Oldest first. */
  *all(): IterableIterator<{ readonly zxid: Zxid; readonly high: number; readonly low: number }> {
    for (let i = Math.max(0, this.count - DIGESTS_MAX); i < this.count; i++) {
      const at = i % DIGESTS_MAX;
      yield { zxid: this.zxids[at]!, high: this.highs[at]!, low: this.lows[at]! };
    }
  }
}

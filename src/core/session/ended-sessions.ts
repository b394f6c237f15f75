/**
 * Which sessions of all servers have ended last, for a leader that takes writes of sessions it does not know: one that is
 * another server's alone may write, one that has ended may not, however late that server's packet comes. Ids only; the oldest of
 * so many is forgotten, and is then taken for another server's, as Apache takes all of them. Core thread.
 */
import type { KeyedHash } from '../../base/keyed-hash.ts';
import { PairIndex } from '../collections/pair-index.ts';

const KEPT_MAX = 1 << 14;

export class EndedSessions {
  private readonly index: PairIndex;
  private readonly highs = new Int32Array(KEPT_MAX);
  private readonly lows = new Int32Array(KEPT_MAX);
  private next = 0;

  constructor(hash: KeyedHash) {
    this.index = new PairIndex(hash);
  }

  add(idHigh: number, idLow: number): void {
    const { index, highs, lows, next } = this;
    if (this.has(idHigh, idLow)) return;
    if (index.size === KEPT_MAX) index.remove(highs[next]!, lows[next]!);
    index.insert(idHigh, idLow, next);
    highs[next] = idHigh;
    lows[next] = idLow;
    this.next = (next + 1) % KEPT_MAX;
  }

  has(idHigh: number, idLow: number): boolean {
    return this.index.find(idHigh, idLow) >= 0;
  }
}

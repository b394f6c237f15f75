/**
 * Which key a request touches. Seeded: the same seed gives the same keys. Cheap enough to be asked per request.
 */
import { unreachable } from '../../src/base/assert.ts';
import { Prng } from '../../src/base/prng.ts';
import type { KeyChoice } from '../plan/plan.ts';

export interface KeyChooser {
  /** A key in [0, keyCount). */
  next(): number;
}

export function makeKeyChooser(choice: KeyChoice, keyCount: number, seed: number): KeyChooser {
  const prng = new Prng(seed);
  switch (choice.kind) {
    case 'uniform':
      return { next: () => prng.below(keyCount) };
    case 'sequential': {
      let key = prng.below(keyCount);
      return { next: () => (key = (key + 1) % keyCount) };
    }
    case 'zipf':
      return new ZipfChooser(keyCount, choice.exponent, prng);
    case 'hotSet': {
      const hot = Math.max(1, Math.round(keyCount * choice.keyShare));
      const cold = keyCount - hot;
      return {
        next: () =>
          cold === 0 || prng.chance(choice.requestShare) ? prng.below(hot) : hot + prng.below(cold),
      };
    }
    default:
      return unreachable('unknown key choice');
  }
}

/** Exact Zipf by inversion: a table of cumulated weights and a binary search. Hot keys lie anywhere. */
class ZipfChooser implements KeyChooser {
  private readonly prng: Prng;
  private readonly cumulated: Float64Array;
  private readonly keyOfRank: Uint32Array;

  constructor(keyCount: number, exponent: number, prng: Prng) {
    this.prng = prng;
    this.cumulated = new Float64Array(keyCount);
    this.keyOfRank = Uint32Array.from({ length: keyCount }, (_, key) => key);
    let sum = 0;
    for (let rank = 0; rank < keyCount; rank++) {
      sum += (rank + 1) ** -exponent;
      this.cumulated[rank] = sum;
    }
    for (let rank = keyCount - 1; rank > 0; rank--) {
      const other = prng.below(rank + 1);
      const key = this.keyOfRank[rank]!;
      this.keyOfRank[rank] = this.keyOfRank[other]!;
      this.keyOfRank[other] = key;
    }
  }

  next(): number {
    const point = this.prng.fraction() * this.cumulated[this.cumulated.length - 1]!;
    let low = 0;
    let high = this.cumulated.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.cumulated[middle]! > point) high = middle;
      else low = middle + 1;
    }
    return this.keyOfRank[low]!;
  }
}

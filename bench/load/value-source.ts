/**
 * The data of sets and creates: sizes as the plan says, bytes without a pattern that a compressing layer could use.
 * All values are slices of one block, so that a choice costs no allocation beyond a view.
 */
import type { Prng } from '../../src/base/prng.ts';
import { maxBytes, type Sizes } from '../plan/plan.ts';

export class ValueSource {
  private readonly sizes: Sizes;
  private readonly prng: Prng;
  private readonly block: Uint8Array;
  /** For weighted choices. */
  private readonly weightSum: number;

  constructor(sizes: Sizes, prng: Prng) {
    this.sizes = sizes;
    this.prng = prng;
    this.block = Uint8Array.from({ length: maxBytes(sizes) }, () => prng.uint32());
    this.weightSum =
      sizes.kind === 'weighted' ? sizes.choices.reduce((sum, choice) => sum + choice.weight, 0) : 0;
  }

  /** Valid for ever; never written. */
  next(): Uint8Array {
    const bytes = this.nextSize();
    return bytes === this.block.length ? this.block : this.block.subarray(0, bytes);
  }

  private nextSize(): number {
    const { sizes, prng } = this;
    if (sizes.kind === 'fixed') return sizes.bytes;
    if (sizes.kind === 'uniform') return sizes.min + prng.below(sizes.max - sizes.min + 1);
    let point = prng.fraction() * this.weightSum;
    for (const { bytes, weight } of sizes.choices) {
      point -= weight;
      if (point < 0) return bytes;
    }
    return sizes.choices[sizes.choices.length - 1]!.bytes;
  }
}

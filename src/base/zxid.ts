import { assert } from './assert.ts';

/**
 * A zxid is `epoch << 32 | counter`, 64 bits on the wire and on disk. Inside it is a safe integer: doubles are
 * an order of magnitude faster than bigint, and 2^53 leaves 2^21 epochs, one election a minute for four years.
 */
export type Zxid = number;

export const EPOCH_MAX = 2 ** 21 - 1;
const COUNTER_RANGE = 2 ** 32;

/** @throws AssertionFailure when the epoch would leave the safe-integer range. */
export function makeZxid(epoch: number, counter: number): Zxid {
  assert(epoch >= 0 && epoch <= EPOCH_MAX, () => `epoch ${epoch} out of range`);
  assert(counter >= 0 && counter < COUNTER_RANGE, () => `zxid counter ${counter} out of range`);
  return epoch * COUNTER_RANGE + counter;
}

export function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / COUNTER_RANGE);
}

/** Lower-case hex without prefix, as in file names and four-letter words. */
export function zxidHex(zxid: Zxid): string {
  return zxid.toString(16);
}

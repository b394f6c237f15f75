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

/** The last counter of an epoch. 0xffffffff is never given out, as in Apache: its leaders resign instead. */
export const COUNTER_MAX = COUNTER_RANGE - 2;

/** The first transaction of an epoch; counter 0 is the epoch's beginning and never a transaction. */
export function firstZxidOf(epoch: number): Zxid {
  return makeZxid(epoch, 1);
}

/** The last zxid that an epoch can give out. */
export function lastZxidOf(epoch: number): Zxid {
  return makeZxid(epoch, COUNTER_MAX);
}

export function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / COUNTER_RANGE);
}

/** Lower-case hex without prefix, as in file names and four-letter words. */
export function zxidHex(zxid: Zxid): string {
  return zxid.toString(16);
}

/**
 * A zxid that an object keeps. As a field it would be a number in a box of V8's, and boxes were seen to be shared by
 * mistake (decision 32): then the zxid of one object changes with another's. An element of a typed array has no box.
 */
export class ZxidCell {
  private readonly words = new Float64Array(1);

  constructor(zxid: Zxid = 0) {
    this.words[0] = zxid;
  }

  get value(): Zxid {
    return this.words[0]!;
  }

  set value(zxid: Zxid) {
    this.words[0] = zxid;
  }
}

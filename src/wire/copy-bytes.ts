/**
 * The one copy routine of the data plane: between any two byte arrays, shared or not, in any alignment. Any
 * thread; the two ranges must not overlap, and races on shared bytes are the caller's business. Measured for 1 KB between shared and private
 * memory, unaligned:
 *
 *     target.set(source.subarray(...))    130-160 ns    the language demands a race-safe move, byte by byte
 *                                                       unless both sides are aligned alike
 *     the host's move                          25 ns    a plain memmove
 *     a loop                                  740 ns    but the fastest of all for a short path or an id
 */
import { assert } from '../base/assert.ts';
import { hostCopy } from '../base/host.ts';

// About where a loop and a call break even.
const LOOP_BYTES_MAX = 24;

/** @throws AssertionFailure or RangeError when more than a few bytes do not fit. */
export function copyBytes(
  source: Uint8Array,
  sourceStart: number,
  length: number,
  target: Uint8Array,
  targetStart: number,
): void {
  if (length <= LOOP_BYTES_MAX) {
    for (let i = 0; i < length; i++) target[targetStart + i] = source[sourceStart + i]!;
  } else {
    const moved = hostCopy.call(source, target, targetStart, sourceStart, sourceStart + length);
    assert(moved === length, 'a copy left its buffer');
  }
}

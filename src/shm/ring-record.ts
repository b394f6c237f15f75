/**
 * The layout of a ring: pure constants and arithmetic, shared by both ends (`ring.ts`).
 *
 *     line 0      line 1    line k      data, `capacity` bytes (a power of two)
 *     | tail      | head 0  | head k-1  | record | record | padding | <- wraps to offset 0
 *
 *     one record, 8-byte aligned, in host order (both ends are this process)
 *     +--------------------+--------------------+-----------------------------+---------+
 *     | length : int32     | kind : int32       | payload : length bytes      | pad 0-7 |
 *     +--------------------+--------------------+-----------------------------+---------+
 *     kind = -1: nothing but padding up to the end of the data, go on at offset 0
 *
 * Positions count bytes for ever as int32 and wrap around; only their differences mean something, and
 * `position & (capacity - 1)` is the place in the data. A difference never exceeds `capacity` <= 2^30.
 *
 * A payload is contiguous, so one that does not fit before the end is preceded by padding. Records of at most half
 * the ring keep that safe: padding is then shorter than the record it makes way for, hence padding + record fit
 * into an empty ring wherever it stands, and a claim that waits for room always gets it in the end.
 */
import { assert } from '../base/assert.ts';

export const RECORD_HEADER_BYTES = 8;
export const PADDING_KIND = -1;

const CAPACITY_MIN = 64;
const CAPACITY_MAX = 2 ** 30;

/** Where the control words are. */
export const TAIL_LINE = 0;
export const FIRST_HEAD_LINE = 1;

/** Bytes that a record with this payload takes in the ring. */
export function recordSpan(length: number): number {
  return (length + RECORD_HEADER_BYTES + 7) & -8;
}

/** The largest payload that a ring of this capacity takes. */
export function recordBytesMax(capacity: number): number {
  return capacity / 2 - RECORD_HEADER_BYTES;
}

export function assertCapacity(capacity: number): void {
  assert(
    capacity >= CAPACITY_MIN && capacity <= CAPACITY_MAX && (capacity & (capacity - 1)) === 0,
    () => `ring capacity ${capacity} is not a power of two between ${CAPACITY_MIN} and ${CAPACITY_MAX}`,
  );
}

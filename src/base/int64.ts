/**
 * 64-bit big-endian integers as two's complement halves. A `number` is exact for |n| < 2^53, which covers every
 * zxid and time; session ids use all 64 bits and travel as bigint (edges only) or as two int32 halves.
 */

const TWO_32 = 4294967296;

/** Reads a signed 64-bit integer; exact for |n| < 2^53. */
export function readInt64(view: DataView, offset: number): number {
  return view.getInt32(offset) * TWO_32 + view.getUint32(offset + 4);
}

/** Writes a safe integer as 64 bits, two's complement. */
export function writeInt64(view: DataView, offset: number, value: number): void {
  view.setInt32(offset, Math.floor(value / TWO_32));
  view.setInt32(offset + 4, value | 0);
}

/** The upper half of a safe integer, as int32. */
export function highHalf(value: number): number {
  return Math.floor(value / TWO_32) | 0;
}

/** A 64-bit value from its halves, signed. */
export function joinHalves(high: number, low: number): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

export function highOf(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}

export function lowOf(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** `0x` and the unsigned value in lower-case hex, the form of session ids in logs and four-letter words. */
export function hex64(value: bigint): string {
  return '0x' + BigInt.asUintN(64, value).toString(16);
}

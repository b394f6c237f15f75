/**
 * The 16-byte password of a session, derived from its id exactly as Apache does: so a session survives the move of
 * a data directory from one server to the other, and every server of an ensemble can check it without asking.
 * It is no secret; it only guards against mixing up ids.
 *
 * The derivation is Java's `Random(id ^ 0xB3415C00).nextBytes(16)`: a 48-bit linear congruential generator, kept
 * here as two 24-bit halves so that products stay exact.
 */
import { PASSWORD_BYTES } from '../../wire/connect.ts';

const SUPER_SECRET = 0xb3415c00;
const MULTIPLIER_HIGH = 0x5de;
const MULTIPLIER_LOW = 0xece66d;
const INCREMENT = 0xb;
const HALF_MASK = 0xffffff;
const HALF_RANGE = 0x1000000;

export function writeSessionPassword(idHigh: number, idLow: number, out: Uint8Array, offset: number): void {
  // The secret is a positive long in Java: it touches only the lower half.
  const low = (idLow ^ SUPER_SECRET) >>> 0;
  // The seed keeps 48 bits, scrambled by the multiplier.
  let seedHigh = (((idHigh & 0xffff) << 8) | (low >>> 24)) ^ MULTIPLIER_HIGH;
  let seedLow = (low & HALF_MASK) ^ MULTIPLIER_LOW;
  for (let i = 0; i < PASSWORD_BYTES; i += 4) {
    const product = seedLow * MULTIPLIER_LOW + INCREMENT;
    const carry = Math.floor(product / HALF_RANGE);
    seedHigh = (seedHigh * MULTIPLIER_LOW + seedLow * MULTIPLIER_HIGH + carry) % HALF_RANGE;
    seedLow = product % HALF_RANGE;
    // next(32): the upper 32 of the 48 bits, stored little end first.
    const word = (seedHigh * 0x100 + (seedLow >>> 16)) | 0;
    out[offset + i] = word & 0xff;
    out[offset + i + 1] = (word >>> 8) & 0xff;
    out[offset + i + 2] = (word >>> 16) & 0xff;
    out[offset + i + 3] = word >>> 24;
  }
}

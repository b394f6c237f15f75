/** The keyed hash of the tests: any key will do, this one is always the same. */
import { KeyedHash } from '../../../src/base/keyed-hash.ts';

export const HASH_KEY = { low: 0x5eed0001, high: 0x5eed0002 };
export const HASH = new KeyedHash(HASH_KEY);

export function pathHash(bytes: Uint8Array, start: number, length: number): number {
  return HASH.of(bytes, start, length);
}

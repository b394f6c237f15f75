/**
 * A keyed hash of bytes for tables whose keys others choose: HalfSipHash-1-3, the variant made for hash tables on
 * 32-bit words. Without the key nobody can make inputs that collide, nor learn from collisions under one key what
 * would collide under another. (A hash that only starts from a secret value does not do: where two inputs differ by
 * something that cancels, they collide whatever the start.) Pure; any thread, no allocation.
 *
 *     state v0..v3 from the key │ per 4 bytes, little-endian: v3 ^= m, one round, v0 ^= m
 *     last word: the remaining 0-3 bytes, the length's low byte on top │ v2 ^= 0xff, three rounds │ v1 ^ v3
 *
 * The rounds are written out: a function per round would have to give back four numbers. It costs less than FNV-1a
 * for paths of 10 to 60 bytes, which waits for a multiplication at every byte.
 */

/** 64 secret bits. */
export interface HashKey {
  readonly low: number;
  readonly high: number;
}

const INIT_2 = 0x6c796765;
const INIT_3 = 0x74656462;

export class KeyedHash {
  readonly low: number;
  readonly high: number;

  constructor(key: HashKey) {
    this.low = key.low | 0;
    this.high = key.high | 0;
  }

  /** An int32. */
  of(bytes: Uint8Array, start: number, length: number): number {
    let v0 = this.low;
    let v1 = this.high;
    let v2 = INIT_2 ^ v0;
    let v3 = INIT_3 ^ v1;
    const wordsEnd = start + (length & ~3);
    let i = start;
    for (; i < wordsEnd; i += 4) {
      const m = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      v3 ^= m;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= m;
    }
    return finish(v0, v1, v2, v3, tailWord(bytes, i, start + length, length));
  }

  /** Of two int32. */
  ofPair(a: number, b: number): number {
    let v0 = this.low;
    let v1 = this.high;
    let v2 = INIT_2 ^ v0;
    let v3 = INIT_3 ^ v1 ^ a;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    return finish(v0 ^ a, v1, v2, v3, b);
  }
}

/**
 * The hashes of the prefixes of one byte string in one pass, however many are asked for: `wrap`, then `of` with
 * lengths that do not fall. Equal to `KeyedHash.of` of the prefix.
 */
export class PrefixHashes {
  private readonly hash: KeyedHash;
  private bytes: Uint8Array = new Uint8Array(0);
  private start = 0;
  /** Where the next whole word begins. */
  private next = 0;
  private v0 = 0;
  private v1 = 0;
  private v2 = 0;
  private v3 = 0;

  constructor(hash: KeyedHash) {
    this.hash = hash;
  }

  wrap(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.start = start;
    this.next = start;
    this.v0 = this.hash.low;
    this.v1 = this.hash.high;
    this.v2 = INIT_2 ^ this.v0;
    this.v3 = INIT_3 ^ this.v1;
  }

  of(length: number): number {
    const { bytes, start } = this;
    const end = start + length;
    while (this.next + 4 <= end) this.absorb();
    return finish(this.v0, this.v1, this.v2, this.v3, tailWord(bytes, this.next, end, length));
  }

  private absorb(): void {
    const { bytes, next } = this;
    let { v0, v1, v2, v3 } = this;
    const m = bytes[next]! | (bytes[next + 1]! << 8) | (bytes[next + 2]! << 16) | (bytes[next + 3]! << 24);
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    this.v0 = v0 ^ m;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
    this.next = next + 4;
  }
}

/** What is left behind the whole words, and the length. */
function tailWord(bytes: Uint8Array, from: number, end: number, length: number): number {
  let word = length << 24;
  if (from + 2 < end) word |= bytes[from + 2]! << 16;
  if (from + 1 < end) word |= bytes[from + 1]! << 8;
  if (from < end) word |= bytes[from]!;
  return word;
}

/** The round of the last word, and three more. */
function finish(v0: number, v1: number, v2: number, v3: number, m: number): number {
  v3 ^= m;
  v0 = (v0 + v1) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v0 = (v0 << 16) | (v0 >>> 16);
  v2 = (v2 + v3) | 0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  v2 = (v2 << 16) | (v2 >>> 16);
  v0 ^= m;
  v2 ^= 0xff;
  v0 = (v0 + v1) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v0 = (v0 << 16) | (v0 >>> 16);
  v2 = (v2 + v3) | 0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  v2 = (v2 << 16) | (v2 >>> 16);
  v0 = (v0 + v1) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v0 = (v0 << 16) | (v0 >>> 16);
  v2 = (v2 + v3) | 0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  v2 = (v2 << 16) | (v2 >>> 16);
  // The last round without what does not reach v1 and v3.
  v0 = (v0 + v1) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v0 = (v0 << 16) | (v0 >>> 16);
  v2 = (v2 + v3) | 0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  return v1 ^ v3;
}

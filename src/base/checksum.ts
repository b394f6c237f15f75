/**
 * The two checksums of ZooKeeper's files: Adler-32 guards log records and snapshots, CRC-32 makes node digests.
 * Both take a running value, so that a stream can be summed piece by piece.
 */

const ADLER_MODULUS = 65521;
// Keeps b below 2^31 (255·n²/2 + n·65520 + 65520), so that the sums stay small integers; reduced once per block.
const ADLER_BLOCK = 3800;

/** Adler-32 of `bytes[start, end)`, continued from `seed` (1 for a fresh sum). Unsigned 32 bits. */
export function adler32(bytes: Uint8Array, start: number, end: number, seed = 1): number {
  let a = seed & 0xffff;
  let b = seed >>> 16;
  let i = start;
  while (i < end) {
    const blockEnd = Math.min(i + ADLER_BLOCK, end);
    // Four bytes a step: b gains 4a + 4·x0 + 3·x1 + 2·x2 + x3, with one multiply and no dependency between bytes.
    for (; i + 3 < blockEnd; i += 4) {
      const x0 = bytes[i]!;
      const x1 = bytes[i + 1]!;
      const x2 = bytes[i + 2]!;
      const x3 = bytes[i + 3]!;
      b += 4 * (a + x0) + 3 * x1 + 2 * x2 + x3;
      a += x0 + x1 + x2 + x3;
    }
    for (; i < blockEnd; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= ADLER_MODULUS;
    b %= ADLER_MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}

const CRC_TABLES = makeCrcTables();
const T0 = CRC_TABLES[0]!;
const T1 = CRC_TABLES[1]!;
const T2 = CRC_TABLES[2]!;
const T3 = CRC_TABLES[3]!;

/** CRC-32 (IEEE 802.3) of `bytes[start, end)`, continued from `seed` (0 for a fresh sum). Unsigned 32 bits. */
export function crc32(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  let c = ~seed;
  let i = start;
  for (; i + 3 < end; i += 4) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c = T3[c & 0xff]! ^ T2[(c >>> 8) & 0xff]! ^ T1[(c >>> 16) & 0xff]! ^ T0[c >>> 24]!;
  }
  for (; i < end; i++) c = T0[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}

function makeCrcTables(): Int32Array[] {
  const tables = [new Int32Array(256), new Int32Array(256), new Int32Array(256), new Int32Array(256)];
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    tables[0]![n] = c;
  }
  for (let n = 0; n < 256; n++) {
    for (let t = 1; t < 4; t++) {
      const previous = tables[t - 1]![n]!;
      tables[t]![n] = tables[0]![previous & 0xff]! ^ (previous >>> 8);
    }
  }
  return tables;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { adler32, crc32 } from '../../src/base/checksum.ts';

function naiveAdler(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

test('adler32 and crc32 agree with their definitions, whole and in pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 900 }), fc.nat(), (bytes, cut) => {
      const at = bytes.length === 0 ? 0 : cut % bytes.length;
      assert.equal(adler32(bytes, 0, bytes.length), naiveAdler(bytes));
      assert.equal(adler32(bytes, at, bytes.length, adler32(bytes, 0, at)), naiveAdler(bytes));
      assert.equal(crc32(bytes, 0, bytes.length), zlibCrc32(bytes));
      assert.equal(crc32(bytes, at, bytes.length, crc32(bytes, 0, at)), zlibCrc32(bytes));
    }),
  );
});

test('adler32 of a long run of the largest byte does not overflow its blocks', () => {
  const bytes = new Uint8Array(100_000).fill(255);
  assert.equal(adler32(bytes, 0, bytes.length), naiveAdler(bytes));
});

test('known values', () => {
  const bytes = new TextEncoder().encode('123456789');
  assert.equal(crc32(bytes, 0, bytes.length), 0xcbf43926);
  assert.equal(adler32(bytes, 0, bytes.length), 0x091e01de);
});

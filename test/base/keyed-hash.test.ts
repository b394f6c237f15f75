import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyedHash, PrefixHashes } from '../../src/base/keyed-hash.ts';
import { collidingUnderFnv, fnv1a } from '../support/colliding-paths.ts';

const ONE = new KeyedHash({ low: 1, high: 2 });
const OTHER = new KeyedHash({ low: 3, high: 4 });

// HalfSipHash-1-3 of the bytes 0, 1, 2 ... n-1 under the key 00 01 ... 07: published test vectors.
const VECTORS = [
  0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6, 0x577999b1,
  0xc839caed, 0xe4fa32cf, 0x959246ee, 0x6b28096c, 0x66dd9cd6, 0x16658a7c, 0xd0257b04,
];

test('it is HalfSipHash-1-3', () => {
  const hash = new KeyedHash({ low: 0x03020100, high: 0x07060504 });
  const bytes = Uint8Array.from(VECTORS, (_, i) => i);
  const hashes = VECTORS.map((_, length) => hash.of(bytes, 0, length) >>> 0);
  assert.deepEqual(hashes, VECTORS);
});

test('where the bytes lie makes no difference, and a pair hashes as its eight bytes less the length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(9), (bytes, before) => {
      const embedded = new Uint8Array(bytes.length + 2 * before).fill(0x2f);
      embedded.set(bytes, before);
      assert.equal(ONE.of(embedded, before, bytes.length), ONE.of(bytes, 0, bytes.length));
    }),
  );
  const pairs = new Set<number>();
  for (let a = -50; a < 50; a++) for (let b = -50; b < 50; b++) pairs.add(ONE.ofPair(a, b));
  assert.equal(pairs.size, 10_000);
  assert.notEqual(ONE.ofPair(1, 2), OTHER.ofPair(1, 2));
});

test('one pass gives the hash of every prefix that is asked for', () => {
  const prefixes = new PrefixHashes(ONE);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(5), (bytes, start) => {
      const length = Math.max(bytes.length - start, 0);
      prefixes.wrap(bytes, start);
      for (let i = 0; i <= length; i += 1 + (i % 3)) assert.equal(prefixes.of(i), ONE.of(bytes, start, i));
    }),
  );
});

test('hashes of sequential names spread over all bits', () => {
  const count = 1 << 12;
  const low = new Set<number>();
  const high = new Set<number>();
  for (let i = 0; i < count; i++) {
    const name = Buffer.from('/bench/node-' + String(i).padStart(10, '0'));
    const hash = ONE.of(name, 0, name.length);
    low.add(hash & (count - 1));
    high.add(hash >>> 20);
  }
  // 4,096 values thrown into 4,096 places at random fill 1 - 1/e of them, 63 %.
  assert.ok(low.size > count * 0.58, `${low.size} low`);
  assert.ok(high.size > count * 0.58, `${high.size} high`);
});

test('paths made to collide under FNV-1a do not collide here, whatever the key', () => {
  const paths = collidingUnderFnv(1 << 12);
  assert.equal(new Set(paths.map((path) => fnv1a(path))).size, 1, 'the family does what it is for');
  assert.equal(new Set(paths.map((path) => Buffer.from(path).toString())).size, paths.length);
  for (const hash of [ONE, OTHER]) {
    // 4,096 hashes of 32 bits: 0.002 colliding pairs are expected.
    assert.ok(new Set(paths.map((path) => hash.of(path, 0, path.length))).size >= paths.length - 2);
  }
});

test('paths chosen to share a place of a table under one key are spread under another', () => {
  const places = 1 << 12;
  const family: Uint8Array[] = [];
  for (let i = 0; family.length < 128; i++) {
    const path = Buffer.from(`/app/member-${i}`);
    if ((ONE.of(path, 0, path.length) & (places - 1)) === 0) family.push(path);
  }
  const spread = new Set(family.map((path) => OTHER.of(path, 0, path.length) & (places - 1)));
  assert.ok(spread.size > 115, `${spread.size} places for 128 paths`);
});

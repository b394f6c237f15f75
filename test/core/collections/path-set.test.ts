import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteStore } from '../../../src/core/collections/byte-store.ts';
import { NO_PATH, PathSet } from '../../../src/core/collections/path-set.ts';
import { HASH, pathHash } from '../support/hash.ts';

const bytesOf = (path: string): Uint8Array => new TextEncoder().encode(path);
const hashOf = (path: string): number => pathHash(bytesOf(path), 0, bytesOf(path).length);
const find = (set: PathSet, path: string): number =>
  set.find(bytesOf(path), 0, bytesOf(path).length, hashOf(path));
const add = (set: PathSet, path: string): number =>
  set.add(bytesOf(path), 0, bytesOf(path).length, hashOf(path));

test('a set of paths behaves like a Map, whatever is added and removed', () => {
  const path = fc.array(fc.constantFrom('/a', '/b', '/cc', '/' + 'x'.repeat(40)), { maxLength: 4 });
  const step = fc.record({ path: path.map((names) => names.join('')), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const set = new PathSet(HASH);
      const model = new Map<string, number>();
      for (const { path, remove } of steps) {
        const number = model.get(path);
        assert.equal(find(set, path), number ?? NO_PATH);
        if (number === undefined) {
          model.set(path, add(set, path));
        } else if (remove) {
          set.remove(number);
          model.delete(path);
        }
        assert.equal(set.size, model.size);
      }
      for (const [path, number] of model) {
        assert.equal(set.has(number), true);
        assert.equal(set.text(number), path === '' ? '/' : path);
        assert.deepEqual(Buffer.from(set.copy(number)), Buffer.from(path));
      }
      assert.equal(new Set(model.values()).size, model.size);
    }),
  );
});

test('numbers are dense and used again', () => {
  const set = new PathSet(HASH);
  for (let i = 0; i < 1000; i++) assert.equal(add(set, `/n${i}`), i);
  for (let i = 0; i < 1000; i += 2) set.remove(find(set, `/n${i}`));
  for (let i = 0; i < 500; i++) assert.ok(add(set, `/m${i}`) < 1000);
  assert.equal(set.end, 1000);
  assert.equal(find(set, '/n2'), NO_PATH);
  assert.equal(set.text(find(set, '/n3')), '/n3');
});

test('paths with equal hashes are told apart by their bytes', () => {
  const set = new PathSet(HASH);
  const first = set.add(bytesOf('/a'), 0, 2, 7);
  const second = set.add(bytesOf('/b'), 0, 2, 7);
  assert.equal(set.find(bytesOf('/a'), 0, 2, 7), first);
  assert.equal(set.find(bytesOf('/b'), 0, 2, 7), second);
  assert.equal(set.find(bytesOf('/c'), 0, 2, 7), NO_PATH);
  set.remove(second);
  assert.equal(set.find(bytesOf('/a'), 0, 2, 7), first);
});

test('the deepest member that is the path or an ancestor by component', () => {
  const set = new PathSet(HASH);
  const members = ['/a', '/a/b/c', '/ab'];
  const numbers = new Map(members.map((path) => [path, add(set, path)]));
  const cases: [string, string | null][] = [
    ['', null],
    ['/', null],
    ['/a', '/a'],
    ['/a/b', '/a'],
    ['/a/b/c', '/a/b/c'],
    ['/a/b/c/d/e', '/a/b/c'],
    ['/a/b/cd', '/a'],
    ['/ab', '/ab'],
    ['/abc', null],
    ['/x/a', null],
  ];
  for (const [path, member] of cases) {
    const found = set.findDeepest(bytesOf(path), 0, bytesOf(path).length);
    assert.equal(found, member === null ? NO_PATH : numbers.get(member), path);
  }
});

test('a byte store keeps strings of every size class and uses freed blocks again', () => {
  const store = new ByteStore();
  const lengths = [0, 1, 16, 17, 1023, 1024, 1025, 2048, 2049, 4097, 70_000];
  const fill = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => (i * 31 + length) & 0xff);
  const offsets = lengths.map((length) => store.add(fill(length), 0, length));
  lengths.forEach((length, i) => {
    const offset = offsets[i]!;
    assert.deepEqual(store.bytes.slice(offset, offset + length), fill(length));
  });
  const size = store.bytes.length;
  for (let round = 0; round < 100; round++) {
    lengths.forEach((length, i) => {
      store.free(offsets[i]!, length);
      offsets[i] = store.add(fill(length), 0, length);
    });
  }
  assert.equal(store.bytes.length, size);
  lengths.forEach((length, i) => {
    const offset = offsets[i]!;
    assert.deepEqual(store.bytes.slice(offset, offset + length), fill(length));
  });
  assert.equal(store.fits(2 ** 30), true);
  assert.equal(store.fits(2 ** 31 - 1), false);
});

test('blocks that removed paths of other lengths left behind are no reason to refuse a path', () => {
  const set = new PathSet(HASH, 64 * 1024);
  const kept = ['/', '/kept', `/${'k'.repeat(300)}`];
  const add = (path: string): number => set.add(bytesOf(path), 0, path.length, hashOf(path));
  for (const path of kept) add(path);
  for (let length = 16; length <= 8192; length *= 2) {
    const paths: string[] = [];
    const path = (i: number): string => `/${i}/`.padEnd(length, 'x');
    while (set.fits(length)) {
      add(path(paths.length));
      paths.push(path(paths.length));
    }
    assert.ok(paths.length * length > 32 * 1024, `${paths.length} paths of ${length} bytes`);
    for (const added of paths) set.remove(set.find(bytesOf(added), 0, added.length, hashOf(added)));
    for (const path of kept)
      assert.equal(set.text(set.find(bytesOf(path), 0, path.length, hashOf(path))), path);
  }
  assert.equal(set.size, kept.length);
});

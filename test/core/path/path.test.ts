import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  hasNul,
  hasSlashAndNoNul,
  isReserved,
  isValidPath,
  parentLength,
  pathText,
  SEQUENCE_SUFFIX_BYTES_MAX,
  writeSequenceSuffix,
} from '../../../src/core/path/path.ts';

const encoder = new TextEncoder();

/** The rules as the reference states them: on the UTF-16 units of a lenient decoding. */
function isValidByUnits(bytes: Uint8Array): boolean {
  const path = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  if (path.length === 0 || path[0] !== '/') return false;
  if (path === '/') return true;
  if (path.endsWith('/')) return false;
  for (let i = 1; i < path.length; i++) {
    const unit = path.charCodeAt(i);
    if (unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f)) return false;
    if ((unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0) return false;
  }
  return path
    .slice(1)
    .split('/')
    .every((name) => name !== '' && name !== '.' && name !== '..');
}

/** Calls `f` with the bytes in the middle of others, so that looking outside would show. */
function embedded<T>(bytes: Uint8Array, f: (all: Uint8Array, start: number, length: number) => T): T {
  const all = new Uint8Array(bytes.length + 8).fill(0x2f);
  all.set(bytes, 4);
  all[4 + bytes.length] = 0x2e;
  return f(all, 4, bytes.length);
}

const valid = (path: string | Uint8Array): boolean =>
  embedded(typeof path === 'string' ? encoder.encode(path) : path, isValidPath);

test('paths that may name a znode', () => {
  const accepted = [
    '/',
    '/a',
    '/a/b',
    '/...',
    '/.a',
    '/a..b',
    '/a.',
    '/..a/b.',
    '/a b',
    '/a\\b',
    '/a:b',
    '/~',
    '/\u00a0',
    '/é',
    '/\u07ff',
    '/\u0800',
    '/\ud7ff',
    '/\uf900',
    '/\ufeff',
    '/\uffef',
    '/中/文',
  ];
  for (const path of accepted) assert.equal(valid(path), true, JSON.stringify(path));
});

test('paths that may not', () => {
  const refused = [
    '',
    'a',
    'foo/bar',
    '//',
    '/a/',
    '//a',
    '/a//b',
    '/.',
    '/..',
    '/./a',
    '/../a',
    '/a/.',
    '/a/..',
    '/a/./b',
    '/a/../b',
    '/\u0000',
    '/a\u0001',
    '/\u001f',
    '/\u007f',
    '/\u0080',
    '/\u009f',
    '/\ue000',
    '/\uf8ff',
    '/\ufff0',
    '/\ufffd',
    '/\uffff',
    '/😀',
  ];
  for (const path of refused) assert.equal(valid(path), false, JSON.stringify(path));
});

test('malformed UTF-8 is refused', () => {
  const pieces = [
    '80',
    'c3',
    'c0af',
    'e08080',
    'e282',
    'eda080',
    'f0908080',
    'f4908080',
    'ff',
    'c3c3',
    'e2822f',
  ];
  for (const hex of pieces) assert.equal(valid(Buffer.from('2f61' + hex, 'hex')), false, hex);
});

test('validation agrees with the rules on UTF-16 units', () => {
  const text = fc.constantFrom(
    ...['/', '/', '/', '.', '..', 'a', 'bc', ' ', '\0', '\x1f', '\x7f', '\x80', '\x9f', '\xa0', '\u0800'],
    ...['\ud7ff', '\ue000', '\uf8ff', '\uf900', '\ufeff', '\uffef', '\ufff0', '\uffff', '😀', 'é', '中'],
  );
  const piece = fc.oneof(
    { weight: 9, arbitrary: text.map((t) => encoder.encode(t)) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 4 }) },
  );
  const path = fc
    .array(piece, { maxLength: 12 })
    .map((pieces) => Buffer.concat([Buffer.from('/'), ...pieces]));
  fc.assert(
    fc.property(fc.oneof(path, fc.uint8Array({ maxLength: 12 })), (bytes) => {
      assert.equal(embedded(bytes, isValidPath), isValidByUnits(bytes));
    }),
    { numRuns: 5000 },
  );
});

test('the tests of create and delete look only for a slash and NUL', () => {
  const cases: [string, boolean, boolean][] = [
    ['', false, false],
    ['foo', false, false],
    ['foo/bar', true, false],
    ['/', true, false],
    ['/a//b/', true, false],
    ['/a\0', false, true],
    ['\0', false, true],
  ];
  for (const [path, slash, nul] of cases) {
    assert.equal(embedded(encoder.encode(path), hasSlashAndNoNul), slash, path);
    assert.equal(embedded(encoder.encode(path), hasNul), nul, path);
  }
});

test('the parent is what stands before the last slash', () => {
  const cases: [string, number][] = [
    ['', -1],
    ['foo', -1],
    ['/', 0],
    ['/a', 0],
    ['/a/b', 2],
    ['/a/', 2],
    ['/a//b', 3],
    ['foo/bar', 3],
  ];
  for (const [path, length] of cases)
    assert.equal(embedded(encoder.encode(path), parentLength), length, path);
});

test('four znodes are reserved', () => {
  const reserved = ['', '/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'];
  for (const path of reserved) assert.equal(embedded(encoder.encode(path), isReserved), true, path);
  const others = [
    'a',
    '/a',
    '/zookeepeR',
    '/zookeeper/',
    '/zookeeper/quotA',
    '/zookeeper/config2',
    '/zookeeper/x',
  ];
  for (const path of others) assert.equal(embedded(encoder.encode(path), isReserved), false, path);
});

test('sequence suffix', () => {
  const cases: [number, string][] = [
    [0, '0000000000'],
    [7, '0000000007'],
    [1234567890, '1234567890'],
    [2147483647, '2147483647'],
    [-1, '-000000001'],
    [-999999999, '-999999999'],
    [-1000000000, '-1000000000'],
    [-2147483648, '-2147483648'],
  ];
  for (const [counter, text] of cases) {
    const out = new Uint8Array(SEQUENCE_SUFFIX_BYTES_MAX + 2).fill(0x78);
    const written = writeSequenceSuffix(counter, out, 1);
    assert.equal(Buffer.from(out).toString('latin1'), ('x' + text).padEnd(out.length, 'x'));
    assert.equal(written, text.length);
  }
  fc.assert(
    fc.property(fc.integer(), (counter) => {
      const out = new Uint8Array(SEQUENCE_SUFFIX_BYTES_MAX);
      const text = Buffer.from(out.subarray(0, writeSequenceSuffix(counter, out, 0))).toString('latin1');
      assert.equal(Number(text), counter);
      assert.ok(text.length >= 10 && text.length <= SEQUENCE_SUFFIX_BYTES_MAX);
    }),
  );
});

test('paths as text', () => {
  assert.equal(pathText(new Uint8Array(0), 0, 0), '/');
  assert.equal(embedded(encoder.encode('/'), pathText), '/');
  assert.equal(embedded(encoder.encode('/é/中'), pathText), '/é/中');
});

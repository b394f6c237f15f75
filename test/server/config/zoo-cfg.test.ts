import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { parseZooCfg, readZooCfg } from '../../../src/server/config/zoo-cfg.ts';

function pairs(text: string): string[][] {
  return parseZooCfg(text, 'zoo.cfg').map((line) => [line.key, line.value]);
}

/** Input text, and the pairs that java.util.Properties makes of it (order kept, then trimmed). */
const CASES: readonly (readonly [name: string, text: string, expected: string[][]])[] = [
  [
    'equals, colon and blank separate',
    'a=1\nb:2\nc 3\nd\t4',
    [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d', '4'],
    ],
  ],
  [
    'blanks around one separator',
    'a  =  1\nb : 2\nc   3',
    [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
    ],
  ],
  [
    'only one separator is taken',
    'a==1\nb=:2\nc = = 3',
    [
      ['a', '=1'],
      ['b', ':2'],
      ['c', '= 3'],
    ],
  ],
  ['leading blanks', '  \t\f a=1', [['a', '1']]],
  ['trailing blanks are trimmed', 'a=1  \t', [['a', '1']]],
  ['comments and blank lines', '# c\n ! d\n\n   \na=1 # no comment', [['a', '1 # no comment']]],
  [
    'a key without a value',
    'a\nb=\nc:',
    [
      ['a', ''],
      ['b', ''],
      ['c', ''],
    ],
  ],
  ['a value without a key', '=1', [['', '1']]],
  [
    'all line ends',
    'a=1\rb=2\r\nc=3\n\rd=4',
    [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d', '4'],
    ],
  ],
  ['continuation drops leading blanks', 'a=1,\\\n   2,\\\r\n\t3', [['a', '1,2,3']]],
  ['continuation of a key', 'ab\\\n  cd=1', [['abcd', '1']]],
  ['a comment sign in a continuation', 'a=1\\\n#2', [['a', '1#2']]],
  [
    'a blank line ends a continuation',
    'a=1\\\n\nb=2',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  [
    'even backslashes do not continue',
    'a=1\\\\\nb=2',
    [
      ['a', '1\\'],
      ['b', '2'],
    ],
  ],
  ['odd backslashes continue', 'a=1\\\\\\\nb=2', [['a', '1\\b=2']]],
  ['a comment does not continue', '# c\\\na=1', [['a', '1']]],
  ['a backslash at the end of the file', 'a=1\\', [['a', '1']]],
  ['a lone continuation vanishes', '\\\n\na=1', [['a', '1']]],
  ['escaped separators stay in the key', 'a\\=b\\:c\\ d=1', [['a=b:c d', '1']]],
  ['control escapes', 'a=x\\ty\\nz\\rw\\fv', [['a', 'x\ty\nz\rw\fv']]],
  ['other escapes are the character', 'a=\\q\\#\\\\', [['a', 'q#\\']]],
  ['unicode escapes', 'a=\\u00e9\\u4e2D\\u0041', [['a', 'é中A']]],
  ['an escaped blank at the end is trimmed too', 'a=1\\ ', [['a', '1']]],
  [
    'duplicates stay, in order',
    'a=1\nb=2\na=3',
    [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ],
  ],
];

describe('zoo.cfg syntax', () => {
  for (const [name, text, expected] of CASES) {
    it(name, () => assert.deepEqual(pairs(text), expected));
  }

  it('numbers lines by where a property begins', () => {
    const lines = parseZooCfg('# one\n\na=1,\\\n 2\r\nb=3', 'zoo.cfg');
    assert.deepEqual(
      lines.map((line) => line.lineNumber),
      [3, 5],
    );
  });

  it('refuses a malformed unicode escape with file and line', () => {
    for (const text of ['a=\\u00g0', 'a=\\u12', '\\u=1']) {
      assert.throws(() => pairs(`ok=1\n${text}`), {
        name: 'ConfigFailure',
        message: /^zoo\.cfg line 2: malformed escape \\u/,
      });
    }
  });

  it('never does anything but parse or refuse', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', ':', ' ', '\\', 'u', '0', '\n', '\r', '#', '\t') }),
        (text) => {
          try {
            for (const line of parseZooCfg(text, 'f')) assert.ok(line.lineNumber >= 1);
          } catch (error) {
            assert.ok(error instanceof ConfigFailure);
          }
        },
      ),
    );
  });

  it('reads back any pair that was written with escapes', () => {
    const escaped = (text: string): string =>
      [...text].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    const word = fc.string({
      unit: fc.constantFrom('a', 'B', '=', ':', '#', '!', '\\', 'é', '中'),
      minLength: 1,
    });
    fc.assert(
      fc.property(word, word, (key, value) => {
        assert.deepEqual(pairs(`${escaped(key)}=${escaped(value)}`), [[key, value]]);
      }),
    );
  });

  it('takes bytes as ISO-8859-1 and names a file it cannot read', () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
    try {
      const file = join(directory, 'zoo.cfg');
      writeFileSync(file, Buffer.from([0x61, 0x3d, 0xe9]));
      assert.deepEqual(readZooCfg(file), [{ key: 'a', value: 'é', lineNumber: 1 }]);
      assert.throws(() => readZooCfg(join(directory, 'none')), { message: /none: there is no such file$/ });
      assert.throws(() => readZooCfg(directory), { message: /: it is a directory$/ });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

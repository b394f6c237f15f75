/** Which paths are legal, and why the others are not: as Apache's PathUtils decides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathProblem } from '../../src/client/paths.ts';

const cases: readonly (readonly [path: string, problem: string | null])[] = [
  ['/', null],
  ['/a', null],
  ['/a/b.c/..d/.../e..', null],
  ['/.a/a.', null],
  ['/ü/日本', null],
  ['', 'is empty'],
  ['a/b', 'does not begin with /'],
  ['/a/', 'ends with /'],
  ['//', 'ends with /'],
  ['/a//b', 'has an empty name in it'],
  ['//a', 'has an empty name in it'],
  ['/.', 'is relative'],
  ['/..', 'is relative'],
  ['/./a', 'is relative'],
  ['/a/../b', 'is relative'],
  ['/a/..', 'is relative'],
  ['/a\u0000', 'has a control character in it'],
  ['/a\u007f/b', 'has a control character in it'],
  ['/\u009f', 'has a control character in it'],
  ['/a/\ud83d\ude00', 'has a character in it that servers refuse'],
  ['/\uf8ff', 'has a character in it that servers refuse'],
  ['/\ufff0', 'has a character in it that servers refuse'],
];

for (const [path, problem] of cases) {
  test(`${JSON.stringify(path)}: ${problem ?? 'a path'}`, () => assert.equal(pathProblem(path), problem));
}

test('names are what stands between slashes, wherever they are', () => {
  const name = fc.constantFrom('', '.', '..', '...', 'a', '.b', 'c.', '..d');
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), (names) => {
      const isWrong = names.some((one) => one === '' || one === '.' || one === '..');
      const path = `/${names.join('/')}`;
      assert.equal(pathProblem(path) === null, path === '/' || !isWrong, path);
    }),
  );
});

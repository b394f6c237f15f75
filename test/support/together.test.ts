/** Files that share a process are all run by it; a hook outside of a suite, which would be everyone's, keeps its file to itself. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { together } from './together.ts';

const TEST = `import { after, describe, it } from 'node:test';
describe('a thing', () => {
  after(() => {});
  it('is fine', () => {});
});
`;

it('gathers the files of a process, before all others', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'ringkeeper-together-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const texts = {
    'test/slow.test.ts': TEST,
    'test/a/one.test.ts': TEST,
    'test/a/hook.test.ts': `${TEST}after(() => {});\n`,
    'test/b/two.test.ts': TEST,
    'test/a/alone.test.ts': TEST,
    'test/c/three.test.ts': TEST,
  };
  for (const [file, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const shared = 'made/test/a/together.test.mjs';
  const runs = together(Object.keys(texts), {
    root,
    directory: join(root, 'made'),
    processes: [['test/a/', 'test/b/'], ['test/none/']],
    alone: new Set(['test/a/alone.test.ts']),
  });
  assert.deepEqual(runs, [
    shared,
    'test/slow.test.ts',
    'test/a/hook.test.ts',
    'test/a/alone.test.ts',
    'test/c/three.test.ts',
  ]);
  const imported = ['test/a/one.test.ts', 'test/b/two.test.ts'].map((file) =>
    pathToFileURL(join(root, file)),
  );
  assert.equal(
    readFileSync(join(root, shared), 'utf8'),
    imported.map((url) => `import '${url}';\n`).join(''),
  );
});

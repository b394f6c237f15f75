/** The examples of the recipes' READMEs run as they stand. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { needRingkeeper } from '../support/skip.ts';

const SRC = join(import.meta.dirname, '../../src');
const EXAMPLE = /```ts\n([\s\S]*?)```/g;

it('every example of every README.md runs', { skip: needRingkeeper() }, async () => {
  const pages = globSync('recipes/**/README.md', { cwd: SRC });
  const examples = pages.flatMap((page) => {
    const found = [...readFileSync(join(SRC, page), 'utf8').matchAll(EXAMPLE)].map((match) => match[1]!);
    assert.ok(found.length > 0, page);
    return found;
  });
  const server = new RingkeeperServer({});
  await server.start();
  const folder = mkdtempSync(join(tmpdir(), 'recipes-readme-'));
  // A validator that an example uses.
  symlinkSync(join(SRC, '../node_modules'), join(folder, 'node_modules'));
  try {
    for (const [i, example] of examples.entries()) {
      const file = join(folder, `example-${i}.ts`);
      const own = example
        .replace(/'ringkeeper\/(client|recipes)'/g, (_, part: string) =>
          JSON.stringify(pathToFileURL(join(SRC, part, 'index.ts')).href),
        )
        .replaceAll("'zk1,zk2'", `'${server.address}'`);
      writeFileSync(file, own);
      await promisify(execFile)(process.execPath, [file]);
    }
  } finally {
    rmSync(folder, { recursive: true });
    await server.dispose();
  }
});

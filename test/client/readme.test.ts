/** The examples of the client's README compile, run against a server, and print what stands beside them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { needRingkeeper } from '../support/skip.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'src/client/README.md'), 'utf8');
const EXAMPLES = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

describe('the README of the client', { skip: needRingkeeper(), timeout: 180_000 }, () => {
  let server: RingkeeperServer;
  let folder: string;

  before(async () => {
    server = new RingkeeperServer();
    await server.start();
    folder = mkdtempSync(join(tmpdir(), 'ringkeeper-readme-'));
  });
  after(async () => {
    await server?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has examples that compile and do what they say', async () => {
    assert.ok(EXAMPLES.length > 0);
    for (const [i, example] of EXAMPLES.entries()) {
      const file = join(folder, `example-${i}.mts`);
      const text = example
        .replaceAll("'ringkeeper/client'", JSON.stringify(join(ROOT, 'src/client/index.ts')))
        .replaceAll('zk1,zk2:2182', server.address);
      writeFileSync(file, text);
      const options = {
        extends: join(ROOT, 'src/tsconfig.base.json'),
        compilerOptions: {
          noEmit: true,
          rootDir: '/',
          composite: false,
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
          types: ['node'],
          typeRoots: [join(ROOT, 'node_modules/@types')],
        },
        files: [file],
      };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
      await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder]).catch((error: { stdout: string }) =>
        assert.fail(error.stdout),
      );
      const { stdout } = await run(process.execPath, [file], { timeout: 60_000 });
      // What is printed stands behind the statement as a comment.
      const said = [...example.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map((match) => match[1]!);
      assert.deepEqual(stdout.trim().split('\n'), said);
    }
  });
});

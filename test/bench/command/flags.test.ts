/** Where results go: beside version control unless asked. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import yargs from 'yargs';
import { withOutFlag } from '../../../bench/terminal/flags.ts';
import { repeatCommand } from '../../../bench/terminal/repeat-command.ts';
import { refusal } from './support.ts';

const RESULTS = join(import.meta.dirname, '../../../results');

async function outOf(...args: string[]): Promise<unknown> {
  return (await withOutFlag(yargs(args)).parseAsync())['out' as never];
}

test('a run is saved where version control does not look, unless it is published', async () => {
  assert.equal(await outOf(), join(RESULTS, 'local'));
  assert.equal(await outOf('--out', '/some/where'), '/some/where');
  assert.equal(await outOf('--publish'), RESULTS);
  assert.equal(repeatCommand(['bench', 'run', 'p', '--publish']), 'npx ringkeeper bench run p');
});

test('--publish and --out do not go together', async () => {
  const { message } = await refusal('run', 'standalone-quick', '--publish', '--out', '/some/where');
  assert.equal(message, '--publish: not together with --out, it names the place itself');
});

/**
 * Apache's C client against ringkeeper: its shell `cli_mt`, and a program over the asynchronous API that is compiled
 * here (c/async.c).
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { DIALOG, talk } from './c/cli-dialog.ts';

const run = promisify(execFile);
const OPTIONS = { config: { extendedTypesEnabled: 'true' } };

suite('C client', { skip: needRingkeeper() }, () => {
  test('cli_mt', { skip: need('cli_mt') }, async (context) => {
    const server = new RingkeeperServer(OPTIONS);
    context.after(() => server.dispose());
    await server.start();
    await assert.doesNotReject(talk(server));
    context.diagnostic(`${DIALOG.length} commands`);
  });

  test('asynchronous API', { skip: need('gcc') }, async (context) => {
    const server = new RingkeeperServer(OPTIONS);
    context.after(() => server.dispose());
    await server.start();
    const program = join(server.directory, 'async');
    await run('gcc', [
      '-Wall',
      '-Werror',
      '-DTHREADED',
      '-o',
      program,
      join(import.meta.dirname, 'c/async.c'),
      '-lzookeeper_mt',
    ]);
    const { stdout } = await run(program, [server.address], { timeout: 60_000 });
    assert.deepEqual(stdout.trim().split('\n'), [
      'crud',
      'watches',
      'transactions',
      'pipeline of 5000',
      'sessions',
    ]);
  });
});

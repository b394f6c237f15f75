/** A leader that is made to step down hands over: the command ends with an error when it still leads afterwards. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const PROGRAM = join(import.meta.dirname, '../../../src/bin/ringkeeper.js');

test('the leader is made an observer and a voter again; nothing acknowledged is lost', async () => {
  const home = mkdtempSync(join(tmpdir(), 'step-down-test-'));
  try {
    const times = ['--down', '0.5', '--rest', '0.5', '--warm', '0', '--load', '0', '--rounds', '1'];
    const places = ['--out', join(home, 'out'), '--temp-dir', home];
    const args = ['bench', 'availability', 'embedded:3', '--faults', 'step-down', ...times, ...places];
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (text: Buffer) => (told += text.toString()));
    assert.deepEqual(await once(child, 'close'), [0, null], told);
    assert.match(told, /step-down leader \|/);
    assert.match(told, /every server shows all of them/);
    assert.deepEqual(readdirSync(home), ['out']);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

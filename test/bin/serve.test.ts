/** The server as a process: ready line, signals through the launcher, and a directory that is taken. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

const LAUNCHER = join(import.meta.dirname, '..', '..', 'src', 'bin', 'ringkeeper.js');

let directory: string;
const children: ChildProcess[] = [];

function serve(nodeFlags: readonly string[] = []): ChildProcess {
  const args = [LAUNCHER, 'serve', '--data-dir', join(directory, 'data'), '--client-port', '0'];
  const flags = [
    '--client-port-address',
    '127.0.0.1',
    '--set',
    '4lw.commands.whitelist=*',
    '--threading',
    'shared',
  ];
  const child = spawn(process.execPath, [...nodeFlags, ...args, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

/** The port of the ready line. */
async function ready(child: ChildProcess): Promise<number> {
  const lines = createInterface(child.stdout!);
  const ended = once(child, 'exit').then(([status]) =>
    assert.fail(`ended with status ${status} before it was ready`),
  );
  const [line] = await Promise.race([once(lines, 'line'), ended]);
  const match = /^ready port=(\d+) mode=standalone threading=shared pid=(\d+)$/.exec(line);
  assert.ok(match, line);
  assert.equal(Number(match[2]), child.pid);
  return Number(match[1]);
}

async function ask(port: number, word: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(word);
  return text(socket);
}

describe('ringkeeper serve', () => {
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`answers, and ends in order on ${signal}`, async () => {
      const child = serve();
      const port = await ready(child);
      assert.equal(await ask(port, 'ruok'), 'imok');
      assert.match(await ask(port, 'conf'), new RegExp(`^clientPort=${port}\\n`));
      child.kill(signal);
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    });
  }

  const noCommandLines = existsSync('/proc/self/cmdline') ? false : 'no /proc to read command lines from';
  for (const { title, given, runs } of [
    { title: 'keeps the young generation small', given: [], runs: ['--max-semi-space-size=4'] },
    {
      title: 'leaves it to who says how large it may be',
      given: ['--max_semi_space_size=8'],
      runs: ['--max_semi_space_size=8'],
    },
  ]) {
    it(`${title}, in the process that was started`, { skip: noCommandLines }, async () => {
      const child = serve(given);
      await ready(child);
      const [, ...args] = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0');
      assert.deepEqual(args.slice(0, args.indexOf(LAUNCHER)), runs);
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    });
  }

  it('refuses a directory that another server uses, with status 3', async () => {
    const first = serve();
    await ready(first);
    const second = serve();
    const complaint = text(second.stderr!);
    assert.deepEqual(await once(second, 'exit'), [3, null]);
    assert.match(await complaint, /^ringkeeper: .*data.*\n$/m);
    first.kill('SIGTERM');
    assert.deepEqual(await once(first, 'exit'), [0, null]);
  });
});

/**
 * A person at the terminal: keys go in, what the screen gets comes out. Completion, history and its file, questions, Ctrl-C,
 * events above the prompt; once on a real pseudo-terminal.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { runShell, type ShellOptions } from '../../src/shell/index.ts';
import { complete, type PathSource } from '../../src/shell/terminal/complete.ts';
import { HISTORY_MAX, HistoryFile } from '../../src/shell/terminal/history-file.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';
import { need, needRingkeeper } from '../support/skip.ts';
import { until as untilState } from '../support/until.ts';
import { SHELL_DEFAULTS, shell } from './support/run-shell.ts';

/** Of util-linux: runs a command on a terminal of its own. */
const PSEUDO_TERMINAL = '/usr/bin/script';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

const TREE: Readonly<Record<string, readonly string[]>> = {
  '/': ['jobs', 'zookeeper', 'with blank', 'evil\u001b[2J'],
  '/jobs': ['alpha', 'alto'],
};
const source: PathSource = { namesBelow: async (path) => TREE[path] ?? [] };

describe('completion', () => {
  for (const [line, offers, word] of [
    ['getA', ['getAcl', 'getAllChildrenNumber'], 'getA'],
    ['get ', ['/'], ''],
    ['get /', ['/jobs', '"/with blank"', '/zookeeper'], '/'],
    ['get /jobs/al', ['/jobs/alpha', '/jobs/alto'], '/jobs/al'],
    ['get -s /jobs/alp', ['/jobs/alpha'], '/jobs/alp'],
    ['get "/wi', ['"/with blank'], '"/wi'],
    ['get /nothing/', [], '/nothing/'],
    ['get /jobs /', [], '/'],
    ['ls -', ['-R', '-s', '-w'], '-'],
    ['addWatch -m PERSISTENT_', ['PERSISTENT_RECURSIVE'], 'PERSISTENT_'],
    ['get --as js', ['json'], 'js'],
    ['create -t 5 /jo', ['/jobs'], '/jo'],
    ['create /jobs/x data wo', ['world:anyone:'], 'wo'],
    ['setAcl /jobs di', ['digest:'], 'di'],
    ['addauth d', ['digest'], 'd'],
    ['printwatches o', ['on', 'off'], 'o'],
    ['help delq', ['delquota'], 'delq'],
    ['diff /jo', ['/jobs'], '/jo'],
    ['nonsense /', [], '/'],
  ] as const) {
    it(`of ${line}`, async () => assert.deepEqual(await complete(line, source), { offers, word }));
  }
});

/** `what` says what a test that hangs was waiting for. */
function until(condition: () => boolean | Promise<boolean>, _what: string): Promise<void> {
  return untilState(async () => condition());
}

interface Screen {
  readonly stdin: PassThrough;
  text(): string;
  readonly ended: Promise<number>;
}

function open(servers: string, options: Partial<ShellOptions> = {}): Screen {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
  let shown = '';
  stdout.on('data', (chunk) => {
    shown += chunk;
  });
  const all = { ...SHELL_DEFAULTS, servers, ...options };
  return { stdin, text: () => shown, ended: runShell(all, { stdin, stdout, stderr: stdout }) };
}

/** Types a line when the prompt of its number is there. */
async function type(screen: Screen, number: number, keys: string): Promise<void> {
  await until(() => screen.text().includes(`(CONNECTED) ${number}> `), `prompt ${number}`);
  screen.stdin.write(keys);
}

describe('a terminal on ringkeeper', { skip: needRingkeeper() }, () => {
  let server: RingkeeperServer;
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-terminal-'));

  before(async () => {
    server = new RingkeeperServer();
    await server.start();
  });

  after(async () => {
    await server?.dispose();
    rmSync(directory, { recursive: true, force: true });
  });

  it('completes paths of the server, runs, keeps history without secrets and answers', async () => {
    const historyFile = join(directory, 'state', 'history');
    const screen = open(server.address, { historyFile });
    await type(screen, 0, 'create /completed value\r');
    await type(screen, 1, 'get /comp\t');
    await until(() => screen.text().includes('get /completed'), 'completion');
    screen.stdin.write('\r');
    await until(() => screen.text().includes('\nvalue\n'), 'data');
    await type(screen, 2, 'addauth digest user:secret\r');
    await type(screen, 3, 'create /completed/child\r');
    await type(screen, 4, 'deleteall /completed\r');
    await until(() => screen.text().includes('and 1 znode below it. Go on? (y/N) '), 'question');
    screen.stdin.write('n\r');
    await until(() => screen.text().includes('nothing was deleted'), 'refusal');
    await type(screen, 5, 'history\r');
    await type(screen, 6, CTRL_D);
    assert.equal(await screen.ended, 0);
    const kept = readFileSync(historyFile, 'utf8').trimEnd().split('\n');
    assert.deepEqual(kept, [
      'create /completed value',
      'get /completed',
      'create /completed/child',
      'deleteall /completed',
      'history',
    ]);
    assert.equal(statSync(historyFile).mode & 0o777, 0o600);
    assert.doesNotMatch(screen.text(), /2 - addauth/);

    const again = open(server.address, { historyFile });
    await type(again, 0, '\u001b[A\u001b[A\u001b[A\u001b[A\r');
    await until(() => again.text().includes('\nvalue\n'), 'the line of the terminal before');
    await type(again, 1, 'quit\r');
    assert.equal(await again.ended, 0);
  });

  it('Ctrl-C ends the command that runs, and drops a line that does not', async () => {
    const screen = open(server.address);
    await type(screen, 0, 'watch /\r');
    const { sessions } = await watchers();
    assert.equal(sessions, 1);
    screen.stdin.write(CTRL_C);
    await type(screen, 1, 'nonsense');
    screen.stdin.write(CTRL_C);
    screen.stdin.write('ls -s /\r');
    await until(() => screen.text().includes('numChildren'), 'the next command');
    assert.doesNotMatch(screen.text(), /unknown command/);
    await type(screen, 2, 'quit\r');
    await screen.ended;
  });

  it('prints events above the line that is being typed, and keeps the line', async () => {
    const screen = open(server.address);
    await type(screen, 0, 'addWatch /\r');
    await type(screen, 1, 'ls -s');
    await shell(server.address, 'create /seen-by-terminal');
    await until(() => /type:NodeCreated path:\/seen-by-terminal\n.*ls -s/s.test(screen.text()), 'event');
    screen.stdin.write(' /\r');
    await until(() => screen.text().includes('numChildren'), 'the line that was begun');
    await type(screen, 2, 'quit\r');
    await screen.ended;
  });

  it('says that no server answers, and is there', async () => {
    const screen = open('127.0.0.1:1', { waitMs: 200 });
    await until(() => screen.text().includes('no server answers at 127.0.0.1:1'), 'complaint');
    screen.stdin.write(`connect ${server.address}\r`);
    await type(screen, 1, 'ls /zookeeper\r');
    await until(() => screen.text().includes('[config, quota]'), 'the other server');
    screen.stdin.write('quit\r');
    assert.equal(await screen.ended, 0);
  });

  it('on a pseudo-terminal: prompt, colours, a question of one command', {
    skip: need('script'),
  }, async () => {
    const launcher = join(import.meta.dirname, '..', '..', 'src', 'bin', 'ringkeeper.js');
    await shell(server.address, 'create /pty\ncreate /pty/a');
    const line = `${process.execPath} ${launcher} shell ${server.address} deleteall /pty`;
    const child = spawn(PSEUDO_TERMINAL, ['-qec', line, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm' },
    });
    let shown = '';
    child.stdout.on('data', (chunk) => {
      shown += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await until(() => shown.includes('Go on? (y/N)'), 'question');
    child.stdin.write('y\r');
    assert.equal(await ended, 0);
    const left = await shell(server.address, 'stat /pty');
    assert.equal(left.stderr, 'Node does not exist: /pty\n');
  });

  /** Waits until one session watches. */
  async function watchers(): Promise<{ readonly sessions: number }> {
    let sessions = 0;
    await until(async () => {
      sessions = Number(
        /(\d+) connections watching/.exec(await fourLetterWord(server.port, 'wchs'))?.[1] ?? 0,
      );
      return sessions > 0;
    }, 'a watch');
    return { sessions };
  }
});

describe('the history file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringkeeper-history-'));
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('is cut to its newest lines, and a line is not kept twice in a row', async () => {
    const file = join(directory, 'long');
    writeFileSync(file, Array.from({ length: 2 * HISTORY_MAX + 1 }, (_, i) => `get /${i}\n`).join(''));
    const history = new HistoryFile(file, assert.fail);
    const lines = await history.load();
    assert.deepEqual([lines.length, lines.at(-1)], [HISTORY_MAX, `get /${2 * HISTORY_MAX}`]);
    for (const line of ['ls /', 'ls /', ' ', 'x'.repeat(5_000)]) history.add(line);
    await history.settled();
    const kept = readFileSync(file, 'utf8').split('\n');
    assert.deepEqual(kept.slice(-2), ['ls /', '']);
    assert.equal(kept.length, HISTORY_MAX + 2);
  });

  it('that cannot be had is told of once', async () => {
    const told: string[] = [];
    writeFileSync(join(directory, 'file'), '');
    const history = new HistoryFile(join(directory, 'file', 'below'), (message) => told.push(message));
    assert.deepEqual(await history.load(), []);
    history.add('ls /');
    await history.settled();
    assert.equal(told.length, 1);
    assert.match(told[0]!, /^the history is not kept: /);
  });
});

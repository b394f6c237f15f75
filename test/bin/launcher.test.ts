/**
 * The launcher among the others of the machine: what another user has put into folders that everybody may write to is
 * not run, a SIGHUP that was ignored stays ignored, and what npx has started ends with it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');
const LAUNCHER = join(ROOT, 'src', 'bin', 'ringkeeper.js');
/** With the pinned Node as `node`. */
const PATH = `${join(ROOT, 'node_modules', '.bin')}:${process.env['PATH']}`;

let directory: string;
const children: ChildProcess[] = [];
const serverIds: number[] = [];

before(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'ringkeeper-test-')));
});

after(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const pid of serverIds) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  rmSync(directory, { recursive: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (_) {
    return false;
  }
}

describe('the cache of compiled code', () => {
  /** Prints at the end which folder was used. */
  const TELL = `data:text/javascript,import m from 'node:module';process.on('exit',()=>console.error(m.getCompileCacheDir()))`;

  /** The folder that `ringkeeper --version` has used; null = none. */
  function usedBy(env: NodeJS.ProcessEnv): string | null {
    const { NODE_COMPILE_CACHE: _, ...inherited } = process.env;
    const { stderr, status } = spawnSync(process.execPath, [`--import=${TELL}`, LAUNCHER, '--version'], {
      encoding: 'utf8',
      env: { ...inherited, ...env },
    });
    assert.equal(status, 0, stderr);
    const told = stderr.trim();
    return told === 'undefined' ? null : told;
  }

  it('lies in the folder of the user, which is made for him alone', () => {
    const home = join(directory, 'home');
    mkdirSync(home);
    const caches = join(home, '.cache', 'ringkeeper');
    const used = usedBy({ HOME: home, XDG_CACHE_HOME: undefined });
    if (process.platform !== 'darwin') assert.equal(dirname(used!), caches);
    assert.ok(used !== null && readdirSync(used).length > 0, 'and is used');
  });

  it('is never where everybody may write', () => {
    const temporary = join(directory, 'tmp');
    mkdirSync(temporary);
    chmodSync(temporary, 0o1777);
    const prepared = join(temporary, 'node-compile-cache');
    mkdirSync(prepared);
    chmodSync(prepared, 0o777);
    usedBy({ TMPDIR: temporary });
    assert.deepEqual(readdirSync(prepared), []);
  });

  const HOSTILE: readonly (readonly [title: string, prepare: (caches: string) => void])[] = [
    ['a folder that others may write to', (caches) => makeDirectory(join(caches, 'ringkeeper'), 0o777)],
    ['a folder that others may read', (caches) => makeDirectory(join(caches, 'ringkeeper'), 0o755)],
    [
      'a link to a folder elsewhere that others may write to',
      (caches) => {
        makeDirectory(join(directory, 'elsewhere'), 0o777);
        symlinkSync(join(directory, 'elsewhere'), join(caches, 'ringkeeper'));
      },
    ],
    [
      'a folder below one where others may put another in its place',
      (caches) => {
        makeDirectory(join(caches, 'ringkeeper'), 0o700);
        chmodSync(caches, 0o777);
      },
    ],
    ['a file', (caches) => writeFileSync(join(caches, 'ringkeeper'), '')],
  ];
  for (const [title, prepare] of HOSTILE) {
    it(`is not used when it is ${title}`, () => {
      const caches = mkdtempSync(join(directory, 'caches-'));
      prepare(caches);
      assert.equal(usedBy({ XDG_CACHE_HOME: caches }), null);
    });
  }

  const isRoot = process.geteuid!() === 0;
  it("is not used when it is another user's", {
    skip: isRoot ? false : 'only root can give folders away',
  }, () => {
    const caches = mkdtempSync(join(directory, 'caches-'));
    makeDirectory(join(caches, 'ringkeeper'), 0o700);
    chownSync(join(caches, 'ringkeeper'), 12345, 12345);
    assert.equal(usedBy({ XDG_CACHE_HOME: caches }), null);
  });

  it('is left out where there is no home', () => {
    assert.equal(usedBy({ HOME: '/nonexistent', XDG_CACHE_HOME: undefined }), null);
  });

  function makeDirectory(path: string, mode: number): void {
    mkdirSync(path);
    chmodSync(path, mode);
  }
});

describe('signals', () => {
  const FLAGS = ['--client-port', '0', '--client-port-address', '127.0.0.1', '--threading', 'shared'];
  let count = 0;

  interface Started {
    readonly child: ChildProcess;
    /** Of the server. */
    readonly pid: number;
    /** All of stderr, when everything has ended. */
    readonly errors: Promise<string>;
  }

  /** Runs a command of a shell that starts a server; its process id when it is ready. */
  async function start(command: string, env: NodeJS.ProcessEnv = {}): Promise<Started> {
    const dataDir = join(directory, `data-${count++}`);
    const script = command.replace('SERVE', `serve --data-dir ${dataDir} ${FLAGS.join(' ')}`);
    const child = spawn('bash', ['-c', script], {
      cwd: directory,
      // Nothing of how the tests themselves were started: `_` and the other are how a start under nohup is told.
      env: {
        ...process.env,
        PATH,
        npm_command: undefined,
        _: undefined,
        RINGKEEPER_SIGHUP: undefined,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    // The server holds the other end of the pipe: it closes when both have ended.
    const errors = text(child.stderr!);
    for await (const line of createInterface(child.stdout!)) {
      const pid = Number(/^ready .* pid=(\d+)/.exec(line)?.[1]);
      if (pid > 0) {
        serverIds.push(pid);
        return { child, pid, errors };
      }
    }
    assert.fail(`${command} has ended`);
  }

  for (const [title, command] of [
    ['nohup', `exec nohup ${LAUNCHER} SERVE`],
    ['nohup of bash before node', `nohup node ${LAUNCHER} SERVE; :`],
  ] as const) {
    it(`a SIGHUP that ${title} has made ignored changes nothing`, async () => {
      const { pid, errors } = await start(command);
      process.kill(pid, 'SIGHUP');
      process.kill(pid, 'SIGTERM');
      assert.doesNotMatch(await errors, /SIGHUP/);
      assert.match(await errors, /SIGTERM: stopping/);
    });
  }

  it('another SIGHUP stops in order', async () => {
    // The tests may run under nohup themselves, and no shell gives a signal back that was ignored when it began.
    const withHangup = process.platform === 'linux' ? 'env --default-signal=HUP ' : '';
    const { child, pid, errors } = await start(`exec ${withHangup}${LAUNCHER} SERVE`);
    process.kill(pid, 'SIGHUP');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.match(await errors, /SIGHUP: stopping/);
  });

  it('threads use the cache of compiled code too', async () => {
    // In a thread it is there before anything of ours runs.
    const tell = `data:text/javascript,import m from 'node:module';import w from 'node:worker_threads';if(!w.isMainThread)console.error('thread '+m.getCompileCacheDir())`;
    const caches = join(directory, 'caches-of-threads');
    mkdirSync(caches);
    const env = { XDG_CACHE_HOME: caches, NODE_COMPILE_CACHE: undefined };
    const { pid, errors } = await start(`exec node "--import=${tell}" ${LAUNCHER} SERVE`, env);
    process.kill(pid, 'SIGTERM');
    const used = [...(await errors).matchAll(/^thread (.*)$/gm)].map(([, folder]) => dirname(folder!));
    assert.ok(used.length > 0);
    assert.deepEqual(new Set(used), new Set([join(caches, 'ringkeeper')]));
  });

  const npx = spawnSync('npx', ['--version']).error === undefined ? false : 'no npx';
  it('a SIGTERM for npx ends the server too', { skip: npx }, async () => {
    const project = join(directory, 'project');
    mkdirSync(join(project, 'node_modules', '.bin'), { recursive: true });
    writeFileSync(join(project, 'package.json'), '{"name":"project","version":"1.0.0"}');
    symlinkSync(ROOT, join(project, 'node_modules', 'ringkeeper'));
    symlinkSync('../ringkeeper/src/bin/ringkeeper.js', join(project, 'node_modules', '.bin', 'ringkeeper'));
    const { child, errors } = await start(`cd ${project}; exec npx ringkeeper SERVE`);
    child.kill('SIGTERM');
    assert.match(await errors, /SIGTERM: stopping/);
  });
});

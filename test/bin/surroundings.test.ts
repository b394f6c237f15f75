/**
 * A server runs for months, and what lies around it changes: its program is replaced by the next version, folders are
 * removed, limits are lowered. Whatever it needs it has loaded and opened before it was ready: after each change it takes
 * snapshots, purges, answers every word, stops in order.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { until } from '../support/until.ts';
import { installCopy, overwrite } from './support/installation.ts';
import { LAUNCHER, type ShellServer, ShellWorkspace } from './support/shell-server.ts';

const WORDS = [
  'ruok',
  'srvr',
  'stat',
  'mntr',
  'envi',
  'conf',
  'cons',
  'dump',
  'wchs',
  'wchc',
  'wchp',
  'dirs',
  'isro',
  'crst',
  'srst',
];
/** Nothing is loaded or written before its time: no snapshot, no purge before the change. */
const FLAGS = '--set snapCount=100 --set autopurge.purgeInterval=1s --set forceSync=no';

let workspace: ShellWorkspace;
before(() => {
  workspace = new ShellWorkspace();
});
after(() => workspace.dispose());

/** Everything that a server does besides serving, and its end. */
async function livesOn(server: ShellServer): Promise<void> {
  try {
    await doEverything(server);
  } catch (cause) {
    throw new Error(`it has said:\n${server.stderr}`, { cause });
  }
}

async function doEverything(server: ShellServer): Promise<void> {
  const snapshots = await server.metric('ringkeeper_snapshot_count');
  const files = () => readdirSync(join(server.dataDir, 'version-2'));
  // Six snapshots at least, of which the purge keeps three.
  for (let round = 1; round <= 6; round++) {
    await until(async () => {
      await server.write(50);
      return (await server.metric('ringkeeper_snapshot_count')) >= snapshots + round;
    });
  }
  await until(async () => files().filter((name) => name.startsWith('snapshot.')).length <= 3);
  for (const word of WORDS) assert.notEqual(await fourLetterWord(server.port, word), '', word);
  await server.stop();
  await server.closed;
  assert.match(server.stderr, /SIGTERM: stopping/);
  for (const line of server.stderr.trimEnd().split('\n')) {
    assert.ok(JSON.parse(line).level <= 40, line);
  }
}

function exec(launcher: string, mode: string): string {
  return `exec ${launcher} SERVE --threading ${mode}`;
}

describe('a running server does not notice that', () => {
  // `dedicated` starts most threads.
  it('its program is removed', async () => {
    const program = join(workspace.directory, 'removed');
    const server = await workspace.start(exec(installCopy(program), 'dedicated'), { flags: FLAGS });
    rmSync(program, { recursive: true });
    await livesOn(server);
  });

  it('its program is replaced', async () => {
    const program = join(workspace.directory, 'replaced');
    const server = await workspace.start(exec(installCopy(program), 'shared'), { flags: FLAGS });
    const version = await fourLetterWord(server.port, 'srvr');
    overwrite(program);
    assert.equal((await fourLetterWord(server.port, 'srvr')).split('\n')[0], version.split('\n')[0]);
    await livesOn(server);
  });

  const noPrlimit = spawnSync('bash', ['-c', 'command -v prlimit']).status === 0 ? false : 'no prlimit(1)';
  const places =
    'its working directory, its home with the cache of compiled code and its temporary directory are removed';
  it(`${places}, and its limit of open files is lowered`, { skip: noPrlimit }, async () => {
    const [cwd, home, temporary] = ['cwd', 'home', 'tmp'].map((name) => join(workspace.directory, name));
    for (const place of [cwd!, home!, temporary!]) mkdirSync(place);
    const env = { HOME: home, XDG_CACHE_HOME: undefined, TMPDIR: temporary };
    const server = await workspace.start(exec(LAUNCHER, 'shared'), { flags: FLAGS, cwd: cwd!, env });
    for (const place of [cwd!, home!, temporary!]) rmSync(place, { recursive: true });
    const open = readdirSync(`/proc/${server.pid}/fd`).length;
    spawnSync('bash', ['-c', `prlimit --pid ${server.pid} --nofile=${open + 16}`]);
    await livesOn(server);
  });

  it('it was started without any environment', async () => {
    const bare = `exec env -i "$(command -v node)" ${LAUNCHER} SERVE --threading shared`;
    await livesOn(await workspace.start(bare, { flags: FLAGS }));
  });
});

describe('a data directory that is moved away', () => {
  it('ends the server with one line at its next file, and nothing acknowledged is lost', async () => {
    const server = await workspace.start(
      `${exec(LAUNCHER, 'shared').replace('exec ', '')}; echo status $? >&2`,
      {
        flags: FLAGS,
      },
    );
    const moved = `${server.dataDir}-moved`;
    renameSync(server.dataDir, moved);
    // A second server may be started at the old place: writing on where the old one has gone to would be no service.
    await assert.rejects(async () => {
      for (;;) await server.write(1, 1);
    });
    await server.closed;
    assert.match(server.stderr, /status 10\n$/);
    assert.match(server.stderr, /"level":50.*fatal in (?:log|snapshot): cannot .*data-/);
  });
});

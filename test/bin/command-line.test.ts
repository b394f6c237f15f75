/** The launcher and the command line as a user meets them: real processes, both with this Node and with an old one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';
import { V8_FLAGS } from '../support/v8-flags.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LAUNCHER = join(ROOT, 'src', 'bin', 'ringkeeper.js');
const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;

function run(args: readonly string[], node = process.execPath) {
  const { status, stdout, stderr } = spawnSync(node, [LAUNCHER, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

/** A Node of the machine that is too old for the server, or null. */
function oldNode(): string | null {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const node = join(directory, 'node');
    if (directory.includes('node_modules') || !existsSync(node)) continue;
    const major = Number.parseInt(
      spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout,
      10,
    );
    if (major >= 16 && major < 24) return node;
  }
  return null;
}

describe('ringkeeper', () => {
  it('--version and --help', () => {
    assert.deepEqual(run(['--version']), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
    const help = run(['--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, /ringkeeper serve \[config\]/);
    assert.match(
      run(['serve', '--help']).stdout,
      /--data-dir[\s\S]*--client-port[\s\S]*--threading[\s\S]*--set/,
    );
  });

  it('tells V8 what campaigns and tests tell it', () => {
    const told = readFileSync(LAUNCHER, 'utf8').matchAll(/^ {2}v8\.setFlagsFromString\('(.+?)'\)/gm);
    assert.deepEqual(
      Array.from(told, ([, flag]) => flag),
      V8_FLAGS,
    );
  });

  const old = oldNode();
  it('runs on an old Node by way of the pinned one', {
    skip: old === null ? 'no Node 16 to 23 in PATH: install one' : false,
  }, () => {
    assert.deepEqual(run(['--version'], old!), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
    assert.equal(run(['serve', '--no-such'], old!).status, 2, 'keeps the exit status');
  });

  /** Arguments, and the one line on stderr. */
  const MISTAKES: readonly (readonly [args: string[], line: RegExp])[] = [
    [[], /say what to do: ringkeeper serve/],
    [['sevre'], /no such command: sevre - did you mean "serve"\? ringkeeper --help lists all of them/],
    [['frobnicate'], /no such command: frobnicate - ringkeeper --help lists all of them/],
    [['bench', 'frobnicate'], /no such command: frobnicate - ringkeeper bench --help lists all of them/],
    [
      ['bench', 'campaign', 'sook'],
      /no such command: sook - did you mean "soak"\? ringkeeper bench campaign --help lists all of them/,
    ],
    [['bench', 'compare', 'apache'], /an argument is missing - ringkeeper bench compare --help lists what/],
    [
      ['bench', 'run', 'standalone-quick', '--max-warmup', '3'],
      /unknown argument: max-warmup - ringkeeper bench run --help lists what there is/,
    ],
    [['bench', 'run', '.'], /\.: it is a directory - a plan is a YAML file or one of/],
    [['serve', '--bogus'], /unknown argument: bogus - ringkeeper serve --help lists what there is/],
    [['serve', '--data-dir'], /Not enough arguments following: data-dir/],
    [
      ['serve', '/no/such/zoo.cfg'],
      /cannot read the configuration file \/no\/such\/zoo\.cfg: there is no such file/,
    ],
    [['serve'], /dataDir is not set/],
    [['serve', '--data-dir', 'd'], /clientPort is not set/],
    [['serve', '--client-port', '1'], /dataDir is not set/],
    [
      ['serve', '--data-dir', 'd', '--client-port', 'x'],
      /--client-port: clientPort=x: allowed: a whole number from 0 to 65535/,
    ],
    [['serve', '--data-dir', 'd', '--client-port', '1', '--client-port', 'y'], /clientPort=y/],
    [
      ['serve', '--data-dir', 'd', '--client-port', '1', '--threading', 'x'],
      /allowed: auto, shared, pipeline, dedicated/,
    ],
    [
      [
        'serve',
        '--data-dir',
        'd',
        '--client-port',
        '1',
        '--set',
        'server.1=a:1:2',
        '--set',
        'server.2=b:1:2',
      ],
      /d\/myid is missing: it holds the id of this server, one of 1, 2/,
    ],
    [['serve', '--set', 'tickTime'], /--set tickTime: allowed: key=value/],
    [['serve', '--set', 'tickTme=1'], /--set: there is no key "tickTme"/],
  ];
  for (const [args, line] of MISTAKES) {
    it(`refuses: ${args.join(' ')}`, () => {
      const { status, stdout, stderr } = run(args);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^ringkeeper: .*\n$/, 'one line');
      assert.match(stderr, line);
    });
  }
});

/** `bench availability` as its users run it, tiny: figures mean nothing here. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LAUNCHER } from '../../support/program.ts';
import { refusal } from '../command/support.ts';

const home = mkdtempSync(join(tmpdir(), 'availability-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

function begin(name: string, target: string, ...more: readonly string[]) {
  const out = join(home, `${name}-out`);
  const temp = mkdtempSync(join(home, `${name}-temp-`));
  const flags = [
    '--load',
    '200',
    '--warm',
    '0',
    '--rounds',
    '1',
    '--rest',
    '0.5',
    '--out',
    out,
    '--temp-dir',
    temp,
  ];
  const args = [LAUNCHER, 'bench', 'availability', target, ...flags, ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  return { out, temp, child, closed: once(child, 'close') };
}

test('a leader killed, one cut off, two with slow disks cost writes some time, one with a full disk ends; all acknowledged writes are there; nothing stays behind', async () => {
  const faults = 'kill:leader,partition-in:leader,disk-full:follower,disk-slow:leader+follower';
  const { out, temp, child, closed } = begin(
    'kill',
    'embedded:3',
    '--down',
    '0.5',
    '--slow-sync',
    '400',
    '--faults',
    faults,
  );
  child.stderr.resume();
  assert.deepEqual(await closed, [0, null]);
  const [dir] = readdirSync(out);
  assert.deepEqual(readdirSync(join(out, dir!)).sort(), ['availability.json', 'report.html', 'summary.md']);
  const text = readFileSync(join(out, dir!, 'availability.json'), 'utf8');
  assert.ok(!text.includes(home), 'no place of this machine');
  const [target] = JSON.parse(text).targets;
  assert.deepEqual(target.faults.map(({ kind }: { kind: string }) => kind).sort(), [
    'disk-full',
    'disk-slow',
    'kill',
    'partition-in',
  ]);
  for (const { kind, costs, load, electionMs, fromMs, toMs } of target.faults) {
    if (kind === 'disk-full') {
      const inSpan = target.elections.filter(({ atMs }: { atMs: number }) => atMs >= fromMs && atMs < toMs);
      assert.ok(inSpan.length > 0, 'its server ended and came back');
      continue;
    }
    assert.ok(costs.write.downMs > 0, kind);
    assert.ok(load.lostSeconds > 0, kind);
    if (kind !== 'kill') continue;
    assert.ok(electionMs > 0, 'the log of the new leader says so');
    assert.ok(load.connectionsLost > 0);
  }
  assert.equal(target.load.duePerBucket, 20);
  assert.ok(target.load.good.includes(20), 'all of a bucket');
  assert.ok(target.availability.classes.write.byTime < 1);
  assert.ok(target.acknowledged > 0);
  assert.deepEqual(target.missing, []);
  assert.deepEqual(readdirSync(temp), []);
});

test('Ctrl-C in the middle of the script, at the end of its leader: all servers and their files go, nothing is saved', async () => {
  const script = ['--script', 'atc10-fig8', '--script-seconds', '10'];
  const { out, temp, child, closed } = begin('interrupt', 'embedded:5', ...script);
  let told = '';
  await new Promise<void>((resolve) =>
    child.stderr.on('data', (text: Buffer) => {
      told += text.toString();
      if (told.includes('3/6 3 leader')) resolve();
    }),
  );
  child.kill('SIGINT');
  assert.deepEqual(await closed, [130, null], told);
  for (const name of ['1/6 1 follower', '2/6 2 another follower']) assert.ok(told.includes(name), told);
  assert.deepEqual(readdirSync(temp), []);
  assert.ok(!existsSync(out) || readdirSync(out).length === 0);
});

test('what cannot be measured is one line that says what can', async () => {
  for (const [args, message] of [
    [[], /of what\? - for instance: embedded:3/],
    [['embedded'], /"embedded" - allowed: three voters or more/],
    [['embedded:3', '--faults', 'fire'], /--faults: "fire" - allowed: kill, pause, stop/],
    [['embedded:3', '--faults', 'kill:king'], /--faults: "king" - allowed: leader, follower/],
    [['embedded:3', '--script', 'atc10-fig8'], /"embedded:3" - allowed: five voters or more/],
    [['embedded:5', '--script', 'fig9'], /--script: "fig9" - allowed: atc10-fig8/],
    [['apache:3', '--faults', 'disk-slow'], /disk-slow: "apache:3" - allowed: servers of ringkeeper/],
    [['embedded:3', '--slow-sync', '0'], /--slow-sync: "0" - allowed: a number from 1/],
    [['embedded:3', '--faults', 'step-down:follower'], /"step-down:follower" - allowed: step-down:leader/],
    [['embedded:3', '--faults', 'step-down,delay'], /step-down not together with delay/],
    [['embedded:3', '--load', '55'], /--load: "55" - allowed: a multiple of 10/],
    [['embedded:3', '--session-timeout', '0'], /--session-timeout: "0" - allowed: a number from 1/],
    [['embedded:3', '--delay', '0'], /--delay: "0" - allowed: a number from 1 to 10000/],
    [['embedded:3', '--victims', 'observer'], /"embedded:3" has none; allowed: with observers/],
    [['embedded:3', '--warm', '-1'], /--warm: "-1" - allowed: a number from 0 to 600/],
    [['embedded:3', '--rounds', '0'], /--rounds: "0" - allowed: a number from 1 to 1000/],
  ] as const) {
    const { message: told } = await refusal('availability', ...args);
    assert.match(told, message);
    assert.ok(!told.includes('\n'));
  }
});

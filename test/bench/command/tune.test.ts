/** `bench tune` from end to end, tiny: on a real server, interrupted, refused; and that servers take what it writes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { zooCfgFragment } from '../../../bench/report/save-tune.ts';
import type { Tuning } from '../../../bench/result/tune-json.ts';
import { parseObjective } from '../../../bench/tune/objective.ts';
import { SPACES } from '../../../bench/tune/spaces.ts';
import { tuneTarget } from '../../../bench/tune/tune-target.ts';
import { readServerConfig } from '../../../src/server/config/server-config.ts';
import { parseZooCfg } from '../../../src/server/config/zoo-cfg.ts';
import { apacheInstalled } from '../../support/apache.ts';
import { LAUNCHER } from '../../support/program.ts';
import { PLAN, sampleRun } from '../compare/support/sample-run.ts';
import { startTestTarget } from '../support/test-target.ts';
import { bench, onlyResult, outDir, planFile, refusal, startBench, tempDir } from './support.ts';

const plan = planFile('tiny');
const EFFORT = ['--plan', plan, '--settings', '2', '--pairs', '6', '--warm-max', '0s', '--objective', 'p50'];

function savedTuning(dir: string): Tuning {
  return JSON.parse(readFileSync(join(dir, 'tune.json'), 'utf8'));
}

/** A delay of 30 ms in front of each sync is worse on any machine. */
test('a server whose only other setting is worse keeps its default', async () => {
  const out = outDir();
  const args = ['--param', 'flushDelay=30', '--seconds', '300ms', '--out', out];
  const { status, stdout, stderr } = await bench('tune', 'embedded:snapCount=50000', ...EFFORT, ...args);
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /^No setting beats the default for p50\./m);
  assert.match(stdout, /flushDelay .*worse|flushDelay .*no interval/);
  assert.match(stderr, /^at most \d+ runs, which may take [\d.]+ s/m);
  assert.match(stderr, /^round 1 of 3/m);
  const dir = onlyResult(out);
  assert.match(dir, /-tiny-tune-embedded-[^/]*$/);
  const tuning = savedTuning(dir);
  assert.deepEqual([tuning.complete, tuning.conclusion, tuning.best], [true, 'none', null]);
  assert.ok(tuning.effects[0]!.ratio < 0.5);
  assert.match(tuning.target.description, /snapCount=50000/);
  assert.match(tuning.command, /^npx ringkeeper bench tune embedded:snapCount=50000 --plan tiny\.yaml /);
  for (const { dir: run } of tuning.runs) assert.ok(existsSync(join(dir, run, 'run.json')), run);
  assert.equal(existsSync(join(dir, 'zoo.cfg.fragment')), false);
});

test('Ctrl-C saves what was measured, marked as partial', async () => {
  const out = outDir();
  const args = ['--param', 'maxBatchSize=500', '--seconds', '300ms', '--out', out];
  const { child, finished, untilStderr } = startBench('tune', 'embedded', ...EFFORT, ...args);
  await untilStderr(/^run 3 of \d+ mixed: begins/m);
  child.kill('SIGINT');
  const { status, stderr } = await finished;
  assert.equal(status, 130, stderr);
  const dir = onlyResult(out);
  assert.match(dir, /-partial$/);
  assert.deepEqual([savedTuning(dir).complete, savedTuning(dir).conclusion], [false, 'unfinished']);
});

test('a value that the server refuses is told with its words', async () => {
  const out = outDir();
  const { status, stderr } = await bench(
    'tune',
    'embedded',
    ...EFFORT,
    '--param',
    'flushDelay=soon',
    '--out',
    out,
  );
  assert.equal(status, 2, stderr);
  assert.match(stderr, /"embedded:flushDelay=soon" - the server does not start: .*flushDelay=soon/);
  assert.ok(readdirSync(out).every((name) => name.endsWith('-partial')));
});

test('what cannot be tuned is refused before anything starts', async () => {
  const cases: readonly [RegExp, ...string[]][] = [
    [/"null" cannot be started with other settings/, 'null'],
    [/"127\.0\.0\.1:1" cannot be started/, '127.0.0.1:1'],
    [/--objective: "speed" - allowed: throughput/, 'embedded', '--objective', 'speed'],
    [/--param: forceSync is not tuned/, 'embedded', '--param', 'forceSync=no'],
    [/flushDelay is set by the target/, 'embedded:flushDelay=1', '--param', 'flushDelay=2'],
    [/flushDelay is given twice/, 'embedded', '--param', 'flushDelay=2', '--param', 'flushDelay=3'],
    [/--pairs: 5 - allowed: 6 to 1000/, 'embedded', '--pairs', '5'],
    [/--settings: 1 - allowed/, 'embedded', '--settings', '1'],
    [/--min-effect: "0" - allowed/, 'embedded', '--min-effect', '0'],
    [/--plan: .* has a sweep or a search/, 'embedded', '--plan', 'atc10-fig5'],
  ];
  for (const [pattern, ...args] of cases) assert.match((await refusal('tune', ...args)).message, pattern);
});

/** The last value of each, so that what depends on another parameter has an effect. */
const everySetting = (space: keyof typeof SPACES): Record<string, string> =>
  Object.fromEntries(SPACES[space].map(({ key, values }) => [key, values.at(-1)!]));

test('ringkeeper takes every value that is tried, as lines of zoo.cfg, and obeys it', () => {
  for (const { key, values } of [...SPACES.ringkeeper, ...SPACES.mixed]) {
    for (const value of values) {
      const settings = Object.entries({ ...everySetting('ringkeeper'), [key]: value });
      const text = ['dataDir=/data', 'clientPort=0', ...settings.map((pair) => pair.join('='))].join('\n');
      const lines = parseZooCfg(text, 'zoo.cfg');
      const { notices } = readServerConfig({ file: { name: 'zoo.cfg', lines }, overrides: [] });
      assert.deepEqual(notices, [], `${key}=${value}`);
    }
  }
});

test('ringkeeper starts with a fragment that a search wrote', async () => {
  const objective = parseObjective('throughput');
  const parameters = SPACES.ringkeeper;
  const best = Object.entries(everySetting('ringkeeper'));
  const { tuning } = await tuneTarget(
    PLAN,
    {
      ...{ parameters, objective, startCount: 6, confirmPairs: 6, minEffect: 0.05, seed: 1 },
      ...{ command: '', onRun: () => {}, onRound: () => {} },
      sideOf: (settings) => JSON.stringify(settings),
    },
    // The more of the best values, the better.
    async (side, plan) => {
      const settings = JSON.parse(side) as Record<string, string>;
      const shared = best.filter(([key, value]) => settings[key] === value).length;
      return sampleRun('embedded', plan, { throughput: 1_000 * 1.2 ** shared });
    },
  );
  assert.equal(tuning!.conclusion, 'better');
  const file = join(tempDir, 'zoo.cfg');
  const data = join(tempDir, 'data');
  writeFileSync(file, `dataDir=${data}\nclientPort=0\n${zooCfgFragment(tuning!)}`);
  const server = spawn(process.execPath, [LAUNCHER, 'serve', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: server.stdout! }), 'line');
  assert.match(line, /^ready port=/);
  server.kill('SIGTERM');
  assert.deepEqual(await once(server, 'exit'), [0, null]);
});

test('Apache starts with all that is tried on it', {
  skip: !apacheInstalled() && 'needs Apache ZooKeeper',
}, async () => {
  const settings = Object.entries(everySetting('apache-ensemble')).map((pair) => pair.join('='));
  const target = await startTestTarget(`apache:${settings.join(',')}`, tempDir);
  await target.stop();
});

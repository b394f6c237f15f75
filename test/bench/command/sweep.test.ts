/** `bench sweep` from end to end on real servers, tiny: a list, an interruption, its resumption, what is refused. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it, test } from 'node:test';
import { readDoneRuns } from '../../../bench/report/sweep-manifest.ts';
import type { Sweep } from '../../../bench/result/compare-json.ts';
import {
  assertMeasured,
  bench,
  onlyResult,
  outDir,
  planFile,
  refusal,
  startBench,
  tempDir,
} from './support.ts';

const plan = planFile('sized', 'references: [{label: Paper, source: a paper, servers: 3, value: 87000}]');

test('--dry-run lists the runs in their order and the time they take, and starts nothing', async () => {
  const out = outDir();
  const targets = ['--targets', 'embedded:1,embedded:3', '--targets', 'apache:1,apache:3'];
  const { status, stdout, stderr } = await bench('sweep', plan, ...targets, '--dry-run', '--out', out);
  assert.deepEqual([status, stderr, readdirSync(out)], [0, '', []]);
  const lines = stdout.trimEnd().split('\n');
  const order = lines.slice(1, 5).map((line) => line.split(/\s+/).slice(0, 2).join(' '));
  assert.deepEqual(order, ['1 embedded:1', '2 apache:1', '3 apache:3', '4 embedded:3']);
  assert.match(lines[1]!, /servers 1, service embedded +mixed +1 +\d+ s$/);
  assert.match(lines[5]!, /^4 runs to be made, .* expected on two cores, .* when every warm-up takes all/);
});

describe('a sweep over one and three servers', () => {
  const out = outDir();
  const servers = mkdtempSync(join(tempDir, 'servers-'));
  const quick = ['--no-ceiling', '--warm-max', '0s', '--temp-dir', servers];
  let firstRun = '';

  it('is interrupted: all servers end, what was measured is saved, and it is said how to go on', async () => {
    const targets = ['--targets', 'embedded:1,embedded:3', '--seconds', '1'];
    const started = startBench('sweep', plan, ...targets, ...quick, '--out', out);
    await started.untilStderr(/^run 2 of 2 embedded:3 mixed: begins/m);
    started.child.kill('SIGINT');
    const { status, stdout, stderr } = await started.finished;
    assert.equal(status, 130, stderr);
    assert.deepEqual(readdirSync(servers), []);
    const dir = onlyResult(out);
    assert.match(dir, /-sized-sweep-embedded-1-3-[^/]*-partial$/);
    assert.match(
      stderr,
      new RegExp(`to go on: npx ringkeeper bench sweep --resume \\S*${basename(dir)}$`, 'm'),
    );
    assert.match(stdout, /points are missing/);
    const { complete, points } = savedSweep(dir);
    assert.deepEqual([complete, points.map(({ at }) => at)], [false, [[1]]]);
    firstRun = readFileSync(join(dir, 'runs/01-embedded-1/run.json'), 'utf8');
  });

  it('goes on where it stopped, as it was begun', async () => {
    const partial = onlyResult(out);
    const listed = await bench('sweep', '--resume', partial, '--dry-run');
    assert.match(listed.stdout, /^1 +embedded:1 .* done\n2 +embedded:3 .* s\n1 run to be made/m);
    const refused = await refusal('sweep', '--resume', partial, '--seconds', '2');
    assert.match(refused.message, /^--resume: not together with --seconds/);
    const { status, stdout, stderr } = await bench('sweep', '--resume', partial, '--temp-dir', servers);
    assertMeasured(status, stderr);
    assert.doesNotMatch(stderr, /starting embedded:1/);
    assert.deepEqual(readdirSync(servers), []);
    const dir = onlyResult(out);
    assert.doesNotMatch(dir, /partial|unfinished/);
    assert.equal(readFileSync(join(dir, 'runs/01-embedded-1/run.json'), 'utf8'), firstRun);
    const sweep = savedSweep(dir);
    assert.deepEqual(
      [sweep.complete, sweep.points.map(({ at, runs }) => [at, runs.map((run) => run.dir)])],
      [
        true,
        [
          [[1], ['runs/01-embedded-1']],
          [[3], ['runs/02-embedded-3']],
        ],
      ],
    );
    assert.equal(sweep.points[1]!.runs[0]!.phases[0]!.plan.measureMs, 1_000);
    assert.match(
      sweep.command,
      /^npx ringkeeper bench sweep sized\.yaml --targets embedded:1,embedded:3 --seconds 1 /,
    );
    for (const column of [/servers phase/, /server CPU, us\/op/, /limit/, /a core each/])
      assert.match(stdout, column);
    const summary = readFileSync(join(dir, 'summary.md'), 'utf8');
    assert.match(summary, /Paper, 3 servers/);
    const again = await refusal('sweep', '--resume', dir);
    assert.match(again.message, /^--resume: .* nothing is left$/);
  });
});

describe('what cannot be swept is one line before anything is started', () => {
  const cases: readonly (readonly [args: string[], words: RegExp])[] = [
    [[plan], /^bench sweep: which services\? --targets /],
    [['--targets', 'embedded:1'], /^bench sweep: which plan\?/],
    [[plan, '--targets', 'embedded:1,embbedded:3,'], /^--targets: "" - allowed/],
    [[plan, '--targets', 'embedded:99'], /^--targets: "embedded:99" - allowed: .*1 to 25 servers/],
    [[plan, '--targets', 'embedded:1,127.0.0.1:1'], /no server of it gives a session/],
    [[plan, '--targets', 'embedded:1,embedded:3', '--replicates', '0'], /replicates = 0/],
    [[plan, '--targets', 'embedded:1', '--set', 'sweep.conections=[1,2]'], /conections/],
    [[plan, '--targets', 'embedded:1', '--set', 'search={p99: 5ms}'], /the plan has a search/],
    [[plan, '--targets', 'embedded:1', '--connect-to', 'followers'], /"embedded:1" - has no followers/],
    [[plan, '--targets', 'embedded:3', '--connect-to', 'observers'], /"embedded:3" - has no observers/],
    [
      ['quick-tour', '--targets', 'embedded:3,embedded:1'],
      /"embedded:1" - phase leaderKilled kills the leader/,
    ],
    [['--resume', tempDir, '--sizes', '1'], /^--resume: not together with --sizes/],
    [['--resume', tempDir], /^--resume: .* there is no manifest\.json/],
    [[plan, '--resume', tempDir], /^--resume: not together with a plan/],
  ];
  for (const [args, words] of cases) {
    it(args.join(' ').replaceAll(tempDir, ''), async () => {
      const { message } = await refusal('sweep', ...args, '--out', outDir());
      assert.match(message, words);
      assert.doesNotMatch(message, /\n/);
    });
  }

  it('a manifest that is cut off, of another kind, or of another commit', async () => {
    const dir = mkdtempSync(join(tempDir, 'manifest-'));
    const file = join(dir, 'manifest.json');
    writeFileSync(file, '{"schema": "ringkeeper-bench-sw');
    assert.match((await refusal('sweep', '--resume', dir)).message, /manifest\.json cannot be read/);
    writeFileSync(file, '{"schema": "other"}');
    assert.match((await refusal('sweep', '--resume', dir)).message, /of another kind or version/);
    const head = { schema: 'ringkeeper-bench-sweep-manifest', schemaVersion: 1, commit: 'abcdef0123' };
    writeFileSync(file, JSON.stringify(head));
    assert.match((await refusal('sweep', '--resume', dir)).message, /begun with commit abcdef0, this is/);
  });
});

test('runs count as done when they are whole', () => {
  const dir = mkdtempSync(join(tempDir, 'done-'));
  const places = ['runs/01-a', 'runs/02-b', 'runs/03-c', 'runs/04-d'];
  const run = (complete: boolean): string =>
    JSON.stringify({ schema: 'ringkeeper-bench-run', schemaVersion: 3, complete, phases: [] });
  const save = (place: string, text: string): void => {
    mkdirSync(join(dir, place), { recursive: true });
    writeFileSync(join(dir, place, 'run.json'), text);
  };
  save(places[0]!, run(true));
  save(places[1]!, run(true).slice(0, 40));
  save(places[2]!, run(false));
  const isDone = (): boolean[] => readDoneRuns(dir, places).map((found) => found !== null);
  assert.deepEqual(isDone(), [true, false, false, false]);
  save(places[3]!, run(true));
  assert.deepEqual(isDone(), [true, false, false, true]);
});

test('a service that does not start costs its own points: what was measured of the others is saved', async () => {
  const out = outDir();
  const targets = ['--targets', 'embedded:1:snapCount=nonsense,null'];
  const { status, stdout, stderr } = await bench('sweep', plan, ...targets, '--no-ceiling', '--out', out);
  assert.equal(status, 2, stderr);
  assert.match(stderr, /^run 1: .*snapCount.* - other runs of embedded:1:snapCount=nonsense are left out$/m);
  assert.match(stderr, /^to go on: /m);
  assert.match(stdout, /points are missing/);
  const { complete, points } = savedSweep(onlyResult(out));
  assert.deepEqual([complete, points.length], [false, 1]);
});

test('where nothing was measured, nothing is left', async () => {
  const out = outDir();
  const targets = ['--targets', 'embedded:1:snapCount=nonsense'];
  const { status, stdout, stderr } = await bench('sweep', plan, ...targets, '--no-ceiling', '--out', out);
  assert.deepEqual([status, stdout, readdirSync(out)], [2, '', []]);
  assert.doesNotMatch(stderr, /to go on/);
});

function savedSweep(dir: string): Sweep {
  return JSON.parse(readFileSync(join(dir, 'sweep.json'), 'utf8'));
}

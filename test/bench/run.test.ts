/** The whole engine against the null server: a tiny run, its files, and the ways out of a run. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as hdr from 'hdr-histogram-js';
import type { Scenario } from '../../bench/plan.ts';
import type { Progress } from '../../bench/report/progress.ts';
import { renderResultsReadme } from '../../bench/report/results-readme.ts';
import { parseRun, RUN_SCHEMA_VERSION, type RunResult, runDirName } from '../../bench/report/run-json.ts';
import { saveComparison } from '../../bench/report/save-comparison.ts';
import { saveRun } from '../../bench/report/save-run.ts';
import { renderSummary } from '../../bench/report/summary-md.ts';
import { renderRun } from '../../bench/report/table.ts';
import { runScenario } from '../../bench/run.ts';

const START = fileURLToPath(new URL('../../bench/start.ts', import.meta.url));
const tempDir = mkdtempSync(join(tmpdir(), 'bench-test-'));
after(() => rmSync(tempDir, { recursive: true, force: true }));

const silentProgress: Progress = { start: () => {}, update: () => {}, stop: () => {} };
const closed = { kind: 'closed' } as const;
const tiny: Scenario = {
  name: 'tiny',
  description: 'a test',
  seed: 7,
  tree: { root: '/bench/tiny', keyCount: 50, valueBytes: 100, keys: { kind: 'uniform' } },
  connectionCount: 3,
  outstanding: 10,
  workerCount: 2,
  phases: [
    { name: 'read', mix: { get: 1 }, arrival: closed, warmupMs: 20, measureMs: 200 },
    { name: 'mixed', mix: { get: 70, set: 30 }, arrival: closed, warmupMs: 20, measureMs: 200 },
    {
      name: 'paced',
      mix: { exists: 1 },
      arrival: { kind: 'poisson', ratePerSecond: 2000, late: 'backlog' },
      warmupMs: 20,
      measureMs: 200,
    },
  ],
  probes: { periodMs: 20, deadlineMs: 200 },
};

function run(
  scenario: Scenario,
  abort = new AbortController().signal,
  progress: Progress = silentProgress,
): Promise<RunResult | null> {
  return runScenario(scenario, {
    targetName: 'null',
    setting: { valueBytes: scenario.tree.valueBytes, serverArgs: [], tempParent: tempDir },
    command: 'npm start -- --target null',
    progress,
    abort,
  });
}

test('a run measures every phase and leaves nothing behind', async () => {
  const result = await run(tiny);
  assert.ok(result?.complete);
  assert.equal(result.target.failure, null);
  assert.deepEqual(
    result.phases.map(({ plan, ops }) => [plan.name, ...ops.map(({ op }) => op)]),
    [
      ['read', 'get'],
      ['mixed', 'get', 'set'],
      ['paced', 'exists'],
    ],
  );
  for (const phase of result.phases) {
    assert.ok(phase.requests > 0 && phase.latency !== null && phase.latency.count > 0);
    assert.deepEqual([phase.lost, phase.unanswered, phase.disorder, phase.dropped], [0, 0, 0, 0]);
    assert.deepEqual(phase.errors, {});
    assert.equal(phase.throughputPerSecond, (phase.requests / phase.measuredMs) * 1000);
    const inSeries = phase.series.reduce((sum, count) => sum + count, 0);
    assert.equal(inSeries, phase.requests, 'the series adds up to the total');
    assert.equal(phase.series.length, 2);
    for (const { latency, histogram } of phase.ops) {
      assert.equal(hdr.decodeFromCompressedBase64(histogram).totalCount, latency.count);
    }
  }
  assert.ok(result.phases[2]!.scheduleLag !== null && result.phases[0]!.scheduleLag === null);
  assert.ok(result.availability.classes.write.outcomes.ok > 0);
  assert.deepEqual(readdirSync(tempDir), [], 'the temporary directory of the server is gone');

  const again = parseRun(JSON.stringify(result));
  assert.deepEqual(again, JSON.parse(JSON.stringify(result)));
  for (const text of [renderRun(result), renderSummary(result)]) {
    assert.match(text, /Throughput = requests \/ time/);
    assert.match(text, /Availability = up time \/ time/);
  }
  const readme = renderResultsReadme([{ dirName: 'some-dir', run: result }]);
  assert.match(readme, /\[tiny\]\(some-dir\/summary\.md\) \| null \| \d+ x \d+, 100 B \| mixed \|/);

  const dir = saveComparison([{ a: result, b: result }], tempDir);
  assert.match(dir, /-tiny-null-vs-null-2-/);
  const saved = JSON.parse(readFileSync(join(dir, 'compare.json'), 'utf8'));
  assert.deepEqual(saved.comparison[0].throughput, { median: 1, min: 1, max: 1 });
  assert.deepEqual(saved.pairs, [{ a: runDirName(result), b: runDirName(result) }]);
  assert.match(
    readFileSync(join(dir, 'summary.md'), 'utf8'),
    /\| read throughput \| .* \| 1\.00x \[1\.00x \.\. 1\.00x\] \|/,
  );
  rmSync(dir, { recursive: true });
});

test('an abort before the first phase gives no result and stops the server', async () => {
  const abort = new AbortController();
  abort.abort();
  assert.equal(await run(tiny, abort.signal), null);
  assert.deepEqual(readdirSync(tempDir), []);
});

test('an abort in a phase gives what was measured until then, marked as partial', async () => {
  const abort = new AbortController();
  const endless = { ...tiny, phases: [{ ...tiny.phases[0]!, warmupMs: 0, measureMs: 60_000 }] };
  const progress: Progress = {
    ...silentProgress,
    update: (_doneMs, { ratePerSecond }) => {
      if (ratePerSecond > 0) abort.abort(); // the first sign of life
    },
  };
  const result = await run(endless, abort.signal, progress);
  assert.ok(result !== null && !result.complete);
  const phase = result.phases[0]!;
  assert.ok(phase.requests > 0 && phase.measuredMs < 60_000 && !phase.valid);
  assert.equal(
    phase.series.length,
    Math.floor(phase.measuredMs / phase.seriesStepMs),
    'no zeros after the end',
  );
  const dir = saveRun(result, tempDir);
  assert.match(dir, /-partial$/);
  const saved = parseRun(readFileSync(join(dir, 'run.json'), 'utf8'));
  assert.equal(saved?.complete, false);
  assert.match(readFileSync(join(dir, 'summary.md'), 'utf8'), /partial results/);
  rmSync(dir, { recursive: true });
});

test('what is no result of this schema is refused; names of partial runs say so', () => {
  assert.equal(parseRun('not JSON'), null);
  assert.equal(parseRun('null'), null);
  assert.equal(parseRun(JSON.stringify({ schema: 'ringkeeper-bench-run', schemaVersion: 0 })), null);
  const partial = parseRun(
    JSON.stringify({
      schema: 'ringkeeper-bench-run',
      schemaVersion: RUN_SCHEMA_VERSION,
      startedAt: '2026-01-02T03:04:05.678Z',
      complete: false,
      scenario: { name: 's' },
      target: { name: 't' },
      environment: { commit: 'abcdef0123' },
    }),
  );
  assert.ok(partial !== null);
  assert.equal(runDirName(partial), '2026-01-02-030405-s-t-abcdef0-partial');
});

function startEngine(...args: string[]): ChildProcess {
  const fixed = [
    '--target',
    'null',
    '--phase',
    'read',
    '--warmup',
    '0',
    '--temp-dir',
    tempDir,
    '--keys',
    '10',
  ];
  return spawn(process.execPath, [START, ...fixed, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('a signal ends the engine with 128 + signal, and its server and directory are gone', async () => {
  const out = join(tempDir, 'out');
  const engine = startEngine('--seconds', '60', '--out', out);
  await once(engine.stderr!, 'data'); // the first line of the progress: the server runs
  engine.stderr!.resume();
  const exit = once(engine, 'exit');
  engine.kill('SIGINT');
  const [status] = await exit;
  assert.equal(status, 130);
  rmSync(out, { recursive: true });
  assert.deepEqual(readdirSync(tempDir), []);
});

test('what the user can mend is one line and a status of its own', async () => {
  const engine = startEngine('--connections', '0');
  let stderr = '';
  engine.stderr!.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const [status] = await once(engine, 'close');
  assert.equal(status, 2);
  assert.match(stderr, /^scenario: connectionCount: 0 - allowed: whole numbers from 1 to 20000\n$/);
});

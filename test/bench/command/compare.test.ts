/** `bench compare` from end to end, tiny: verdict, gate, what is saved. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Comparison } from '../../../bench/result/compare-json.ts';
import { bench, onlyResult, outDir, planFile, startBench } from './support.ts';

const plan = planFile('tiny');

function savedComparison(dir: string): Comparison {
  return JSON.parse(readFileSync(join(dir, 'compare.json'), 'utf8'));
}

/** `a` is delayed by so much that no machine is noisy enough to hide it. */
test('a gate lets pass what is shown to be faster', async () => {
  const out = outDir();
  const effort = ['--plan', plan, '--pairs', '3', '--floor-pairs', '2', '--seconds', '600ms', '--no-ceiling'];
  const gate = ['--gate', 'not-faster', '--gate-allow', 'void'];
  const { status, stdout, stderr } = await bench(
    'compare',
    'null:delayMs=20',
    'null',
    ...effort,
    ...gate,
    '--out',
    out,
  );
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /^pass {2}mixed: faster, throughput B \/ A/m);
  const dir = onlyResult(out);
  assert.match(dir, /-tiny-null-vs-null-2-[^/]*$/);
  const comparison = savedComparison(dir);
  assert.equal(comparison.complete, true);
  assert.equal(comparison.phases[0]!.verdict, 'faster');
  assert.deepEqual(
    comparison.runs.map(({ side }) => side),
    ['floor', 'floor', 'floor', 'floor', 'a', 'b', 'b', 'a', 'a', 'b'],
  );
  for (const run of comparison.runs) assert.ok(existsSync(join(dir, run.dir, 'run.json')), run.dir);
});

test('a gate that cannot tell refuses, with status 3 and the reason', async () => {
  const out = outDir();
  const effort = ['--plan', plan, '--pairs', '1', '--floor-pairs', '0', '--seconds', '100ms', '--no-ceiling'];
  const { status, stdout, stderr } = await bench(
    'compare',
    'null',
    'null',
    ...effort,
    '--gate',
    'slower',
    '--json',
    '--out',
    out,
  );
  assert.equal(status, 3);
  const comparison = JSON.parse(stdout) as Comparison;
  assert.deepEqual(comparison, savedComparison(onlyResult(out)));
  assert.match(stderr, /^FAIL {2}mixed: /m);
  assert.match(comparison.command, /^npx ringkeeper bench compare null null --plan tiny\.yaml --pairs 1 /);
});

test('a side B that cannot be reached is told before A is measured against itself', async () => {
  const out = outDir();
  const args = ['compare', 'null', '127.0.0.1:1', '--plan', plan, '--no-ceiling', '--out', out];
  const { status, stderr } = await bench(...args);
  assert.equal(status, 2, stderr);
  assert.match(stderr, /"127\.0\.0\.1:1" - no server of it gives a session/);
  assert.deepEqual(readdirSync(out), []);
});

test('Ctrl-C saves the whole pairs, marked as partial', async () => {
  const out = outDir();
  const effort = [
    '--plan',
    plan,
    '--pairs',
    '50',
    '--floor-pairs',
    '0',
    '--seconds',
    '300ms',
    '--no-ceiling',
  ];
  const { child, finished } = startBench('compare', 'null', 'null', ...effort, '--out', out);
  await untilRunIsSaved(out, '03-b');
  child.kill('SIGTERM');
  const { status, stderr } = await finished;
  assert.equal(status, 143, stderr);
  const dir = onlyResult(out);
  assert.match(dir, /-partial$/);
  const comparison = savedComparison(dir);
  assert.equal(comparison.complete, false);
  assert.ok(comparison.runs.length >= 3);
  assert.ok(comparison.phases[0]!.figures.throughput!.pairs >= 1);
});

function untilRunIsSaved(out: string, run: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(out, { recursive: true }, () => {
      const saved = readdirSync(out).some((name) => existsSync(join(out, name, 'runs', run, 'run.json')));
      if (!saved) return;
      watcher.close();
      resolve();
    });
  });
}

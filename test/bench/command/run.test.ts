/** `bench run` from end to end, tiny: one run, a sweep, a search, an interruption. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExitStatus } from '../../../bench/command/exit-status.ts';
import type { Sweep } from '../../../bench/result/compare-json.ts';
import { parseRun } from '../../../bench/result/older-results.ts';
import type { RunResult } from '../../../bench/result/run-json.ts';
import { startFreezingProxy } from '../load/freezing-proxy.ts';
import { startTestTarget } from '../support/test-target.ts';
import {
  assertMeasured,
  bench,
  onlyResult,
  outDir,
  planFile,
  startBench,
  startNode,
  tempDir,
} from './support.ts';

const plan = planFile('tiny');

function savedRun(dir: string): RunResult {
  const run = parseRun(readFileSync(join(dir, 'run.json'), 'utf8'));
  assert.ok(run !== null, 'a run.json of this version');
  return run;
}

function savedSweep(dir: string): Sweep {
  return JSON.parse(readFileSync(join(dir, 'sweep.json'), 'utf8'));
}

test('--json is one document on stdout, the one that is saved', async () => {
  const out = outDir();
  const args = [
    'run',
    plan,
    '--json',
    '--no-ceiling',
    '--out',
    out,
    '--seed',
    '5',
    '--check',
    '--warm-max',
    '0s',
  ];
  const { status, stdout, stderr } = await bench(...args);
  assertMeasured(status, stderr);
  assert.equal(stderr, '');
  const run = JSON.parse(stdout) as RunResult;
  const dir = onlyResult(out);
  assert.deepEqual(savedRun(dir), run);
  assert.deepEqual(
    [run.complete, run.plan.name, run.plan.seed, run.target.name],
    [true, 'tiny', 5, 'embedded'],
  );
  assert.equal(run.command, 'npx ringkeeper bench run tiny.yaml --no-ceiling --seed 5 --check --warm-max 0s');
  assert.equal(run.phases[0]!.check?.passed, true);
  for (const file of ['summary.md', 'report.html', 'series.csv', 'tiny.hlog', 'mixed.hgrm']) {
    assert.ok(existsSync(join(dir, file)), file);
  }
});

test('for people there is a table, where it is saved, how it goes on, and a last word', async () => {
  const out = outDir();
  const { status, stdout, stderr } = await bench('run', plan, '--target', 'null', '--out', out);
  assertMeasured(status, stderr);
  assert.match(stderr, /^starting; \d+ ms of load are planned$/m);
  assert.match(stderr, /^mixed: begins; 0 s of \d+ ms$/m);
  assert.match(stdout, /^tiny against null server/);
  assert.match(stdout, /Throughput = requests \/ time/);
  assert.match(stdout, /Generator ceiling/);
  const dir = onlyResult(out);
  const [saved, empty, sentence, next, end] = stdout.split('\n').slice(-5);
  assert.deepEqual([saved, empty, end], [`saved in ${dir}`, '', '']);
  assert.match(sentence!, /^null server.* answered: mixed [\d,]+ \/s/);
  assert.match(next!, /^Next: \w/);
});

test('a service that cannot be reached is told before anything is measured', async () => {
  const ended = await bench('run', plan, '--target', '127.0.0.1:1', '--out', outDir());
  assert.equal(ended.status, 2);
  assert.match(ended.stderr, /no server of it gives a session: 127\.0\.0\.1:1: .*ECONNREFUSED/);
  assert.doesNotMatch(ended.stderr, /what the generator itself can do/);
});

test('a sweep has a run per value, with replicates', async () => {
  const out = outDir();
  const file = planFile('swept', 'sweep: {phases.mixed.readPercent: [0, 100]}');
  const args = ['--target', 'null', '--out', out, '--no-ceiling', '--replicates', '2', '--seconds', '100ms'];
  const { status, stdout, stderr } = await bench('run', file, ...args);
  assertMeasured(status, stderr);
  assert.equal(stderr.match(/^starting; /gm)?.length, 1, 'said once, not for each run');
  assert.match(stderr, /^starting; 150 ms of load are planned in each of 4 runs$/m);
  const dir = onlyResult(out);
  assert.match(dir, /-swept-sweep-null-[^/]*$/);
  assert.match(stdout, /readPercent/);
  const sweep = savedSweep(dir);
  assert.equal(sweep.complete, true);
  assert.deepEqual(
    sweep.points.map(({ at, runs }) => [at, runs.map((run) => run.dir)]),
    [
      [[0], ['runs/01-point', 'runs/04-point']],
      [[100], ['runs/02-point', 'runs/03-point']],
    ],
  );
  for (const { runs } of sweep.points) {
    for (const run of runs) assert.equal(savedRun(join(dir, run.dir)).plan.name, 'swept');
  }
});

test('a search saves its outcome and its probes', async () => {
  const out = outDir();
  const file = planFile('searched', 'search: {p99: 1m, from: 100, to: 200, replicates: 1}');
  const { status, stdout, stderr } = await bench(
    'run',
    file,
    '--target',
    'null',
    '--out',
    out,
    '--no-ceiling',
  );
  // Beside other tests every one of its few probes may lag behind its schedule, which is what void means.
  assert.ok(status === ExitStatus.done || status === ExitStatus.void, `${status}: ${stderr}`);
  const { search } = savedSweep(onlyResult(out));
  assert.equal(search?.phase, 'mixed');
  assert.ok(search.probes.length > 0);
  assert.match(stdout, /saved in /);
  assert.equal(readdirSync(join(onlyResult(out), 'runs')).length, search.probes.length);
});

test('Ctrl-C ends the phase, and what was measured is saved as partial', async () => {
  const out = outDir();
  const target = await startTestTarget('null', tempDir);
  // Between the two, to see when the load is running.
  let onLoad: (() => void) | null = null;
  let received = 0;
  const forwarder = createServer((client) => {
    const server = connect(target.addresses[0]!.port, '127.0.0.1');
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.on('data', (chunk) => {
      received += chunk.length;
      if (received > 500_000) onLoad?.();
    });
  });
  await new Promise<void>((resolve) => forwarder.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = forwarder.address() as AddressInfo;
    const loaded = new Promise<void>((resolve) => (onLoad = resolve));
    const args = ['--target', `127.0.0.1:${port}`, '--seconds', '60', '--warmup', '0', '--no-ceiling'];
    const { child, finished } = startBench('run', plan, '--out', out, ...args);
    await loaded;
    child.kill('SIGINT');
    const { status, stdout, stderr } = await finished;
    assert.equal(status, 130, stderr);
    assert.match(stderr, /stopping; what was measured is saved/);
    assert.match(stdout, /tiny against/);
    const dir = onlyResult(out);
    assert.match(dir, /-partial$/);
    const run = savedRun(dir);
    assert.equal(run.complete, false);
    assert.ok(run.phases[0]!.requests > 0);
  } finally {
    forwarder.close();
    await target.stop();
  }
});

test('a second signal at once is the same one; a later one leaves at once', async () => {
  const module = new URL('../../../bench/terminal/interruption.ts', import.meta.url);
  const script = `
    import { interruptible } from ${JSON.stringify(module)};
    process.stdin.on('data', (text) => process.stderr.write('alive ' + text));
    interruptible('stopping', () => new Promise(() => {}));
    process.stderr.write('ready');`;
  const { child, finished, untilStderr } = startNode(['--input-type=module', '--eval', script]);
  await untilStderr(/ready/);
  child.kill('SIGTERM');
  await untilStderr(/stopping/);
  child.kill('SIGINT');
  child.stdin!.write('still\n');
  await untilStderr(/alive still/);
  // There is nothing to wait for: time itself makes the difference.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  child.kill('SIGINT');
  assert.equal((await finished).status, 130);
});

test('a running service that leaves thousands of requests unanswered and lives on ends in exit status 1', async () => {
  const server = await startTestTarget('embedded', tempDir);
  const proxy = await startFreezingProxy(server.addresses[0]!.port);
  try {
    const file = join(tempDir, 'frozen.yaml');
    const paced = 'paced: {mix: {get: 1}, arrival: {rate: 4000}, warmup: 0, measure: 1s}';
    writeFileSync(
      file,
      `connections: 2\noutstanding: 4000\ntree: {znodes: 20, values: 50B}\nphases: {${paced}}\n`,
    );
    const out = outDir();
    const place = `127.0.0.1:${proxy.address.port}`;
    const started = startBench('run', file, '--no-ceiling', '--target', place, '--out', out);
    await started.untilStderr(/^paced: begins/m);
    proxy.freezeOpen();
    const { status, stdout, stderr } = await started.finished;
    const run = savedRun(onlyResult(out));
    assert.equal(run.target.failure, null, 'the service itself is well');
    assert.ok(run.phases[0]!.unanswered > 2_000, String(run.phases[0]!.unanswered));
    assert.equal(status, 1, stderr);
    assert.match(stdout, /requests were never answered/);
  } finally {
    proxy.stop();
    await server.stop();
  }
});

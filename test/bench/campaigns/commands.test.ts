/**
 * The campaigns as commands, tiny: they start and stop their servers, leave nothing behind, and save what they promise.
 * Figures mean nothing here.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CHECKOUT_LAUNCHER, LAUNCHER } from '../../support/program.ts';
import { refusal } from '../command/support.ts';

const home = mkdtempSync(join(tmpdir(), 'campaign-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(name: string, ...args: readonly string[]): Promise<Ended> {
  // Its drivers of other clients are part of a checkout only.
  const launcher = name === 'client' ? CHECKOUT_LAUNCHER : LAUNCHER;
  const child = spawn(process.execPath, [launcher, 'bench', 'campaign', name, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })));
}

interface Places {
  readonly out: string;
  readonly temp: string;
  readonly flags: readonly string[];
}

function places(): Places {
  const out = mkdtempSync(join(home, 'out-'));
  const temp = mkdtempSync(join(home, 'temp-'));
  return { out, temp, flags: ['--out', out, '--temp-dir', temp] };
}

/** The one result in `out`, with its document. */
function resultIn(out: string, name: string): { files: string[]; document: Record<string, unknown> } {
  const [dir, ...others] = readdirSync(out);
  assert.match(dir!, new RegExp(`^\\d{4}-\\d\\d-\\d\\d-${name}-[0-9a-f]{7}$`));
  assert.deepEqual(others, []);
  const text = readFileSync(join(out, dir!, `${name}.json`), 'utf8');
  const document = JSON.parse(text) as Record<string, unknown>;
  assert.equal(document['schema'], `ringkeeper-bench-${name}`);
  assert.equal(document['complete'], true);
  assert.ok(document['environment']);
  assert.ok(!text.includes(home), 'no place of this machine');
  return { files: readdirSync(join(out, dir!)).sort(), document };
}

test('soak: samples, latencies and a verdict per rule', async () => {
  const { out, temp, flags } = places();
  const sizes = ['--minutes', '0.05', '--rate', '300', '--clients', '1', '--warm-max', '0s'];
  const ended = await run('soak', ...sizes, ...flags);
  // A busy machine may fail the rule of pauses; anything else is an error here.
  const { files, document } = resultIn(out, 'soak');
  const verdict = document['verdict'] as { rule: string; outcome: string; text: string }[];
  const failed = verdict.filter(({ outcome }) => outcome === 'failed').map(({ rule }) => rule);
  assert.deepEqual(
    failed.filter((rule) => rule !== 'pauses'),
    [],
    ended.stdout + ended.stderr,
  );
  assert.equal(ended.status, failed.length > 0 ? 1 : 0, ended.stderr);
  assert.deepEqual(files, ['report.html', 'soak.json', 'summary.md']);
  const samples = document['samples'] as { rssBytes: number; sessions: number; openFiles: number }[];
  assert.ok(
    samples.length > 0 &&
      samples.every(({ rssBytes, openFiles }) => rssBytes > 0 && openFiles > 0) &&
      samples.some(({ sessions }) => sessions > 0),
  );
  assert.ok((document['latencies'] as unknown[]).length > 0);
  const loads = document['loads'] as { name: string; ops: { label: string }[] }[];
  assert.deepEqual(
    loads.map(({ name }) => name),
    ['mixed', 'sessions'],
  );
  const ops = loads[0]!.ops.map(({ label }) => label);
  for (const label of [
    'get',
    'set',
    'create-ephemeral',
    'delete',
    'watch-data',
    'multi-set',
    'getChildren',
  ]) {
    assert.ok(ops.includes(label), label);
  }
  assert.deepEqual(
    verdict.map(({ rule }) => rule),
    ['memory', 'latency', 'pauses', 'leaks', 'arena', 'snapshots', 'replies'],
  );
  assert.deepEqual(readdirSync(temp), [], 'the server and its files are gone');
});

test('arena: both owners, worst moments, curves', async () => {
  const { out } = places();
  const ended = await run('arena', '--steps', '30000', '--live', '1', '--out', out);
  assert.equal(ended.status, 0, ended.stderr);
  const { files, document } = resultIn(out, 'arena');
  assert.deepEqual(files, ['arena.json', 'report.html', 'summary.md']);
  assert.deepEqual(
    (document['series'] as { owner: string }[]).map(({ owner }) => owner),
    ['plain', 'compacting'],
  );
});

test('cores: one mode, one pair, every load', async () => {
  const { out, temp, flags } = places();
  const args = ['--quick', '--modes', 'pipeline', '--pairs', '1', '--seconds', '0.05'];
  const ended = await run('cores', ...args, ...flags);
  assert.equal(ended.status, 0, ended.stderr);
  const { files, document } = resultIn(out, 'cores');
  assert.deepEqual(files, ['cores.json', 'summary.md']);
  const comparisons = document['comparisons'] as { plan: string; mode: string; phases: unknown[] }[];
  assert.deepEqual(
    comparisons.map(({ plan, mode, phases }) => [plan, mode, phases.length]),
    [
      ['pipelined', 'pipeline', 3],
      ['single', 'pipeline', 2],
    ],
  );
  assert.match(ended.stdout, /stays the default here/);
  assert.deepEqual(readdirSync(temp), []);
});

test('write-path: every stage is known where clients have one write in flight, and the sum is the latency', async () => {
  const { out, temp, flags } = places();
  const ended = await run('write-path', '--seconds', '0.5', '--warm-max', '0s', ...flags);
  assert.equal(ended.status, 0, ended.stderr);
  const { files, document } = resultIn(out, 'write-path');
  assert.deepEqual(files, ['summary.md', 'write-path.json', 'write-path.svg']);
  const loads = document['loads'] as {
    name: string;
    path: { clientMicros: number; stages: { micros: number }[] };
  }[];
  assert.deepEqual(
    loads.map(({ name }) => name),
    ['single', 'pipelined'],
  );
  const { clientMicros, stages } = loads[0]!.path;
  assert.ok(
    stages.every(({ micros }) => micros !== null),
    'the server tells all of its stages',
  );
  const sum = stages.reduce((total, { micros }) => total + micros, 0);
  assert.ok(Math.abs(sum / clientMicros - 1) < 1e-6);
  assert.deepEqual(readdirSync(temp), []);
});

test('flags that are wrong are refused by name, and nothing is started', async () => {
  const wrong: readonly (readonly [name: string, args: readonly string[], says: RegExp])[] = [
    ['soak', ['--share', '20'], /^--share: "20" - allowed: a percentage/],
    ['arena', ['--steps', '1.5'], /^--steps: "1\.5" - allowed: a whole number/],
    ['cores', ['--modes', 'fast'], /^--modes: "fast" - allowed: shared, pipeline, dedicated:N/],
    ['write-path', ['--warm-max', 'long'], /^--warm-max: "long" - allowed: a duration/],
    ['write-path', ['--seconds', '0'], /^--seconds: "0" - allowed: /],
    ['large-tree', ['--vs', 'etcd'], /^--vs: "etcd" - allowed: apache or none$/],
    ['meter', ['--seconds', 'x'], /^--seconds: "x" - allowed: /],
    ['client', ['--clients', 'ringkeeper,zkclient'], /^--clients: "zkclient" - allowed/],
    [
      'faults',
      [],
      /^bench campaign faults: which\? - allowed: kill, damage, idle, starts, writes, failover, outage$/,
    ],
    ['faults', ['kill', '--rounds', '0'], /^--rounds: "0" - allowed: /],
  ];
  const { out, temp, flags } = places();
  for (const [name, args, says] of wrong) {
    const own = name === 'arena' ? ['--out', out] : flags;
    const { message } = await refusal('campaign', name, ...args, ...own);
    assert.match(message, says, `${name} ${args.join(' ')}`);
  }
  // In a process: one line and the exit status.
  for (const [args, says] of [
    [['--minutes', 'long'], /^ringkeeper: --minutes: "long" - allowed: a number from 0\.05 to 1440\n$/],
    [['--hours', '1'], /^ringkeeper: unknown argument: hours - .*\n$/],
  ] as const) {
    const { status, stderr } = await run('soak', ...args, ...flags);
    assert.equal(status, 2, stderr);
    assert.match(stderr, says);
  }
  assert.deepEqual([...readdirSync(out), ...readdirSync(temp)], []);
});

test('client: every task of ours beside a raw socket, and what is not compared is said', async () => {
  const { out, flags } = places();
  const sizes = ['--rounds', '1', '--seconds', '0.2', '--warm', '0.1', '--nodes', '1000'];
  const { stdout, stderr } = await run('client', ...sizes, '--clients', 'ringkeeper,raw-socket', ...flags);
  assert.equal(stderr, '');
  const { files, document } = resultIn(out, 'client');
  assert.deepEqual(files, ['client.json', 'summary.md']);
  const samples = document['samples'] as { client: string; task: string; ops: number }[];
  assert.deepEqual(
    samples.map(({ client, task }) => `${client} ${task}`),
    [
      'ringkeeper gets',
      'ringkeeper single',
      'raw-socket single',
      'ringkeeper pair',
      'ringkeeper tree',
      'ringkeeper lock',
    ],
  );
  assert.equal(samples.find(({ task }) => task === 'tree')?.ops, 1_000);
  assert.match(stdout, /not measured/);
});

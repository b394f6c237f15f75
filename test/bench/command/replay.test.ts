/** `bench record`, `replay` and `report` from end to end: a tiny run recorded, replayed, and reported again. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseRun } from '../../../bench/result/older-results.ts';
import { withSession } from '../../../bench/session/session.ts';
import type { Target } from '../../../bench/target/target.ts';
import { startTestTarget } from '../support/test-target.ts';
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

const file = join(tempDir, 'tiny.rec');
const plan = planFile('tiny');
let target: Target;

before(async () => {
  target = await startTestTarget('embedded', tempDir);
});
after(() => target.stop());

test('a run is recorded through the proxy until a signal, which is the normal end', async () => {
  const upstream = `127.0.0.1:${target.addresses[0]!.port}`;
  const args = ['--listen', ':0', '--upstream', upstream, '--out', file];
  const { child, finished, untilStderr } = startBench('record', ...args);
  const [, port] = await untilStderr(/^recording 0\.0\.0\.0:(\d+) -> 127\.0\.0\.1:\d+ in /m);
  const run = await bench(
    'run',
    plan,
    '--target',
    `127.0.0.1:${port}`,
    '--no-ceiling',
    '--rate',
    '500',
    '--out',
    outDir(),
  );
  assertMeasured(run.status, run.stderr);
  child.kill('SIGINT');
  const { status, stdout } = await finished;
  assert.equal(status, 0);
  assert.match(stdout, /^\d+ connections, [\d,]+ requests, .* in .*tiny\.rec\n$/);
});

test('the recording is replayed on another server, with the same results', async () => {
  const out = outDir();
  const args = ['--target', 'embedded', '--speed', 'max', '--order', 'all', '--out', out];
  const { status, stdout, stderr } = await bench('replay', file, ...args);
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /all requests/);
  const dir = onlyResult(out);
  const run = parseRun(readFileSync(join(dir, 'run.json'), 'utf8'));
  assert.ok(run?.complete && run.phases[0]!.requests > 0);
  assert.ok(run.phases[0]!.server!.rssBytes > 0, 'what the server took for it is in the result');
  assert.match(
    run.command,
    /^npx ringkeeper bench replay .*tiny\.rec --target embedded --speed max --order all$/,
  );
});

test('a replay whose figures are void ends like a run: with status 4', async () => {
  const address = target.addresses[0]!;
  // What the recording creates is there already: the results are not those of the recording.
  await withSession(address, 5_000, async (session) => {
    assert.equal(await session.create('/bench', new Uint8Array(0)), null);
  });
  const place = `127.0.0.1:${address.port}`;
  const { status, stdout } = await bench(
    'replay',
    file,
    '--target',
    place,
    '--speed',
    'max',
    '--out',
    outDir(),
  );
  assert.equal(status, 4, stdout);
  assert.match(stdout, /results differ from the recorded ones/);
});

test('the file is looked at before a server is started for it', async () => {
  const missing = await refusal('replay', join(tempDir, 'missing.rec'), '--target', '127.0.0.1:1');
  assert.match(missing.message, /missing\.rec/);
});

test('bench report makes the files for people again', async () => {
  const out = outDir();
  const { status } = await bench(
    'run',
    plan,
    '--target',
    'null',
    '--no-ceiling',
    '--seconds',
    '100ms',
    '--out',
    out,
  );
  assertMeasured(status, '');
  const dir = onlyResult(out);
  const summary = readFileSync(join(dir, 'summary.md'), 'utf8');
  for (const gone of ['summary.md', 'report.html']) rmSync(join(dir, gone));
  const report = await bench('report', dir);
  assert.deepEqual([report.status, report.stderr], [0, '']);
  assert.ok(existsSync(join(dir, 'report.html')));
  assert.equal(readFileSync(join(dir, 'summary.md'), 'utf8'), summary);
  assert.match(report.stdout, /summary\.md$/m);
});

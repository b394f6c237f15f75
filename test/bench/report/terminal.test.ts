/** What is seen on a terminal, and what is not without one. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { silentProgress } from '../../../bench/run/progress.ts';
import { type ProgressStream, terminalProgress } from '../../../bench/terminal/progress.ts';
import { renderComparison, renderJson } from '../../../bench/terminal/terminal-compare.ts';
import { renderRun } from '../../../bench/terminal/terminal-run.ts';
import { terminalTable } from '../../../bench/terminal/terminal-tables.ts';
import { sampleComparison } from './support/sample-comparison.ts';
import { sampleRun } from './support/sample-run.ts';

const run = sampleRun();
const { comparison } = sampleComparison();
const ESCAPE = '\u001b';

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

test('tables and charts keep within the terminal', () => {
  const phases = Array.from({ length: 9 }, () => run.phases).flat();
  for (const columns of [60, 80, 132]) {
    const lines = renderRun({ ...run, phases }, { columns, color: false }).split('\n');
    const drawn = lines.filter((line) => /[│┤┬━▶]/.test(line)).join('\n');
    assert.ok(widest(drawn) <= columns, `${widest(drawn)} of ${columns} columns`);
    assert.equal(lines.filter((line) => line.includes('Throughput = requests / time')).length > 1, true);
  }
});

test('a column wider than the terminal is shown all the same', () => {
  const text = terminalTable(['', 'a', 'b'], [['row', 'x'.repeat(90), 'y']], { columns: 60, color: false });
  assert.ok(text.includes('x'.repeat(90)) && text.includes('y'));
});

test('zero stands at the bottom of the chart in an outage', () => {
  const quiet = {
    ...run,
    phases: [{ ...run.phases[0]!, series: Array.from({ length: 100 }, (_, i) => (i < 50 ? 100 : 0)) }],
  };
  const lines = renderRun(quiet, { columns: 100, color: false }).split('\n');
  const bottom = lines.find((line) => line.includes('0┤'))!;
  assert.match(bottom, /━{20,}/);
});

test('the verdict comes last, with each reason', () => {
  const text = renderRun(run, { columns: 100, color: false });
  assert.match(
    text,
    /Void; the figures do not mean what they say:\n! mixed: 41 requests lost their connection.*\n! mixed: 53 requests were answered with an error$/,
  );
  assert.match(renderRun(sampleRun({ outage: null })), /\nSound$/);
});

test('colour only where it is asked for', () => {
  assert.ok(!renderRun(run, { columns: 100, color: false }).includes(ESCAPE));
  assert.ok(renderRun(run, { columns: 100, color: true }).includes(ESCAPE));
  assert.ok(
    renderComparison(comparison, { columns: 100, color: true }).includes(
      `${ESCAPE}[31mB is slower${ESCAPE}[0m`,
    ),
  );
});

test('a comparison says its verdict in words with the figures it rests on', () => {
  const text = renderComparison(comparison);
  assert.match(
    text,
    /mixed: cannot tell \(Latency p50 B \/ A 1\.02x \[0\.96, 1\.05\], p 0\.13; equal runs differed by/,
  );
  assert.match(text, /read: B is slower \(Throughput B \/ A 0\.56x/);
});

test('--json is one document in one line', () => {
  for (const result of [run, comparison]) {
    const text = renderJson(result);
    assert.equal(text.indexOf('\n'), text.length - 1);
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(result)));
  }
});

function output(isTTY: boolean): { stream: ProgressStream; text: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100 });
  const chunks: string[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return { stream, text: () => chunks.join('') };
}

const STATE = { label: 'mixed', ratePerSecond: 20_000, p99Ms: 1.25, errors: 3 };

test('without a terminal: one line per phase', () => {
  const { stream, text } = output(false);
  let nowMs = 0;
  const progress = terminalProgress(stream, () => nowMs);
  progress.start(60_000);
  progress.stage('opening 5 sessions');
  for (nowMs = 1_000; nowMs <= 6_000; nowMs += 250) progress.update(nowMs, STATE);
  progress.update(nowMs, { ...STATE, label: 'read' });
  progress.stop();
  assert.deepEqual(text().split('\n'), [
    'starting; 60 s of load are planned',
    'opening 5 sessions',
    'mixed: begins; 1 s of 60 s',
    'mixed: 20,000 /s, p99 1.25 ms, 3 errors; 5 s of 60 s',
    'read: begins; 6 s of 60 s',
    '',
  ]);
});

test('without a terminal a series says once that it starts', () => {
  const { stream, text } = output(false);
  const progress = terminalProgress(stream, () => 0);
  for (let run = 1; run <= 3; run++) {
    progress.start(2_000, 'each of 3 runs');
    progress.update(0, { ...STATE, label: `run ${run} of 3 read` });
    progress.stop();
  }
  assert.deepEqual(text().split('\n'), [
    'starting; 2 s of load are planned in each of 3 runs',
    'run 1 of 3 read: begins; 0 s of 2 s',
    'run 2 of 3 read: begins; 0 s of 2 s',
    'run 3 of 3 read: begins; 0 s of 2 s',
    '',
  ]);
});

test('where it is not known how long it takes, the share is said', () => {
  const { stream, text } = output(false);
  const progress = terminalProgress(stream, () => 0);
  progress.start(null);
  progress.update(0.5, STATE);
  progress.stop();
  assert.equal(text(), 'starting\nmixed: begins; 50 %\n');
  const bar = output(true);
  const shown = terminalProgress(bar.stream);
  shown.start(null);
  shown.update(0.5, STATE);
  shown.stop();
  assert.match(bar.text(), /mixed\s+█+░+ 50 % /);
});

test('on a terminal: a bar with rate, p99 and errors', () => {
  const { stream, text } = output(true);
  const progress = terminalProgress(stream);
  progress.start(1000);
  progress.update(500, STATE);
  progress.stop();
  assert.match(text(), /mixed\s+█+░+ 50 % \|\s+20,000 \/s \| p99\s+1\.25 ms \| 3 errors/);
});

test('a bar may be started and stopped again', () => {
  const { stream, text } = output(true);
  const progress = terminalProgress(stream);
  for (const label of ['one', 'two']) {
    progress.start(100);
    progress.update(50, { ...STATE, label, p99Ms: null });
    progress.stop();
  }
  assert.match(text(), /one[\s\S]*two/);
  assert.match(text(), /p99\s+- \|/);
});

test('for --json: nothing', (t) => {
  const written: unknown[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    t.mock.method(stream, 'write', (text: unknown) => written.push(text) > 0);
  }
  const progress = silentProgress();
  progress.start(1);
  progress.stage('warming');
  progress.update(1, STATE);
  progress.stop();
  t.mock.restoreAll();
  assert.deepEqual(written, []);
});

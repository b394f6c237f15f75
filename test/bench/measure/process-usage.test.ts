/** Reading /proc: known texts, this process, and one that is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  ContextSwitches,
  parseCpuMicros,
  parsePressure,
  parseUsage,
  readProcessUsage,
} from '../../../bench/measure/process-usage.ts';

const GONE = 2 ** 30;
const STAT = '42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 7 20 0 11 0 1000 1 1';

test('CPU time is read behind a process name with spaces and brackets', () => {
  assert.equal(parseCpuMicros(STAT), 3_000_000);
});

test('memory lines are in kB', () => {
  const usage = parseUsage(STAT, 'Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n');
  assert.deepEqual(usage, { cpuMicros: 3_000_000, rssBytes: 1024 * 1024, rssPeakBytes: 2048 * 1024 });
});

test('a process that has ended and is still listed has no figures: its memory is not 0', () => {
  assert.equal(parseUsage(STAT, 'Name:\tx\nState:\tZ (zombie)\n'), null);
});

test('pressure is the share of time in which some task waited', () => {
  const text =
    'some avg10=12.50 avg60=1.35 avg300=1.76 total=2428247340\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';
  assert.deepEqual(parsePressure(text), { avg10: 0.125, avg60: 0.0135, totalMicros: 2_428_247_340 });
  assert.equal(parsePressure(''), null);
});

test('a process that is gone has no figures', () => {
  assert.equal(readProcessUsage(GONE), null);
  assert.equal(new ContextSwitches(GONE).read(), null);
});

const linux = process.platform === 'linux';

test('this process has figures', { skip: !linux && 'needs /proc of Linux' }, () => {
  const usage = readProcessUsage(process.pid);
  assert.ok(usage !== null && usage.rssBytes > 0 && usage.rssPeakBytes >= usage.rssBytes);
});

test('context switches grow over all threads and never fall', {
  skip: !linux && 'needs /proc of Linux',
}, async () => {
  const switches = new ContextSwitches(process.pid);
  assert.equal(switches.read(), 0, 'counted from the first reading');
  const seen: number[] = [];
  // A thread that sleeps 20 times switches 20 times; when it has ended, /proc counts it no more.
  const code =
    'for (let i = 0; i < 20; i++) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);';
  const alive = new Worker(`${code} require('node:worker_threads').parentPort.once('message', () => {});`, {
    eval: true,
  });
  await new Promise((resolve) => alive.once('online', resolve));
  while ((seen.at(-1) ?? 0) < 20) {
    seen.push(switches.read()!);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await alive.terminate();
  seen.push(switches.read()!);
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
});

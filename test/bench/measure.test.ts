/** Reading /proc, and the validity rules: each must be able to fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newHistogram, summarizeLatency } from '../../bench/measure/latency-recorder.ts';
import { parseCpuMicros, parseStatusBytes, readProcessUsage } from '../../bench/measure/process-usage.ts';
import { findInvalidities, type PhaseFacts } from '../../bench/measure/validity.ts';
import { standaloneQuick } from '../../bench/scenarios/standalone-quick.ts';

const plan = standaloneQuick.phases[0]!;

test('CPU time is read behind a process name with spaces and brackets', () => {
  const stat = '42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 7 20 0 11 0 1000 1 1';
  assert.equal(parseCpuMicros(stat), 3_000_000);
});

test('memory lines are in kB; a missing one is 0', () => {
  assert.equal(parseStatusBytes('Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n', 'VmRSS'), 1024 * 1024);
  assert.equal(parseStatusBytes('Name:\tx\n', 'VmRSS'), 0);
});

test('a process that is gone has no figures', () => {
  assert.equal(readProcessUsage(2 ** 30), null);
});

test('this process has figures', { skip: process.platform !== 'linux' && 'needs /proc of Linux' }, () => {
  const usage = readProcessUsage(process.pid);
  assert.ok(usage !== null && usage.rssBytes > 0 && usage.rssPeakBytes >= usage.rssBytes);
});

/** 5,000 in flight and 5 ms each: 1 M/s. */
function soundFacts(): PhaseFacts {
  const histogram = newHistogram();
  histogram.recordValueWithCount(5000, 1000);
  return {
    complete: true,
    throughputPerSecond: 1_000_000,
    latency: summarizeLatency(histogram),
    lost: 0,
    unanswered: 0,
    disorder: 0,
    dropped: 0,
    errorCount: 0,
    generatorBusy: 0.5,
    lag: null,
  };
}

test('sound facts are valid', () => {
  assert.deepEqual(findInvalidities(soundFacts(), plan, standaloneQuick), []);
});

test('each rule can fail', () => {
  const wrong: [Partial<PhaseFacts>, RegExp][] = [
    [{ complete: false }, /cut short/],
    [{ latency: null }, /no request was answered/],
    [{ errorCount: 3 }, /3 requests were answered with an error/],
    [{ lost: 2 }, /2 requests lost/],
    [{ unanswered: 1 }, /1 requests were never answered/],
    [{ disorder: 1 }, /out of order/],
    [{ dropped: 9 }, /9 requests were due while the window was full/],
    [{ generatorBusy: 0.95 }, /95 % busy/],
    [{ throughputPerSecond: 900_000 }, /throughput x mean latency is 45\d\d\.\d, but 5000/],
  ];
  for (const [change, message] of wrong) {
    const found = findInvalidities({ ...soundFacts(), ...change }, plan, standaloneQuick);
    assert.ok(
      found.some((text) => message.test(text)),
      `${message} in ${JSON.stringify(found)}`,
    );
  }
});

test('an open loop is judged by its rate and its lag instead', () => {
  const open = { ...plan, arrival: { kind: 'constant', ratePerSecond: 1_100_000, late: 'backlog' } as const };
  const late = newHistogram();
  late.recordValueWithCount(8000, 10);
  const found = findInvalidities({ ...soundFacts(), lag: summarizeLatency(late) }, open, standaloneQuick);
  assert.match(
    found.join('; '),
    /1000000\/s were answered of 1100000\/s offered; the generator was late by 8/,
  );
});

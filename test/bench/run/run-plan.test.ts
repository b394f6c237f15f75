/** The whole engine against the null server: what a run measures, and the ways out of it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as hdr from 'hdr-histogram-js';
import { runVerdict } from '../../../bench/figures/verdict.ts';
import type { Progress } from '../../../bench/run/progress.ts';
import { labelsOf, planOf, runTiny, silent, tempDir } from './support.ts';

/** Of all connections of `planOf`. */
const IN_FLIGHT = 30;
/** Whole steps of the series. */
const times = { warmup: '100ms', measure: '400ms' };

test('a run measures every phase and leaves nothing behind', async () => {
  const plan = planOf(
    {
      read: { mix: { get: 1 }, ...times },
      mixed: { mix: { get: 70, set: 30 }, ...times },
      paced: { mix: { exists: 1 }, arrival: { rate: 2000, gaps: 'poisson' }, ...times },
    },
    { workers: 2, slo: '1s' },
  );
  const outcome = await runTiny(plan, 'null', { ceiling: true });
  assert.ok(outcome?.run.complete);
  assert.equal(outcome.run.target.failure, null);
  assert.deepEqual(labelsOf(outcome), { read: ['get'], mixed: ['get', 'set'], paced: ['exists'] });
  for (const phase of outcome.run.phases) {
    assert.ok(phase.requests > 0 && phase.latency !== null && phase.latency.count > 0);
    assert.deepEqual([phase.lost, phase.unanswered, phase.disorder, phase.dropped], [0, 0, 0, 0]);
    assert.deepEqual(phase.errors, {});
    assert.ok(Math.abs(phase.throughputPerSecond - (phase.requests / phase.measuredMs) * 1000) < 1e-6);
    // Where the main thread was late, the last interval goes on into the drain: what was in flight then falls into it.
    const inSeries = phase.series.reduce((sum, count) => sum + count, 0);
    assert.ok(
      inSeries + IN_FLIGHT >= phase.requests,
      `${inSeries} of ${phase.requests}: the series has it all`,
    );
    assert.equal(phase.errorSeries.length, phase.series.length);
    assert.ok(phase.latencySeries.length > 0 && phase.availability.classes['write']!.outcomes.ok > 0);
    assert.ok(phase.generator.ceilingPerSecond! >= phase.generator.nullPerSecond!);
    assert.ok(phase.generator.bytesSent > 0 && phase.generator.bytesReceived > 0);
    assert.ok(phase.goodputPerSecond! <= phase.throughputPerSecond * 1.0001);
    assert.ok(phase.metrics!.packetsReceived! > 0, "the server's own count");
    for (const { latency, histogram, label } of phase.ops) {
      const decoded = hdr.decodeFromCompressedBase64(histogram);
      assert.equal(decoded.totalCount, latency.count);
      const logged: number = [...outcome.intervals]
        .filter((interval) => interval.phase === phase.plan.name && interval.label === label)
        .reduce((sum, interval) => sum + interval.histogram.totalCount, 0);
      assert.equal(logged, latency.count, 'the interval log adds up to the total');
    }
  }
  const [read, , paced] = outcome.run.phases;
  assert.ok(paced!.scheduleLag !== null && read!.scheduleLag === null);
  assert.deepEqual(readdirSync(tempDir), [], 'the temporary directory of the server is gone');
});

test('think time: a closed loop rests between reply and request', async () => {
  const plan = planOf(
    { rest: { mix: { get: 1 }, arrival: { thinkTime: '50ms' }, ...times } },
    { outstanding: 1, connections: 2 },
  );
  const outcome = await runTiny(plan, 'null');
  // 2 connections, at most one request per 50 ms each, over 500 ms in all.
  const [phase] = outcome!.run.phases;
  const sent = phase!.series.reduce((sum, count) => sum + count, 0);
  assert.ok(sent >= 2 && sent <= 2 * 11, `${sent} requests`);
});

test('an abort before the first phase gives no result and stops the server', async () => {
  const abort = new AbortController();
  abort.abort();
  const plan = planOf({ read: { mix: { get: 1 }, ...times } });
  assert.equal(await runTiny(plan, 'null', { abort: abort.signal }), null);
  assert.deepEqual(readdirSync(tempDir), []);
});

test('an abort in a phase gives what was measured until then, marked as partial', async () => {
  const abort = new AbortController();
  const endless = planOf({ read: { mix: { get: 1 }, warmup: '0ms', measure: '60s' } });
  const progress: Progress = {
    ...silent,
    update: (_doneMs, { ratePerSecond }) => {
      if (ratePerSecond! > 0) abort.abort(); // the first sign of life
    },
  };
  const outcome = await runTiny(endless, 'null', { abort: abort.signal, progress });
  assert.ok(outcome !== null && !outcome.run.complete);
  const phase = outcome.run.phases[0]!;
  assert.ok(phase.requests > 0 && phase.measuredMs < 60_000 && !phase.valid);
  assert.ok(phase.findings.some(({ rule }) => rule === 'complete'));
  assert.equal(
    phase.series.length,
    Math.floor((phase.measuredMs + 1) / phase.seriesStepMs),
    'no zeros after the end',
  );
});

test('a target that dies in the middle: the run ends there, says why once, and measures no dead phase', async () => {
  const phase = { mix: { get: 1 }, warmup: '0ms', measure: '60s' };
  const plan = planOf(
    { first: { ...phase, measure: '300ms' }, read: phase, later: phase, last: phase },
    { probes: { period: '10ms', deadline: '100ms' } },
  );
  let killed = false;
  const progress: Progress = {
    ...silent,
    update: (_doneMs, { label, ratePerSecond }) => {
      if (killed || label !== 'read' || ratePerSecond === 0) return;
      killed = true;
      killNullServer();
    },
  };
  const outcome = await runTiny(plan, 'null', { progress });
  assert.ok(killed && outcome !== null);
  const { run } = outcome;
  assert.ok(!run.complete);
  assert.match(run.target.failure ?? '', /SIGKILL/);
  assert.deepEqual(
    run.phases.map(({ plan: { name } }) => name),
    ['first', 'read'],
  );
  const [first, read] = run.phases;
  assert.ok(first!.requests > 0 && !first!.findings.some(({ rule }) => rule === 'targetAlive'));
  assert.ok(read!.requests > 0 && read!.measuredMs < 30_000);
  assert.ok(!read!.valid && read!.findings.some(({ rule }) => rule === 'targetAlive'));
  const told = runVerdict(run).lines.filter((line) => line.includes('SIGKILL'));
  assert.equal(told.length, 1, told.join('\n'));
});

/** The one child of this process. */
function killNullServer(): void {
  const [pid] = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  process.kill(Number(pid), 'SIGKILL');
}

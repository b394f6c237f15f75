/** How long the runs of a sweep are said to take: differences that must be there, not the constants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restMs, runTimes } from '../../../bench/command/sweep-time.ts';
import { planSweep } from '../../../bench/compare/sweep.ts';
import { targetAxes } from '../../../bench/compare/target-axes.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import { parseTargetList } from '../../../bench/target/target-list.ts';

const SECONDS_20 = { reads: { mix: { get: 1 }, warmup: '2s', measure: '18s' } };

function timesOf(phases: object, targets: string, warmUpMsMax: number, ceiling: boolean) {
  const listed = parseTargetList([targets]);
  const services = targetAxes(listed.map(({ spec, ...place }) => ({ side: spec.text, ...place })));
  const build = (document: unknown) => buildPlan(document, 'the test');
  const { runs } = planSweep({ name: 'timed', phases }, [], { targets: services }, build);
  return runTimes(runs, new Map(listed.map((target) => [target.spec.text, target])), {
    ceiling,
    warmUpMsMax,
  });
}

test('a run takes its phases, more servers more, Apache more than ours', () => {
  const [one, three, apache] = timesOf(SECONDS_20, 'embedded:1,embedded:3,apache:5', 30_000, false);
  assert.ok(one!.expectedMs > 20_000 && one!.expectedMs < one!.atMostMs);
  assert.ok(one!.expectedMs < three!.expectedMs && three!.expectedMs < apache!.expectedMs);
  assert.ok(one!.atMostMs >= 50_000);
});

test('the ceiling of a load is measured once; what is not warmed takes no time for it', () => {
  const [first, second] = timesOf(SECONDS_20, 'embedded:1,embedded:1:maxCnxns=9', 0, true);
  assert.ok(first!.expectedMs > second!.expectedMs);
  assert.equal(first!.expectedMs, first!.atMostMs);
  const [started, running] = timesOf(SECONDS_20, 'embedded:1,127.0.0.1:1', 30_000, false);
  assert.ok(started!.atMostMs - running!.atMostMs >= 30_000);
});

test('a phase that ends when its work is done is not expected to take its time limit', () => {
  const phases = { barriers: { recipe: { doubleBarrier: { barriers: 5 } }, warmup: 0, measure: '5m' } };
  const [run] = timesOf(phases, 'embedded:1', 30_000, false);
  assert.ok(run!.expectedMs < 120_000 && run!.atMostMs > 300_000 && run!.atMostMs < 330_000);
});

test('what is left is told at the pace of what was made', () => {
  const times = timesOf(SECONDS_20, 'embedded:1,embedded:3,embedded:5', 0, false);
  const tookMs = 2 * times[0]!.expectedMs;
  const left = times.slice(1);
  const plannedMs = left.reduce((sum, { expectedMs }) => sum + expectedMs, 0);
  assert.equal(restMs(left, times.slice(0, 1), tookMs), 2 * plannedMs);
  assert.equal(restMs(left, [], 0), plannedMs);
});

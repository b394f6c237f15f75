/** What a run is worth. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseObjective } from '../../../bench/tune/objective.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { PLAN, type SampleFigures, sampleRun } from '../compare/support/sample-run.ts';

function scoreOf(text: string, figures: SampleFigures, goodputPerSecond: number | null = null) {
  const objective = parseObjective(text);
  const run = sampleRun('embedded', objective.planned(PLAN), figures);
  const score = objective.score({
    ...run,
    phases: run.phases.map((phase) => ({ ...phase, goodputPerSecond })),
  });
  return score === null ? null : { ...score, value: Number(score.value.toPrecision(9)) };
}

test('goodput within the bound; beyond it less the farther p99 is away', () => {
  assert.deepEqual(scoreOf('goodput at p99 <= 5ms', { p99Ms: 4 }, 9_000), { value: 9_000, keeps: true });
  assert.deepEqual(scoreOf('goodput at p99<=5ms', { p99Ms: 10 }, 100), { value: 4_950, keeps: false });
  assert.equal(scoreOf('goodput at p999 <= 5ms', { p99Ms: 4 }, 100)!.keeps, false, 'p99.9 is 10 ms');
});

test('the bound is what the plan counts as goodput', () => {
  assert.equal(parseObjective('goodput at p999 <= 0.02s').planned(PLAN).sloMs, 20);
  assert.equal(parseObjective('throughput').planned(PLAN), PLAN);
});

test('of latency and CPU less is more', () => {
  assert.deepEqual(scoreOf('throughput', { throughput: 7 }), { value: 7, keeps: true });
  assert.equal(scoreOf('p99', { p99Ms: 8 })!.value.toFixed(6), '0.125000');
  assert.equal(scoreOf('cpu', { cpuMicros: 20 })!.value.toFixed(6), '0.050000');
});

test('no figure is no score', () => {
  for (const figures of [{ p50Ms: null }, { failure: 'gone' }, { without: ['read'] }] as const)
    assert.equal(scoreOf('p99', figures), null);
  assert.equal(scoreOf('cpu', { cpuMicros: null }), null);
  const run = sampleRun('embedded', PLAN, {});
  const check = { passed: false, operations: 1, keys: 1, truncated: false, rules: [] };
  const wrong = { ...run, phases: run.phases.map((phase) => ({ ...phase, check })) };
  assert.equal(parseObjective('throughput').score(wrong), null, 'it breaks a guarantee');
});

test('of several phases it is the geometric mean', () => {
  const objective = parseObjective('throughput');
  const phases = [PLAN.phases[0]!, { ...PLAN.phases[0]!, name: 'other' }];
  const run = sampleRun('embedded', { ...PLAN, phases }, {});
  const [one, other] = run.phases;
  const score = objective.score({
    ...run,
    phases: [
      { ...one!, throughputPerSecond: 100 },
      { ...other!, throughputPerSecond: 400 },
    ],
  });
  assert.equal(score!.value.toFixed(6), '200.000000');
});

test('anything else is refused with what is allowed', () => {
  for (const text of ['speed', 'goodput', 'goodput at p98 <= 5ms', 'goodput at p99 <= fast', 'p90', ''])
    assert.throws(() => parseObjective(text), ConfigFailure, text);
});

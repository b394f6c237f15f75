/** The rate search on runs: what it asks for, what it makes of the answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measure } from '../../../bench/compare/measure.ts';
import { type ProbeRun, planAtRate, searchRate } from '../../../bench/compare/search.ts';
import type { Plan, SearchPlan } from '../../../bench/plan/plan.ts';
import type { RunResult } from '../../../bench/result/run-json.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { scripted } from './support/noisy-machine.ts';
import { CLOSED, openPhase, PLAN, sampleRun } from './support/sample-run.ts';

const SEARCH: SearchPlan = { phase: 'read', p99MsMax: 10, from: 1_000, to: 100_000, replicates: 2 };
const BOTH: Plan = { ...PLAN, phases: [openPhase('paced', 500), CLOSED], search: SEARCH };
const OPTIONS = { side: 'embedded', command: 'bench run sample' };

function rateOf(plan: Plan): number {
  const { load } = plan.phases[0]!;
  assert.ok(load.kind === 'mix' && load.arrival.kind === 'open');
  return load.arrival.steps[0]!.ratePerSecond;
}

/** p99 meets the bound at 20,000/s; the rate is not held beyond 40,000. */
const service: Measure = async (side, plan) => {
  const rate = rateOf(plan);
  return sampleRun(side, plan, { p99Ms: 10 * (rate / 20_000) ** 2, valid: rate <= 40_000 });
};

async function search(measure: Measure, plan = BOTH, wanted = SEARCH) {
  const probes: ProbeRun[] = [];
  const found = await searchRate(plan, wanted, OPTIONS, measure, (probe) => {
    probes.push(probe);
  });
  return { ...found, probes };
}

test('finds the edge, tells of each probe, and keeps them all', async () => {
  const { outcome, sweep, failure, probes } = await search(service);
  assert.equal(outcome.edge, 'smooth');
  assert.ok(Math.abs(outcome.ratePerSecond! / 20_000 - 1) < 0.01, String(outcome.ratePerSecond));
  assert.deepEqual(
    outcome.probes,
    probes.map(({ ratePerSecond, p99Ms, valid }) => ({ ratePerSecond, p99Ms, valid })),
  );
  assert.deepEqual([probes[0]!.dir, probes[1]!.dir], ['runs/01-probe', 'runs/02-probe']);
  assert.equal(failure, null);
  assert.equal(sweep!.search, outcome);
  assert.deepEqual([sweep!.complete, sweep!.axes, sweep!.points, sweep!.knee], [true, [], [], []]);
  assert.equal(sweep!.plan, BOTH);
});

test('a probe is the phase alone, in an open loop at its rate, with the seed of the plan', () => {
  const plan = planAtRate({ ...BOTH, seed: 77 }, SEARCH, 1_234);
  assert.deepEqual(
    plan.phases.map(({ name }) => name),
    ['read'],
  );
  const { load } = plan.phases[0]!;
  assert.ok(load.kind === 'mix');
  assert.deepEqual(load.arrival, {
    kind: 'open',
    gaps: 'poisson',
    late: 'backlog',
    steps: [{ ratePerSecond: 1_234, forMs: 11_000 }],
  });
  assert.deepEqual([plan.seed, plan.sweep, plan.search], [77, [], null]);
});

test('an open phase keeps its gaps and what becomes of late requests', () => {
  const { load } = planAtRate(BOTH, { ...SEARCH, phase: 'paced' }, 9).phases[0]!;
  assert.ok(load.kind === 'mix' && load.arrival.kind === 'open');
  assert.deepEqual(
    [load.arrival.gaps, load.arrival.late, load.arrival.steps.length],
    ['constant', 'drop', 1],
  );
});

test('a run that answered nothing, or whose server died, is a breach', async () => {
  const silent: Measure = async (side, plan) =>
    sampleRun(side, plan, rateOf(plan) <= 4_000 ? {} : { p50Ms: null });
  const { outcome, probes } = await search(silent);
  assert.equal(outcome.edge, 'cliff');
  assert.ok(outcome.ratePerSecond! <= 4_000 && outcome.ratePerSecond! > 3_700);
  assert.ok(probes.some(({ p99Ms, valid }) => p99Ms === 10_000 && !valid));
  const dying: Measure = async (side, plan) => sampleRun(side, plan, { failure: 'killed' });
  assert.equal((await search(dying)).outcome.edge, 'none');
  const gone: Measure = async (side, plan) => sampleRun(side, plan, { without: ['read'] });
  assert.equal((await search(gone)).outcome.edge, 'none');
});

test('an abort leaves what the probes before it showed', async () => {
  const { outcome, sweep, failure } = await search(scripted({ p99Ms: 1 }, { p99Ms: 1 }, null));
  assert.deepEqual([outcome.edge, outcome.ratePerSecond, outcome.probes.length], ['open', 2_000, 2]);
  assert.deepEqual([sweep!.complete, failure], [false, null]);
});

test('a probe that was cut short does not count; a failure is handed over', async () => {
  const { outcome, probes } = await search(scripted({ p99Ms: 1 }, { p99Ms: 1, complete: false }));
  assert.deepEqual([outcome.probes.length, probes.length], [1, 2]);
  const failed = await search(scripted({ p99Ms: 1 }, new Error('no port')));
  assert.equal(failed.failure?.message, 'no port');
  assert.equal((await search(scripted(null))).sweep, null);
});

test('a phase that is not there, or has no rate, is named before anything runs', async () => {
  const never = async (): Promise<RunResult | null> => assert.fail('must not run');
  await assert.rejects(search(never, BOTH, { ...SEARCH, phase: 'wirte' }), (error) => {
    assert.ok(error instanceof ConfigFailure);
    assert.match(error.message, /no phase "wirte" in plan sample; it has paced, read/);
    return true;
  });
  const storm: Plan = {
    ...PLAN,
    phases: [{ ...CLOSED, load: { kind: 'sessionStorm', abrupt: false } }],
  };
  await assert.rejects(search(never, storm), /"read" is a sessionStorm, which has no rate to set/);
});

/** Sweeps over the YAML form of plans, on services that saturate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measure } from '../../../bench/compare/measure.ts';
import { planSweep, runSweep, type SweepOptions, type SweepRun } from '../../../bench/compare/sweep.ts';
import { onlyTarget } from '../../../bench/compare/target-axes.ts';
import type { Plan, SweepAxis } from '../../../bench/plan/plan.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { scripted } from './support/noisy-machine.ts';
import { sampleRun } from './support/sample-run.ts';

const DOCUMENT = {
  name: 'swept',
  connections: 10,
  outstanding: 1,
  phases: { read: { mix: { get: 1 } }, paced: { mix: { get: 1 }, arrival: { rate: 500 } } },
};
const CONNECTIONS: SweepAxis = { path: 'connections', values: [1, 2, 4, 8, 16, 32, 64, 128] };
const build = (document: unknown): Plan => buildPlan(document, () => 'swept.yaml');
const OPTIONS: SweepOptions = { targets: onlyTarget('embedded') };

/** Serves 100 requests a second per request in flight, up to 2,000. */
const saturating: Measure = async (side, plan) => {
  const throughput = 100 * Math.min(20, plan.connectionCount * plan.outstanding);
  return sampleRun(side, plan, { throughput });
};

async function sweep(
  axes: readonly SweepAxis[],
  measure: Measure = saturating,
  options: Partial<SweepOptions> = {},
  builder: (document: unknown) => Plan = build,
) {
  const runs: SweepRun[] = [];
  const planned = planSweep(DOCUMENT, axes, { ...OPTIONS, ...options }, builder);
  const outcome = await runSweep(planned, {
    command: 'bench run swept',
    measure,
    onPoint: (run) => {
      runs.push(run);
    },
  });
  return { ...outcome, runs };
}

test('every combination is run once, the last axis changing fastest, each with its own plan', async () => {
  const axes = [
    { path: 'connections', values: [1, 2] },
    { path: 'phases.paced.arrival.rate', values: [100, 200] },
  ];
  const { sweep: made, runs, failure } = await sweep(axes);
  assert.equal(failure, null);
  assert.deepEqual(
    runs.map(({ at, dir, result }) => [at, dir, result.plan.connectionCount]),
    [
      [[1, 100], 'runs/01-point', 1],
      [[1, 200], 'runs/02-point', 1],
      [[2, 100], 'runs/03-point', 2],
      [[2, 200], 'runs/04-point', 2],
    ],
  );
  const rates = runs.map(({ result }) => {
    const { load } = result.plan.phases[1]!;
    return load.kind === 'mix' && load.arrival.kind === 'open' ? load.arrival.steps[0]!.ratePerSecond : null;
  });
  assert.deepEqual(rates, [100, 200, 100, 200]);
  assert.deepEqual(made!.axes, axes);
  assert.deepEqual(
    made!.points.map(({ at }) => at),
    runs.map(({ at }) => at),
  );
  assert.equal(made!.points[3]!.runs[0]!.dir, 'runs/04-point');
  assert.deepEqual(
    [made!.complete, made!.target.name, made!.plan.connectionCount, made!.command, made!.search],
    [true, 'embedded', 10, 'bench run swept', null],
  );
});

test('the knee lies where throughput stops growing; a paced phase has none', async () => {
  const { sweep: made } = await sweep([CONNECTIONS]);
  assert.deepEqual(
    made!.knee.map(({ phase }) => phase),
    ['read'],
  );
  const { at, throughputPerSecond, others } = made!.knee[0]!;
  assert.ok(Math.abs(at / 20 - 1) < 0.05, String(at));
  assert.ok(Math.abs(throughputPerSecond / 2_000 - 1) < 0.05);
  assert.deepEqual(others, []);
});

test('with two axes there is a knee for each value of the second', async () => {
  const axes = [CONNECTIONS, { path: 'outstanding', values: [1, 4] }];
  const { sweep: made } = await sweep(axes);
  const knees = made!.knee.map(({ phase, at, others }) => [phase, Math.round(at / 5) * 5, others]);
  assert.deepEqual(knees, [
    ['read', 20, [1]],
    ['read', 5, [4]],
  ]);
});

test('an axis that is not a load has no knee, nor has a service that never saturates', async () => {
  const values = [1, 2, 4, 8, 16, 32, 64].map((kib) => `${kib}KiB`);
  assert.deepEqual((await sweep([{ path: 'tree.values', values }])).sweep!.knee, []);
  const endless: Measure = async (side, plan) =>
    sampleRun(side, plan, { throughput: 100 * plan.connectionCount });
  assert.deepEqual((await sweep([CONNECTIONS], endless)).sweep!.knee, []);
});

test('the rate of a paced phase is a load', async () => {
  const paced: Measure = async (side, plan) => {
    const { load } = plan.phases[1]!;
    if (load.kind !== 'mix' || load.arrival.kind !== 'open') throw new Error('not paced');
    return sampleRun(side, plan, { throughput: Math.min(300, load.arrival.steps[0]!.ratePerSecond) });
  };
  const values = [50, 100, 200, 300, 400, 600, 800];
  const { sweep: made } = await sweep([{ path: 'phases.paced.arrival.rate', values }], paced);
  assert.deepEqual(
    made!.knee.map(({ phase }) => phase),
    ['paced'],
  );
  assert.ok(Math.abs(made!.knee[0]!.at / 300 - 1) < 0.05);
});

test('replicates go forth and back, and lie together at their point', async () => {
  const { sweep: made, runs } = await sweep([{ path: 'connections', values: [1, 2, 3] }], saturating, {
    replicates: 3,
  });
  assert.equal(runs.map(({ at }) => at[0]).join(''), '123321123');
  assert.deepEqual(
    runs.map(({ replicate }) => replicate),
    [1, 1, 1, 2, 2, 2, 3, 3, 3],
  );
  assert.ok(runs.every(({ runCount }) => runCount === 9));
  assert.deepEqual(
    made!.points[1]!.runs.map(({ dir }) => dir),
    ['runs/02-point', 'runs/05-point', 'runs/08-point'],
  );
});

test('an abort leaves the points that were measured', async () => {
  const { sweep: made, failure } = await sweep([CONNECTIONS], scripted({}, {}, null));
  assert.deepEqual([made!.complete, made!.points.length, failure], [false, 2, null]);
});

test('a point whose run was cut short is missing', async () => {
  const { sweep: made, runs } = await sweep([CONNECTIONS], scripted({}, { complete: false }, {}));
  assert.deepEqual([made!.complete, made!.points.length, runs.length], [false, 1, 2]);
});

test('a failure is handed over beside the points before it', async () => {
  const { sweep: made, failure } = await sweep([CONNECTIONS], scripted({}, new Error('server died')));
  assert.deepEqual([made!.complete, made!.points.length, failure?.message], [false, 1, 'server died']);
  assert.equal((await sweep([CONNECTIONS], scripted(null))).sweep, null);
});

test('a wrong value at the last point is named before the first run', async () => {
  let runs = 0;
  const counting: Measure = async (side, plan) => {
    runs++;
    return saturating(side, plan);
  };
  await assert.rejects(sweep([{ path: 'connections', values: [1, 2, 0] }], counting), (error) => {
    assert.ok(error instanceof ConfigFailure);
    assert.match(error.message, /^sweep at connections = 0: .*connections/s);
    return true;
  });
  await assert.rejects(sweep([{ path: 'phases.nosuch.measure', values: ['1s'] }], counting), ConfigFailure);
  assert.equal(runs, 0);
});

test('an error that is not the user’s keeps its own name', async () => {
  let builds = 0;
  const broken = (document: unknown): Plan => {
    if (builds++ > 0) throw new TypeError('bug');
    return build(document);
  };
  await assert.rejects(sweep([CONNECTIONS], saturating, {}, broken), TypeError);
});

test('too many, no points, and impossible replicates are named', async () => {
  const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
  const axes = ['connections', 'outstanding'].map((path) => ({ path, values: hundred }));
  await assert.rejects(sweep(axes), /10000 combinations of values; allowed: 1 to 1000/);
  await assert.rejects(sweep([{ path: 'connections', values: [] }]), /0 combinations/);
  await assert.rejects(sweep([CONNECTIONS], saturating, { replicates: 0 }), /replicates = 0/);
});

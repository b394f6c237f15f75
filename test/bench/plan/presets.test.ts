/** The plans that ship with the package, and plans from files. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { plannedMs } from '../../../bench/plan/plan.ts';
import { loadPlan, presetNames, presetText } from '../../../bench/plan/presets.ts';

const tempDir = mkdtempSync(join(tmpdir(), 'bench-plan-'));
after(() => rmSync(tempDir, { recursive: true, force: true }));

/** No phase of these takes its `measure`: it ends when its work is done. */
const ENDS_BY_WORK = ['atc10-table3'];
const MINUTES_MAX = 2;

test('the presets are those that the issues name, and the one of npm start', () => {
  assert.deepEqual(presetNames(), [
    'atc10-fig5',
    'atc10-fig6',
    'atc10-fig7',
    'atc10-table1',
    'atc10-table2',
    'atc10-table3',
    'durable-writes',
    'large-tree',
    'lock-contention',
    'prod-mix',
    'quick-tour',
    'raftkeeper-mix',
    'recipes',
    'session-storm',
    'standalone-quick',
    'watch-fanout',
    'ycsb-b',
  ]);
});

for (const name of presetNames()) {
  test(`preset ${name} is a plan, says where it comes from and ends soon`, () => {
    const { plan } = loadPlan(name);
    assert.equal(plan.name, name);
    assert.notEqual(plan.description, '');
    assert.match(presetText(name), /^# \S/);
    const points = plan.sweep.reduce((product, { values }) => product * values.length, 1);
    if (!ENDS_BY_WORK.includes(name)) assert.ok(points * plannedMs(plan) <= MINUTES_MAX * 60_000);
    for (const { at, source } of plan.references) {
      assert.notEqual(source, '');
      if (plan.sweep.length > 0) assert.ok(plan.sweep[0]!.values.includes(at!), `no point at ${at}`);
    }
  });
}

test('a first look at one server takes less than a minute', () => {
  const { plan } = loadPlan('standalone-quick');
  assert.ok(plannedMs(plan) <= 45_000);
  assert.deepEqual([plan.connectionCount, plan.outstanding], [50, 100]);
});

test('the paper is repeated with its figures', () => {
  const table1 = loadPlan('atc10-table1').plan;
  assert.deepEqual([table1.connectionCount, table1.outstanding], [250, 100]);
  const of = (phase: string) =>
    table1.references.filter((one) => one.phase === phase).map(({ value }) => value);
  assert.deepEqual(of('reads'), [87_000, 165_000, 257_000, 296_000, 460_000]);
  assert.deepEqual(of('writes'), [21_000, 18_000, 14_000, 12_000, 8_000]);
  assert.equal(loadPlan('atc10-fig6').plan.connectTo, 'leader');
  const barriers = loadPlan('atc10-table3').plan;
  assert.deepEqual(
    barriers.references.map(({ metric, value, at }) => [metric, value, at]),
    [
      ['latencyMeanMs', 9_400, 50],
      ['latencyMeanMs', 19_800, 100],
      ['latencyMeanMs', 41_000, 200],
    ],
  );
});

test('prod-mix has the weights that ClickHouse gives', () => {
  const { plan } = loadPlan('prod-mix');
  const load = plan.phases[0]!.load;
  assert.equal(load.kind, 'mix');
  if (load.kind !== 'mix') return;
  const byOp = new Map<string, number>();
  for (const { op, weight } of load.entries) byOp.set(op, (byOp.get(op) ?? 0) + weight);
  assert.deepEqual(Object.fromEntries(byOp), {
    get: 38,
    create: 17,
    delete: 17,
    multi: 11,
    set: 9,
    getChildren: 4,
  });
  assert.deepEqual(load.values, { kind: 'uniform', min: 0, max: 162 });
});

test('a plan from a file has the name of the file unless it says otherwise', () => {
  const file = join(tempDir, 'My Plan.v2.yaml');
  writeFileSync(file, 'phases: {a: {mix: {get: 1}}}');
  assert.equal(loadPlan(file).plan.name, 'my-plan-v2');
  const named = join(tempDir, 'x.yml');
  writeFileSync(named, 'name: other\nphases: {a: {mix: {get: 1}}}');
  assert.equal(loadPlan(named).plan.name, 'other');
});

test('what cannot be read is named', () => {
  assert.throws(() => loadPlan('prod-mxi'), {
    name: 'ConfigFailure',
    message: `no preset "prod-mxi" - did you mean "prod-mix"? presets: ${presetNames().join(', ')}`,
  });
  const missing = join(tempDir, 'missing.yaml');
  assert.throws(() => loadPlan(missing), {
    message: `${missing}: no such file - a plan is a YAML file or one of ${presetNames().join(', ')}`,
  });
  const dir = join(tempDir, 'dir.yaml');
  mkdirSync(dir);
  assert.throws(() => loadPlan(dir), { name: 'ConfigFailure', message: /dir\.yaml: it is a directory/ });
  const wrong = join(tempDir, 'wrong.yaml');
  writeFileSync(wrong, 'phases:\n  a:\n    mix: {gte: 1}\n');
  assert.throws(() => loadPlan(wrong), {
    message: new RegExp(`^${wrong}:3:11: phases\\.a\\.mix\\.gte: not an operation`),
  });
});

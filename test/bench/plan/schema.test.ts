/** From plan files to plans: defaults, shorthands, sweeps, and the table that documents them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { withValueAt } from '../../../bench/plan/document-path.ts';
import type { Load, PhasePlan, Plan } from '../../../bench/plan/plan.ts';
import { readPlanText } from '../../../bench/plan/plan-text.ts';
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseShare,
  parseSize,
} from '../../../bench/plan/quantity.ts';
import { withPlanReference } from '../../../bench/plan/reference.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import { documentAt, sweepPoints } from '../../../bench/plan/sweep.ts';

const PLANS = new URL('../../../bench/plan/PLANS.md', import.meta.url);

function planOf(yaml: string): Plan {
  const { document, locate } = readPlanText(yaml, 'p.yaml');
  return buildPlan(document, locate);
}

function phaseOf(fields: string): PhasePlan {
  return planOf(`phases: {a: {${fields}}}`).phases[0]!;
}

function mixOf(fields: string): Extract<Load, { kind: 'mix' }> {
  const { load } = phaseOf(fields);
  assert.equal(load.kind, 'mix');
  return load as Extract<Load, { kind: 'mix' }>;
}

test('a plan needs nothing but a load', () => {
  assert.deepEqual(planOf('phases: {a: {mix: {get: 1}}}'), {
    name: 'unnamed',
    description: '',
    seed: 1,
    tree: { root: '/bench', keyCount: 10_000, directories: 1, values: { kind: 'fixed', bytes: 1024 } },
    connectionCount: 50,
    outstanding: 1,
    workerCount: 1,
    sessionTimeoutMs: 30_000,
    connectTo: 'spread',
    phases: [
      {
        name: 'a',
        load: {
          kind: 'mix',
          entries: [{ op: 'get', label: 'get', weight: 1 }],
          keys: { kind: 'uniform' },
          values: { kind: 'fixed', bytes: 1024 },
          arrival: { kind: 'closed', thinkTimeMs: 0 },
        },
        warmupMs: 2_000,
        measureMs: 10_000,
        rampMs: 0,
      },
    ],
    probes: { periodMs: 20, deadlineMs: 200 },
    sloMs: null,
    check: false,
    references: [],
    sweep: [],
    search: null,
  });
});

test('phases keep the order of the file', () => {
  const { phases } = planOf('phases: {z: {mix: {get: 1}}, a: {mix: {get: 1}}, m: {mix: {get: 1}}}');
  assert.deepEqual(
    phases.map(({ name }) => name),
    ['z', 'a', 'm'],
  );
});

test('every kind of request can be part of a mix', () => {
  const { entries } = mixOf(`mix: {
    get: 1, exists: 2, getChildren: 3, set: 4, delete: 5, sync: 6,
    create: {weight: 7, mode: ttl, ttl: 3s}, seq: {op: create, mode: ephemeralSequential, weight: 8},
    multi: {weight: 9, of: createDelete, ops: [3, 7]}, checks: {op: multi, of: check, ops: 2, weight: 10},
    multiRead: 11, lists: {op: multiRead, of: getChildren, weight: 12},
    watch: 13, child-watch: {op: watch, on: children, weight: 14}, nothing: {op: get, weight: 0}}`);
  assert.deepEqual(entries, [
    { label: 'get', op: 'get', weight: 1 },
    { label: 'exists', op: 'exists', weight: 2 },
    { label: 'getChildren', op: 'getChildren', weight: 3 },
    { label: 'set', op: 'set', weight: 4 },
    { label: 'delete', op: 'delete', weight: 5 },
    { label: 'sync', op: 'sync', weight: 6 },
    { label: 'create', op: 'create', weight: 7, mode: 'ttl', ttlMs: 3_000 },
    { label: 'seq', op: 'create', weight: 8, mode: 'ephemeralSequential', ttlMs: 0 },
    { label: 'multi', op: 'multi', weight: 9, of: 'createDelete', count: { min: 3, max: 7 } },
    { label: 'checks', op: 'multi', weight: 10, of: 'check', count: { min: 2, max: 2 } },
    { label: 'multiRead', op: 'multiRead', weight: 11, of: 'get', count: { min: 5, max: 5 } },
    { label: 'lists', op: 'multiRead', weight: 12, of: 'getChildren', count: { min: 5, max: 5 } },
    { label: 'watch', op: 'watch', weight: 13, on: 'data' },
    { label: 'child-watch', op: 'watch', weight: 14, on: 'children' },
  ]);
});

test('readPercent is a mix of gets and sets', () => {
  assert.deepEqual(mixOf('readPercent: 70').entries, mixOf('mix: {get: 70, set: 30}').entries);
  assert.deepEqual(mixOf('readPercent: 70%').entries, mixOf('readPercent: 70').entries);
  assert.deepEqual(mixOf('readPercent: 0').entries, [{ op: 'set', label: 'set', weight: 100 }]);
  assert.deepEqual(mixOf('readPercent: 100').entries, [{ op: 'get', label: 'get', weight: 100 }]);
});

test('keys, values and arrivals have short and long forms', () => {
  const keys = (text: string) => mixOf(`mix: {get: 1}, keys: ${text}`).keys;
  assert.deepEqual(keys('uniform'), { kind: 'uniform' });
  assert.deepEqual(keys('{uniform: {}}'), { kind: 'uniform' });
  assert.deepEqual(keys('{uniform: }'), { kind: 'uniform' });
  assert.deepEqual(keys('sequential'), { kind: 'sequential' });
  assert.deepEqual(keys('{zipf: 0.99}'), { kind: 'zipf', exponent: 0.99 });
  const hotSet = { kind: 'hotSet', keyShare: 0.01, requestShare: 0.9 };
  assert.deepEqual(keys('{hotSet: {keys: 1%, requests: 90%}}'), hotSet);

  const values = (text: string) => mixOf(`mix: {set: 1}, values: ${text}`).values;
  assert.deepEqual(values('100'), { kind: 'fixed', bytes: 100 });
  assert.deepEqual(values('1KB'), { kind: 'fixed', bytes: 1000 });
  assert.deepEqual(values('{fixed: 1KiB}'), { kind: 'fixed', bytes: 1024 });
  assert.deepEqual(values('{uniform: [0, 162]}'), { kind: 'uniform', min: 0, max: 162 });
  assert.deepEqual(values('{weighted: {100B: 3, 4KiB: 1, 9B: 0}}'), {
    kind: 'weighted',
    choices: [
      { bytes: 100, weight: 3 },
      { bytes: 4096, weight: 1 },
    ],
  });

  const arrival = (text: string) =>
    mixOf(`mix: {get: 1}, warmup: 2s, measure: 10s, arrival: ${text}`).arrival;
  assert.deepEqual(arrival('closed'), { kind: 'closed', thinkTimeMs: 0 });
  assert.deepEqual(arrival('{thinkTime: 5ms}'), { kind: 'closed', thinkTimeMs: 5 });
  assert.deepEqual(arrival('{rate: 20000}'), {
    kind: 'open',
    gaps: 'constant',
    late: 'backlog',
    steps: [{ ratePerSecond: 20_000, forMs: 12_000 }],
  });
  assert.deepEqual(
    arrival('{gaps: poisson, late: drop, steps: [{rate: 1, for: 4s}, {rate: 2, for: 5s}, {rate: 3}]}'),
    {
      kind: 'open',
      gaps: 'poisson',
      late: 'drop',
      steps: [
        { ratePerSecond: 1, forMs: 4_000 },
        { ratePerSecond: 2, forMs: 5_000 },
        { ratePerSecond: 3, forMs: 3_000 },
      ],
    },
  );
});

test('values of a mix are those of the tree unless it says otherwise', () => {
  const plan = planOf('tree: {values: 100B}\nphases: {a: {mix: {set: 1}}, b: {mix: {set: 1}, values: 5B}}');
  assert.deepEqual(
    plan.phases.map(({ load }) => load.kind === 'mix' && load.values),
    [
      { kind: 'fixed', bytes: 100 },
      { kind: 'fixed', bytes: 5 },
    ],
  );
});

test('recipes go by their name or with options', () => {
  const recipe = (text: string) => phaseOf(`recipe: ${text}`).load;
  assert.deepEqual(recipe('sessionStorm'), { kind: 'sessionStorm', abrupt: false });
  assert.deepEqual(recipe('{sessionStorm: {abrupt: true}}'), { kind: 'sessionStorm', abrupt: true });
  assert.deepEqual(recipe('watchFanout'), { kind: 'watchFanout', znodes: 1, writesPerSecond: 100 });
  assert.deepEqual(recipe('{lock: {locks: 4, hold: 5ms}}'), { kind: 'lock', locks: 4, holdMs: 5 });
  assert.deepEqual(recipe('library'), { kind: 'library', recipe: 'lock', objects: 1, holdMs: 0 });
  assert.deepEqual(recipe('{library: {recipe: queue, objects: 3}}'), {
    kind: 'library',
    recipe: 'queue',
    objects: 3,
    holdMs: 0,
  });
  assert.deepEqual(recipe('doubleBarrier'), { kind: 'doubleBarrier', barriers: 200 });
  assert.deepEqual(recipe('{createThenDelete: {values: 5B}}'), {
    kind: 'createThenDelete',
    values: { kind: 'fixed', bytes: 5 },
  });
});

test('a search and references name the only phase by themselves', () => {
  const plan = planOf(`phases: {a: {mix: {get: 1}}}
search: {p99: 5ms, from: 100}
references: [{label: L, source: S, value: 5}]`);
  assert.deepEqual(plan.search, { phase: 'a', p99MsMax: 5, from: 100, to: 1_000_000, replicates: 3 });
  const reference = { label: 'L', source: 'S', phase: 'a', metric: 'throughput', value: 5, at: null };
  assert.deepEqual(plan.references, [reference]);
});

test('axes of a sweep are lists or ranges', () => {
  const values = (text: string) => planOf(`phases: {a: {readPercent: 5}}\nsweep: {${text}}`).sweep[0]!.values;
  assert.deepEqual(values('connections: [1, 8, 64]'), [1, 8, 64]);
  assert.deepEqual(values('tree.values: [100B, 1KiB]'), ['100B', '1KiB']);
  assert.deepEqual(values('phases.a.readPercent: {from: 0, to: 100, step: 30}'), [0, 30, 60, 90, 100]);
  assert.deepEqual(values('phases.a.readPercent: {from: 0.1, to: 0.4, step: 0.1}'), [0.1, 0.2, 0.3, 0.4]);
  assert.deepEqual(values('connections: {from: 1, to: 100, factor: 4}'), [1, 4, 16, 64, 100]);
  assert.deepEqual(values('connections: {from: 1, to: 5, factor: 1.5}'), [1, 2, 3, 5]);
  assert.deepEqual(planOf('phases: {a: {readPercent: 5}}\nsweep:').sweep, []);
  assert.deepEqual(planOf('phases: {a: {readPercent: 5}}\nsearch:').search, null);
});

test('a sweep has every combination, the first axis slowest, and each point is a plan without it', () => {
  const axes = [
    { path: 'connections', values: [1, 2] },
    { path: 'phases.a.arrival.rate', values: [10, 20] },
  ];
  const points = [...sweepPoints(axes)];
  assert.deepEqual(points, [
    [1, 10],
    [1, 20],
    [2, 10],
    [2, 20],
  ]);
  const document = { phases: { a: { mix: { get: 1 }, arrival: 'closed' } }, sweep: { seed: [1, 2] } };
  const plan = buildPlan(documentAt(document, axes, points[3]!), 'p.yaml');
  assert.equal(plan.connectionCount, 2);
  assert.deepEqual(plan.sweep, []);
  const { load } = plan.phases[0]!;
  assert.deepEqual(load.kind === 'mix' && load.arrival.kind === 'open' && load.arrival.steps[0], {
    ratePerSecond: 20,
    forMs: 12_000,
  });
});

test('values are put at dotted paths, in copies', () => {
  const document = {
    phases: { b: { mix: { get: 1 } }, a: { arrival: { steps: [{ rate: 1 }, { rate: 2 }] } } },
  };
  const before = structuredClone(document);
  const changed = withValueAt(document, 'phases.b.mix.get', 5) as typeof document;
  assert.deepEqual(changed.phases.b, { mix: { get: 5 } });
  assert.deepEqual(Object.keys(changed.phases), ['b', 'a']);
  assert.deepEqual(withValueAt(document, 'phases.a.arrival.steps.1.rate', 9), {
    phases: { ...document.phases, a: { arrival: { steps: [{ rate: 1 }, { rate: 9 }] } } },
  });
  assert.deepEqual(withValueAt({ phases: { a: { keys: 'uniform' } } }, 'phases.a.keys.zipf', 1), {
    phases: { a: { keys: { zipf: 1 } } },
  });
  assert.deepEqual(withValueAt({}, 'tree.znodes', 5), { tree: { znodes: 5 } });
  assert.deepEqual(withValueAt({}, 'sweep.phases.a.readPercent', [5]), {
    sweep: { 'phases.a.readPercent': [5] },
  });
  assert.deepEqual(document, before);
  assert.throws(() => withValueAt(document, 'phases.c.measure', '5s'), {
    message: 'phases.c.measure: no phase "c" - did you mean "b"? allowed: b, a',
  });
  assert.throws(() => withValueAt(document, 'phases.a.arrival.steps.2.rate', 9), {
    message: 'phases.a.arrival.steps.2.rate: "2" - allowed: an item from 0 to 1',
  });
  const polluted = withValueAt({}, '__proto__.polluted', true);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.throws(() => buildPlan(polluted, 'p.yaml'), { name: 'ConfigFailure' });
});

test('quantities are read with their units, and never guessed', () => {
  const times = ['200ms', '1.5s', '2m', '1h', '0', 0, '0.5ms'];
  assert.deepEqual(times.map(parseDuration), [200, 1_500, 120_000, 3_600_000, 0, 0, 0.5]);
  const sizes = [100, '100', '100B', '1KB', '1 KiB', '0.5KiB', '1MB', '1mib'];
  assert.deepEqual(sizes.map(parseSize), [100, 100, 100, 1_000, 1_024, 512, 1_000_000, 1_048_576]);
  assert.deepEqual(['0%', '12.5%', '100%'].map(parseShare), [0, 0.125, 1]);
  for (const wrong of [10, '10', '10 S', '-1s', '1s2ms', 's', '', null, true, [1], '1e3s']) {
    assert.equal(parseDuration(wrong), null, String(wrong));
  }
  for (const wrong of [-1, 1.5, '1.5B', '1GB', '0.3KiB', Number.NaN, null]) {
    assert.equal(parseSize(wrong), null, String(wrong));
  }
  for (const wrong of [0.5, '0.5', '101%', '-1%', '%']) assert.equal(parseShare(wrong), null, String(wrong));
  assert.deepEqual([0, 1, 1_500, 2_000, 60_000, 86_400_000].map(formatDuration), [
    '0',
    '1ms',
    '1500ms',
    '2s',
    '1m',
    '24h',
  ]);
  assert.deepEqual([0, 162, 1_000, 1_024, 1_000_000].map(formatSize), ['0B', '162B', '1KB', '1KiB', '1MB']);
});

test('the table of keys in the README is up to date', () => {
  const readme = readFileSync(PLANS, 'utf8');
  assert.equal(withPlanReference(readme), readme, 'run node bench/plan/main.ts --write bench/plan/PLANS.md');
  assert.throws(() => withPlanReference('# nothing'), { name: 'ConfigFailure' });
});

test('the examples of the README are plans', () => {
  const readme = readFileSync(PLANS, 'utf8');
  const examples = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);
  assert.equal(examples.length, 3);
  for (const example of examples) planOf(example);
});

/** What the command line changes in a plan, and how wrong flags are told. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { test } from 'node:test';
import yargs from 'yargs';
import { notesOn } from '../../../bench/command/notes.ts';
import { type PlanFlags, planFromFlags, withPlanFlags } from '../../../bench/command/plan-flags.ts';
import type { Arrival, Plan } from '../../../bench/plan/plan.ts';
import { buildPlan } from '../../../bench/plan/schema.ts';
import { parseTargetSpec } from '../../../bench/target/target-spec.ts';
import { repeatCommand } from '../../../bench/terminal/repeat-command.ts';

async function planOf(preset: string, ...args: string[]): Promise<Plan> {
  const flags = (await withPlanFlags(yargs(args)).parseAsync()) as PlanFlags;
  return planFromFlags(preset, flags).plan;
}

function arrivals(plan: Plan): (Arrival | null)[] {
  return plan.phases.map(({ load }) => (load.kind === 'mix' ? load.arrival : null));
}

test('flags change the plan', async () => {
  const args = [
    '--seconds',
    '5',
    '--warmup',
    '500ms',
    '--connections=8',
    '--outstanding',
    '1',
    '--workers',
    '2',
  ];
  const plan = await planOf('standalone-quick', ...args, '--seed', '9', '--check');
  assert.deepEqual(
    plan.phases.map(({ warmupMs, measureMs }) => [warmupMs, measureMs]),
    [
      [500, 5_000],
      [500, 5_000],
      [500, 5_000],
    ],
  );
  assert.deepEqual(
    [plan.connectionCount, plan.outstanding, plan.workerCount, plan.seed, plan.check],
    [8, 1, 2, 9, true],
  );
});

test('a flag given twice counts with its last value', async () => {
  assert.equal((await planOf('standalone-quick', '--seed', '1', '--seed', '7')).seed, 7);
});

test('--phase leaves out the others and their references', async () => {
  const names = (plan: Plan) => plan.phases.map(({ name }) => name);
  assert.deepEqual(names(await planOf('standalone-quick', '--phase', 'mixed', '--phase', 'read')), [
    'read',
    'mixed',
  ]);
  const plan = await planOf('atc10-table1', '--phase', 'writes');
  assert.deepEqual(names(plan), ['writes']);
  assert.deepEqual(new Set(plan.references.map(({ phase }) => phase)), new Set(['writes']));
});

test('--rate opens the loop of every mix, and keeps what a phase says about gaps and late requests', async () => {
  const open = (gaps: 'constant' | 'poisson'): Arrival => ({
    kind: 'open',
    gaps,
    late: 'backlog',
    steps: [{ ratePerSecond: 500, forMs: 25_000 }],
  });
  assert.deepEqual(arrivals(await planOf('ycsb-b', '--rate', '500')), [open('constant'), open('poisson')]);
  assert.deepEqual(arrivals(await planOf('lock-contention', '--rate', '500')), [null, null]);
});

test('--set puts any value at a dotted path, after all other flags', async () => {
  const args = ['--seconds', '5', '--set', 'phases.read.measure=7s', '--set', 'tree.values=100B'];
  const plan = await planOf('standalone-quick', ...args, '--set', 'phases.mixed.mix={get: 1, exists: 2}');
  assert.deepEqual(
    plan.phases.map(({ measureMs }) => measureMs),
    [7_000, 5_000, 5_000],
  );
  assert.deepEqual(plan.tree.values, { kind: 'fixed', bytes: 100 });
  const { load } = plan.phases[2]!;
  assert.deepEqual(load.kind === 'mix' && load.entries.map(({ label, weight }) => [label, weight]), [
    ['get', 1],
    ['exists', 2],
  ]);
});

test('--set changes the values of a sweep, or ends it', async () => {
  const path = 'phases.mixed.readPercent';
  const changed = await planOf('atc10-fig5', '--set', `sweep.${path}=[0, 100]`);
  assert.deepEqual(changed.sweep, [{ path, values: [0, 100] }]);
  const single = await planOf('atc10-table2', '--connections', '5', '--set', 'sweep={}');
  assert.deepEqual([single.connectionCount, single.sweep, single.references], [5, [], []]);
});

const WRONG: readonly (readonly [preset: string, args: readonly string[], message: string])[] = [
  [
    'standalone-quick',
    ['--connections', 'x'],
    '--connections: connections: "x" - allowed: a whole number from 1 to 20000',
  ],
  [
    'standalone-quick',
    ['--connections', '[1'],
    '--connections: connections: "[1" is not valid YAML: Flow sequence must end with a ]',
  ],
  [
    'standalone-quick',
    ['--seconds', 'x'],
    '--seconds: phases.read.measure: "x" - allowed: a time with its unit (ms, s, m, h) from 10ms to 24h, e.g. 10s (and 2 more)',
  ],
  [
    'standalone-quick',
    ['--rate', '0'],
    '--rate: phases.read.arrival.rate: 0 - allowed: a number from 1 to 50000000 (and 2 more)',
  ],
  [
    'standalone-quick',
    ['--phase', 'raed'],
    '--phase: "raed" - did you mean "read"? allowed: read, write, mixed',
  ],
  ['standalone-quick', ['--set', 'seed'], '--set seed: allowed: KEY=VALUE, e.g. phases.read.measure=5s'],
  [
    'standalone-quick',
    ['--set', 'phases.raed.measure=5s'],
    '--set: phases.raed.measure: no phase "raed" - did you mean "read"? allowed: read, write, mixed',
  ],
  [
    'standalone-quick',
    ['--set', 'phases.read.keys.zipf=0'],
    '--set: phases.read.keys.zipf: 0 - allowed: a number from 0.01 to 10',
  ],
  [
    'standalone-quick',
    ['--set', 'phases.read.keys=zpif'],
    '--set: phases.read.keys: "zpif" - did you mean "zipf"? allowed: uniform, sequential, {zipf: 0.99} or {hotSet: {keys: 1%, requests: 90%}}',
  ],
  [
    'standalone-quick',
    ['--workers', '51'],
    '--workers: workers: 51 - allowed: at most one per connection (50)',
  ],
  [
    'atc10-table2',
    ['--connections', '5'],
    '--connections: the plan sweeps connections - allowed: --set sweep.connections=[...] for other values, --set sweep={} for none',
  ],
  ['nothing', [], ''],
];

for (const [preset, args, message] of WRONG) {
  test(`${preset} ${args.join(' ')} is refused`, async () => {
    const expected = message === '' ? /^no preset "nothing" - presets: atc10-fig5, / : message;
    await assert.rejects(planOf(preset, ...args), { name: 'ConfigFailure', message: expected });
  });
}

test('the command that repeats a run names no place of this machine', () => {
  assert.equal(repeatCommand(['bench', 'run', 'prod-mix']), 'npx ringkeeper bench run prod-mix');
  const places = ['--out', '/x', '--temp-dir=/y', '--json', '--tempDir', '/z'];
  assert.equal(
    repeatCommand(['bench', 'run', 'mine.yaml', ...places, '--target', 'apache']),
    'npx ringkeeper bench run mine.yaml --target apache',
  );
  assert.equal(
    repeatCommand([
      'bench',
      'run',
      './mine.yaml',
      '--set',
      'sweep.connections=[1, 8]',
      '--server-arg',
      "it's",
    ]),
    `npx ringkeeper bench run ./mine.yaml --set 'sweep.connections=[1, 8]' --server-arg 'it'\\''s'`,
  );
  assert.equal(
    repeatCommand(['bench', 'run', 'x', '--set=seed=1']),
    'npx ringkeeper bench run x --set=seed=1',
  );
});

test('it runs as printed: a file is named by the way to it', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ringkeeper-repeat-'));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [args, place] of [
    [['run'], ''],
    [['compare', 'a', 'b', '--plan'], ''],
    [['compare', 'a', 'b'], '--plan='],
    [['replay'], ''],
  ] as const) {
    const file = join(dir, 'mine.yaml');
    writeFileSync(file, '');
    const words = repeatCommand(['bench', ...args, place + file]).split(' ');
    const named = words.at(-1)!.slice(place.length);
    assert.ok(!isAbsolute(named), named);
    assert.equal(resolve(named), file);
  }
  const set = ['bench', 'run', 'x', '--set', 'tree.root=/bench/a'];
  assert.equal(repeatCommand(set), `npx ringkeeper ${set.join(' ')}`);
});

test('what a plan says of itself goes on with the flags that change it', async () => {
  assert.doesNotMatch((await planOf('standalone-quick')).description, /Changed/);
  const args = ['--connections', '8', '--set', 'tree.values=100B', '--phase', 'read'];
  assert.match(
    (await planOf('standalone-quick', ...args)).description,
    /100 outstanding\. Changed here: --phase read, --connections 8, --set tree\.values=100B$/,
  );
});

test('what a running service must be set to is said before the run', () => {
  const plan = buildPlan({ phases: { a: { mix: { create: { weight: 1, mode: 'ttl' } } } } }, 'p.yaml');
  const line = 'phase a creates znodes with a TTL: the service must run with extendedTypesEnabled=true';
  assert.deepEqual(notesOn(plan, parseTargetSpec('127.0.0.1:2181')), [line]);
  assert.deepEqual(notesOn(plan, parseTargetSpec('embedded')), []);
});

/** The plan's gate, and the command line that leads to a plan. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions, repeatCommand } from '../../bench/options.ts';
import { checkScenario, plannedMs, type Scenario } from '../../bench/plan.ts';
import { standaloneQuick } from '../../bench/scenarios/standalone-quick.ts';
import { ConfigFailure } from '../../src/base/failure.ts';

const phase = standaloneQuick.phases[0]!;

function refused(change: Partial<Scenario>, message: RegExp): void {
  assert.throws(
    () => checkScenario({ ...standaloneQuick, ...change }),
    (error) => error instanceof ConfigFailure && message.test(error.message),
  );
}

test('the scenario of npm start is valid and takes less than a minute', () => {
  checkScenario(standaloneQuick);
  assert.ok(plannedMs(standaloneQuick) <= 45_000);
});

test('every wrong value is refused by field, value and what is allowed', () => {
  refused({ connectionCount: 0 }, /connectionCount: 0 - allowed: whole numbers from 1/);
  refused({ outstanding: 1.5 }, /outstanding: 1.5/);
  refused({ connectionCount: 2, workerCount: 3 }, /workerCount: 3 - at most one worker per connection/);
  refused({ phases: [] }, /phases: empty/);
  refused({ tree: { ...standaloneQuick.tree, root: '/' } }, /tree.root: "\/"/);
  refused({ tree: { ...standaloneQuick.tree, root: '/a//b' } }, /tree.root/);
  refused({ tree: { ...standaloneQuick.tree, valueBytes: 2_000_000 } }, /tree.valueBytes: 2000000/);
  refused({ tree: { ...standaloneQuick.tree, keys: { kind: 'zipf', exponent: 0 } } }, /exponent: 0/);
  refused({ phases: [{ ...phase, mix: {} }] }, /phases.read.mix/);
  refused({ phases: [{ ...phase, mix: { get: -1, set: 2 } }] }, /phases.read.mix/);
  const unknown = { ...phase, mix: { put: 1 } } as unknown as Scenario['phases'][number];
  refused({ phases: [unknown] }, /unknown operation "put" - allowed: get, exists, set/);
  refused({ phases: [{ ...phase, measureMs: Number.NaN }] }, /measureMs: NaN/);
  const arrival = { kind: 'poisson', ratePerSecond: 0, late: 'drop' } as const;
  refused({ phases: [{ ...phase, arrival }] }, /ratePerSecond: 0/);
  refused({ probes: { periodMs: 0, deadlineMs: 200 } }, /probes.periodMs: 0/);
});

test('flags change the scenario', async () => {
  const args = [
    '--target',
    'null',
    '--phase',
    'mixed',
    '--seconds',
    '2',
    '--rate',
    '500',
    '--poisson',
    '--zipf',
    '0.9',
  ];
  const { scenario, target } = await parseOptions([...args, '--connections', '8', '--outstanding', '1']);
  assert.equal(target, 'null');
  assert.deepEqual(
    scenario.phases.map(({ name, measureMs }) => [name, measureMs]),
    [['mixed', 2000]],
  );
  assert.deepEqual(scenario.phases[0]!.arrival, { kind: 'poisson', ratePerSecond: 500, late: 'backlog' });
  assert.deepEqual(scenario.tree.keys, { kind: 'zipf', exponent: 0.9 });
  assert.deepEqual([scenario.connectionCount, scenario.outstanding], [8, 1]);
});

test('flags that make no sense are refused', async () => {
  const wrong = [
    ['--bogus'],
    ['--pairs', '3'],
    ['--vs', 'null'],
    ['--poisson'],
    ['--seconds', 'x'],
    ['--phase', 'x'],
  ];
  for (const args of wrong) await assert.rejects(parseOptions(args), ConfigFailure, args.join(' '));
});

test('the command to repeat a run names no place of this machine', () => {
  assert.equal(repeatCommand([]), 'npm start');
  const args = ['--target', 'apache', '--out', '/x', '--temp-dir=/y', '--server-arg', 'a b'];
  assert.equal(repeatCommand(args), "npm start -- --target apache --server-arg 'a b'");
});

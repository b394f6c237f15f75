/** Every kind of request and every recipe against a real server, with the history checked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText } from '../../../bench/base/address.ts';
import type { RunResult } from '../../../bench/result/run-json.ts';
import { withSession } from '../../../bench/session/session.ts';
import { startTestTarget } from '../support/test-target.ts';
import { labelsOf, planOf, runTiny, tempDir } from './support.ts';

/** Closed loops fill both cores for as long as they run: thousands of requests. */
const times = { warmup: '50ms', measure: '200ms' };
/** Paced, hence cheap: long enough for the rarest kind of request. */
const openTimes = { warmup: '50ms', measure: '500ms' };

const everything = {
  get: 20,
  exists: 5,
  list: { op: 'getChildren', weight: 5 },
  set: 20,
  plain: { op: 'create', mode: 'persistent', weight: 5 },
  ephemeral: { op: 'create', mode: 'ephemeral', weight: 5 },
  sequential: { op: 'create', mode: 'persistentSequential', weight: 3 },
  'ephemeral-sequential': { op: 'create', mode: 'ephemeralSequential', weight: 3 },
  ttl: { op: 'create', mode: 'ttl', ttl: '1m', weight: 2 },
  container: { op: 'create', mode: 'container', weight: 2 },
  delete: 20,
  multi: { of: 'set', ops: [2, 4], weight: 5 },
  checks: { op: 'multi', of: 'check', ops: [1, 3], weight: 3 },
  'create-delete': { op: 'multi', of: 'createDelete', ops: [2, 4], weight: 3 },
  multiRead: { of: 'get', ops: [1, 3], weight: 3 },
  'list-many': { op: 'multiRead', of: 'getChildren', ops: [1, 2], weight: 2 },
  sync: 3,
  watch: { on: 'data', weight: 5 },
  'watch-exists': { op: 'watch', on: 'exists', weight: 3 },
  'watch-children': { op: 'watch', on: 'children', weight: 3 },
};

function assertClean({ phases }: RunResult): void {
  for (const phase of phases) {
    assert.deepEqual(phase.errors, {}, phase.plan.name);
    assert.deepEqual([phase.lost, phase.unanswered, phase.disorder], [0, 0, 0], phase.plan.name);
  }
}

test('every operation, checked, in both loops; the tree keeps its size', async () => {
  const parts = { tree: { root: '/bench/all', znodes: 40, directories: 3, values: { uniform: [8, 90] } } };
  const plan = planOf(
    {
      closed: { mix: everything, ...times },
      open: { mix: everything, arrival: { rate: 2000 }, ...openTimes },
    },
    { ...parts, check: true, workers: 2, connections: 4 },
  );
  const outcome = await runTiny(plan, 'embedded');
  assertClean(outcome!.run);
  const labels = Object.keys(everything);
  const events = ['watch event', 'watch-exists event', 'watch-children event'];
  for (const phase of outcome!.run.phases) {
    assert.deepEqual(labelsOf(outcome!)[phase.plan.name], [...labels, 'fresh read', ...events]);
    assert.ok(phase.check!.passed, JSON.stringify(phase.check));
    assert.ok(phase.check!.operations > 100 && phase.check!.keys > 0 && !phase.check!.truncated);
    // Creates are taken away again; probes come and go.
    assert.equal(phase.treeSize.after, phase.treeSize.before);
  }
});

test('a server that forgets writes is caught by the check', async () => {
  const plan = planOf({ mixed: { mix: { get: 5, set: 5, sync: 1 }, ...times } }, { check: true });
  const outcome = await runTiny(plan, 'null');
  const { check } = outcome!.run.phases[0]!;
  assert.ok(!check!.passed);
  const broken = check!.rules.filter(({ violations }) => violations > 0).map(({ rule }) => rule);
  assert.ok(
    broken.includes('linearizable writes and sync + reads') || broken.includes('values read were written'),
    String(broken),
  );
});

test('recipes run to their end without an error, each with its steps', async () => {
  const plan = planOf(
    {
      storm: { recipe: { sessionStorm: {} }, ...times },
      abrupt: { recipe: { sessionStorm: { abrupt: true } }, ...times },
      fanout: { recipe: { watchFanout: { znodes: 3, writes: 100 } }, ...times },
      lock: { recipe: { lock: { locks: 2 } }, ...times },
      held: { recipe: { lock: { locks: 1, hold: '5ms' } }, ...times },
      barrier: { recipe: { doubleBarrier: { barriers: 5 } }, warmup: '0ms', measure: '20s' },
      'create-then-delete': { recipe: { createThenDelete: { values: '1KB' } }, ...times },
    },
    { workers: 2, connections: 6 },
  );
  const outcome = await runTiny(plan, 'embedded');
  assertClean(outcome!.run);
  const labels = labelsOf(outcome!);
  assert.deepEqual(labels['storm'], ['get', 'open session', 'close session']);
  assert.deepEqual(labels['abrupt'], ['get', 'open session']);
  assert.deepEqual(labels['fanout'], ['set', 'watch', 'event', 'write to event']);
  assert.deepEqual(labels['lock'], ['round', 'acquire', 'release', 'hand over']);
  assert.ok(labels['held']!.includes('acquire'));
  assert.deepEqual(labels['create-then-delete'], ['create', 'delete']);
  const barrier = outcome!.run.phases.find(({ plan: phase }) => phase.name === 'barrier')!;
  assert.equal(barrier.ops.find(({ label }) => label === 'all')!.latency.count, 6, 'every client is through');
  assert.equal(barrier.ops.find(({ label }) => label === 'leave')!.latency.count, 6 * 5);
  assert.ok(barrier.measuredMs < 20_000, 'it ends when the work is done');
});

test('recipes of the library run as users run them, each with its steps', async () => {
  const steps = {
    lock: ['acquire', 'release'],
    election: ['lead', 'resign'],
    barrier: ['enter', 'leave'],
    queue: ['put', 'take'],
    discovery: ['register', 'find', 'unregister'],
  };
  const phases = Object.fromEntries(
    Object.keys(steps).map((recipe) => [
      recipe,
      {
        recipe: { library: { recipe, objects: 2, hold: recipe === 'lock' ? '2ms' : '0ms' } },
        warmup: '100ms',
        measure: '300ms',
      },
    ]),
  );
  const outcome = await runTiny(planOf(phases, { workers: 2, connections: 6 }), 'embedded');
  assertClean(outcome!.run);
  const labels = labelsOf(outcome!);
  for (const [recipe, names] of Object.entries(steps)) {
    assert.deepEqual(labels[recipe], ['round', ...names]);
    const { ops, requests } = outcome!.run.phases.find(({ plan: phase }) => phase.name === recipe)!;
    const counts = ops.map(({ latency }) => latency.count);
    assert.ok(requests > 0 && counts.every((count) => count > 0), `${recipe}: ${counts}`);
  }
});

test('a service that was running already keeps nothing of the run, and a root that exists is refused', async () => {
  const target = await startTestTarget('embedded:extendedTypesEnabled=true', tempDir, {
    extendedTypes: true,
  });
  try {
    const address = target.addresses[0]!;
    const phases = { mixed: { mix: everything, ...times } };
    const outcome = await runTiny(planOf(phases), addressText(address));
    assertClean(outcome!.run);
    await withSession(address, 5_000, async (session) => {
      const { names } = await session.ask((zk) => zk.children('/'));
      assert.deepEqual(names, ['zookeeper'], 'the parent of the root is gone too');
      assert.equal(await session.create('/bench', Buffer.alloc(0)), null);
    });
    const occupied = planOf(phases, { tree: { root: '/bench', znodes: 5, values: '8B' } });
    await assert.rejects(runTiny(occupied, addressText(address)), {
      message: '/bench exists on the target - delete it, or choose another parent with --set tree.root=/...',
    });
  } finally {
    await target.stop();
  }
});

/** Fresh servers are warmed with the phase's own load, and nothing of it gets into the phase. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText } from '../../../bench/base/address.ts';
import { startTestTarget } from '../support/test-target.ts';
import { planOf, runTiny, silent, tempDir } from './support.ts';

const times = { warmup: '0ms', measure: '200ms' };
const skip = process.platform === 'linux' ? false : "a server's CPU is read from /proc";

test('within its bound the server becomes warm, or the result says that it did not; and it says how it goes on', {
  skip,
}, async () => {
  const plan = planOf({ read: { mix: { get: 1 }, ...times } }, { connections: 2, outstanding: 2 });
  const stages: string[] = [];
  const progress = { ...silent, stage: (what: string) => stages.push(what) };
  const outcome = await runTiny(plan, 'embedded', { warmUpMsMax: 8_000, progress });
  const { warming, findings } = outcome!.run.phases[0]!;
  assert.ok(warming!.cpuMicrosPerOp.length > 0 && warming!.cpuMicrosPerOp.every((cost) => cost > 0));
  assert.equal(
    findings.some(({ rule }) => rule === 'warm'),
    warming!.level === false,
  );
  assert.ok(warming!.durationMs < 20_000);
  assert.ok(stages.includes('read: warming until CPU per request is level, at most 8 s'), stages.join('; '));
  // Eight slices of half a second are the least that is level: it has gone on for longer than it keeps silent.
  const going = stages.filter((stage) => /^read: warming, \d+ s, [\d.]+ us of CPU per request$/.test(stage));
  assert.ok(going.length > 0, stages.join('; '));
});

test('a bound too short to tell: the phase is measured all the same', { skip }, async () => {
  const everything = {
    get: 10,
    set: 10,
    create: { mode: 'persistent', weight: 5 },
    delete: 5,
    'create-delete': { op: 'multi', of: 'createDelete', ops: [2, 2], weight: 2 },
    sync: 2,
    watch: { on: 'data', weight: 5 },
    'watch-children': { op: 'watch', on: 'children', weight: 2 },
  };
  const phases = {
    checked: { mix: everything, ...times },
    fanout: { recipe: { watchFanout: { znodes: 3, writes: 100 } }, ...times },
    lock: { recipe: { lock: { locks: 2 } }, ...times },
  };
  const plan = planOf(phases, {
    connections: 4,
    check: true,
    tree: { root: '/bench/warm', znodes: 20, values: '40B' },
  });
  const outcome = await runTiny(plan, 'embedded', { warmUpMsMax: 300 });
  for (const phase of outcome!.run.phases) {
    const {
      plan: { name },
      warming,
      findings,
      check,
      treeSize,
    } = phase;
    assert.equal(warming!.level, null, name);
    assert.ok(!findings.some(({ rule }) => rule === 'warm'), name);
    assert.deepEqual([phase.lost, phase.unanswered, phase.disorder, phase.errors], [0, 0, 0, {}], name);
    assert.ok(check === null || check.passed, JSON.stringify(check));
    assert.equal(treeSize.after, treeSize.before, name);
  }
});

test('a service that runs already is not warmed: its CPU cannot be seen', async () => {
  const target = await startTestTarget('null', tempDir);
  try {
    const plan = planOf({ read: { mix: { get: 1 }, ...times } });
    const outcome = await runTiny(plan, addressText(target.addresses[0]!), { warmUpMsMax: 20_000 });
    assert.equal(outcome!.run.phases[0]!.warming, null);
  } finally {
    await target.stop();
  }
});

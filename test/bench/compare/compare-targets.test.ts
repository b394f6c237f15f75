/** Whole comparisons on made-up machines: order, verdicts, and what is left when they end early. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ComparedRun,
  type CompareOptions,
  compareTargets,
  pairOrder,
  tooFewPairs,
} from '../../../bench/compare/compare-targets.ts';
import type { Measure } from '../../../bench/compare/measure.ts';
import type { Plan } from '../../../bench/plan/plan.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { noisyMachine, scripted } from './support/noisy-machine.ts';
import { openPhase, PLAN } from './support/sample-run.ts';

const OPTIONS: CompareOptions = { a: 'old', b: 'new', pairs: 8, command: 'bench compare old new' };

async function compare(measure: Measure, options: Partial<CompareOptions> = {}, plan: Plan = PLAN) {
  const runs: ComparedRun[] = [];
  const outcome = await compareTargets(plan, { ...OPTIONS, ...options }, measure, (run) => {
    runs.push(run);
  });
  return { ...outcome, runs };
}

async function verdictOf(measure: Measure, options: Partial<CompareOptions> = {}): Promise<string> {
  const { comparison } = await compare(measure, options);
  assert.equal(comparison?.complete, true);
  return comparison.phases[0]!.verdict;
}

test('pairs alternate which side goes first', () => {
  assert.equal(pairOrder(4).flat().join(''), 'abbaabba');
  assert.deepEqual(pairOrder(0), []);
});

test('the floor comes first, A against itself; then the pairs; every run has its directory', async () => {
  const started: string[] = [];
  const measure = noisyMachine({ seed: 1, noise: 0.01 });
  const { comparison, runs } = await compare(
    async (side, plan) => {
      started.push(side);
      return measure(side, plan);
    },
    { pairs: 3, floorPairs: 2 },
  );
  assert.deepEqual(started, ['old', 'old', 'old', 'old', 'old', 'new', 'new', 'old', 'old', 'new']);
  assert.deepEqual(
    runs.map(({ side, pair, dir }) => `${side} ${pair} ${dir}`),
    [
      'floor 1 runs/01-floor',
      'floor 1 runs/02-floor',
      'floor 2 runs/03-floor',
      'floor 2 runs/04-floor',
      'a 1 runs/05-a',
      'b 1 runs/06-b',
      'b 2 runs/07-b',
      'a 2 runs/08-a',
      'a 3 runs/09-a',
      'b 3 runs/10-b',
    ],
  );
  assert.deepEqual(
    comparison!.runs.map(({ dir }) => dir),
    runs.map(({ dir }) => dir),
  );
  assert.equal(comparison!.phases[0]!.noiseFloor!.throughput!.pairs, 2);
  assert.equal(comparison!.phases[0]!.figures.throughput!.pairs, 3);
  assert.deepEqual([comparison!.a.name, comparison!.b.name], ['old', 'new']);
  assert.equal(comparison!.command, 'bench compare old new');
  assert.equal(comparison!.startedAt, '2026-11-20T10:00:00.000Z');
  assert.equal(comparison!.environment.commit, 'abcdef0123456789');
  assert.equal(comparison!.plan, PLAN);
});

test('four floor pairs by default; none when none are asked for', async () => {
  const machine = { seed: 1, noise: 0.01 };
  assert.equal((await compare(noisyMachine(machine))).runs.length, 2 * (4 + 8));
  const { comparison, runs } = await compare(noisyMachine(machine), { floorPairs: 0 });
  assert.equal(runs.length, 16);
  assert.equal(comparison!.phases[0]!.noiseFloor, null);
});

test('all four verdicts are reached', async () => {
  const quiet = { seed: 3, noise: 0.008 };
  assert.equal(await verdictOf(noisyMachine({ ...quiet, speeds: { new: 1.15 } })), 'faster');
  assert.equal(await verdictOf(noisyMachine({ ...quiet, speeds: { new: 0.85 } })), 'slower');
  assert.equal(await verdictOf(noisyMachine(quiet)), 'cannot tell');
  assert.equal(await verdictOf(noisyMachine({ seed: 3, noise: 0.2 })), 'unstable');
});

test('swapped sides swap the verdict', async () => {
  for (const [speed, straight, swapped] of [
    [1.15, 'faster', 'slower'],
    [0.85, 'slower', 'faster'],
  ] as const) {
    const machine = () => noisyMachine({ seed: 5, noise: 0.008, speeds: { new: speed } });
    assert.equal(await verdictOf(machine()), straight);
    assert.equal(await verdictOf(machine(), { a: 'new', b: 'old' }), swapped);
  }
});

test('equal sides are told apart in few series, also on a machine that gets slower', async () => {
  for (const drift of [0, 0.01]) {
    let told = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const verdict = await verdictOf(noisyMachine({ seed, noise: 0.015, drift }), { pairs: 8 });
      if (verdict === 'faster' || verdict === 'slower') told++;
    }
    assert.ok(told <= 2, `${told} of 40 with a drift of ${drift}`);
  }
});

test('an effect of twice the noise is found in most series', async () => {
  let found = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const machine = noisyMachine({ seed, noise: 0.02, speeds: { new: 1.08 } });
    if ((await verdictOf(machine, { pairs: 12 })) === 'faster') found++;
  }
  assert.ok(found >= 15, `${found} of 20`);
});

test('the same seed gives the same comparison', async () => {
  const machine = { seed: 9, noise: 0.05 };
  const [one, two] = [await compare(noisyMachine(machine)), await compare(noisyMachine(machine))];
  assert.deepEqual(one.comparison, two.comparison);
});

test('an abort in the middle leaves the whole pairs, marked', async () => {
  const { comparison, failure, runs } = await compare(
    scripted({}, {}, { throughput: 100 }, { throughput: 200 }, { throughput: 200 }, null),
    { floorPairs: 1 },
  );
  assert.equal(failure, null);
  assert.equal(comparison!.complete, false);
  assert.equal(runs.length, 5);
  assert.equal(comparison!.runs.length, 5);
  assert.equal(comparison!.phases[0]!.figures.throughput!.pairs, 1);
  assert.equal(comparison!.phases[0]!.figures.throughput!.ratio, 2);
});

test('a run that was cut short is saved and ends the series, but is no part of the figures', async () => {
  const { comparison, runs } = await compare(
    scripted({}, { throughput: 20_000 }, { throughput: 1, complete: false }, {}),
    { floorPairs: 0 },
  );
  assert.equal(runs.length, 3);
  assert.deepEqual(
    comparison!.runs.map(({ verdict }) => verdict),
    ['sound', 'sound', 'void'],
  );
  assert.equal(comparison!.complete, false);
  assert.deepEqual(comparison!.phases[0]!.figures.throughput!.each, [2]);
});

test('an abort before side B ran leaves a comparison without phases', async () => {
  const { comparison } = await compare(scripted({}, null), { floorPairs: 1 });
  assert.equal(comparison!.complete, false);
  assert.deepEqual(comparison!.phases, []);
  assert.deepEqual(comparison!.b, { name: 'new', description: 'not started', failure: null });
});

test('a failure is handed over beside what was measured before it', async () => {
  const { comparison, failure } = await compare(scripted({}, {}, {}, new Error('port taken')), {
    floorPairs: 0,
  });
  assert.equal(failure?.message, 'port taken');
  assert.equal(comparison!.complete, false);
  assert.equal(comparison!.phases[0]!.figures.throughput!.pairs, 1);
  assert.deepEqual(await compareTargets(PLAN, OPTIONS, scripted(new Error('no java')), () => {}), {
    comparison: null,
    failure: new Error('no java'),
  });
});

test('a run that cannot be saved ends the series and is told', async () => {
  const { comparison, failure } = await compareTargets(
    PLAN,
    OPTIONS,
    scripted({}, {}, {}),
    async ({ number }) => {
      if (number === 2) throw new Error('disk full');
    },
  );
  assert.equal(failure?.message, 'disk full');
  assert.equal(comparison!.complete, false);
});

test('nothing measured, no comparison', async () => {
  assert.deepEqual((await compare(scripted(null))).comparison, null);
});

test('runs that are void stay in the figures and are marked; a dead server names its side', async () => {
  const { comparison } = await compare(
    scripted({}, { valid: false, throughput: 5_000 }, { throughput: 5_000, failure: 'exit code 1' }, {}),
    { pairs: 2, floorPairs: 0 },
  );
  assert.equal(comparison!.complete, true);
  assert.deepEqual(
    comparison!.runs.map(({ verdict }) => verdict),
    ['sound', 'void', 'void', 'sound'],
  );
  assert.deepEqual(comparison!.phases[0]!.figures.throughput!.each, [0.5, 0.5]);
  assert.equal(comparison!.a.failure, null);
  assert.equal(comparison!.b.failure, 'exit code 1');
});

test('ends early when every deciding interval is narrow, not before 8 pairs, not inside a block', async () => {
  const quiet = { seed: 3, noise: 0.004 };
  const pairsMade = async (noise: number, stopWhen?: number, plan = PLAN): Promise<number> => {
    const options = { pairs: 20, floorPairs: 0, ...(stopWhen === undefined ? {} : { stopWhen }) };
    const { comparison } = await compare(noisyMachine({ ...quiet, noise }), options, plan);
    assert.equal(comparison!.complete, true);
    return comparison!.phases[0]!.figures.throughput!.pairs;
  };
  assert.equal(await pairsMade(0.004, 0.05), 8);
  assert.equal(await pairsMade(0.004), 20);
  assert.equal(await pairsMade(0.2, 0.001), 20);
  // Narrow enough after 13 pairs already, but the block has one more.
  assert.equal(await pairsMade(0.03, 0.025), 14);
  // A second phase without a figure to decide by keeps the series going.
  const measure = noisyMachine(quiet);
  const plan = { ...PLAN, phases: [...PLAN.phases, openPhase('paced', 10)] };
  const { comparison } = await compare(
    async (side, asked) => {
      const run = await measure(side, asked);
      return run === null
        ? null
        : { ...run, phases: run.phases.map((p) => (p.plan.name === 'paced' ? { ...p, latency: null } : p)) };
    },
    { pairs: 12, floorPairs: 0, stopWhen: 0.05 },
    plan,
  );
  assert.equal(comparison!.phases[0]!.figures.throughput!.pairs, 12);
});

test('counts and shares out of range are named', async () => {
  for (const [options, message] of [
    [{ pairs: 0 }, /pairs = 0; allowed: whole numbers from 1 to 1000/],
    [{ pairs: 2.5 }, /pairs = 2\.5/],
    [{ floorPairs: -1 }, /floor pairs = -1; allowed: whole numbers from 0/],
    [{ minEffect: 5 }, /smallest effect = 5; allowed: above 0, up to 1/],
    [{ stopWhen: 0 }, /half width to stop at = 0/],
  ] as const) {
    await assert.rejects(compare(scripted({}), options), (error) => {
      assert.ok(error instanceof ConfigFailure);
      assert.match(error.message, message);
      return true;
    });
  }
});

test('too few pairs are told before they are made, with how many would do', () => {
  assert.deepEqual(tooFewPairs(6, 0), []);
  assert.deepEqual(tooFewPairs(2, 4), [], 'by rank against the floor');
  assert.match(tooFewPairs(3, 0)[0]!, /^3 pairs can never show .* be "cannot tell"; .* \(--pairs 6\)$/);
  assert.match(
    tooFewPairs(1, 4)[0]!,
    /^1 pair can never show .* "cannot tell" or "unstable"; .* \(--pairs 2\)$/,
  );
  assert.match(tooFewPairs(8, 1).join(), /^one A\/A pair has no interval.* \(--floor-pairs 2\), or none$/);
});

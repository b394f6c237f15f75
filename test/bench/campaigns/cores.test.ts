/** The comparison of threading modes without servers: which modes, which pairs, which conclusion. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compareModes,
  DEFAULT_SIDE,
  type ModeComparison,
} from '../../../bench/campaigns/cores/compare-modes.ts';
import { concludeModes } from '../../../bench/campaigns/cores/conclusion.ts';
import { renderCoresSummary } from '../../../bench/campaigns/cores/cores-text.ts';
import {
  generatorThreads,
  modesFor,
  parseModes,
  plansFor,
  targetOf,
} from '../../../bench/campaigns/cores/modes.ts';
import { captureMachine } from '../../../bench/measure/environment.ts';
import type { Plan } from '../../../bench/plan/plan.ts';
import type { RunResult } from '../../../bench/result/run-json.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { sampleRun } from '../compare/support/sample-run.ts';

const TIMES = { warmupMs: 100, measureMs: 200 };

test('modes, io threads and generator threads follow the number of cores', () => {
  assert.deepEqual(modesFor(2), ['shared', 'pipeline', 'dedicated:1', 'dedicated:2']);
  assert.deepEqual(modesFor(8), ['shared', 'pipeline', 'dedicated:1', 'dedicated:2', 'dedicated:4']);
  assert.deepEqual(modesFor(16).at(-1), 'dedicated:8');
  assert.deepEqual([2, 4, 8, 16, 64].map(generatorThreads), [1, 1, 2, 4, 4]);
  assert.deepEqual(
    plansFor(8, TIMES).map(({ name, workerCount, phases }) => [name, workerCount, phases.length]),
    [
      ['pipelined', 2, 3],
      ['single', 2, 2],
    ],
  );
});

test('a mode by name becomes the settings of a server; anything else is refused with what is allowed', () => {
  assert.deepEqual(parseModes('shared, dedicated:2'), ['shared', 'dedicated:2']);
  assert.equal(targetOf('pipeline'), 'embedded:ringkeeper.threadingMode=pipeline');
  assert.equal(targetOf('dedicated:2'), 'embedded:ringkeeper.threadingMode=dedicated,ringkeeper.ioThreads=2');
  for (const wrong of ['dedicated', 'dedicated:0', 'fast', '']) {
    assert.throws(
      () => parseModes(wrong),
      (error) => error instanceof ConfigFailure && /--modes/.test(error.message),
    );
  }
});

interface Series {
  readonly order: string[];
  readonly comparisons: readonly ModeComparison[];
}

/** `rate` of each side and plan; noise is none. */
async function compared(rate: (side: string, plan: string) => number, pairs = 6): Promise<Series> {
  const order: string[] = [];
  const measure = (side: string, plan: Plan): Promise<RunResult> => {
    order.push(`${plan.name} ${side}`);
    return Promise.resolve(sampleRun(side, plan, { throughput: rate(side, plan.name) }));
  };
  const { comparisons, failure } = await compareModes(
    {
      modes: ['pipeline', 'dedicated:1'],
      plans: plansFor(2, TIMES),
      pairs,
      floorPairs: 1,
      command: 'a test',
      abort: new AbortController().signal,
    },
    measure,
    () => {},
  );
  assert.equal(failure, null);
  return { order, comparisons };
}

test('one noise floor per load, then each mode against the default in alternating pairs', async () => {
  const { order, comparisons } = await compared(() => 1000, 2);
  const a = `pipelined ${DEFAULT_SIDE}`;
  assert.deepEqual(order.slice(0, 10), [
    ...[a, a],
    ...[a, 'pipelined pipeline', 'pipelined pipeline', a],
    ...[a, 'pipelined dedicated:1', 'pipelined dedicated:1', a],
  ]);
  assert.deepEqual(
    comparisons.map(({ mode, plan, pairs, floorPairs }) => [plan, mode, pairs, floorPairs]),
    [
      ['pipelined', 'pipeline', 2, 1],
      ['pipelined', 'dedicated:1', 2, 1],
      ['single', 'pipeline', 2, 1],
      ['single', 'dedicated:1', 2, 1],
    ],
  );
});

test('a mode that is faster somewhere and slower nowhere is supported', async () => {
  const { comparisons } = await compared((side, plan) =>
    side === 'pipeline' && plan === 'pipelined' ? 2000 : 1000,
  );
  const conclusion = concludeModes('shared', comparisons);
  assert.deepEqual([conclusion.supported, conclusion.changes], ['pipeline', true]);
  assert.match(
    conclusion.lines[0]!,
    /^pipeline: faster in pipelined reads, pipelined writes, pipelined mixed;/,
  );
});

test('a mode that is slower anywhere leaves the default where it is', async () => {
  const { comparisons } = await compared((side, plan) => {
    if (side !== 'pipeline') return 1000;
    return plan === 'pipelined' ? 2000 : 800;
  });
  const conclusion = concludeModes('shared', comparisons);
  assert.deepEqual([conclusion.supported, conclusion.changes], ['shared', false]);
  assert.match(conclusion.lines[0]!, /slower in single reads, single writes/);
});

test('too few pairs conclude nothing, and say so', async () => {
  const { comparisons } = await compared((side) => (side === 'pipeline' ? 2000 : 1000), 1);
  const conclusion = concludeModes('shared', comparisons);
  assert.equal(conclusion.supported, 'shared');
  assert.ok(conclusion.lines.some((line) => /1 pair cannot show any difference/.test(line)));
  const summary = renderCoresSummary({
    ...{
      schema: 'test',
      schemaVersion: 1,
      startedAt: '2026-11-20T08:00:00.000Z',
      command: 'a test',
      complete: true,
    },
    ...{ environment: captureMachine(null), defaultMode: 'shared', comparisons, conclusion },
  });
  assert.match(summary, /\| pipeline \| pipelined reads \| \*\*(cannot tell|unstable)\*\* \|/);
});

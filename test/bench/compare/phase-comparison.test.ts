/** From pairs of runs to figures, medians and verdict per phase. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePhases, decidingFigure, type RunPair } from '../../../bench/compare/phase-comparison.ts';
import type { PhasePlan, Plan } from '../../../bench/plan/plan.ts';
import { CLOSED, openPhase, PLAN, type SampleFigures, sampleRun } from './support/sample-run.ts';

const TWO: Plan = { ...PLAN, phases: [CLOSED, openPhase('paced', 1_000)] };

function pairsOf(figures: readonly (readonly [SampleFigures, SampleFigures])[], plan = PLAN): RunPair[] {
  return figures.map(([a, b]) => ({ a: sampleRun('a', plan, a), b: sampleRun('b', plan, b) }));
}

test('every figure has its ratio B / A and the medians of both sides', () => {
  const pairs = pairsOf([
    [
      { throughput: 100, cpuMicros: 10, p50Ms: 1 },
      { throughput: 200, cpuMicros: 5, p50Ms: 0.5 },
    ],
    [
      { throughput: 110, cpuMicros: 10, p50Ms: 1 },
      { throughput: 220, cpuMicros: 5, p50Ms: 0.5 },
    ],
    [
      { throughput: 120, cpuMicros: 10, p50Ms: 1 },
      { throughput: 240, cpuMicros: 5, p50Ms: 0.5 },
    ],
  ]);
  const [phase] = comparePhases(pairs, [], 0.05);
  const ratios = Object.entries(phase!.figures).map(([figure, { ratio }]) => [
    figure,
    Number(ratio.toFixed(6)),
  ]);
  assert.deepEqual(Object.fromEntries(ratios), {
    throughput: 2,
    serverCpuPerOp: 0.5,
    p50: 0.5,
    p99: 0.5,
    p999: 0.5,
    latencyMean: 0.5,
  });
  assert.deepEqual(phase!.medians.throughput, { a: 110, b: 220, unit: '/s' });
  assert.deepEqual(phase!.medians.serverCpuPerOp, { a: 10, b: 5, unit: 'us' });
  assert.deepEqual(phase!.medians.p99, { a: 4, b: 2, unit: 'ms' });
  assert.equal(phase!.noiseFloor, null);
});

test('a figure that one run lacks is left out, the others stay', () => {
  const pairs = pairsOf([
    [{}, {}],
    [{}, { cpuMicros: null }],
  ]);
  const [phase] = comparePhases(pairs, [], 0.05);
  assert.equal(phase!.figures.serverCpuPerOp, undefined);
  assert.equal(phase!.medians.serverCpuPerOp, undefined);
  assert.equal(phase!.figures.throughput?.pairs, 2);
  assert.equal(phase!.figures.p50?.pairs, 2);
});

test('a side that answered nothing makes no ratio, but its median is shown', () => {
  const pairs = pairsOf(Array.from({ length: 8 }, () => [{}, { throughput: 0, p50Ms: null }] as const));
  const [phase] = comparePhases(pairs, [], 0.05);
  assert.equal(phase!.verdict, 'cannot tell');
  assert.deepEqual(
    phase!.figures,
    phase!.figures.serverCpuPerOp ? { serverCpuPerOp: phase!.figures.serverCpuPerOp } : {},
  );
  assert.deepEqual(phase!.medians.throughput, { a: 10_000, b: 0, unit: '/s' });
});

test('a phase that a run did not reach has no figures', () => {
  const pairs = pairsOf([[{}, { without: ['paced'] }]], TWO);
  const [read, paced] = comparePhases(pairs, [], 0.05);
  assert.equal(read!.figures.throughput?.ratio, 1);
  assert.deepEqual([paced!.phase, paced!.figures, paced!.verdict], ['paced', {}, 'cannot tell']);
});

test('a closed loop is decided by throughput, an open one by p50', () => {
  // B answers as much, twice as fast.
  const pairs = pairsOf(
    Array.from({ length: 8 }, (_, at) => [{ p50Ms: 1 }, { p50Ms: 0.5 + at / 1000 }] as const),
    TWO,
  );
  const [read, paced] = comparePhases(pairs, [], 0.05);
  assert.deepEqual([read!.decidedBy, read!.verdict], ['throughput', 'cannot tell']);
  assert.deepEqual([paced!.decidedBy, paced!.verdict], ['p50', 'faster']);
});

test('recipes take what they can get, except writes at a rate', () => {
  const recipe = (load: PhasePlan['load']): PhasePlan => ({ ...CLOSED, load });
  assert.equal(decidingFigure(recipe({ kind: 'sessionStorm', abrupt: false })), 'throughput');
  assert.equal(decidingFigure(recipe({ kind: 'watchFanout', znodes: 1, writesPerSecond: 10 })), 'p50');
});

test('the floor is stored with the same figures, and decides with them', () => {
  const floor = pairsOf([
    [{ throughput: 100 }, { throughput: 125 }],
    [{ throughput: 100 }, { throughput: 80 }],
  ]);
  const pairs = pairsOf(Array.from({ length: 8 }, (_, at) => [{}, { throughput: 11_000 + at }] as const));
  const [phase] = comparePhases(pairs, floor, 0.05);
  assert.equal(phase!.noiseFloor?.throughput?.high, 1.25);
  assert.equal(phase!.verdict, 'unstable');
  assert.equal(comparePhases(pairs, [], 0.05)[0]!.verdict, 'faster');
  assert.equal(comparePhases(pairs, [], 0.2)[0]!.verdict, 'cannot tell');
});

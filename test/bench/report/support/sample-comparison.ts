/** A comparison as the engine would save it: 4 pairs and two A/A runs; B is faster in one phase and noise in another. */
import {
  COMPARE_SCHEMA,
  COMPARE_SCHEMA_VERSION,
  type ComparedFigure,
  type Comparison,
  type PhaseComparison,
  type RatioEstimate,
} from '../../../../bench/result/compare-json.ts';
import type { RunResult } from '../../../../bench/result/run-json.ts';
import { SAMPLE_ENVIRONMENT, SAMPLE_PLAN, sampleRun } from './sample-run.ts';

export interface SampleComparison {
  readonly comparison: Comparison;
  /** In the order of `comparison.runs`. */
  readonly runs: readonly RunResult[];
}

const SIDES = ['a', 'b', 'b', 'a', 'a', 'b', 'b', 'a', 'floor', 'floor'] as const;
const UNITS: Readonly<Record<ComparedFigure, string>> = {
  throughput: '/s',
  serverCpuPerOp: 'us',
  p50: 'ms',
  p99: 'ms',
  p999: 'ms',
  latencyMean: 'ms',
};

export function sampleComparison(complete = true): SampleComparison {
  const runs = SIDES.map((side, index) =>
    sampleRun({
      seed: 20 + index,
      outage: null,
      speed: side === 'b' ? 0.55 : 1,
      targetName: side === 'b' ? 'apache' : 'embedded',
      startedAt: new Date(Date.UTC(2026, 10, 20, 8, index * 2)).toISOString(),
    }),
  );
  const [a, b] = [runs[0]!.target, runs[1]!.target];
  const comparison: Comparison = {
    schema: COMPARE_SCHEMA,
    schemaVersion: COMPARE_SCHEMA_VERSION,
    startedAt: '2026-11-20T08:00:00.000Z',
    command: 'ringkeeper bench compare embedded apache --plan sample-mix --pairs 4',
    complete,
    a,
    b,
    plan: SAMPLE_PLAN,
    environment: SAMPLE_ENVIRONMENT,
    runs: SIDES.map((side, index) => ({
      side,
      pair: index >> 1,
      dir: `runs/${String(index + 1).padStart(2, '0')}-${side}`,
      verdict: index === 3 ? 'unsteady' : 'sound',
    })),
    phases: [samplePhase(runs, 'mixed', 'cannot tell'), samplePhase(runs, 'read', 'slower')],
  };
  return { comparison, runs };
}

function samplePhase(
  runs: readonly RunResult[],
  phase: string,
  verdict: PhaseComparison['verdict'],
): PhaseComparison {
  const slower = verdict === 'slower';
  const figures: Partial<Record<ComparedFigure, RatioEstimate>> = {
    throughput: slower
      ? estimate([0.54, 0.56, 0.55, 0.57], 0.53, 0.58)
      : estimate([1, 0.999, 1.001, 1], 0.998, 1.002),
    serverCpuPerOp: slower
      ? estimate([1.78, 1.84, 1.8, 1.83], 1.75, 1.88)
      : estimate([1.62, 1.7, 1.66, 1.68], 1.6, 1.72),
    p50: slower
      ? estimate([1.8, 1.79, 1.82, 1.81], 1.77, 1.84)
      : estimate([1.04, 0.97, 1.02, 0.99], 0.96, 1.05),
    p99: slower ? estimate([1.83, 1.8, 1.7, 1.81], 1.68, 1.86) : estimate([1.2, 0.95, 1.1, 1.02], 0.93, 1.24),
    p999: slower ? estimate([1.9, 1.7, 1.8, 1.75], 1.6, 1.95) : estimate([1.3, 0.9, 1.2, 1], 0.88, 1.35),
    latencyMean: slower
      ? estimate([1.82, 1.8, 1.79, 1.81], 1.77, 1.84)
      : estimate([1.05, 0.98, 1.02, 1], 0.97, 1.06),
  };
  return {
    phase,
    verdict,
    decidedBy: phase === 'mixed' ? 'p50' : 'throughput',
    figures,
    medians: Object.fromEntries(
      (Object.keys(figures) as ComparedFigure[]).map((figure) => {
        const a = figureOf(runs[0]!, phase, figure);
        return [figure, { a, b: a * figures[figure]!.ratio, unit: UNITS[figure] }];
      }),
    ),
    noiseFloor: {
      throughput: estimate([0.99], 0.985, 1.012),
      serverCpuPerOp: estimate([1.01], 0.98, 1.03),
      p50: estimate([1.01], 0.98, 1.03),
      p99: estimate([1.02], 0.93, 1.08),
    },
  };
}

function estimate(each: readonly number[], low: number, high: number): RatioEstimate {
  const sorted = [...each].sort((x, y) => x - y);
  return { ratio: sorted[sorted.length >> 1]!, low, high, p: 2 / 2 ** each.length, pairs: each.length, each };
}

function figureOf(run: RunResult, name: string, figure: ComparedFigure): number {
  const phase = run.phases.find(({ plan }) => plan.name === name)!;
  if (figure === 'throughput') return phase.throughputPerSecond;
  if (figure === 'serverCpuPerOp') return phase.server!.cpuMicrosPerOp!;
  const { p50Ms, p99Ms, p999Ms, meanMs } = phase.latency!;
  return { p50: p50Ms, p99: p99Ms, p999: p999Ms, latencyMean: meanMs }[figure];
}

/**
 * From pairs of runs to one comparison per phase: the ratio of each figure, its noise floor, the verdict. Pure, so that
 * saved runs can be compared again.
 *
 * The verdict hangs on one figure: throughput where the load takes what it can get (closed loop), p50 where the load is
 * given (open loop), because there throughput only repeats the rate.
 */
import { median } from 'simple-statistics';
import type { PhasePlan } from '../plan/plan.ts';
import type { ComparedFigure, PhaseComparison, RatioEstimate } from '../result/compare-json.ts';
import { COMPARED_FIGURES } from '../result/compare-json.ts';
import type { PhaseResult, RunResult } from '../result/run-json.ts';
import { decide } from '../stats/decide.ts';
import { estimateRatio, type FigurePair } from '../stats/ratio.ts';

export interface RunPair {
  readonly a: RunResult;
  readonly b: RunResult;
}

interface Figure {
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly of: (phase: PhaseResult) => number | null;
}

const FIGURES: Readonly<Record<ComparedFigure, Figure>> = {
  throughput: { unit: '/s', better: 'higher', of: (phase) => phase.throughputPerSecond },
  serverCpuPerOp: { unit: 'us', better: 'lower', of: (phase) => phase.server?.cpuMicrosPerOp ?? null },
  p50: { unit: 'ms', better: 'lower', of: (phase) => phase.latency?.p50Ms ?? null },
  p99: { unit: 'ms', better: 'lower', of: (phase) => phase.latency?.p99Ms ?? null },
  p999: { unit: 'ms', better: 'lower', of: (phase) => phase.latency?.p999Ms ?? null },
  latencyMean: { unit: 'ms', better: 'lower', of: (phase) => phase.latency?.meanMs ?? null },
};

export function betterWhen(figure: ComparedFigure): 'higher' | 'lower' {
  return FIGURES[figure].better;
}

export function decidingFigure({ load }: PhasePlan): ComparedFigure {
  const open = load.kind === 'mix' ? load.arrival.kind === 'open' : load.kind === 'watchFanout';
  return open ? 'p50' : 'throughput';
}

/**
 * In the order of the plan; none without pairs. A figure that any of the pairs lacks is left out.
 * @param floorPairs Pairs of A against A. @param minEffect The smallest effect asked for, as a share.
 */
export function comparePhases(
  pairs: readonly RunPair[],
  floorPairs: readonly RunPair[],
  minEffect: number,
): PhaseComparison[] {
  const plans = pairs[0]?.a.plan.phases ?? [];
  return plans.map((plan) => {
    const figures = ratiosOf(pairs, plan.name);
    const noiseFloor = floorPairs.length === 0 ? null : ratiosOf(floorPairs, plan.name);
    const decidedBy = decidingFigure(plan);
    return {
      phase: plan.name,
      verdict: decide(figures[decidedBy] ?? null, noiseFloor?.[decidedBy] ?? null, {
        better: betterWhen(decidedBy),
        minEffect,
      }),
      decidedBy,
      figures,
      medians: mediansOf(pairs, plan.name),
      noiseFloor,
    };
  });
}

function ratiosOf(pairs: readonly RunPair[], phase: string): Partial<Record<ComparedFigure, RatioEstimate>> {
  const ratios: Partial<Record<ComparedFigure, RatioEstimate>> = {};
  for (const name of COMPARED_FIGURES) {
    const estimate = estimateRatio(figurePairs(pairs, phase, name));
    if (estimate !== null) ratios[name] = estimate;
  }
  return ratios;
}

/** Of the sides that have the figure in every run, whether or not there is a ratio. */
function mediansOf(pairs: readonly RunPair[], phase: string): PhaseComparison['medians'] {
  const medians: Partial<Record<ComparedFigure, { a: number; b: number; unit: string }>> = {};
  for (const name of COMPARED_FIGURES) {
    const both = figurePairs(pairs, phase, name).flatMap(([a, b]) =>
      a === null || b === null ? [] : [{ a, b }],
    );
    if (both.length < pairs.length) continue;
    medians[name] = {
      a: median(both.map(({ a }) => a)),
      b: median(both.map(({ b }) => b)),
      unit: FIGURES[name].unit,
    };
  }
  return medians;
}

function figurePairs(pairs: readonly RunPair[], phase: string, name: ComparedFigure): FigurePair[] {
  const value = (run: RunResult): number | null => {
    const result = run.phases.find(({ plan }) => plan.name === phase);
    return result === undefined ? null : FIGURES[name].of(result);
  };
  return pairs.map(({ a, b }) => [value(a), value(b)]);
}

/**
 * What "better" means, as one number per run that is above 0 and grows with it.
 *
 *     throughput                    successful replies per second
 *     goodput at p99 <= 5ms         those within 5 ms; where p99 is above that, 0.99 of all x 5 ms / p99: goodput itself falls
 *                                   off a cliff there, and the search has to see which way the bound lies
 *     p50 | p99 | p999 | mean       1 / latency
 *     cpu                           1 / CPU time of the server per request
 *
 * Of several phases it is the geometric mean: one that doubles weighs as much as another that halves.
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import type { Plan } from '../plan/plan.ts';
import { parseDuration } from '../plan/quantity.ts';
import type { LatencySummary, PhaseResult, RunResult } from '../result/run-json.ts';
import type { ScoreUnit } from '../result/tune-json.ts';
import type { Score } from './tuner.ts';

export interface Objective {
  /** As it was asked for, in one spelling. */
  readonly text: string;
  /** The plan with what the objective counts. */
  planned(plan: Plan): Plan;
  score(run: RunResult): Score;
  readonly unit: ScoreUnit;
}

const LATENCIES = { p50: 'p50Ms', p90: 'p90Ms', p99: 'p99Ms', p999: 'p999Ms', mean: 'meanMs' } as const;
type Latency = keyof typeof LATENCIES;

/** Of the throughput: the goodput of a run whose p99 lies on the bound. */
const JUST_KEPT = 0.99;

const FORMS = 'throughput; goodput at p99 <= 5ms (or p50, p90, p999); p50, p99, p999, mean; cpu';

/** @throws ConfigFailure */
export function parseObjective(text: string): Objective {
  const words = text.trim().replaceAll(/\s+/g, ' ');
  const bounded = /^goodput at (p50|p90|p99|p999) ?<= ?(.+)$/.exec(words);
  if (bounded !== null) return goodput(text, bounded[1] as Latency, bounded[2]!);
  if (words === 'throughput') {
    return objective(words, '/s', ({ throughputPerSecond }) => throughputPerSecond);
  }
  if (words === 'cpu') {
    return objective(words, 'us', ({ server }) => 1 / (server?.cpuMicrosPerOp ?? Number.NaN));
  }
  if (words !== 'p90' && words in LATENCIES) {
    const field = LATENCIES[words as Latency];
    return objective(words, 'ms', ({ latency }) => 1 / (latency?.[field] ?? Number.NaN));
  }
  throw new ConfigFailure(`--objective: "${text}" - allowed: ${FORMS}`);
}

function goodput(text: string, percentile: Latency, bound: string): Objective {
  const boundMs = parseDuration(bound);
  if (boundMs === null || boundMs <= 0) {
    throw new ConfigFailure(`--objective: "${text}" - allowed: a duration as the bound, e.g. 5ms`);
  }
  const field: keyof LatencySummary = LATENCIES[percentile];
  const at = ({ latency }: PhaseResult): number => latency?.[field] ?? Number.NaN;
  return {
    ...objective(
      `goodput at ${percentile} <= ${boundMs} ms`,
      '/s',
      (phase) =>
        at(phase) <= boundMs
          ? (phase.goodputPerSecond ?? Number.NaN)
          : (phase.throughputPerSecond * JUST_KEPT * boundMs) / at(phase),
      (phase) => at(phase) <= boundMs,
    ),
    planned: (plan) => ({ ...plan, sloMs: boundMs }),
  };
}

function objective(
  text: string,
  unit: ScoreUnit,
  figureOf: (phase: PhaseResult) => number,
  keeps: (phase: PhaseResult) => boolean = () => true,
): Objective {
  return {
    text,
    unit,
    planned: (plan) => plan,
    score: ({ phases, plan, target }) => {
      if (target.failure !== null || phases.length < plan.phases.length) return null;
      // What is fast and breaks a guarantee is worth nothing.
      if (phases.some(({ check }) => check?.passed === false)) return null;
      const logs = phases.map((phase) => Math.log(figureOf(phase)));
      const value = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
      return Number.isFinite(value) && value > 0 ? { value, keeps: phases.every(keeps) } : null;
    },
  };
}

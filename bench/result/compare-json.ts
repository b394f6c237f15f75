/**
 * The result of a comparison (`compare.json`) and of a sweep (`sweep.json`). Single runs lie beside them under
 * `runs/<number>-<side>/run.json`. Ratios are B / A: above 1, B has more of it.
 */

import type { Plan, SweepAxis } from '../plan/plan.ts';
import type { Environment } from './environment-facts.ts';
import type { PhaseResult, TargetInfo, Verdict } from './run-json.ts';

export const COMPARE_SCHEMA = 'ringkeeper-bench-comparison';
export const COMPARE_SCHEMA_VERSION = 3;
export const SWEEP_SCHEMA = 'ringkeeper-bench-sweep';
export const SWEEP_SCHEMA_VERSION = 2;

export interface RatioEstimate {
  /** exp(median over pairs of ln(B / A)). */
  readonly ratio: number;
  /** 95 % bootstrap interval over pairs. */
  readonly low: number;
  readonly high: number;
  /** Sign-flip permutation test, two-sided; not below 2 / 2^pairs. */
  readonly p: number;
  readonly pairs: number;
  /** The ratio of each pair, in order. */
  readonly each: readonly number[];
}

/** One pair has a ratio, and nothing that says how far it moves: `low` and `high` are no interval then. */
export const INTERVAL_PAIRS_MIN = 2;

export type ComparisonVerdict = 'faster' | 'slower' | 'cannot tell' | 'unstable';

export const COMPARED_FIGURES = [
  'throughput',
  'serverCpuPerOp',
  'p50',
  'p99',
  'p999',
  'latencyMean',
] as const;
export type ComparedFigure = (typeof COMPARED_FIGURES)[number];

export interface PhaseComparison {
  readonly phase: string;
  /** Of B against A, by throughput, or by p50 when the load is open-loop. */
  readonly verdict: ComparisonVerdict;
  readonly decidedBy: ComparedFigure;
  readonly figures: Readonly<Partial<Record<ComparedFigure, RatioEstimate>>>;
  /** Medians of the single sides, for tables. */
  readonly medians: Readonly<
    Partial<Record<ComparedFigure, { readonly a: number; readonly b: number; readonly unit: string }>>
  >;
  /** The same from A/A runs: how far equal things differ here. Null when none were made. */
  readonly noiseFloor: Readonly<Partial<Record<ComparedFigure, RatioEstimate>>> | null;
}

export interface Comparison {
  readonly schema: typeof COMPARE_SCHEMA;
  readonly schemaVersion: typeof COMPARE_SCHEMA_VERSION;
  readonly startedAt: string;
  readonly command: string;
  readonly complete: boolean;
  readonly a: TargetInfo;
  readonly b: TargetInfo;
  readonly plan: Plan;
  readonly environment: Environment;
  /** Directories under this one, in the order of the runs. */
  readonly runs: readonly {
    readonly side: 'a' | 'b' | 'floor';
    readonly pair: number;
    readonly dir: string;
    readonly verdict: Verdict;
  }[];
  readonly phases: readonly PhaseComparison[];
}

export interface SweepPoint {
  /** Value per axis, in the order of `axes`. */
  readonly at: readonly (number | string)[];
  /** One or several replicates. */
  readonly runs: readonly { readonly dir: string; readonly phases: readonly PhaseResult[] }[];
}

/** The highest rate that kept the bound, by isotonic regression over all probes. */
export interface SearchOutcome {
  readonly phase: string;
  readonly p99MsMax: number;
  /** Null when even the lowest rate broke the bound. */
  readonly ratePerSecond: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** `cliff`: p99 jumps over the bound between two probes; `smooth`: it crosses it; `open`: never broken. */
  readonly edge: 'smooth' | 'cliff' | 'open' | 'none';
  readonly probes: readonly {
    readonly ratePerSecond: number;
    readonly p99Ms: number;
    readonly valid: boolean;
  }[];
}

export interface SweptService {
  /** As it was asked for: `apache:3`. */
  readonly text: string;
  readonly target: TargetInfo;
}

export interface Sweep {
  readonly schema: typeof SWEEP_SCHEMA;
  readonly schemaVersion: typeof SWEEP_SCHEMA_VERSION;
  readonly startedAt: string;
  readonly command: string;
  readonly complete: boolean;
  /** Of several services: all their names. */
  readonly target: TargetInfo;
  /** Each of several services, of which something was measured; absent for one. */
  readonly services?: readonly SweptService[];
  readonly plan: Plan;
  readonly environment: Environment;
  /** Those of several services are named `servers` (voters), `observers` and `service`. */
  readonly axes: readonly SweepAxis[];
  readonly points: readonly SweepPoint[];
  readonly search: SearchOutcome | null;
  /** Where throughput stops growing along the first axis, when that is a load axis. Null when it never does. */
  readonly knee: {
    readonly phase: string;
    readonly at: number;
    readonly throughputPerSecond: number;
    /** Values of the axes behind the first, for which it holds. */
    readonly others?: readonly (number | string)[];
  }[];
}

/**
 * The result of a search for better settings (`tune.json`). Single runs lie beside it under `runs/<number>-<what>/run.json`.
 * Ratios are of the objective's score, setting / default: above 1, the setting is better.
 */
import type { Plan } from '../plan/plan.ts';
import type { ComparisonVerdict, RatioEstimate } from './compare-json.ts';
import type { Environment } from './environment-facts.ts';
import type { TargetInfo, Verdict } from './run-json.ts';

export const TUNE_SCHEMA = 'ringkeeper-bench-tune';
export const TUNE_SCHEMA_VERSION = 1;

/** What differs from the default, as in zoo.cfg; empty for the default. */
export type TuneSettings = Readonly<Record<string, string>>;

/** Of what a score stands for: itself per second, or a time, which is 1 / score. */
export type ScoreUnit = '/s' | 'ms' | 'us';

export interface TuneCandidate {
  /** From 1, in the order in which they were made up. */
  readonly number: number;
  readonly settings: TuneSettings;
  /** `start` fills the space; the others are made of what was learnt. */
  readonly origin: 'start' | 'sum of effects' | 'neighbour' | 'simplified';
  /** Of each pair with a run of the default beside it. */
  readonly ratios: readonly number[];
  /** Of the last round in which it ran. */
  readonly round: number;
  /** A gain was ruled out, or it gave no figure. */
  readonly dropped: boolean;
}

/** Of one value of one parameter, all else equal, from all pairs of the search. */
export interface TuneEffect {
  readonly key: string;
  readonly value: string;
  readonly ratio: number;
  /** 95 %; null where there were too few pairs. */
  readonly low: number | null;
  readonly high: number | null;
  /** Pairs whose setting has it. */
  readonly pairs: number;
}

/** Fresh pairs, apart from those of the search, of which the best is always flattered. */
export interface TuneConfirmation {
  readonly estimate: RatioEstimate | null;
  readonly verdict: ComparisonVerdict;
  /** Whether the median run kept the objective's bound; true where it has none. */
  readonly defaultKeeps: boolean;
  readonly tunedKeeps: boolean;
  /** Median scores. */
  readonly defaultScore: number | null;
  readonly tunedScore: number | null;
}

/**
 * `better`: the confirmation shows it. `none`: no setting beats the default, by as much as was asked for. `bound`: the best one is better and still
 * breaks the bound. `unfinished`: interrupted before that was known, or no run gave a figure.
 */
export type TuneConclusion = 'better' | 'none' | 'bound' | 'unfinished';

export interface TuneRun {
  readonly dir: string;
  readonly settings: TuneSettings;
  /** 1, 2, ... of the search; 0 of the confirmation. */
  readonly round: number;
  /** Null where the run gave no figure. */
  readonly score: number | null;
  readonly verdict: Verdict;
}

export interface Tuning {
  readonly schema: typeof TUNE_SCHEMA;
  readonly schemaVersion: typeof TUNE_SCHEMA_VERSION;
  readonly startedAt: string;
  readonly command: string;
  readonly complete: boolean;
  /** With the settings that all runs had. */
  readonly target: TargetInfo;
  readonly plan: Plan;
  readonly environment: Environment;
  readonly objective: string;
  readonly unit: ScoreUnit;
  /** The smallest gain asked for, as a share. */
  readonly minEffect: number;
  readonly parameters: readonly { readonly key: string; readonly values: readonly string[] }[];
  readonly candidates: readonly TuneCandidate[];
  readonly effects: readonly TuneEffect[];
  /** Of the default to itself, a few runs later: how far equal things differ here. */
  readonly noise: RatioEstimate | null;
  /** What the search chose; null when nothing was better than the default in it. */
  readonly best: TuneSettings | null;
  readonly confirmation: TuneConfirmation | null;
  readonly conclusion: TuneConclusion;
  readonly runs: readonly TuneRun[];
}

/** The search (tuner.ts) on runs: starts a server of what is asked for, measures it, tells the search, again. */
import { type Measure, type NumberedRun, RunLedger } from '../compare/measure.ts';
import type { Plan } from '../plan/plan.ts';
import type { TargetInfo } from '../result/run-json.ts';
import { verdictOfRun } from '../result/run-json.ts';
import { TUNE_SCHEMA, TUNE_SCHEMA_VERSION, type TuneRun, type Tuning } from '../result/tune-json.ts';
import type { Objective } from './objective.ts';
import type { PointSettings } from './space.ts';
import { type Ask, Tuner, type TunerOptions } from './tuner.ts';

export interface TuneOptions extends TunerOptions {
  readonly objective: Objective;
  /** Name of the target with these settings, for `measure`. */
  readonly sideOf: (settings: PointSettings) => string;
  /** That repeats it. */
  readonly command: string;
  readonly onRun: (run: NumberedRun) => void;
  /** A round begins, with what is known until now. */
  readonly onRound: (round: number, tuner: Tuner) => void;
}

export interface TuneOutcome {
  /** Null when nothing was measured. */
  readonly tuning: Tuning | null;
  /** Why a run, or saving it, failed: to be reported once the rest has been saved. */
  readonly failure: Error | null;
}

export async function tuneTarget(plan: Plan, options: TuneOptions, measure: Measure): Promise<TuneOutcome> {
  const { objective } = options;
  const planned = objective.planned(plan);
  const tuner = new Tuner(options);
  const ledger = new RunLedger(measure);
  const runs: TuneRun[] = [];
  let target: TargetInfo | null = null;
  let round: number | null = null;
  for (let ask: Ask | null = tuner.ask; ask !== null; ask = tuner.ask) {
    const { settings, label } = ask;
    if (ask.round !== round) options.onRound(ask.round, tuner);
    round = ask.round;
    const run = await ledger.run(
      options.sideOf(settings),
      planned,
      ledger.dirFor(label),
      async (numbered) => {
        options.onRun(numbered);
        return numbered;
      },
    );
    if (run === null || !run.result.complete) break;
    if (Object.keys(settings).length === 0) target ??= run.result.target;
    const score = objective.score(run.result);
    const verdict = verdictOfRun(run.result);
    runs.push({ dir: run.dir, settings, round, score: score?.value ?? null, verdict });
    tuner.tell(score);
    if (ledger.stopped) break;
  }
  const { first, failure, stopped } = ledger;
  if (first === null) return { tuning: null, failure };
  const { parameters } = options;
  const tuning: Tuning = {
    ...{ schema: TUNE_SCHEMA, schemaVersion: TUNE_SCHEMA_VERSION },
    ...{ startedAt: first.startedAt, command: options.command, complete: !stopped },
    ...{ target: target ?? first.target, plan: planned, environment: first.environment },
    ...{ objective: objective.text, unit: objective.unit, minEffect: options.minEffect },
    parameters: parameters.map(({ key, values }) => ({ key, values })),
    ...{ candidates: tuner.candidates, effects: tuner.effects, noise: tuner.noise, best: tuner.best },
    ...{ confirmation: tuner.confirmation, conclusion: tuner.conclusion, runs },
  };
  return { tuning, failure };
}

/**
 * Looks for the highest rate of one phase at which p99 keeps a bound: asks the search (stats/rate-search.ts) for a
 * rate, runs the phase alone at that rate in an open loop, tells the search what came of it, again. Every probe has
 * the plan's own seed, so that probes differ by their rate and by the machine, not by their keys.
 */
import { ConfigFailure } from '../../src/base/failure.ts';
import { describedFurther, type PhasePlan, type Plan, type SearchPlan } from '../plan/plan.ts';
import type { SearchOutcome, Sweep } from '../result/compare-json.ts';
import type { RunResult } from '../result/run-json.ts';
import { RateSearch } from '../stats/rate-search.ts';
import { type Measure, type NumberedRun, RunLedger } from './measure.ts';
import { emptySweep } from './sweep.ts';

export interface SearchOptions {
  /** Name of the target, for `measure`. */
  readonly side: string;
  /** That repeats the search. */
  readonly command: string;
}

export interface ProbeRun extends NumberedRun {
  readonly ratePerSecond: number;
  /** Where nothing was answered: the measured time, which it exceeds. */
  readonly p99Ms: number;
  readonly valid: boolean;
}

export interface SearchRun {
  /** A sweep without axes that holds the outcome; null when nothing was measured. */
  readonly sweep: Sweep | null;
  /** What is known from the probes that were made. */
  readonly outcome: SearchOutcome;
  /** Why a probe, or saving it, failed: to be reported once the outcome has been saved. */
  readonly failure: Error | null;
}

/** @throws ConfigFailure for a phase that the plan lacks or that has no rate, and for a range without rates. */
export async function searchRate(
  plan: Plan,
  search: SearchPlan,
  options: SearchOptions,
  measure: Measure,
  onProbe: (run: ProbeRun) => void | Promise<void>,
): Promise<SearchRun> {
  const machine = new RateSearch(search);
  searchedPhase(plan, search);
  const ledger = new RunLedger(measure);
  for (let rate = machine.nextProbe(); rate !== null; rate = machine.nextProbe()) {
    const ratePerSecond = rate;
    const probe = await ledger.run(
      options.side,
      planAtRate(plan, search, rate),
      ledger.dirFor('probe'),
      async (numbered) => {
        const made = { ...numbered, ratePerSecond, ...judge(numbered.result, search) };
        await onProbe(made);
        return made;
      },
    );
    if (probe?.result.complete) machine.onProbe(ratePerSecond, probe.p99Ms, probe.valid);
    if (ledger.stopped) break;
  }
  const { first, failure, stopped } = ledger;
  const outcome = machine.outcome();
  const sweep =
    first === null ? null : { ...emptySweep(first, plan, options.command, !stopped), search: outcome };
  return { sweep, outcome, failure };
}

/** The plan with the searched phase alone, at this rate. A closed loop becomes a Poisson stream that keeps its backlog. */
export function planAtRate(plan: Plan, search: SearchPlan, ratePerSecond: number): Plan {
  const { load, ...phase } = searchedPhase(plan, search);
  const { arrival } = load;
  const pacing =
    arrival.kind === 'open' ? arrival : ({ kind: 'open', gaps: 'poisson', late: 'backlog' } as const);
  const steps = [{ ratePerSecond, forMs: phase.warmupMs + phase.measureMs }];
  return {
    ...describedFurther(plan, `Phase ${search.phase} alone, at ${ratePerSecond} requests/s`),
    phases: [{ ...phase, load: { ...load, arrival: { ...pacing, steps } } }],
    sweep: [],
    search: null,
  };
}

function searchedPhase(
  plan: Plan,
  search: SearchPlan,
): PhasePlan & { readonly load: Extract<PhasePlan['load'], { kind: 'mix' }> } {
  const phase = plan.phases.find(({ name }) => name === search.phase);
  if (phase === undefined) {
    const names = plan.phases.map(({ name }) => name).join(', ');
    throw new ConfigFailure(`search: no phase "${search.phase}" in plan ${plan.name}; it has ${names}`);
  }
  const { load } = phase;
  if (load.kind === 'mix') return { ...phase, load };
  throw new ConfigFailure(
    `search: phase "${search.phase}" is a ${load.kind}, which has no rate to set; choose a phase with a mix`,
  );
}

/** The rate that was not held is the commonest reason why a probe is not valid; it means overload, not a bad run. */
function judge(run: RunResult, search: SearchPlan): { p99Ms: number; valid: boolean } {
  const phase = run.phases.find(({ plan }) => plan.name === search.phase);
  const p99Ms = phase?.latency?.p99Ms ?? run.plan.phases[0]!.measureMs;
  const valid = phase?.valid === true && phase.latency !== null && run.target.failure === null;
  return { p99Ms, valid };
}

/**
 * May the figures of a phase be believed? Each rule that is broken gives a finding, with its figures in one
 * sentence; the phase is saved all the same. Two kinds: a figure is `void` when it does not mean what it says, and
 * `unsteady` when it holds with the spread beside it. Pure.
 *
 *   void
 *     complete       the phase ran to its planned end
 *     targetAlive    the server's process did not end by itself
 *     allReplies     every request was answered once, in order, without an error
 *     rateMet        open loop: what was offered was answered, and nothing was dropped
 *     lag            open loop: the generator handed requests over on time
 *     generatorBusy  the generator's threads had time to spare
 *     ceiling        the generator alone reaches three times this load; where each connection waits for its reply:
 *                    at most a third of the round trip is the generator's
 *     littlesLaw     requests in flight = throughput x (mean latency + think time)
 *     leaderKilled   where the plan kills the leader, one was killed. What it costs is no finding: requests that were
 *                    lost with it, and a rate that was not met meanwhile
 *     check          a history that was to be checked is not empty
 *   unsteady
 *     warm           the server's CPU per request was level when the phase began
 *     steadyState    throughput stood still over the measured time
 *     treeSize       the load did not change how much the server holds
 */
import type { PhasePlan, Plan } from '../plan/plan.ts';
import { type Finding, type PhaseResult, UNSTEADY_RULES } from '../result/run-json.ts';

export const LAG_P99_MS_MAX = 5;
/** Of the generator's ceiling to the load. */
export const CEILING_RATIO_MIN = 3;
const GENERATOR_BUSY_MAX = 0.9;
const LITTLE_TOLERANCE = 0.05;
const RATE_TOLERANCE = 0.02;
const TREE_TOLERANCE = 0.01;
const PRESSURE_WORTH_SAYING = 0.05;
const OTHERS_WORTH_SAYING = 0.1;
/** Of the count of a Poisson process: beyond this many standard deviations it is no chance. */
const POISSON_SIGMAS = 3;

/** What the rules look at: figures of the phase's result, and what only the run knows. */
export interface PhaseFacts
  extends Pick<
    PhaseResult,
    | 'measuredMs'
    | 'throughputPerSecond'
    | 'latency'
    | 'errors'
    | 'lost'
    | 'unanswered'
    | 'waited'
    | 'disorder'
    | 'dropped'
    | 'scheduleLag'
    | 'steady'
    | 'warming'
    | 'cpuPressure'
    | 'othersCores'
    | 'treeSize'
    | 'check'
    | 'leaderKill'
  > {
  /** False when the phase was cut short. */
  readonly complete: boolean;
  /** Why the server's process ended by itself; null when it did not. */
  readonly targetFailure: string | null;
  /** CPU time per wall time of one generator thread, on average. */
  readonly generatorBusy: number;
  /** Null when the ceiling run was switched off, or cannot be made for such a load. */
  readonly ceilingPerSecond: number | null;
}

type Rule = (facts: PhaseFacts, phase: PhasePlan, plan: Plan) => readonly string[];

const RULES: Readonly<Record<string, Rule>> = {
  complete: ({ complete }) => (complete ? [] : ['the phase was cut short']),
  targetAlive: ({ targetFailure }) =>
    targetFailure === null ? [] : [`the server is gone: ${targetFailure}`],
  allReplies,
  rateMet,
  lag,
  generatorBusy,
  ceiling,
  littlesLaw,
  leaderKilled: ({ leaderKill }) =>
    leaderKill === null ? ['the leader was not killed: no server led at that time'] : [],
  check: ({ check }) => (check?.operations === 0 ? ['the history to be checked is empty'] : []),
  warm,
  steadyState,
  treeSize,
};

/** What stands between the phase's figures and belief, rule by rule in the order above. */
export function findFindings(facts: PhaseFacts, phase: PhasePlan, plan: Plan): Finding[] {
  return Object.entries(RULES).flatMap(([rule, check]) =>
    check(facts, phase, plan).map((text) => ({
      rule,
      kind: UNSTEADY_RULES.has(rule) ? ('unsteady' as const) : ('void' as const),
      text,
    })),
  );
}

function allReplies(facts: PhaseFacts): string[] {
  const found: string[] = [];
  if (facts.latency === null) found.push('no request was answered');
  const errors = Object.entries(facts.errors);
  if (errors.length > 0) {
    found.push(
      `requests were answered with errors: ${errors.map(([name, count]) => `${count} ${name}`).join(', ')}`,
    );
  }
  if (facts.lost > 0 && !facts.leaderKill)
    found.push(`${facts.lost} requests lost their connection; their outcome is unknown`);
  if (facts.unanswered > 0) {
    const waited =
      facts.waited === null
        ? ''
        : `; they count as long as they waited, up to ${(facts.waited.longestMs / 1000).toFixed(1)} s`;
    found.push(`${facts.unanswered} requests were never answered${waited}`);
  }
  if (facts.disorder > 0) found.push(`${facts.disorder} times replies came out of order`);
  return found;
}

function rateMet(facts: PhaseFacts, phase: PhasePlan): string[] {
  const offered = offeredPerSecond(facts, phase);
  if (offered === null || facts.leaderKill) return [];
  const found: string[] = [];
  if (facts.dropped > 0)
    found.push(`${facts.dropped} requests were dropped, because they were due while the window was full`);
  if (facts.throughputPerSecond < offered.perSecond * (1 - offered.tolerance)) {
    found.push(
      `${rounded(facts.throughputPerSecond)}/s were answered of ${rounded(offered.perSecond)}/s offered`,
    );
  }
  return found;
}

/** Null when the load has no rate of its own. */
function offeredPerSecond(
  facts: PhaseFacts,
  phase: PhasePlan,
): { readonly perSecond: number; readonly tolerance: number } | null {
  if (phase.load.kind !== 'mix' || phase.load.arrival.kind !== 'open') return null;
  const { arrival } = phase.load;
  const startMs = facts.steady.cutMs;
  const count = offeredBetween(arrival.steps, startMs, startMs + facts.measuredMs);
  if (facts.measuredMs <= 0 || count === 0) return null;
  const chance = arrival.gaps === 'poisson' ? POISSON_SIGMAS / Math.sqrt(count) : 0;
  return { perSecond: (count / facts.measuredMs) * 1000, tolerance: Math.max(RATE_TOLERANCE, chance) };
}

/** Requests that the steps ask for between two instants of the phase, in ms since its start. */
export function offeredBetween(
  steps: readonly { readonly ratePerSecond: number; readonly forMs: number }[],
  fromMs: number,
  toMs: number,
): number {
  let count = 0;
  let beginMs = 0;
  steps.forEach(({ ratePerSecond, forMs }, i) => {
    const endMs = i === steps.length - 1 ? Number.POSITIVE_INFINITY : beginMs + forMs;
    const insideMs = Math.min(endMs, toMs) - Math.max(beginMs, fromMs);
    if (insideMs > 0) count += (insideMs / 1000) * ratePerSecond;
    beginMs = endMs;
  });
  return count;
}

function lag({ scheduleLag }: PhaseFacts): string[] {
  if (scheduleLag === null || scheduleLag.p99Ms <= LAG_P99_MS_MAX) return [];
  return [
    `the generator handed requests over ${scheduleLag.p99Ms} ms late at p99; ${LAG_P99_MS_MAX} ms are allowed`,
  ];
}

function generatorBusy({ generatorBusy: busy }: PhaseFacts): string[] {
  if (busy <= GENERATOR_BUSY_MAX) return [];
  return [`the generator was ${percent(busy)} busy: the server may be faster than this figure`];
}

/**
 * Recipes cannot run against the null server, which has no locks and no watches. Their ceiling is where the
 * generator's own threads would be full, if all of their time went up with the load.
 */
function ceiling(facts: PhaseFacts, phase: PhasePlan, plan: Plan): string[] {
  if (waitsForReplies(phase, plan)) return roundTrip(facts, plan);
  const { throughputPerSecond, generatorBusy: busy } = facts;
  const estimate = phase.load.kind === 'mix' || busy <= 0 ? null : throughputPerSecond / busy;
  const reached = facts.ceilingPerSecond ?? estimate;
  if (reached === null || reached >= CEILING_RATIO_MIN * throughputPerSecond) return [];
  return [
    `the generator alone reaches ${rounded(reached)}/s, ${(reached / throughputPerSecond).toFixed(1)} times this load; ` +
      `${CEILING_RATIO_MIN} times are needed to be sure that it was not what limited it`,
  ];
}

/** A closed loop of one request each: its rate is that of round trips, of which the generator's work is a part. */
function waitsForReplies({ load }: PhasePlan, { outstanding }: Plan): boolean {
  return load.kind === 'mix' && load.arrival.kind === 'closed' && outstanding === 1;
}

/**
 * Such a load pays for a socket call on both sides with each request, against the null server as against any other:
 * how far it stays behind that one tells of round trips, not of a generator at its end. What the generator does to
 * the figure is the time that replies spend with it: its own work on one, and that on those which came before it.
 *
 *     in its hands = busy x (1 + in its hands x (n - 1) / n)      n connections; a reply finds the other n - 1
 *     share        = in its hands / n = busy / (n - busy x (n - 1))
 *
 * Clients without cost would see about 1 / (1 - share) times as much. For one connection the share is `busy`,
 * and a third of it is what three times the load are elsewhere.
 */
function roundTrip({ generatorBusy: busy }: PhaseFacts, plan: Plan): string[] {
  const share = generatorShare(busy, plan.connectionCount / plan.workerCount);
  if (share <= 1 / CEILING_RATIO_MIN) return [];
  return [
    `${percent(share)} of each round trip was the generator's own time (its threads were ${percent(busy)} busy): ` +
      `clients that cost nothing would see about ${(1 / (1 - share)).toFixed(1)} times this load; a third is the most that is allowed`,
  ];
}

/** Of a round trip, by the rule above. `busy` may be measured a little above 1, where nothing is left beside it. */
export function generatorShare(busy: number, connectionsPerThread: number): number {
  const full = Math.min(1, busy);
  const n = Math.max(1, connectionsPerThread);
  return full / (n - full * (n - 1));
}

/**
 * In a closed loop every connection has its window full, or is thinking. Where requests were lost or refused the
 * law holds too, but not for the figures at hand, which leave them out; `allReplies` has spoken then.
 */
function littlesLaw(facts: PhaseFacts, phase: PhasePlan, plan: Plan): string[] {
  const { load } = phase;
  if (load.kind !== 'mix' || load.arrival.kind !== 'closed' || facts.latency === null) return [];
  if (facts.lost > 0 || Object.keys(facts.errors).length > 0) return [];
  const inFlight = plan.connectionCount * plan.outstanding;
  const cycleMs = facts.latency.meanMs + load.arrival.thinkTimeMs;
  const implied = (facts.throughputPerSecond * cycleMs) / 1000;
  if (Math.abs(implied / inFlight - 1) <= LITTLE_TOLERANCE) return [];
  const cycle = load.arrival.thinkTimeMs > 0 ? '(mean latency + think time)' : 'mean latency';
  return [`throughput x ${cycle} is ${implied.toFixed(1)}, but ${inFlight} requests were in flight`];
}

function warm({ warming }: PhaseFacts): string[] {
  if (warming === null || warming.level !== false) return [];
  const seconds = (warming.durationMs / 1000).toFixed(0);
  return [`the server was still getting faster after ${seconds} s of warming up`];
}

function steadyState(facts: PhaseFacts): string[] {
  const { steady, cpuPressure, othersCores } = facts;
  if (steady.reached) return [];
  const spread = steady.variation === null ? '' : ` (± ${percent(steady.variation)})`;
  const because = steady.reason ? `: ${steady.reason}` : '';
  return [`throughput was not steady${spread}${because}${busyWords(cpuPressure, othersCores)}`];
}

/** `; the machine was busy: 28 % of the time something waited for a CPU, other programs used 1.1 cores`. */
export function busyWords(cpuPressure: number | null, othersCores: number | null): string {
  const parts: string[] = [];
  if (cpuPressure !== null && cpuPressure >= PRESSURE_WORTH_SAYING) {
    parts.push(`${percent(cpuPressure)} of the time something waited for a CPU`);
  }
  if (othersCores !== null && othersCores >= OTHERS_WORTH_SAYING) {
    parts.push(`other programs used ${othersCores.toFixed(1)} cores`);
  }
  return parts.length === 0 ? '' : `; the machine was busy: ${parts.join(', ')}`;
}

/** What is in flight at the two instants may be created and not yet deleted. */
function treeSize({ treeSize: { before, after } }: PhaseFacts, _phase: PhasePlan, plan: Plan): string[] {
  if (before === null || after === null) return [];
  const allowed = Math.max(before * TREE_TOLERANCE, plan.connectionCount * plan.outstanding);
  if (Math.abs(after - before) <= allowed) return [];
  return [
    `the tree had ${before} znodes before and ${after} after: the server did not do the same work all the time`,
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function rounded(perSecond: number): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0);
}

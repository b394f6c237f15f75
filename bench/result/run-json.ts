/**
 * The result of one run as it is saved: `run.json`. Figures that do not exist are null, never 0. A change of
 * meaning or shape raises `RUN_SCHEMA_VERSION`; readers refuse versions they do not know. Instants inside a
 * phase are milliseconds since its start, warm-up included; `results/README.md` tells people what is what.
 *
 *     start ........ | cutMs = measured time begins ............. | endMs | drain: late replies still count as latency
 *      warm-up, and what steady-state detection cut behind it
 */

import type { LoadOp, PhasePlan, Plan } from '../plan/plan.ts';
import type { Environment } from './environment-facts.ts';

export const RUN_SCHEMA = 'ringkeeper-bench-run';
/** 2 had one kind of finding and no waiting requests in its latencies (older-results.ts reads it). */
export const RUN_SCHEMA_VERSION = 3;

/** Of latencies counted from the instant each request was due, unless a field says otherwise. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly p9999Ms: number;
  readonly maxMs: number;
}

export interface OpResult {
  /** A label of the mix, a step of a recipe, or the event of a watch. */
  readonly label: string;
  readonly kind: LoadOp | 'round' | 'event' | 'step';
  readonly perSecond: number;
  readonly latency: LatencySummary;
  /** Counted from the instant of sending; equal to `latency` in a closed loop. */
  readonly uncorrected: LatencySummary;
  /** HdrHistogram V2, compressed, base64; unit: microsecond. */
  readonly histogram: string;
}

/** One line per second, for the curves of latency over time. */
export interface LatencyPoint {
  /** Middle of the interval. */
  readonly atMs: number;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface ServerUsage {
  /** User and system CPU time of the process, all threads, per answered request. */
  readonly cpuMicrosPerOp: number | null;
  /** CPU time per wall time. */
  readonly cpuCores: number;
  readonly contextSwitchesPerOp: number | null;
  readonly rssBytes: number;
  readonly rssPeakBytes: number;
}

/** What the server says of itself over the measured time; all null where its `mntr` does not answer. */
export interface ServerMetrics {
  /** Requests the server counted itself, to check the meter against. */
  readonly packetsReceived: number | null;
  readonly fsyncMeanMs: number | null;
  /** Null also where the server's maximum since its start is of an earlier time. The same for pauses. */
  readonly fsyncMaxMs: number | null;
  readonly gcPauseMaxMs: number | null;
  readonly gcPauseTotalMs: number | null;
  /** Other figures by their mntr name without `zk_`: the value at the end, or the growth of counters. */
  readonly values: Readonly<Record<string, number>>;
}

/** A role, from this instant on until the next span. */
export interface RoleSpan {
  readonly fromMs: number;
  /** `leader`, `follower`, `observer`, `standalone`; null: it did not answer, or serves nobody. */
  readonly role: string | null;
}

/** One server of several, beside the sums over all. */
export interface ServerPart {
  readonly name: string;
  readonly address: string;
  /** Since the start of the phase, as asked once a second. */
  readonly roles: readonly RoleSpan[];
  /** CPU time per wall time over the measured time; null where it did not run here. */
  readonly cpuCores: number | null;
  readonly rssBytes: number | null;
  /** By its own count. */
  readonly packetsReceived: number | null;
  readonly fsyncMeanMs: number | null;
  /** Of the load, at the end of the measured time; null for a replay. */
  readonly connections: number | null;
  /** Replies over those connections, errors included; null likewise, and for clients of a recipe, which count rounds. */
  readonly answeredPerSecond: number | null;
}

/** One sample of the processes, once a second, for the curves over time. */
export interface ServerSample {
  readonly atMs: number;
  readonly cpuCores: number | null;
  readonly rssBytes: number | null;
  /** `zk_outstanding_requests`; null where mntr does not answer. */
  readonly outstanding: number | null;
}

export interface GeneratorUsage {
  readonly cpuMicrosPerOp: number | null;
  /** CPU time per wall time of one worker, on average; 1 = saturated. */
  readonly busy: number;
  /** Requests per second against the null server, same load. */
  readonly nullPerSecond: number | null;
  /** `nullPerSecond` / its busy share: where the generator itself would end. */
  readonly ceilingPerSecond: number | null;
  readonly gcPauseMaxMs: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/**
 * `void`: the figure does not mean what it says. `unsteady`: it holds, with a spread that is said beside it.
 */
export type FindingKind = 'void' | 'unsteady';

/** Rules that leave the figure its meaning, and only say that it moved; all others make it void. */
export const UNSTEADY_RULES: ReadonlySet<string> = new Set(['warm', 'steadyState', 'treeSize']);

/** One rule of the verdict (measure/validity.ts) that is broken. */
export interface Finding {
  readonly rule: string;
  readonly kind: FindingKind;
  /** What was wrong, with the figures, as one sentence. */
  readonly text: string;
}

export interface SteadyState {
  /** False when the rule found no steady part; the whole measured time counts then. */
  readonly reached: boolean;
  readonly cutMs: number;
  /** Spread of the windows that count: standard deviation / mean. */
  readonly variation: number | null;
  /** Change over the measured time by the windows' slope, as a share of their mean. */
  readonly drift: number | null;
  /** Why it was not reached, as a part of a sentence; null when it was. */
  readonly reason?: string | null;
}

/** The phase's own load before the phase, cut into slices. */
export interface Warming {
  readonly durationMs: number;
  /** Server CPU per request of each slice. */
  readonly cpuMicrosPerOp: readonly number[];
  /** False: the time for it was over first. Null: the load was too light, or the time too short, to tell. */
  readonly level: boolean | null;
}

export interface TreeSize {
  readonly before: number | null;
  readonly after: number | null;
}

export type ProbeOutcome = 'ok' | 'late' | 'failed' | 'unknown';

export interface AvailabilitySummary {
  /** Up time / time. */
  readonly byTime: number;
  /** ok / (all but unknown); null without probes. */
  readonly byCount: number | null;
  readonly outcomes: Readonly<Record<ProbeOutcome, number>>;
  readonly outages: readonly OutageBand[];
  readonly downMs: number;
  readonly longestOutageMs: number;
  /** Window length in ms -> share of up time in the worst window of that length. */
  readonly worstWindow: Readonly<Record<string, number>>;
}

/** Each edge is known to one probe period. */
export interface OutageBand {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface AvailabilityResult {
  /** Up time / time, where up means that none of `write`, `read`, `freshRead` and `session` is down. */
  readonly byTime: number;
  /** Probe class (`write`, `read`, `freshRead`, `session`, and `read <server>` per server of several). */
  readonly classes: Readonly<Record<string, AvailabilitySummary>>;
}

/** What a plan's `killLeader` did. */
export interface LeaderKill {
  /** Its name among the servers. */
  readonly server: string;
  /** Since the start of the phase. */
  readonly atMs: number;
}

export interface CheckResult {
  readonly passed: boolean;
  readonly operations: number;
  /** Keys whose history was searched for a linearization. */
  readonly keys: number;
  /** Set when the history was too long to keep whole: only its beginning was checked. */
  readonly truncated: boolean;
  /** Name of each rule and how often it was broken, with the first examples as sentences. */
  readonly rules: readonly {
    readonly rule: string;
    readonly violations: number;
    readonly examples: readonly string[];
  }[];
}

export interface PhaseResult {
  readonly plan: PhasePlan;
  /** No finding is `void`: the figures mean what they say. */
  readonly valid: boolean;
  /** What stands between the figures and belief. */
  readonly findings: readonly Finding[];
  readonly steady: SteadyState;
  /** Measured time, behind the cut. */
  readonly measuredMs: number;
  /** Successful replies that arrived in the measured time. */
  readonly requests: number;
  /** requests / time. */
  readonly throughputPerSecond: number;
  /** All requests together; steps and events are not in it. */
  readonly latency: LatencySummary | null;
  readonly uncorrected: LatencySummary | null;
  readonly ops: readonly OpResult[];
  /** Replies within the plan's `sloMs` per second. */
  readonly goodputPerSecond: number | null;
  /** Error name -> replies in the measured time. */
  readonly errors: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly unanswered: number;
  /** Requests without a reply, lost ones included: they are in `latency` as long as they waited. Null without any. */
  readonly waited: { readonly count: number; readonly longestMs: number } | null;
  readonly disorder: number;
  readonly dropped: number;
  /** Watch events and hand-overs whose delay was taken, warm-up included; absent in results of before 2026-11-30. */
  readonly events?: number;
  /** Of them those that came before the write's acknowledgement; their delay counts as 0. */
  readonly eventsBeforeAck: number;
  /** How late the generator handed requests over; null in a closed loop. */
  readonly scheduleLag: LatencySummary | null;
  readonly server: ServerUsage | null;
  readonly metrics: ServerMetrics | null;
  readonly samples: readonly ServerSample[];
  /** Of a service of several servers, in their order; absent for one. */
  readonly servers?: readonly ServerPart[];
  readonly generator: GeneratorUsage;
  /** Share of the measured time in which some task of the machine waited for a CPU; null without PSI. */
  readonly cpuPressure: number | null;
  /** CPU time per wall time of everything on the machine but server and engine; null where it cannot be told. */
  readonly othersCores: number | null;
  /** What was done before the phase until the server's CPU per request was level; null where it was not asked for. */
  readonly warming: Warming | null;
  readonly availability: AvailabilityResult;
  readonly treeSize: TreeSize;
  readonly seriesStepMs: number;
  /** Replies per step since the start of the phase, warm-up included; zero where nothing came. */
  readonly series: readonly number[];
  /** Replies with an error, and requests lost with their connection, by the same steps. */
  readonly errorSeries: readonly number[];
  readonly latencySeries: readonly LatencyPoint[];
  readonly check: CheckResult | null;
  /** Absent unless the plan asked for it; null: nobody led. */
  readonly leaderKill?: LeaderKill | null;
}

export interface TargetInfo {
  readonly name: string;
  /** Version and settings, one line. */
  readonly description: string;
  /** Why the server's process ended by itself; null when it did not. */
  readonly failure: string | null;
}

export interface RunResult {
  readonly schema: typeof RUN_SCHEMA;
  readonly schemaVersion: typeof RUN_SCHEMA_VERSION;
  readonly startedAt: string;
  /** The command that repeats the run. */
  readonly command: string;
  /** False when the run was interrupted: the last phase may be short and later ones are missing. */
  readonly complete: boolean;
  readonly target: TargetInfo;
  readonly plan: Plan;
  readonly environment: Environment;
  /** Over all phases, warm-up included. */
  readonly availability: AvailabilityResult;
  readonly probeLagMsMax: number;
  readonly phases: readonly PhaseResult[];
}

/** Of a phase, of a run: the worst of what was found. */
export type Verdict = 'sound' | FindingKind;

export function verdictOfPhase({ findings }: Pick<PhaseResult, 'findings'>): Verdict {
  if (findings.some(({ kind }) => kind === 'void')) return 'void';
  return findings.length > 0 ? 'unsteady' : 'sound';
}

export function verdictOfRun(run: RunResult): Verdict {
  const verdicts = run.phases.map(verdictOfPhase);
  const wrong = run.phases.some(({ check }) => check !== null && !check.passed);
  if (!run.complete || run.target.failure !== null || wrong || verdicts.includes('void')) return 'void';
  return verdicts.includes('unsteady') ? 'unsteady' : 'sound';
}

/** `2026-11-20-073259-prod-mix-embedded-1a2b3c4`; `-partial` when interrupted, else `-void` when its figures are. */
export function runDirName(result: RunResult): string {
  const stamp = result.startedAt.slice(0, 19).replace('T', '-').replaceAll(':', '');
  const commit = result.environment.commit?.slice(0, 7) ?? 'nocommit';
  const mark = !result.complete ? '-partial' : verdictOfRun(result) === 'void' ? '-void' : '';
  return `${stamp}-${result.plan.name}-${result.target.name}-${commit}${mark}`;
}

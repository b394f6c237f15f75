/**
 * The result of a run as it is saved: `run.json`. Figures that do not exist are null, never 0. A change of
 * meaning or shape raises `RUN_SCHEMA_VERSION`; readers refuse versions they do not know.
 */
import type { AvailabilitySummary } from '../measure/availability.ts';
import type { Environment } from '../measure/environment.ts';
import type { LatencySummary } from '../measure/latency-recorder.ts';
import type { ProbeClass } from '../measure/probes.ts';
import type { LoadOp, PhasePlan, Scenario } from '../plan.ts';

export const RUN_SCHEMA = 'ringkeeper-bench-run';
export const RUN_SCHEMA_VERSION = 1;

export interface OpResult {
  readonly op: LoadOp;
  readonly latency: LatencySummary;
  /** HdrHistogram V2, compressed, base64; unit: microsecond. */
  readonly histogram: string;
}

export interface ServerUsage {
  /** User and system CPU time of the process, all threads, per answered request. */
  readonly cpuMicrosPerOp: number | null;
  /** CPU time per wall time. */
  readonly cpuCores: number;
  readonly rssBytes: number;
  readonly rssPeakBytes: number;
}

export interface GeneratorUsage {
  readonly cpuMicrosPerOp: number | null;
  /** CPU time per wall time of one worker, on average; 1 = saturated. */
  readonly busy: number;
}

export interface PhaseResult {
  readonly plan: PhasePlan;
  readonly valid: boolean;
  /** Why it is not valid. */
  readonly findings: readonly string[];
  readonly measuredMs: number;
  /** Successful replies that arrived in the measured time. */
  readonly requests: number;
  /** requests / time. */
  readonly throughputPerSecond: number;
  /** All operations together, counted from the instant each was due. */
  readonly latency: LatencySummary | null;
  readonly ops: readonly OpResult[];
  /** Error name -> replies. */
  readonly errors: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly unanswered: number;
  readonly disorder: number;
  readonly dropped: number;
  /** How late the generator handed requests over; null in a closed loop. */
  readonly scheduleLag: LatencySummary | null;
  readonly server: ServerUsage | null;
  readonly generator: GeneratorUsage;
  /** Share of the measured time in which some task of the machine waited for a CPU; null without PSI. */
  readonly cpuPressure: number | null;
  readonly availability: PhaseAvailability;
  readonly seriesStepMs: number;
  /** Replies per step of the measured time. */
  readonly series: readonly number[];
}

export interface PhaseAvailability {
  /** Up time / time, where up means that no probe class is down. */
  readonly byTime: number;
  readonly classes: Readonly<Record<ProbeClass, AvailabilitySummary>>;
}

export interface RunResult {
  readonly schema: typeof RUN_SCHEMA;
  readonly schemaVersion: typeof RUN_SCHEMA_VERSION;
  readonly startedAt: string;
  /** The command that repeats the run. */
  readonly command: string;
  /** False when the run was interrupted: the last phase may be short and later ones are missing. */
  readonly complete: boolean;
  readonly target: { readonly name: string; readonly description: string; readonly failure: string | null };
  readonly scenario: Scenario;
  readonly environment: Environment;
  /** Over all phases, warm-up included. */
  readonly availability: PhaseAvailability;
  readonly probeLagMsMax: number;
  readonly phases: readonly PhaseResult[];
}

/** `2026-11-20-073259-standalone-quick-ringkeeper-1a2b3c4`; interrupted runs are marked. */
export function runDirName(result: RunResult): string {
  const stamp = result.startedAt.slice(0, 19).replace('T', '-').replaceAll(':', '');
  const commit = result.environment.commit?.slice(0, 7) ?? 'nocommit';
  const mark = result.complete ? '' : '-partial';
  return `${stamp}-${result.scenario.name}-${result.target.name}-${commit}${mark}`;
}

/** The result of a `run.json`, or null when the text is something else. */
export function parseRun(text: string): RunResult | null {
  let value: Partial<RunResult>;
  try {
    value = JSON.parse(text) as Partial<RunResult>;
  } catch {
    return null;
  }
  const known = value?.schema === RUN_SCHEMA && value.schemaVersion === RUN_SCHEMA_VERSION;
  return known ? (value as RunResult) : null;
}

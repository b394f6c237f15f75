/**
 * The result of a soak (`soak.json`): one sample per period, the loads, the verdict by rule. Instants are milliseconds
 * since the measured time began; figures that do not exist are null.
 */
import type { LatencySummary, PhaseResult } from '../../result/run-json.ts';
import type { CampaignHead } from '../campaign.ts';

export const SOAK_SCHEMA = 'ringkeeper-bench-soak';
export const SOAK_SCHEMA_VERSION = 1;

/** What the server and its process said at the end of a period. */
export interface ServerSample {
  readonly atMs: number;
  /** Median and highest of the readings of the period, one a second. */
  readonly rssBytes: number;
  readonly rssMaxBytes: number;
  readonly openFiles: number;
  /** Of log files and snapshots. */
  readonly diskBytes: number;
  readonly sessions: number;
  readonly connections: number;
  readonly znodes: number;
  readonly ephemerals: number;
  readonly watches: number;
  readonly outstanding: number;
  /** This and what follows: since the measured time began. */
  readonly snapshots: number | null;
  readonly snapshotMsMax: number | null;
  readonly fsyncMsMax: number | null;
  /** Longest pause by garbage collection, and the thread that had it. */
  readonly gcPause: { readonly thread: string; readonly maxMs: number } | null;
  /** How late a timer of an event loop came, at most. */
  readonly timerDelayMsMax: number | null;
  /** Bytes of the znode store (`store_…_bytes_now`), by name without `zk_ringkeeper_`; empty when not told. */
  readonly memory: Readonly<Record<string, number>>;
}

/** Latencies of the mixed load in one period, counted from the instant each request was due. */
export interface PeriodLatency {
  /** End of the period. */
  readonly atMs: number;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface SoakLoad
  extends Pick<
    PhaseResult,
    'throughputPerSecond' | 'latency' | 'errors' | 'lost' | 'unanswered' | 'disorder' | 'findings'
  > {
  readonly name: string;
  /** In words. */
  readonly load: string;
  readonly ops: readonly {
    readonly label: string;
    readonly perSecond: number;
    readonly latency: LatencySummary;
  }[];
}

export type RuleOutcome = 'passed' | 'failed' | 'cannot tell';

export interface RuleVerdict {
  readonly rule: string;
  readonly outcome: RuleOutcome;
  /** With the figures, as one sentence. */
  readonly text: string;
}

export interface SoakResult extends CampaignHead {
  readonly schema: typeof SOAK_SCHEMA;
  readonly schemaVersion: typeof SOAK_SCHEMA_VERSION;
  /** Planned. */
  readonly minutes: number;
  readonly periodMs: number;
  readonly target: string;
  /** Why the server's process ended by itself; null when it did not. */
  readonly failure: string | null;
  /** Closed loop, same mix, on a server of its own; null when the rate was given. */
  readonly peakPerSecond: number | null;
  readonly ratePerSecond: number;
  readonly samples: readonly ServerSample[];
  /** Periods in which the server did not answer `mntr` in time. */
  readonly missedSamples: number;
  readonly latencies: readonly PeriodLatency[];
  readonly loads: readonly SoakLoad[];
  readonly verdict: readonly RuleVerdict[];
}

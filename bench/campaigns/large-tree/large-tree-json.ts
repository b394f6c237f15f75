/** The document `large-tree.json`. Times in ms, sizes in bytes, rates per second. */
import type { LatencySummary } from '../../result/run-json.ts';
import type { CampaignHead } from '../campaign.ts';
import type { SplitReplies, WorstMoment } from './reply-times.ts';
import type { ThreadPause } from './server-facts.ts';
import type { LargeReply } from './tree-client.ts';
import type { Shape } from './trees.ts';

export interface ShapeResult {
  readonly shape: Shape;
  readonly znodes: number;
  readonly createMs: number;
  readonly residentBytes: number | null;
  /** Null for shapes without a long list. */
  readonly childList: (LargeReply & { readonly worstPingMs: number; readonly pings: number }) | null;
  /** Of all but the empty first one, while the tree was made. */
  readonly snapshotsMs: readonly number[];
  /** Process spawn until the first correct reply. */
  readonly restartMs: number;
  /** When the data had been checked. */
  readonly residentAfterRestartBytes: number | null;
}

export type ServerName = 'ringkeeper' | 'apache';

/** One start on a copy of the same files. */
export interface StartResult {
  readonly server: ServerName;
  /** Process spawn until the first correct reply to a read. */
  readonly ms: number;
  readonly residentBytes: number | null;
  /** What the server says of its start, under Apache's names: reading the snapshot, transactions of the log, and so on. */
  readonly own: Readonly<Record<string, number>>;
}

export interface SnapshotFacts {
  /** Begin since the measured time began. */
  readonly atMs: number;
  readonly ms: number;
  readonly bytes: number;
}

export interface Moment extends WorstMoment {
  /** How late the generator handed requests over meanwhile, at worst. */
  readonly generatorLateMs: number | null;
}

export interface LoadResult {
  readonly server: ServerName;
  readonly target: string;
  readonly peakPerSecond: number;
  /** What was asked for: a share of the peak. */
  readonly ratePerSecond: number;
  /** Replies per second of the measured time. */
  readonly reachedPerSecond: number;
  readonly measuredMs: number;
  readonly snapCount: number;
  readonly snapshotsWanted: number;
  /** Those that began and ended in the measured time. */
  readonly snapshots: readonly SnapshotFacts[];
  readonly replies: SplitReplies;
  /** Counted from the instant of sending, all replies. */
  readonly uncorrected: LatencySummary | null;
  readonly worst: readonly Moment[];
  readonly generator: {
    /** How late requests were handed to a connection. */
    readonly lateness: LatencySummary | null;
    readonly gcPauseMaxMs: number;
    /** CPU time per wall time of its thread. */
    readonly busy: number;
  };
  /** Errors, losses, drops and what else makes the figures doubtful; empty when all is well. */
  readonly findings: readonly string[];
  /** The longest pause by a collector in the measured time; null when the server does not tell. */
  readonly gcPauseMaxMs: number | null;
  /** By thread; empty from servers that do not tell. */
  readonly threadPauses: readonly ThreadPause[];
  /** Longest times of the server's own metrics. */
  readonly extremes: Readonly<Record<string, number>>;
  /** Resident memory under the load, largest of samples every 100 ms. */
  readonly residentBytes: number | null;
  /** Since the process began. */
  readonly residentPeakBytes: number | null;
  /** Share of the measured time in which some task of the machine waited for a processor; null without PSI. */
  readonly cpuPressure: number | null;
}

export interface LargeTreeResult extends CampaignHead {
  readonly nodes: number;
  /** Of the peak. */
  readonly share: number;
  readonly shapes: readonly ShapeResult[];
  readonly starts: readonly StartResult[];
  readonly loads: readonly LoadResult[];
}

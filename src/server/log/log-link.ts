/**
 * What the core and the log thread share: the proposal ring, a bell each way and the log's counters. Made by the
 * supervisor, posted to the log worker, kept by the core.
 *
 *     core ── proposal ring, log's bell ──▶ log ── durableZxid counter, core's bell ──▶ core
 *
 *     record, kind PROPOSAL:   zxid float64 little-endian | TxnHeader + txn + TxnDigest
 */
import { createBell } from '../../shm/bell.ts';
import { Counters, type CountersHandle, createCounters } from '../../shm/counters.ts';
import { createRing, type RingHandle } from '../../shm/ring.ts';

export interface LogLinkHandle {
  readonly proposals: RingHandle;
  readonly logBell: SharedArrayBuffer;
  readonly coreBell: SharedArrayBuffer;
  readonly counters: CountersHandle;
}

export const PROPOSAL_KIND = 1;
export const ZXID_BYTES = 8;

/** Written by the log thread only. */
export const LogCounter = {
  /** Everything up to here survives a crash. */
  durableZxid: 0,
  /** How often the log has grown enough for a snapshot since start. */
  snapshotsDue: 1,
  /** Batches made durable, and the time that took (write + fdatasync). */
  batches: 2,
  batchMicrosSum: 3,
  batchMicrosMax: 4,
  /** Records made durable. */
  records: 5,
} as const;
export type LogCounter = (typeof LogCounter)[keyof typeof LogCounter];

export interface LogLinkOptions {
  /** A power of two; a record may take half of it. */
  readonly proposalRingBytes: number;
  /** The core's one bell, shared by all its sources of work. */
  readonly coreBell: SharedArrayBuffer;
  /** The last zxid in the log when the server starts. */
  readonly lastZxid: number;
}

export function createLogLink(options: LogLinkOptions): LogLinkHandle {
  const counters = createCounters(Object.keys(LogCounter));
  new Counters(counters).set(LogCounter.durableZxid, options.lastZxid);
  return {
    proposals: createRing(options.proposalRingBytes),
    logBell: createBell(),
    coreBell: options.coreBell,
    counters,
  };
}

/** The log's counters as `mntr` shows them. */
export class LogMetrics {
  private readonly counters: Counters;

  constructor(link: LogLinkHandle) {
    this.counters = new Counters(link.counters);
  }

  /** Time per batch, write and fdatasync together; `min` is not recorded. */
  syncTimesMs(): { count: number; sum: number; min: number; max: number } {
    const { counters } = this;
    return {
      count: counters.get(LogCounter.batches),
      sum: Math.round(counters.get(LogCounter.batchMicrosSum) / 1000),
      min: 0,
      max: Math.round(counters.get(LogCounter.batchMicrosMax) / 1000),
    };
  }

  batchSizes(): { count: number; sum: number; min: number; max: number } {
    const { counters } = this;
    return {
      count: counters.get(LogCounter.batches),
      sum: counters.get(LogCounter.records),
      min: 0,
      max: 0,
    };
  }
}

/**
 * What the core and the log thread share: the proposal ring, a bell each way, the log's counters and its meter. Made
 * by the supervisor, posted to the log worker, kept by the core.
 *
 *     core ── proposal ring, log's bell ──▶ log ── durableZxid counter, core's bell ──▶ core
 *
 *     record, kind PROPOSAL:     zxid float64 little-endian | TxnHeader + txn + TxnDigest
 *                   TRUNCATE:    zxid float64: nothing behind it remains
 *                   SAVE_EPOCH:  epoch float64 | 0 accepted, 1 current
 *                   ROLL:        the file ends, the next record begins another
 *
 * The last three are commands: done, durably, in the order of the ring, then counted in `commandsDone`.
 */
import { createBell } from '../../shm/bell.ts';
import { Counters, type CountersHandle, createCounters } from '../../shm/counters.ts';
import { createRing, type RingHandle } from '../../shm/ring.ts';
import { createLogMeter, type LogMeterHandle } from '../monitor/log-meter.ts';

export interface LogLinkHandle {
  readonly proposals: RingHandle;
  readonly logBell: SharedArrayBuffer;
  readonly coreBell: SharedArrayBuffer;
  readonly counters: CountersHandle;
  readonly meter: LogMeterHandle;
}

export const LogRecordKind = { proposal: 1, truncate: 2, saveEpoch: 3, roll: 4 } as const;
export type LogRecordKind = (typeof LogRecordKind)[keyof typeof LogRecordKind];
export const ZXID_BYTES = 8;
export const EPOCH_COMMAND_BYTES = 16;

/** Written by the log thread only. */
export const LogCounter = {
  /** Everything up to here survives a crash. */
  durableZxid: 0,
  /** How often the log has grown enough for a snapshot since start. */
  snapshotsDue: 1,
  /** Of the core's commands, in their order; everything in front of one in the ring is durable when it counts. */
  commandsDone: 2,
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
    meter: createLogMeter(),
  };
}

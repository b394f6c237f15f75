/**
 * Its memory, and what a server tells of itself around a load: its statistics start afresh with the measured time (`srst`), so that
 * every `_max` in the last reading is of that time.
 */
import type { Address } from '../../base/address.ts';
import { type MonitorValues, parseMonitor } from '../../measure/mntr.ts';
import { readProcessUsage } from '../../measure/process-usage.ts';
import { askWord } from '../../target/four-letter-word.ts';
import type { Target } from '../../target/target.ts';

const ANSWER_MS_MAX = 5_000;
const OWN_THREAD_GC = /^ringkeeper_thread_(\w+)_gc_ms_max$/;
/** Where a long reply may come from: disks, timers, snapshots, collections. */
const EXTREMES =
  /^ringkeeper_\w+_ms_max$|^max_(?:fsynctime|readlatency|updatelatency|snapshottime|jvm_pause_time_ms)$/;
/** Of a start: milliseconds, and how many transactions there were. */
const STARTUP =
  /^max_(dbinittime|startup_snap_load_time|startup_txns_load_time|startup_txns_loaded|snapshottime)$/;
/** Written snapshots, under the same name from both servers. */
const SNAPSHOTS = 'cnt_snapshottime';

export interface ThreadPause {
  readonly thread: string;
  readonly maxMs: number;
}

/** Null when its process has ended, and where no such figure is to be had (other systems than Linux). */
export function readResident({ servers }: Target): number | null {
  const pid = servers[0]?.pid ?? null;
  return pid === null ? null : (readProcessUsage(pid)?.rssBytes ?? null);
}

/** Null where neither is known. */
export function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** Null when it does not answer in time. */
export async function readMonitor(address: Address): Promise<MonitorValues | null> {
  const answer = await askWord(address, 'mntr', ANSWER_MS_MAX);
  return answer === null ? null : parseMonitor(answer);
}

export async function resetMonitor(address: Address): Promise<void> {
  await askWord(address, 'srst', ANSWER_MS_MAX);
}

/** Null from a server that does not tell. */
export function snapshotsWritten(values: MonitorValues | null): number | null {
  return values?.get(SNAPSHOTS) ?? null;
}

/** Null from Apache, and without an answer. */
export function snapshotsRunning(values: MonitorValues | null): number | null {
  return values?.get('ringkeeper_snapshot_running_now') ?? null;
}

/** The longest pause of each thread by its collector, the longest first; empty from a server that does not tell. */
export function threadPauses(values: MonitorValues | null): ThreadPause[] {
  const pauses = [...(values ?? [])].flatMap(([name, maxMs]): ThreadPause[] => {
    const thread = OWN_THREAD_GC.exec(name)?.[1];
    return thread === undefined ? [] : [{ thread, maxMs }];
  });
  return pauses.sort((a, b) => b.maxMs - a.maxMs);
}

/** What the server says of its start; a name that it does not know is missing. */
export function startupFigures(values: MonitorValues | null): Record<string, number> {
  return Object.fromEntries(
    [...(values ?? [])].flatMap(([name, value]) => {
      const known = STARTUP.exec(name)?.[1];
      return known === undefined ? [] : [[known, value]];
    }),
  );
}

/** Everything that says "at most this long", where it is not 0. */
export function extremes(values: MonitorValues | null): Record<string, number> {
  return Object.fromEntries(
    [...(values ?? [])].filter(([name, value]) => EXTREMES.test(name) && value !== 0),
  );
}

/**
 * Which old files may go: all that recovery from the oldest of the newest N good snapshots does not need.
 * Pure plan, then execution; runs on a thread that may block.
 *
 *     snapshots   3    6    a    e         N = 2: keep a and e, delete 3 and 6
 *     logs      1   5    8    c    10      s = a: log.8 may hold records > a, so delete 1 and 5
 */
import { assert } from '../base/assert.ts';
import type { DataDirs } from './data-dir.ts';
import { type LogFile, listLogs, listSnapshots, type SnapshotFile } from './data-files.ts';
import type { Disk } from './disk.ts';
import { looksWhole } from './snapshot-reader.ts';

/** Apache's minimum, taken over: fewer leave too little to fall back to. */
export const SNAPSHOTS_RETAINED_MIN = 3;

export interface PurgePlan {
  readonly snapshots: readonly SnapshotFile[];
  readonly logs: readonly LogFile[];
}

/** `snapshots` and `logs` oldest first; `whole` tells which snapshots count as good. */
export function planPurge(
  snapshots: readonly SnapshotFile[],
  logs: readonly LogFile[],
  whole: (file: SnapshotFile) => boolean,
  retainCount: number,
): PurgePlan {
  assert(retainCount >= SNAPSHOTS_RETAINED_MIN, 'too few snapshots retained');
  let oldestKept = -1;
  for (let i = snapshots.length - 1, kept = 0; i >= 0 && kept < retainCount; i--) {
    if (!whole(snapshots[i]!)) continue;
    oldestKept = snapshots[i]!.zxid;
    kept++;
  }
  const firstNeeded = logs.findLastIndex((log) => log.zxid <= oldestKept);
  return {
    snapshots: snapshots.filter((snapshot) => snapshot.zxid < oldestKept),
    logs: logs.slice(0, Math.max(0, firstNeeded)),
  };
}

/** Plans and deletes; returns what was deleted. @throws StorageFailure */
export function purge(disk: Disk, dirs: DataDirs, retainCount: number): PurgePlan {
  const { snapshotDirectory, logDirectory } = dirs;
  const plan = planPurge(
    listSnapshots(disk, snapshotDirectory),
    listLogs(disk, logDirectory),
    (file) => looksWhole(disk, snapshotDirectory, file),
    retainCount,
  );
  for (const { name } of plan.snapshots) disk.remove(`${snapshotDirectory}/${name}`);
  for (const { name } of plan.logs) disk.remove(`${logDirectory}/${name}`);
  return plan;
}

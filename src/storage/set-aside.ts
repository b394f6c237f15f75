/**
 * A member of an ensemble whose history is damaged puts it aside and takes it anew from its leader. What it had acknowledged
 * is gone from its disk until then, so it may not vote: with its vote, a quorum might elect somebody who lacks what only this
 * server and one that is down had stored. A mark says so and outlives restarts, until a leader has brought this server up.
 *
 *     damaged ──mark, sync──▶ files renamed damaged-<n>.* ──▶ empty, or older: votes not ──in step──▶ mark removed: votes
 *
 * A crash in between leaves the mark and some part of the history; any beginning of it will do, and a gap is put aside again. The
 * epochs stay: what was promised stays promised. Neither Apache nor purging sees files of such names; the operator removes them. Start-up, and the core's thread when the mark goes.
 */
import type { DataDirs } from './data-dir.ts';
import { listLogs, listSnapshots } from './data-files.ts';
import type { Disk } from './disk.ts';
import { SYNCED_NAME } from './synced-zxid.ts';

/** Beside the snapshots. Apache ignores the file. */
const MARK_NAME = 'ringkeeper.incomplete';
const ASIDE_NAME = /^damaged-(\d{1,9})\./;

/** This server may lack what it has acknowledged. */
export function isIncomplete(disk: Disk, { snapshotDirectory }: DataDirs): boolean {
  return disk.stat(`${snapshotDirectory}/${MARK_NAME}`) !== null;
}

/** Durable on return. */
export function markIncomplete(disk: Disk, { snapshotDirectory }: DataDirs): void {
  const path = `${snapshotDirectory}/${MARK_NAME}`;
  if (disk.stat(path) === null) disk.create(path).close();
  disk.syncDirectory(snapshotDirectory);
}

/** A leader has brought this server up, and what it sent is durable here. */
export function markComplete(disk: Disk, { snapshotDirectory }: DataDirs): void {
  disk.remove(`${snapshotDirectory}/${MARK_NAME}`);
  disk.syncDirectory(snapshotDirectory);
}

/** Marks, then renames all that recovery reads. Returns what the names begin with now, for the operator. */
export function setAside(disk: Disk, dirs: DataDirs): string[] {
  markIncomplete(disk, dirs);
  const { snapshotDirectory, logDirectory } = dirs;
  const logs = listLogs(disk, logDirectory).map(({ name }) => name);
  if (disk.stat(`${logDirectory}/${SYNCED_NAME}`) !== null) logs.push(SYNCED_NAME);
  const snapshots = listSnapshots(disk, snapshotDirectory).map(({ name }) => name);
  if (logDirectory === snapshotDirectory) return [rename(disk, snapshotDirectory, [...logs, ...snapshots])];
  return [rename(disk, logDirectory, logs), rename(disk, snapshotDirectory, snapshots)];
}

function rename(disk: Disk, directory: string, names: readonly string[]): string {
  const numbers = disk.list(directory).map((name) => Number(ASIDE_NAME.exec(name)?.[1] ?? 0));
  const prefix = `${directory}/damaged-${Math.max(0, ...numbers) + 1}.`;
  for (const name of names) disk.rename(`${directory}/${name}`, `${prefix}${name}`);
  disk.syncDirectory(directory);
  return `${prefix}*`;
}

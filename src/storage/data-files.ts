/**
 * Names of log and snapshot files. The name is the index: sorted by zxid it tells recovery where to begin and
 * purging what to keep.
 *
 *     log.<zxid>                      zxid of its first record, lower-case hex
 *     snapshot.<zxid>[.gz|.snappy]    last zxid contained
 *     tmp.snapshot.<zxid>…            a snapshot being written; never read, removed at start
 *
 * Names of other shapes are not ours and are left alone: a copy like `log.5.bak` is neither read nor purged.
 */
import { CorruptionFailure } from '../base/failure.ts';
import { type Zxid, zxidHex } from '../base/zxid.ts';
import type { Disk } from './disk.ts';

export const SnapshotCompression = { none: '', gz: '.gz', snappy: '.snappy' } as const;
export type SnapshotCompression = (typeof SnapshotCompression)[keyof typeof SnapshotCompression];

export interface LogFile {
  readonly name: string;
  readonly zxid: Zxid;
}

export interface SnapshotFile {
  readonly name: string;
  readonly zxid: Zxid;
  readonly compression: SnapshotCompression;
}

export const TEMPORARY_PREFIX = 'tmp.snapshot.';

const LOG_NAME = /^log\.([0-9a-f]{1,16})$/i;
const SNAPSHOT_NAME = /^snapshot\.([0-9a-f]{1,16})(|\.gz|\.snappy)$/i;

export function logName(zxid: Zxid): string {
  return `log.${zxidHex(zxid)}`;
}

export function snapshotName(zxid: Zxid, compression: SnapshotCompression): string {
  return `snapshot.${zxidHex(zxid)}${compression}`;
}

/** The log files of a directory, oldest first. */
export function listLogs(disk: Disk, directory: string): LogFile[] {
  const files: LogFile[] = [];
  for (const name of disk.list(directory)) {
    const match = LOG_NAME.exec(name);
    if (match !== null) files.push({ name, zxid: zxidOfName(directory, name, match[1]!) });
  }
  return files.sort(byZxid);
}

/** The snapshot files of a directory, oldest first, valid or not. */
export function listSnapshots(disk: Disk, directory: string): SnapshotFile[] {
  const files: SnapshotFile[] = [];
  for (const name of disk.list(directory)) {
    const match = SNAPSHOT_NAME.exec(name);
    if (match === null) continue;
    const compression = match[2]!.toLowerCase() as SnapshotCompression;
    files.push({ name, zxid: zxidOfName(directory, name, match[1]!), compression });
  }
  return files.sort(byZxid);
}

function byZxid(a: { readonly zxid: Zxid }, b: { readonly zxid: Zxid }): number {
  return a.zxid - b.zxid;
}

// Skipping such a file could lose acknowledged writes, so it is refused instead.
function zxidOfName(directory: string, name: string, hex: string): Zxid {
  const zxid = Number.parseInt(hex, 16);
  if (!Number.isSafeInteger(zxid)) {
    throw new CorruptionFailure(
      `${directory}/${name}: the zxid of the name is out of range; move the file away if it is not a data file`,
    );
  }
  return zxid;
}

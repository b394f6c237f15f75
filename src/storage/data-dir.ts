/**
 * Layout of a data directory and the checks before anything in it is read.
 *
 *     <dataDir>/ringkeeper.lock, myid
 *     <dataDir>/version-2/snapshot.…, acceptedEpoch, currentEpoch
 *     <dataLogDir>/ringkeeper.lock            dataLogDir is dataDir unless configured
 *     <dataLogDir>/version-2/log.…
 *     <dataLogDir>/initialize                 permits an empty database, see restore.ts
 *
 * `myid` and the epoch files belong to ensembles; a standalone server leaves them alone. The names of all directories are
 * synced before the first file goes in: a power loss may otherwise take a directory back, with everything in it.
 */
import { dirname } from 'node:path';
import { DataDirFailure, StorageFailure } from '../base/failure.ts';
import { listLogs, listSnapshots, TEMPORARY_PREFIX } from './data-files.ts';
import type { Disk } from './disk.ts';

const LAYOUT_VERSION = 'version-2';

export interface DataDirOptions {
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** Make missing directories (zookeeper.datadir.autocreate). */
  readonly autocreate: boolean;
}

export interface DataDirs {
  readonly snapshotDirectory: string;
  readonly logDirectory: string;
  readonly initializeMarker: string;
}

/** @throws DataDirFailure naming the directory and what to do. Call with the lock held. */
export function openDataDir(disk: Disk, { dataDir, dataLogDir, autocreate }: DataDirOptions): DataDirs {
  const snapshotDirectory = `${dataDir}/${LAYOUT_VERSION}`;
  const logDirectory = `${dataLogDir}/${LAYOUT_VERSION}`;
  provideDirectory(disk, logDirectory, autocreate);
  provideDirectory(disk, snapshotDirectory, autocreate);
  if (logDirectory !== snapshotDirectory) checkSeparation(disk, snapshotDirectory, logDirectory);
  if (listSnapshots(disk, snapshotDirectory).length === 0) syncNames(disk, dataDir, snapshotDirectory);
  if (listLogs(disk, logDirectory).length === 0) syncNames(disk, dataLogDir, logDirectory);
  removeUnfinished(disk, snapshotDirectory);
  return { snapshotDirectory, logDirectory, initializeMarker: `${dataLogDir}/initialize` };
}

/** Makes sure a directory exists; its lock file goes in there before the rest is looked at. */
export function provideDirectory(disk: Disk, directory: string, autocreate: boolean): void {
  const entry = disk.stat(directory);
  if (entry !== null && !entry.directory) {
    throw new DataDirFailure(`${directory} is not a directory; move the file away or choose another dataDir`);
  }
  if (entry !== null) return;
  if (!autocreate) {
    throw new DataDirFailure(
      `missing data directory ${directory}, automatic data directory creation is disabled ` +
        '(zookeeper.datadir.autocreate is false); create this directory manually',
    );
  }
  try {
    makeMissing(disk, directory);
  } catch (error) {
    if (!(error instanceof StorageFailure)) throw error;
    throw new DataDirFailure(`unable to create data directory ${directory}: ${error.message}`, {
      cause: error,
    });
  }
}

/** Each with its name synced before anything goes in, or a power loss takes it back with all that was synced inside. */
function makeMissing(disk: Disk, directory: string): void {
  if (disk.stat(directory) !== null) {
    syncNames(disk, directory);
    return;
  }
  const parent = dirname(directory);
  makeMissing(disk, parent);
  disk.makeDirectory(directory);
  disk.syncDirectory(parent);
}

/**
 * For directories that were found: a start that was cut off may have made them and not have synced their names. Whoever
 * may not open the parent has made nothing in it.
 */
function syncNames(disk: Disk, ...directories: readonly string[]): void {
  for (const directory of directories) {
    try {
      disk.syncDirectory(dirname(directory));
    } catch (error) {
      if (!(error instanceof StorageFailure && isDenied(error.cause))) throw error;
    }
  }
}

function isDenied(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EACCES';
}

// A swapped or half-changed configuration would otherwise start from an old or empty state.
function checkSeparation(disk: Disk, snapshotDirectory: string, logDirectory: string): void {
  if (listSnapshots(disk, logDirectory).length > 0) {
    throw new DataDirFailure(
      `log directory ${logDirectory} has snapshot files; check that dataLogDir and dataDir are configured correctly`,
    );
  }
  if (listLogs(disk, snapshotDirectory).length > 0) {
    throw new DataDirFailure(
      `snapshot directory ${snapshotDirectory} has log files; check that dataLogDir and dataDir are configured correctly`,
    );
  }
}

function removeUnfinished(disk: Disk, directory: string): void {
  for (const name of disk.list(directory)) {
    if (name.startsWith(TEMPORARY_PREFIX)) disk.remove(`${directory}/${name}`);
  }
}

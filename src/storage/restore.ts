/**
 * Recovery: newest whole snapshot, then every later record of the log, each handed to a sink. Runs once, at
 * start, on the thread that owns the tree, before anything is served; afterwards the log directory is clean
 * (no torn tail, no file without records).
 *
 *     snapshot loads ──────────────────────> replay records > its zxid
 *     no snapshot, log records exist ──────> refuse, unless snapshot.trust.empty: replay all from an empty tree
 *     nothing at all ──────────────────────> empty database: allowed by db.autocreate or the `initialize` file
 *     snapshots exist, none is whole ──────> refuse (Apache would begin with an empty tree)
 *     newest is damaged, log ends before it > refuse (Apache would begin with an older state)
 *
 * The caller takes a snapshot afterwards; Apache refuses a log without any.
 */
import { dirname } from 'node:path';
import { CorruptionFailure, DataDirFailure } from '../base/failure.ts';
import { type Zxid, ZxidCell, zxidHex } from '../base/zxid.ts';
import type { DataDirs } from './data-dir.ts';
import { listSnapshots, type SnapshotFile } from './data-files.ts';
import type { Disk } from './disk.ts';
import {
  loadNewestSnapshot,
  looksWhole,
  type SnapshotReadOptions,
  type SnapshotSink,
} from './snapshot-reader.ts';
import { readSyncedZxid, SYNCED_NAME, SyncedZxid } from './synced-zxid.ts';
import {
  HOW_TO_ACCEPT,
  readTxnlog,
  settleTxnlogs,
  type TxnlogReadOptions,
  type TxnlogReadResult,
  type TxnSink,
} from './txnlog-reader.ts';

export interface RestoreOptions extends SnapshotReadOptions, TxnlogReadOptions {
  /** zookeeper.snapshot.trust.empty: replay a log that has no snapshot (upgrade from 3.5.2 or older). */
  readonly trustEmptySnapshot: boolean;
  /** zookeeper.db.autocreate: begin with an empty database when there is none. */
  readonly autocreateDatabase: boolean;
}

export interface RestoreResult {
  /** Last zxid of the restored state; 0 for an empty database. */
  readonly lastZxid: Zxid;
  readonly snapshot: SnapshotFile | null;
  /** Records replayed and the bytes of their payloads. */
  readonly txnCount: number;
  readonly txnBytes: number;
}

/** @throws CorruptionFailure, DataDirFailure, StorageFailure */
export function restore(
  disk: Disk,
  dirs: DataDirs,
  snapshotSink: SnapshotSink,
  txnSink: TxnSink,
  options: RestoreOptions,
): RestoreResult {
  const mayBeEmpty = takeInitializeMarker(disk, dirs) || options.autocreateDatabase;
  const snapshot = loadNewestSnapshot(disk, dirs.snapshotDirectory, snapshotSink, options);
  if (snapshot === null && !options.trustEmptySnapshot) {
    checkEmpty(disk, dirs, options);
  }
  const snapshotZxid = snapshot === null ? 0 : snapshot.zxid;
  const log = readTxnlog(disk, dirs.logDirectory, snapshotZxid + 1, txnSink, options);
  if (snapshot === null && log.recordCount === 0 && !mayBeEmpty) {
    throw new DataDirFailure(
      `no database in ${dirs.snapshotDirectory} and zookeeper.db.autocreate is false; ` +
        `create the file ${dirs.initializeMarker} to begin with an empty one`,
    );
  }
  const lastZxid = Math.max(snapshotZxid, log.lastZxid);
  if (snapshot !== null) checkPassedOver(disk, dirs, snapshot, lastZxid, options);
  checkSynced(disk, dirs.logDirectory, lastZxid, log, options);
  settleTxnlogs(disk, dirs.logDirectory, log);
  if (dirs.snapshotDirectory !== dirs.logDirectory) disk.syncDirectory(dirs.snapshotDirectory);
  const last = new ZxidCell(lastZxid);
  return {
    get lastZxid() {
      return last.value;
    },
    snapshot,
    txnCount: log.recordCount,
    txnBytes: log.payloadBytes,
  };
}

function takeInitializeMarker(disk: Disk, { initializeMarker }: DataDirs): boolean {
  if (disk.stat(initializeMarker) === null) return false;
  disk.remove(initializeMarker);
  disk.syncDirectory(dirname(initializeMarker)); // it permits an empty database once
  return true;
}

/**
 * Snapshots newer than the one that was loaded are damaged. Nothing is lost as long as the log reaches as far as they did;
 * what was in a snapshot had been acknowledged.
 */
function checkPassedOver(
  disk: Disk,
  dirs: DataDirs,
  loaded: SnapshotFile,
  lastZxid: Zxid,
  options: RestoreOptions,
): void {
  const directory = dirs.snapshotDirectory;
  for (const file of listSnapshots(disk, directory)) {
    if (file.zxid <= loaded.zxid) continue;
    const path = `${directory}/${file.name}`;
    if (file.zxid > lastZxid) {
      throw new CorruptionFailure(
        `${path} is damaged, and the log behind ${loaded.name} ends at zxid 0x${zxidHex(lastZxid)}: ` +
          'acknowledged writes are lost; restore the file from a copy or the data directory from a backup',
      );
    }
    // One that was tried has been reported.
    if (looksWhole(disk, directory, file)) continue;
    options.onWarning(`${path} is no whole snapshot; ${loaded.name} and the log behind it are used instead`);
  }
}

/** What is known to have been synced must be there: it was acknowledged. */
function checkSynced(
  disk: Disk,
  logDirectory: string,
  lastZxid: Zxid,
  { tear }: TxnlogReadResult,
  options: RestoreOptions,
): void {
  const syncedZxid = readSyncedZxid(disk, logDirectory);
  if (syncedZxid <= lastZxid) return;
  const found =
    `${logDirectory}/${SYNCED_NAME} says that the log had been synced up to zxid 0x${zxidHex(syncedZxid)}, ` +
    `and what is there ends at 0x${zxidHex(lastZxid)} (${tear ?? 'log files may have been removed or replaced'})`;
  if (!options.acceptMissingRecords) {
    throw new CorruptionFailure(
      `${found}: acknowledged writes are lost; restore the files from a copy or the data directory from a backup, ` +
        `or ${HOW_TO_ACCEPT}`,
    );
  }
  options.onWarning(`${found}: accepted by ringkeeper.acceptMissingRecords, acknowledged writes are lost`);
  const synced = new SyncedZxid(disk, logDirectory);
  synced.set(lastZxid);
  synced.close();
}

/** Without a loadable snapshot there must be neither log records nor remains of a snapshot that held something. */
function checkEmpty(disk: Disk, dirs: DataDirs, options: RestoreOptions): void {
  const broken = listSnapshots(disk, dirs.snapshotDirectory).filter((file) => file.zxid > 0);
  if (broken.length > 0) {
    throw new CorruptionFailure(
      `${dirs.snapshotDirectory} has ${broken.length} snapshot file(s) and none is whole, ` +
        `the newest is ${broken.at(-1)!.name}; restore the data directory from a backup`,
    );
  }
  // Whether there are any is all that counts here; what is wrong with them is said when they are read.
  const anyRecord: TxnSink = { onTxn: () => true };
  const log = readTxnlog(disk, dirs.logDirectory, 0, anyRecord, { ...options, onWarning: () => {} });
  if (log.recordCount > 0) {
    throw new CorruptionFailure(
      `No snapshot found, but there are log entries in ${dirs.logDirectory}. Something is broken! ` +
        'Restore the snapshot files, or set zookeeper.snapshot.trust.empty=true if this data comes from ' +
        'ZooKeeper 3.5.2 or older',
    );
  }
}

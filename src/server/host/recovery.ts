/** Start-up of the core: the data directory into the replica, on the core's thread, before anything is served. */
import type { Clock } from '../../base/clock.ts';
import type { Zxid } from '../../base/zxid.ts';
import type { Incarnations } from '../../core/incarnations.ts';
import { Loader } from '../../core/loading/loader.ts';
import type { DataDirs } from '../../storage/data-dir.ts';
import { listLogs, listSnapshots } from '../../storage/data-files.ts';
import type { Disk } from '../../storage/disk.ts';
import { restore } from '../../storage/restore.ts';
import type { SnapshotSink } from '../../storage/snapshot-reader.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Log } from '../logging/logging.ts';
import type { RecoveryCosts } from '../monitor/core-metrics.ts';

export interface Recovery {
  readonly lastZxid: Zxid;
  /** Of the snapshot that was loaded, 0 if there was none: the log has all that follows. */
  readonly snapshotZxid: Zxid;
  /** A snapshot at `lastZxid` exists already. */
  readonly isSnapshotCurrent: boolean;
  /** No snapshot at all: one must be written before the log, or Apache would refuse the directory. */
  readonly isFirstStart: boolean;
  readonly costs: RecoveryCosts;
}

/** Nothing is there, and no `initialize` file allows to begin with nothing. */
export function hasNoDatabase(disk: Disk, dirs: DataDirs): boolean {
  return (
    listSnapshots(disk, dirs.snapshotDirectory).length === 0 &&
    listLogs(disk, dirs.logDirectory).length === 0 &&
    disk.stat(dirs.initializeMarker) === null
  );
}

/** Fills the present replica, which must be new, or another one. @throws CorruptionFailure, DataDirFailure, StorageFailure */
export function recover(
  incarnations: Incarnations,
  disk: Disk,
  dirs: DataDirs,
  config: ServerConfig,
  log: Log,
  clock: Clock,
): Recovery {
  const startMs = clock.monotonicMs();
  const sink = new LoaderSink(incarnations, clock);
  const result = restore(
    disk,
    dirs,
    sink,
    {
      onTxn: (_zxid, bytes, view, start, end) => {
        sink.endSnapshot();
        return sink.loader.replay.apply(bytes, view, start, end);
      },
    },
    {
      trustEmptySnapshot: config.snapshotTrustEmpty,
      autocreateDatabase: config.dbAutocreate,
      acceptMissingRecords: config.acceptMissingRecords,
      onWarning: (message) => log.warn(message),
    },
  );
  sink.endSnapshot();
  const { loader } = sink;
  const orphans = loader.replay.finish();
  const endMs = clock.monotonicMs();
  if (sink.missingAcls > 0) {
    log.warn(
      `${sink.missingAcls} znodes name an ACL that the snapshot lacks; only a super user can reach them`,
    );
  }
  if (loader.digestMismatches > 0) {
    log.warn('the tree digest differs from the one recorded in the data files', {
      records: loader.digestMismatches,
      firstZxid: '0x' + loader.firstMismatchZxid.toString(16),
    });
  }
  if (orphans > 0)
    log.info(`removed ${orphans} ephemeral znodes of sessions that ended while the server was down`);
  log.info('database restored', {
    snapshot: result.snapshot?.name ?? 'none',
    transactions: result.txnCount,
    zxid: '0x' + result.lastZxid.toString(16),
    znodes: incarnations.replica.parts.tree.nodeCount,
  });
  return {
    get lastZxid() {
      return result.lastZxid;
    },
    get snapshotZxid() {
      return result.snapshot?.zxid ?? 0;
    },
    isSnapshotCurrent: result.snapshot !== null && result.snapshot.zxid === result.lastZxid && orphans === 0,
    isFirstStart: result.snapshot === null,
    costs: {
      snapshotMs: sink.snapshotEndMs - startMs,
      txnsMs: endMs - sink.snapshotEndMs,
      txns: result.txnCount,
      digestMismatches: loader.digestMismatches,
    },
  };
}

/**
 * Storage's events as the loader's; without a snapshot, the first transaction finds an empty tree. A second snapshot
 * begins because the one before it was broken: it is loaded into another replica.
 */
class LoaderSink implements SnapshotSink {
  missingAcls = 0;
  snapshotEndMs = 0;
  loader: Loader;
  private readonly incarnations: Incarnations;
  private readonly clock: Clock;
  private hasBegun = false;
  private hasEnded = false;

  constructor(incarnations: Incarnations, clock: Clock) {
    this.incarnations = incarnations;
    this.loader = new Loader(incarnations.replica.parts);
    this.clock = clock;
  }

  onBegin(zxid: Zxid): void {
    if (this.hasBegun) this.loader = new Loader(this.incarnations.begin().parts);
    this.hasBegun = true;
    this.loader.snapshot.begin(zxid);
  }

  onSession(idHigh: number, idLow: number, timeoutMs: number): void {
    this.loader.snapshot.session(idHigh, idLow, timeoutMs);
  }

  onAcl(aclId: number, bytes: Uint8Array, _view: DataView, start: number, end: number): void {
    this.loader.snapshot.acl(aclId, bytes, start, end);
  }

  onNode(
    bytes: Uint8Array,
    view: DataView,
    pathStart: number,
    pathLength: number,
    dataStart: number,
    dataLength: number,
    aclId: number,
    statStart: number,
  ): void {
    this.loader.snapshot.node(bytes, view, pathStart, pathLength, dataStart, dataLength, aclId, statStart);
  }

  onDigest(zxid: Zxid, version: number, high: number, low: number): void {
    this.loader.snapshot.digest(zxid, version, high, low);
  }

  /** Once, before the first transaction or at the end. */
  endSnapshot(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.hasBegun) this.missingAcls = this.loader.snapshot.end();
    else this.loader.snapshot.createEmpty();
    this.snapshotEndMs = this.clock.monotonicMs();
  }
}

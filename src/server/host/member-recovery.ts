/**
 * Start-up of a server that has others: what it cannot read of its history, the others still have. A damaged history is put
 * aside and taken anew from the leader; so is one that is missing where an empty database is not allowed. Only if the others
 * are a quorum without this server: it has no vote until then, and somebody must be elected. Core thread.
 */
import type { Clock } from '../../base/clock.ts';
import { CorruptionFailure } from '../../base/failure.ts';
import type { Incarnations } from '../../core/incarnations.ts';
import { parseQuorumConfig } from '../../core/quorum/quorum-config.ts';
import type { DataDirs } from '../../storage/data-dir.ts';
import type { Disk } from '../../storage/disk.ts';
import { isIncomplete, markComplete, markIncomplete, setAside } from '../../storage/set-aside.ts';
import type { EnsembleConfig } from '../config/ensemble-config.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { Log } from '../logging/logging.ts';
import type { Completeness } from './learner-desk.ts';
import { hasNoDatabase, type Recovery, recover } from './recovery.ts';

/** As `recover`, of which it is the whole where this server is alone. @throws CorruptionFailure, DataDirFailure, StorageFailure */
export function recoverMember(
  incarnations: Incarnations,
  disk: Disk,
  dirs: DataDirs,
  config: ServerConfig,
  log: Log,
  clock: Clock,
): Recovery {
  const { ensemble } = config;
  if (ensemble === null || !othersAreQuorum(ensemble))
    return recover(incarnations, disk, dirs, config, log, clock);
  const anew: ServerConfig = { ...config, dbAutocreate: true };
  if (!config.dbAutocreate && hasNoDatabase(disk, dirs)) {
    markIncomplete(disk, dirs);
    log.warn(
      'no database, and zookeeper.db.autocreate is false: this server votes once a leader has sent it one',
    );
    return recover(incarnations, disk, dirs, anew, log, clock);
  }
  try {
    return recover(incarnations, disk, dirs, config, log, clock);
  } catch (error) {
    if (!(error instanceof CorruptionFailure)) throw error;
    const directories = setAside(disk, dirs);
    log.warn(
      `this server's history is damaged and was put aside; it is taken anew from the leader, and this server has no vote until then`,
      { reason: error.message, aside: directories.join(' ') },
    );
    incarnations.begin();
    return recover(incarnations, disk, dirs, anew, log, clock);
  }
}

/** Told by the mark that start-up leaves. */
export class MarkedCompleteness implements Completeness {
  isComplete: boolean;
  private readonly disk: Disk;
  private readonly dirs: DataDirs;
  private readonly log: Log;

  constructor(disk: Disk, dirs: DataDirs, log: Log) {
    this.disk = disk;
    this.dirs = dirs;
    this.log = log;
    this.isComplete = !isIncomplete(disk, dirs);
  }

  onInStep(): void {
    if (this.isComplete) return;
    markComplete(this.disk, this.dirs);
    this.isComplete = true;
    this.log.info('this server has its history again, and votes');
  }
}

function othersAreQuorum({ sid, quorumText }: EnsembleConfig): boolean {
  const { verifier } = parseQuorumConfig(quorumText);
  const others = new Set(verifier.voters);
  others.delete(sid);
  return verifier.containsQuorum(others);
}

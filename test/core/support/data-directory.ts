/**
 * Data directories in memory for tests of recovery: fixtures copied in, or what a replica's fake log and snapshots
 * hold, written by the real appender and snapshot writer; `restored` opens one as a server would.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../src/base/clock.ts';
import type { SnapshotRequest } from '../../../src/core/ports/ports.ts';
import type { ServerConfig } from '../../../src/server/config/server-config.ts';
import { recoverMember } from '../../../src/server/host/member-recovery.ts';
import type { Recovery } from '../../../src/server/host/recovery.ts';
import type { Log } from '../../../src/server/logging/logging.ts';
import { writeSnapshot } from '../../../src/server/snapshot/write-snapshot.ts';
import type { DataDirs } from '../../../src/storage/data-dir.ts';
import type { SnapshotCompression } from '../../../src/storage/data-files.ts';
import type { Disk } from '../../../src/storage/disk.ts';
import { appender, DIRECTORY } from '../../storage/support/collect.ts';
import { MemoryDisk } from '../../storage/support/memory-disk.ts';
import type { LoggedTxn } from './fake-ports.ts';
import { ReplicaHarness } from './replica-harness.ts';

export const DIRS: DataDirs = {
  snapshotDirectory: DIRECTORY,
  logDirectory: DIRECTORY,
  initializeMarker: '/d/initialize',
};

const CLOCK: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export interface Restored {
  readonly harness: ReplicaHarness;
  readonly recovery: Recovery;
  readonly warnings: readonly string[];
}

/** A copy of a directory of this machine; `keep` chooses among its files. */
export function copyOf(directory: string, keep: (name: string) => boolean = () => true): MemoryDisk {
  const disk = new MemoryDisk();
  disk.putDirectory(DIRECTORY);
  for (const name of readdirSync(directory)) {
    if (keep(name)) disk.put(`${DIRECTORY}/${name}`, readFileSync(join(directory, name)));
  }
  return disk;
}

/** Log files with these transactions; a new file begins at each of `rolls`. */
export function withLog(txns: readonly LoggedTxn[], rolls: readonly number[] = []): MemoryDisk {
  const disk = new MemoryDisk();
  disk.putDirectory(DIRECTORY);
  if (txns.length === 0) return disk;
  const log = appender(disk, txns[0]!.zxid - 1);
  for (const [i, { zxid, payload }] of txns.entries()) {
    log.append(zxid, payload, 0, payload.length);
    if (!rolls.includes(i) && i < txns.length - 1) continue;
    log.commit();
    if (rolls.includes(i)) log.roll();
  }
  log.close();
  return disk;
}

export function putSnapshot(
  disk: MemoryDisk,
  request: SnapshotRequest,
  compression: SnapshotCompression = '',
): void {
  writeSnapshot(disk, { request, directory: DIRECTORY, compression, digestEnabled: true });
}

/** @throws what recovery throws */
export function restored(disk: Disk, config: Partial<ServerConfig> = {}, dirs: DataDirs = DIRS): Restored {
  const warnings: string[] = [];
  const log: Log = {
    debug: () => {},
    info: () => {},
    warn: (text, fields) =>
      void warnings.push(fields === undefined ? text : `${text} ${JSON.stringify(fields)}`),
    error: (text) => void warnings.push(text),
  };
  const settings = {
    snapshotTrustEmpty: false,
    dbAutocreate: true,
    ensemble: null,
    ...config,
  } as ServerConfig;
  let recovery: Recovery | undefined;
  const harness = new ReplicaHarness({}, (incarnations) => {
    recovery = recoverMember(incarnations, disk, dirs, settings, log, CLOCK);
    return recovery.lastZxid;
  });
  return { harness, recovery: recovery!, warnings };
}

/** A start on a memory disk whose snapshot is that of an empty tree: what a server would have, or the refusal. */
import { type RestoreOptions, restore } from '../../../src/storage/restore.ts';
import { DIRECTORY, SnapshotCollector, TxnCollector } from './collect.ts';
import type { MemoryDisk } from './memory-disk.ts';

export interface RestoredLog {
  readonly zxids: readonly number[];
  readonly warnings: readonly string[];
}

export function restoreFrom(disk: MemoryDisk, options: Partial<RestoreOptions> = {}): RestoredLog {
  const txns = new TxnCollector();
  const warnings: string[] = [];
  const dirs = { snapshotDirectory: DIRECTORY, logDirectory: DIRECTORY, initializeMarker: '/d/initialize' };
  restore(disk, dirs, new SnapshotCollector(), txns, {
    trustEmptySnapshot: true,
    autocreateDatabase: true,
    acceptMissingRecords: false,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  return { zxids: txns.zxids, warnings };
}

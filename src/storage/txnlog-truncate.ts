/**
 * Cuts the history behind a zxid (TRUNC, or the end of an incarnation): no record with a greater one remains, in no file.
 * Log thread, with no file open for appending. Durable on return, and a crash at any call leaves a history that ends
 * somewhere between here and where it ended before, without a gap:
 *
 *     log.1   log.5   log.9   log.c      truncate to 6
 *                             removed    newest first, each removal synced before the next
 *                     removed
 *             cut behind 6               also when 6 itself is in no record: then behind the last one before it
 *
 * Snapshots behind the zxid go first, for one that stays would bring the records back: `discardSnapshots`.
 */
import { CorruptionFailure } from '../base/failure.ts';
import { type Zxid, zxidHex } from '../base/zxid.ts';
import { listLogs, listSnapshots } from './data-files.ts';
import type { Disk } from './disk.ts';
import { LogFileCursor } from './log-file-cursor.ts';
import { LOG_HEADER_BYTES } from './txnlog-format.ts';
import { inspectTail } from './txnlog-tail.ts';

const CHUNK_BYTES = 1024 * 1024;

/** @throws CorruptionFailure when damage lies before the place; StorageFailure */
export function truncateTxnlog(disk: Disk, directory: string, zxid: Zxid): void {
  for (const file of listLogs(disk, directory).reverse()) {
    const path = `${directory}/${file.name}`;
    if (file.zxid <= zxid && !cutFile(disk, path, zxid)) return;
    if (file.zxid > zxid || isEmpty(disk, path)) {
      disk.remove(path);
      disk.syncDirectory(directory);
    }
  }
}

/** A fuzzy snapshot of Apache may hold more than its name tells; what is in it behind `zxid` is not seen here. */
export function discardSnapshots(disk: Disk, directory: string, zxid: Zxid): void {
  for (const file of listSnapshots(disk, directory).reverse()) {
    if (file.zxid <= zxid) return;
    disk.remove(`${directory}/${file.name}`);
    disk.syncDirectory(directory);
  }
}

/** True when nothing is left in the file, and the one before it may hold the place. */
function cutFile(disk: Disk, path: string, zxid: Zxid): boolean {
  const file = disk.open(path, 'update');
  try {
    const cursor = new LogFileCursor(file, CHUNK_BYTES);
    let end = LOG_HEADER_BYTES;
    while (cursor.next()) {
      if (cursor.zxid > zxid) {
        file.truncate(end);
        file.syncData();
        return end === LOG_HEADER_BYTES;
      }
      end = cursor.endOffset;
    }
    const tail = inspectTail(file, cursor.endOffset, cursor.isMarked);
    if (tail.kind !== 'padding') {
      throw new CorruptionFailure(
        `${path} is corrupt at offset ${cursor.endOffset}: ${tail.reason}; it cannot be cut behind zxid 0x${zxidHex(zxid)}`,
      );
    }
    return cursor.endOffset <= LOG_HEADER_BYTES;
  } finally {
    file.close();
  }
}

function isEmpty(disk: Disk, path: string): boolean {
  return disk.stat(path)!.bytes <= LOG_HEADER_BYTES;
}

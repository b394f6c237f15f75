/**
 * The records of the log from one zxid to another, read while the log goes on: what a learner needs for a DIFF from
 * disk. Blocks; runs wherever blocking is allowed, beside the log thread.
 *
 *     log.1 … log.9 … log.c .....|......     `toZxid` is durable when the range is made, and nothing behind it is judged:
 *            from ────────▶ to   live tail   the bytes there may be half written
 *
 * Files that the range needs may be purged meanwhile: a StorageFailure then, and the caller sends a snapshot instead. So it does
 * when the first record is greater than it can use: the log does not reach back that far.
 */
import { assert } from '../base/assert.ts';
import { CorruptionFailure } from '../base/failure.ts';
import { type Zxid, ZxidCell, zxidHex } from '../base/zxid.ts';
import { type LogFile, listLogs } from './data-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import { LogFileCursor } from './log-file-cursor.ts';

const CHUNK_BYTES = 256 * 1024;

export class TxnlogRange {
  private readonly disk: Disk;
  private readonly directory: string;
  private readonly from: ZxidCell;
  private readonly to: ZxidCell;
  private readonly last = new ZxidCell(-1);
  private readonly files: readonly LogFile[];
  private nextFile = 0;
  private file: DiskFile | null = null;
  private current: LogFileCursor | null = null;

  /** `toZxid` is durable. */
  constructor(disk: Disk, directory: string, fromZxid: Zxid, toZxid: Zxid) {
    this.disk = disk;
    this.directory = directory;
    this.from = new ZxidCell(fromZxid);
    this.to = new ZxidCell(toZxid);
    const files = listLogs(disk, directory).filter(({ zxid }) => zxid <= toZxid);
    this.files = files.slice(
      Math.max(
        0,
        files.findLastIndex(({ zxid }) => zxid <= fromZxid),
      ),
    );
  }

  /** The record: `record.bytes[record.start, record.end)`, valid until the next call of `next`. */
  get record(): LogFileCursor {
    assert(this.current !== null, 'no record before the first next');
    return this.current;
  }

  /** False behind the last record. @throws CorruptionFailure when the log ends before; StorageFailure */
  next(): boolean {
    while (this.last.value < this.to.value) {
      if (this.current === null && !this.open()) break;
      const cursor = this.current!;
      if (!cursor.next()) {
        this.close();
        continue;
      }
      const { zxid } = cursor;
      if (zxid > this.to.value) break;
      this.last.value = zxid;
      if (zxid >= this.from.value) return true;
    }
    this.close();
    if (this.last.value === this.to.value) return false;
    const { directory } = this;
    throw new CorruptionFailure(
      `the log in ${directory} has no record 0x${zxidHex(this.to.value)}, which has been synced: it ends at ` +
        `0x${zxidHex(Math.max(0, this.last.value))}; restore the files from a copy`,
    );
  }

  close(): void {
    this.file?.close();
    this.file = null;
    this.current = null;
  }

  private open(): boolean {
    const next = this.files[this.nextFile++];
    if (next === undefined) return false;
    this.file = this.disk.open(`${this.directory}/${next.name}`, 'read');
    this.current = new LogFileCursor(this.file, CHUNK_BYTES);
    return true;
  }
}

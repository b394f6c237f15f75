/**
 * How far the log is known to be on the disk: a lower bound, kept in a small file beside it. A record up to this zxid that is
 * missing or damaged was acknowledged, so a start refuses instead of taking it for a torn write. What comes behind the bound
 * is judged by the marks of batches alone (batch-mark.ts).
 *
 *     <dataLogDir>/version-2/ringkeeper.synced
 *     int32 magic "RKSZ" | int32 version 1 | int64 zxid | int32 CRC-32 of the 16 bytes before
 *
 * Written in place by the log thread, always after the sync that it speaks of: lazily each second and at each roll, without
 * a sync of its own; synced at a clean stop and before the log is truncated. So a crash may leave an older bound or, if the
 * write was torn, none: weaker, never wrong. Its 20 bytes lie in one sector. Apache ignores the file.
 */
import { crc32 } from '../base/checksum.ts';
import { readInt64, writeInt64 } from '../base/int64.ts';
import { type Zxid, ZxidCell } from '../base/zxid.ts';
import type { Disk, DiskFile } from './disk.ts';

export const SYNCED_NAME = 'ringkeeper.synced';
const MAGIC = 0x524b535a;
const VERSION = 1;
const SUMMED_BYTES = 16;
const FILE_BYTES = 20;

/** -1: nothing is known. */
export function readSyncedZxid(disk: Disk, directory: string): Zxid {
  const path = `${directory}/${SYNCED_NAME}`;
  if (disk.stat(path) === null) return -1;
  const bytes = new Uint8Array(FILE_BYTES);
  const view = new DataView(bytes.buffer);
  const file = disk.open(path, 'read');
  try {
    if (file.read(bytes, 0, FILE_BYTES, 0) < FILE_BYTES) return -1;
  } finally {
    file.close();
  }
  const whole =
    view.getInt32(0) === MAGIC &&
    view.getInt32(4) === VERSION &&
    view.getUint32(SUMMED_BYTES) === crc32(bytes, 0, SUMMED_BYTES);
  return whole ? readInt64(view, 8) : -1;
}

/** The writer's side. */
export class SyncedZxid {
  private readonly disk: Disk;
  private readonly path: string;
  private readonly directory: string;
  private readonly bytes = new Uint8Array(FILE_BYTES);
  private readonly view = new DataView(this.bytes.buffer);
  private file: DiskFile | null = null;
  private readonly written = new ZxidCell(-1);

  constructor(disk: Disk, directory: string) {
    this.disk = disk;
    this.directory = directory;
    this.path = `${directory}/${SYNCED_NAME}`;
  }

  /** Everything up to `zxid` has been synced. Reaches the disk sometime. */
  note(zxid: Zxid): void {
    if (zxid > this.written.value) this.write(zxid);
  }

  /** The same, durable on return; `zxid` may be lower than what was noted: the log is going to be cut there. */
  set(zxid: Zxid): void {
    if (zxid !== this.written.value) this.write(zxid);
    this.file?.syncData();
  }

  close(): void {
    this.file?.close();
    this.file = null;
  }

  private write(zxid: Zxid): void {
    this.file ??= this.open();
    this.view.setInt32(0, MAGIC);
    this.view.setInt32(4, VERSION);
    writeInt64(this.view, 8, zxid);
    this.view.setUint32(SUMMED_BYTES, crc32(this.bytes, 0, SUMMED_BYTES));
    this.file.write(this.bytes, 0, FILE_BYTES, 0);
    this.written.value = zxid;
  }

  private open(): DiskFile {
    if (this.disk.stat(this.path) !== null) return this.disk.open(this.path, 'update');
    const file = this.disk.create(this.path);
    this.disk.syncDirectory(this.directory);
    return file;
  }
}

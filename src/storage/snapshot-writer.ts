/**
 * Writes one snapshot as a stream, on the snapshot thread (or at start). The caller encodes nodes straight into
 * the writer's buffer; memory stays at one chunk however large the tree is, and so do the file's dirty pages.
 *
 *     new SnapshotWriter ─> sessions ─> acls ─> (claim, encode, commit)* ─> finish
 *                                                                        └> abort, at any time
 *
 * The file carries a temporary name until it is complete and synced, then it is renamed and the directory synced:
 * a file under a snapshot's name is always whole. The checksum runs over the uncompressed bytes.
 */

import { assert } from '../base/assert.ts';
import { adler32 } from '../base/checksum.ts';
import { writeInt64 } from '../base/int64.ts';
import { releaseMemory } from '../base/release-memory.ts';
import type { Zxid } from '../base/zxid.ts';
import { SnapshotCompression, snapshotName, TEMPORARY_PREFIX } from './data-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import { gzipMember } from './gzip.ts';
import { snappyBlocks, snappyHeader } from './snappy.ts';
import {
  DIGEST_SECTION_BYTES,
  DIGEST_VERSION,
  END_STRING_BYTES,
  SEAL_BYTES,
  SNAPSHOT_HEADER_BYTES,
  writeEndString,
  writeSeal,
  writeSnapshotHeader,
} from './snapshot-format.ts';

const CHUNK_BYTES = 1024 * 1024;

/**
 * The file is synced as it grows. Left to the end, 200 MB of dirty pages go to the disk in one piece, and a sync of the
 * log, which may be on the same disk, waits behind them: 100 ms instead of 10, and every write with it. Half a chunk:
 * after each one, or after a few when they are compressed.
 */
const SYNC_BYTES = CHUNK_BYTES / 2;

/** Tree digest after `zxid`: two halves of the 64-bit value. */
export interface SnapshotDigest {
  readonly zxid: Zxid;
  readonly high: number;
  readonly low: number;
}

export interface SnapshotSummary {
  readonly name: string;
  readonly fileBytes: number;
}

export class SnapshotWriter {
  /** Where `claim` points into; both may change with every claim. */
  bytes = new Uint8Array(CHUNK_BYTES);
  view = new DataView(this.bytes.buffer);
  private readonly disk: Disk;
  private readonly directory: string;
  private readonly name: string;
  private readonly temporaryPath: string;
  private readonly compression: SnapshotCompression;
  private readonly file: DiskFile;
  private closed = false;
  private fileBytes = 0;
  private syncedBytes = 0;
  private used = 0;
  private claimed = 0;
  private summed = 0;
  private checksum = 1;
  private readonly writeFramed = (framed: Uint8Array): void => this.write(framed, 0, framed.length);

  constructor(disk: Disk, directory: string, zxid: Zxid, compression: SnapshotCompression) {
    this.disk = disk;
    this.directory = directory;
    this.name = snapshotName(zxid, compression);
    this.temporaryPath = `${directory}/${TEMPORARY_PREFIX}${this.name.slice('snapshot.'.length)}`;
    this.compression = compression;
    if (disk.stat(this.temporaryPath) !== null) disk.remove(this.temporaryPath);
    this.file = disk.create(this.temporaryPath);
    if (compression === SnapshotCompression.snappy) this.writeFramed(snappyHeader());
    writeSnapshotHeader(this.view, this.claim(SNAPSHOT_HEADER_BYTES));
    this.commit(SNAPSHOT_HEADER_BYTES);
  }

  /** Already encoded bytes: the sessions with their count in front, then the ACLs with theirs. */
  block(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.claim(bytes.length));
    this.commit(bytes.length);
  }

  /** Whether a claim of `length` bytes asks nothing of the disk. */
  hasRoom(length: number): boolean {
    return this.used + length <= this.bytes.length;
  }

  /** Room for at most `length` bytes; returns the offset in `bytes`. One claim at a time. */
  claim(length: number): number {
    if (!this.hasRoom(length)) this.makeRoom(length);
    this.claimed = length;
    return this.used;
  }

  /** Hands everything to the disk, which may take its time, and has room for `length` bytes afterwards. */
  makeRoom(length: number): void {
    this.flush();
    if (length > this.bytes.length) {
      this.bytes = new Uint8Array(length);
      this.view = new DataView(this.bytes.buffer);
    }
  }

  /** Keeps the first `length` bytes of the last claim. */
  commit(length: number): void {
    assert(length <= this.claimed, 'more bytes committed than claimed');
    this.used += length;
    this.claimed = 0;
  }

  /** Ends the nodes, seals, syncs and publishes the file. @throws StorageFailure; the caller then aborts. */
  finish(digest: SnapshotDigest | null): SnapshotSummary {
    writeEndString(this.view, this.claim(END_STRING_BYTES));
    this.commit(END_STRING_BYTES);
    this.seal();
    if (digest !== null) {
      const at = this.claim(DIGEST_SECTION_BYTES);
      writeInt64(this.view, at, digest.zxid);
      this.view.setInt32(at + 8, DIGEST_VERSION);
      this.view.setInt32(at + 12, digest.high);
      this.view.setInt32(at + 16, digest.low);
      this.commit(DIGEST_SECTION_BYTES);
      this.seal();
    }
    this.flush();
    this.file.syncData();
    this.closeFile();
    this.disk.rename(this.temporaryPath, `${this.directory}/${this.name}`);
    this.disk.syncDirectory(this.directory);
    return { name: this.name, fileBytes: this.fileBytes };
  }

  /** Gives up; the half-written file goes away. */
  abort(): void {
    this.closeFile();
    if (this.disk.stat(this.temporaryPath) !== null) this.disk.remove(this.temporaryPath);
  }

  private closeFile(): void {
    if (this.closed) return;
    this.closed = true;
    releaseMemory(this.bytes);
    this.file.close();
  }

  private seal(): void {
    const at = this.claim(SEAL_BYTES);
    this.sum();
    writeSeal(this.view, at, this.checksum);
    this.commit(SEAL_BYTES);
  }

  private sum(): void {
    this.checksum = adler32(this.bytes, this.summed, this.used, this.checksum);
    this.summed = this.used;
  }

  private flush(): void {
    if (this.used === 0) return;
    this.sum();
    const { bytes, used, compression } = this;
    if (compression === SnapshotCompression.gz) this.writeFramed(gzipMember(bytes, 0, used));
    else if (compression === SnapshotCompression.snappy) snappyBlocks(bytes, 0, used, this.writeFramed);
    else this.write(bytes, 0, used);
    this.used = 0;
    this.summed = 0;
  }

  private write(bytes: Uint8Array, at: number, length: number): void {
    this.file.write(bytes, at, length, this.fileBytes);
    this.fileBytes += length;
    if (this.fileBytes - this.syncedBytes < SYNC_BYTES) return;
    this.file.syncData();
    this.syncedBytes = this.fileBytes;
  }
}

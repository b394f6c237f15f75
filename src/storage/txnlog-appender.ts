/**
 * The group-commit machine of the log thread. `append` frames records into one buffer, `commit` makes them
 * durable with one write and one fdatasync and returns the last durable zxid; only then may anything be
 * acknowledged. Single-threaded, synchronous, no allocation per record.
 *
 *     append* ── staged ──> commit: write, fdatasync ──> durableZxid
 *                             │ first record after start or roll: create log.<zxid>, header, padding,
 *                             │ fdatasync, directory sync — before the record itself is written
 *                             └ any error: failed for ever; the process must end (a retried fdatasync may report
 *                               success for pages that the kernel has already dropped)
 *
 * Three rules make recovery decidable: a file and its directory entry are durable before the first record goes in; one
 * write is never larger than LOG_WRITE_BYTES_MAX (unless a single record is) and is synced before the next begins; and a record
 * of each write, the first that can be, is marked (batch-mark.ts). So only the last write of the newest file can be torn, and where it begins can be
 * seen; `synced-zxid.ts` tells a little later that it has arrived too. See `txnlog-tail.ts`.
 */
import { assert } from '../base/assert.ts';
import type { StorageFailure } from '../base/failure.ts';
import { type Zxid, ZxidCell } from '../base/zxid.ts';
import { alignedBytes, DIRECT_BLOCK_BYTES, roundUp } from './aligned-bytes.ts';
import { BATCH_MARK_BYTES, isMarkable, LEAD_RECORDS_MAX, writeBatchMark } from './batch-mark.ts';
import { logName } from './data-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { SnapshotTrigger } from './snapshot-trigger.ts';
import { SyncedZxid } from './synced-zxid.ts';
import {
  frameRecord,
  isCredibleLength,
  LOG_HEADER_BYTES,
  LOG_WRITE_BYTES_MAX,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_OFFSET,
  paddedSize,
  RECORD_OVERHEAD_BYTES,
  writeLogHeader,
} from './txnlog-format.ts';
import { truncateTxnlog } from './txnlog-truncate.ts';

/**
 * A write into a part of the file that was never written makes the sync write the file system's journal too: 150 µs
 * and 60 µs of CPU instead of 85 and 33 on the disk where this was measured. So a small batch that comes to the end of
 * what is written takes this many zeros with it, and those behind it find their blocks there. For large batches the
 * zeros would cost more than they save.
 */
const ZEROS_AHEAD_BYTES = 256 * 1024;
const SMALL_BATCH_BYTES_MAX = 64 * 1024;

/** The largest payload there is room for, with a mark. */
export const APPEND_BYTES_MAX = PAYLOAD_BYTES_MAX - BATCH_MARK_BYTES;

// Copies in 35 ns per KiB without making a view; `set` on a view of shared memory takes 145 ns. Any Uint8Array will
// do as `this`.
const { copy } = Buffer.prototype;

export interface TxnlogOptions {
  /** Files grow by this much at a time; 0 = no preallocation. */
  readonly preallocBytes: number;
  /** A file that has grown beyond this is closed after the commit; 0 = no limit. */
  readonly fileBytesMax: number;
  /** Write past the page cache where the file system can: about 1 µs of CPU less per record of 1 KB. */
  readonly direct: boolean;
  /** False: never sync (forceSync=no); a crash of the machine may lose acknowledged writes. */
  readonly forceSync: boolean;
  /** A sync that takes longer is reported. */
  readonly slowSyncMs: number;
  readonly nowMs: () => number;
  readonly times?: DiskTimes;
  readonly onSlowSync: (elapsedMs: number, path: string) => void;
}

/** Told how long the disk took, in milliseconds, once per call. */
export interface DiskTimes {
  onWrite(elapsedMs: number): void;
  onSync(elapsedMs: number): void;
}

export class TxnlogAppender {
  /** Bytes of records written since the start, for metrics. */
  byteCount = 0;
  private readonly disk: Disk;
  private readonly directory: string;
  private readonly trigger: SnapshotTrigger;
  private readonly options: TxnlogOptions;
  /** Bytes of records that fit between two writes. */
  private capacity = LOG_WRITE_BYTES_MAX;
  /**
   *     | carry: durable already | staged records         | zeros to the block's end, or ahead |
   *     ^ a block's beginning    ^ `position` in the file ^ stagedEnd
   *
   * A direct file takes whole blocks, so the beginning of the last one is kept and written again with what follows.
   */
  private staging = alignedBytes(this.capacity + 2 * DIRECT_BLOCK_BYTES);
  private stagingView = new DataView(this.staging.buffer);
  private carry = 0;
  private stagedEnd = 0;
  private readonly stagedFirst = new ZxidCell();
  /** Records that may still be the marked one of the write; 0: it has its mark, or gets none. */
  private leadsLeft = 0;
  private readonly stagedLast: ZxidCell;
  private readonly durable: ZxidCell;
  private file: DiskFile | null = null;
  private position = 0;
  private paddedBytes = 0;
  /** The file's blocks are written up to here, with records or zeros. */
  private writtenEnd = 0;
  private readonly synced: SyncedZxid;
  private failure: StorageFailure | null = null;

  /** `lastZxid`: the last one in the log so far; a process never continues a file it did not create. */
  constructor(
    disk: Disk,
    directory: string,
    lastZxid: Zxid,
    trigger: SnapshotTrigger,
    options: TxnlogOptions,
  ) {
    this.disk = disk;
    this.directory = directory;
    this.durable = new ZxidCell(lastZxid);
    this.stagedLast = new ZxidCell(lastZxid);
    this.trigger = trigger;
    this.options = options;
    this.synced = new SyncedZxid(disk, directory);
    this.beginFile();
  }

  /** Everything up to here survives a crash. */
  get durableZxid(): Zxid {
    return this.durable.value;
  }

  /** The snapshot trigger has fired: the caller calls `roll` and starts a snapshot. */
  get rollDue(): boolean {
    return this.trigger.due;
  }

  /** Stages one record with payload `bytes[start, start + length)`. Writes only when the buffer is full. */
  append(zxid: Zxid, bytes: Uint8Array, start: number, length: number): void {
    if (this.failure !== null) throw this.failure;
    assert(zxid > this.stagedLast.value, 'zxids are appended in order');
    assert(isCredibleLength(length) && length <= APPEND_BYTES_MAX, 'log payload length out of bounds');
    const bytesMax = RECORD_OVERHEAD_BYTES + length + BATCH_MARK_BYTES;
    if (this.stagedBytes + bytesMax > this.capacity) this.makeRoom(bytesMax);
    const at = this.stagedEnd;
    copy.call(bytes as Buffer, this.staging, at + PAYLOAD_OFFSET, start, start + length);
    if (this.stagedBytes === 0) this.beginBatch(zxid);
    const payloadBytes = this.leadsLeft > 0 ? this.mark(zxid, at, length) : length;
    frameRecord(this.staging, this.stagingView, at, payloadBytes);
    const recordBytes = RECORD_OVERHEAD_BYTES + payloadBytes;
    this.stagedEnd = at + recordBytes;
    this.stagedLast.value = zxid;
    this.trigger.onTxn(recordBytes);
  }

  /**
   * Makes everything appended durable; returns the last durable zxid.
   * @throws StorageFailure when the disk fails; then and for ever after nothing more is durable.
   */
  commit(): Zxid {
    this.flush(false);
    return this.durableZxid;
  }

  /** Leaves word on the disk that everything durable is so: each second, and when nothing is to do. Syncs nothing. */
  noteSynced(): void {
    if (this.failure !== null) throw this.failure;
    if (this.options.forceSync) this.guarded(() => this.synced.note(this.durableZxid));
  }

  /** Commits and ends the current file: the next append opens a new one and a new snapshot period begins. */
  roll(): void {
    this.flush(true);
    this.noteSynced();
    this.trigger.reset();
  }

  /**
   * Commits, ends the file and cuts the history behind `zxid`, durably; the next record is to come behind that. The bound
   * goes down first: a crash in between leaves more than it tells, never less.
   */
  truncate(zxid: Zxid): void {
    this.flush(true);
    this.guarded(() => {
      const last = Math.min(zxid, this.durable.value);
      if (this.options.forceSync) this.synced.set(last);
      truncateTxnlog(this.disk, this.directory, last);
      this.durable.value = last;
      this.stagedLast.value = last;
    });
  }

  /** Commits and closes. */
  close(): void {
    this.flush(true);
    this.guarded(() => {
      if (this.options.forceSync) this.synced.set(this.durableZxid);
      this.synced.close();
    });
  }

  private get stagedBytes(): number {
    return this.stagedEnd - this.carry;
  }

  private flush(endsFile: boolean): void {
    if (this.failure !== null) throw this.failure;
    try {
      if (this.stagedBytes > 0) this.writeStaged();
      const limit = this.options.fileBytesMax;
      if (endsFile || (limit > 0 && this.position > limit)) this.closeFile();
    } catch (error) {
      this.failure = error as StorageFailure;
      throw error;
    }
  }

  // Not for each commit: it makes a closure.
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failure = error as StorageFailure;
      throw error;
    }
  }

  private beginBatch(zxid: Zxid): void {
    this.stagedFirst.value = zxid;
    this.leadsLeft = this.options.forceSync ? LEAD_RECORDS_MAX + 1 : 0;
  }

  /** The write has no mark yet. All before it is synced by now, and the mark says so. Returns the length with it. */
  private mark(zxid: Zxid, at: number, length: number): number {
    if (!isMarkable(length)) {
      this.leadsLeft--;
      return length;
    }
    this.leadsLeft = 0;
    const writeOffset = this.file === null ? LOG_HEADER_BYTES : this.position;
    writeBatchMark(this.stagingView, at + PAYLOAD_OFFSET + length, writeOffset, zxid);
    return length + BATCH_MARK_BYTES;
  }

  private makeRoom(recordBytes: number): void {
    this.commit();
    if (recordBytes <= this.capacity) return;
    this.capacity = recordBytes;
    const larger = alignedBytes(this.capacity + 2 * DIRECT_BLOCK_BYTES);
    larger.set(this.staging.subarray(0, this.carry));
    this.staging = larger;
    this.stagingView = new DataView(larger.buffer);
  }

  private writeStaged(): void {
    const file = this.file ?? this.createFile();
    const padded = paddedSize(this.position, this.paddedBytes, this.options.preallocBytes);
    if (padded !== this.paddedBytes) {
      file.truncate(padded);
      this.paddedBytes = padded;
    }
    // An ordinary file needs nothing again.
    const lead = file.blockBytes === 1 ? 0 : this.carry;
    const length = this.lengthWithZeros(file, lead);
    const from = this.carry - lead;
    this.staging.fill(0, this.stagedEnd, from + length);
    const startMs = this.options.nowMs();
    file.write(this.staging, from, length, this.position - lead);
    this.options.times?.onWrite(this.options.nowMs() - startMs);
    this.sync(file);
    this.position += this.stagedBytes;
    this.byteCount += this.stagedBytes;
    this.keepTail(this.position % file.blockBytes);
    this.durable.value = this.stagedLast.value;
  }

  /** Whole blocks for what is staged and `lead` bytes before it, and now and then zeros for the batches to come. */
  private lengthWithZeros(file: DiskFile, lead: number): number {
    const start = this.position - lead;
    let length = roundUp(lead + this.stagedBytes, file.blockBytes);
    if (start + length <= this.writtenEnd) return length;
    if (this.stagedBytes <= SMALL_BATCH_BYTES_MAX && this.options.forceSync) {
      const room = this.paddedBytes - start;
      length = Math.max(length, Math.min(length + ZEROS_AHEAD_BYTES, room - (room % file.blockBytes)));
    }
    this.writtenEnd = start + length;
    return length;
  }

  private keepTail(bytes: number): void {
    this.staging.copyWithin(0, this.stagedEnd - bytes, this.stagedEnd);
    this.carry = bytes;
    this.stagedEnd = bytes;
  }

  // Records are staged before their file exists: its header has its place in front of them.
  private beginFile(): void {
    this.file = null;
    writeLogHeader(this.stagingView, 0, this.options.forceSync);
    this.carry = LOG_HEADER_BYTES;
    this.stagedEnd = LOG_HEADER_BYTES;
  }

  // Exclusive create: recovery has removed files without records, so a file of this name would hold records of
  // a history that this server does not know.
  private createFile(): DiskFile {
    const file = this.disk.create(
      `${this.directory}/${logName(this.stagedFirst.value)}`,
      this.options.direct,
    );
    this.file = file;
    this.writtenEnd = 0;
    this.paddedBytes = paddedSize(LOG_HEADER_BYTES, LOG_HEADER_BYTES, this.options.preallocBytes);
    const header = alignedBytes(DIRECT_BLOCK_BYTES);
    writeLogHeader(new DataView(header.buffer), 0, this.options.forceSync);
    file.write(header, 0, roundUp(LOG_HEADER_BYTES, file.blockBytes), 0);
    if (this.paddedBytes > LOG_HEADER_BYTES) file.truncate(this.paddedBytes);
    this.sync(file);
    if (this.options.forceSync) this.disk.syncDirectory(this.directory);
    this.position = LOG_HEADER_BYTES;
    return file;
  }

  private sync(file: DiskFile): void {
    if (!this.options.forceSync) return;
    const startMs = this.options.nowMs();
    file.syncData();
    const elapsedMs = this.options.nowMs() - startMs;
    this.options.times?.onSync(elapsedMs);
    if (elapsedMs > this.options.slowSyncMs) this.options.onSlowSync(elapsedMs, file.path);
  }

  private closeFile(): void {
    if (this.file === null) return;
    this.file.close();
    this.beginFile();
  }
}

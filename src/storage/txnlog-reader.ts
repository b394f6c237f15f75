/**
 * Reads records back from a directory of log files: all with zxid >= a given one, oldest first, streamed in
 * chunks. Called at start-up on the recovery thread; changes nothing (`settleTxnlogs` does).
 *
 * Guarantees: every record handed out passed length, end mark and checksum. Where a file stops making sense,
 * `txnlog-tail.ts` tells torn from corrupt; corrupt throws. A torn end is followed by the next file, as Apache
 * does (its servers begin a new file after a crash and leave the torn one behind).
 *
 * No record may be missing: the zxids of one epoch have no gaps, so a gap behind the snapshot or between two records
 * means that acknowledged writes are gone, with lost bytes or with a whole file. One kind of gap is harmless: Apache's server
 * spends a zxid on a multi that fails early and logs nothing. The digest in a later record tells them apart, because it is
 * that of the whole tree: once it is the same, nothing was missing. A gap that no digest vouches for is refused.
 *
 *     record 4, record 6 ── gap ──▶ doubtful ── a later digest equals the tree's ──▶ warning, go on
 *                                       └────── none does up to the end of the log ──▶ refused, or accepted by the switch
 */
import { CorruptionFailure } from '../base/failure.ts';
import { epochOf, type Zxid, ZxidCell, zxidHex } from '../base/zxid.ts';
import { type LogFile, listLogs } from './data-files.ts';
import type { Disk, DiskFile } from './disk.ts';
import { LogFileCursor } from './log-file-cursor.ts';
import { LOG_HEADER_BYTES } from './txnlog-format.ts';
import { inspectTail, type LogTail } from './txnlog-tail.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;

export interface TxnSink {
  /**
   * One payload, `bytes[start, end)`; valid during the call only. `view` covers the same buffer. True when the record proves
   * that nothing was missing before it, by the digest of the tree.
   */
  onTxn(zxid: Zxid, bytes: Uint8Array, view: DataView, start: number, end: number): boolean;
}

export interface TxnlogReadOptions {
  readonly onWarning: (message: string) => void;
  /** ringkeeper.acceptMissingRecords: go on, with a warning, where records are missing. */
  readonly acceptMissingRecords: boolean;
}

/** What must be done to a file so that nobody meets its damage again; 0 = remove it. */
export interface TxnlogRepair {
  readonly name: string;
  readonly keepBytes: number;
}

type SettledFiles = Pick<TxnlogReadResult, 'names' | 'repairs'>;

export interface TxnlogReadResult {
  /** Records handed to the sink and the bytes of their payloads. */
  readonly recordCount: number;
  readonly payloadBytes: number;
  /** Highest zxid in the files read, -1 if they hold no record. */
  readonly lastZxid: Zxid;
  /** The damage that no later record proved harmless, for whoever knows that more should be there. */
  readonly tear: string | null;
  /** The files that were read, and what is wrong with some. */
  readonly names: readonly string[];
  readonly repairs: readonly TxnlogRepair[];
}

/** @throws CorruptionFailure naming file, offset and reason; StorageFailure when the disk fails. */
export function readTxnlog(
  disk: Disk,
  directory: string,
  fromZxid: Zxid,
  sink: TxnSink,
  options: TxnlogReadOptions,
): TxnlogReadResult {
  const files = listLogs(disk, directory);
  const reading = new TxnlogReading(disk, directory, fromZxid, sink, options);
  for (let i = firstFile(files, fromZxid); i < files.length; i++) reading.readFile(files[i]!);
  reading.finish();
  return reading;
}

/**
 * Truncates torn files and removes those without records, durably. Call before anything is appended. Whole files are
 * synced too: a server that was killed may have left records that were read here and are on no disk yet.
 */
export function settleTxnlogs(disk: Disk, directory: string, { names, repairs }: SettledFiles): void {
  for (const name of names) {
    const path = `${directory}/${name}`;
    const repair = repairs.find((each) => each.name === name);
    if (repair?.keepBytes === 0) {
      disk.remove(path);
    } else {
      const file = disk.open(path, 'update');
      if (repair !== undefined) file.truncate(repair.keepBytes);
      file.syncData();
      file.close();
    }
  }
  disk.syncDirectory(directory);
}

/** The newest file named <= `fromZxid` may hold it; older ones cannot. */
function firstFile(files: readonly LogFile[], fromZxid: Zxid): number {
  let first = 0;
  for (let i = 0; i < files.length; i++) if (files[i]!.zxid <= fromZxid) first = i;
  return first;
}

/** Records that should be there. */
interface Gap {
  readonly path: string;
  /** Of the record behind it. */
  readonly offset: number;
  readonly missing: string;
  readonly why: string;
}

class TxnlogReading implements TxnlogReadResult {
  recordCount = 0;
  payloadBytes = 0;
  readonly names: string[] = [];
  readonly repairs: TxnlogRepair[] = [];
  tear: string | null = null;
  private readonly last = new ZxidCell(-1);
  private readonly previous = new ZxidCell(-1);
  /** The tear, if it turns out to be none. */
  private damage = '';
  /** The file being read has marks of batches. */
  private isMarked = false;
  /** Not known to be harmless; the first is the one to tell. */
  private gap: Gap | null = null;
  private readonly disk: Disk;
  private readonly directory: string;
  private readonly fromZxid: Zxid;
  private readonly sink: TxnSink;
  private readonly options: TxnlogReadOptions;

  constructor(disk: Disk, directory: string, fromZxid: Zxid, sink: TxnSink, options: TxnlogReadOptions) {
    this.disk = disk;
    this.directory = directory;
    this.fromZxid = fromZxid;
    this.sink = sink;
    this.options = options;
  }

  /** The largest zxid met, −1 before the first. */
  get lastZxid(): Zxid {
    return this.last.value;
  }

  readFile({ name }: LogFile): void {
    const file = this.disk.open(`${this.directory}/${name}`, 'read');
    try {
      this.names.push(name);
      this.isMarked = false;
      const endOffset = this.readRecords(file);
      const tail = inspectTail(file, endOffset, this.isMarked);
      const empty = endOffset <= LOG_HEADER_BYTES;
      if (tail.kind !== 'padding') this.onDamage(file.path, endOffset, tail);
      if (empty || tail.kind !== 'padding') this.repairs.push({ name, keepBytes: empty ? 0 : endOffset });
    } finally {
      file.close();
    }
  }

  private onDamage(
    path: string,
    offset: number,
    { kind, reason }: Exclude<LogTail, { kind: 'padding' }>,
  ): void {
    if (kind === 'corrupt') throw corruption(path, offset, reason);
    if (kind === 'doubtful' && !this.options.acceptMissingRecords) {
      const doubt = 'nothing in the file tells whether that was ever synced';
      throw corruption(path, offset, `${reason}; ${doubt}`, `, or ${HOW_TO_ACCEPT}`);
    }
    this.tear = `${path} is torn at offset ${offset}: ${reason}`;
    this.damage = `${path} is corrupt at offset ${offset}: ${reason}`;
    const fate =
      kind === 'torn'
        ? 'what follows was never acknowledged and is dropped'
        : 'what follows is dropped, as ringkeeper.acceptMissingRecords says, and may have been acknowledged';
    this.options.onWarning(`${this.tear}; ${fate}`);
  }

  /** All files are read. @throws CorruptionFailure if records are missing */
  finish(): void {
    if (this.gap === null) return;
    const { path, offset, missing, why } = this.gap;
    const reason = `${missing} are missing before it (${why}) and no later digest proves that they held no write`;
    throw corruption(path, offset, reason, `, or ${HOW_TO_ACCEPT}`);
  }

  /** Hands out the whole records; returns the offset behind the last one, 0 if the file header is not whole. */
  private readRecords(file: DiskFile): number {
    const cursor = new LogFileCursor(file, CHUNK_BYTES);
    while (cursor.next()) this.onRecord(file, cursor);
    this.isMarked = cursor.isMarked;
    return cursor.endOffset;
  }

  private onRecord(file: DiskFile, cursor: LogFileCursor): void {
    const { zxid, offset } = cursor;
    if (!(zxid >= 0 && zxid <= Number.MAX_SAFE_INTEGER)) {
      throw corruption(file.path, offset, 'the zxid of the record is out of range');
    }
    // That file would have been synced and cut before this one was begun.
    if (this.tear !== null && cursor.isBatchMarked) {
      throw new CorruptionFailure(
        `${this.damage}, and ${file.path} was begun when this had been synced; acknowledged writes may be lost, ${WHAT_TO_DO}`,
      );
    }
    this.checkContinuity(file, offset, zxid);
    if (zxid <= this.previous.value) {
      const order = `zxid 0x${zxidHex(zxid)} follows 0x${zxidHex(this.previous.value)}`;
      this.options.onWarning(`${file.path}: ${order} at offset ${offset}; applied in file order`);
    }
    this.previous.value = zxid;
    if (zxid > this.last.value) this.last.value = zxid;
    if (zxid < this.fromZxid) return;
    const { bytes, view, start, end } = cursor;
    this.recordCount++;
    this.payloadBytes += end - start;
    const proven = this.sink.onTxn(zxid, bytes, view, start, end);
    if (proven && this.gap !== null) this.closeGap(this.gap, zxid);
  }

  private closeGap({ path, offset, missing }: Gap, zxid: Zxid): void {
    this.gap = null;
    this.options.onWarning(
      `${path}: ${missing} do not exist before offset ${offset}; the tree's digest in record 0x${zxidHex(zxid)} ` +
        'proves that no change of a znode is missing (a server of Apache takes a zxid for some failed requests and logs nothing)',
    );
  }

  private checkContinuity(file: DiskFile, offset: number, zxid: Zxid): void {
    const known = Math.max(this.last.value, this.fromZxid - 1);
    if (known >= 0 && zxid > known + 1 && epochOf(zxid) === epochOf(known)) {
      const missing = `records 0x${zxidHex(known + 1)} to 0x${zxidHex(zxid - 1)}`;
      const why = this.tear ?? 'a log file may have been removed';
      if (this.options.acceptMissingRecords) {
        this.options.onWarning(
          `${file.path}: ${missing} are missing before offset ${offset} (${why}); ` +
            'accepted by ringkeeper.acceptMissingRecords, acknowledged writes may be lost',
        );
      } else {
        this.gap ??= { path: file.path, offset, missing, why };
      }
    }
    this.tear = null;
  }
}

const WHAT_TO_DO = 'restore the file from a copy or the data directory from a backup';
export const HOW_TO_ACCEPT = 'set ringkeeper.acceptMissingRecords=true for one start to go on without them';

function corruption(path: string, offset: number, reason: string, otherwise = ''): CorruptionFailure {
  return new CorruptionFailure(
    `${path} is corrupt at offset ${offset}: ${reason}; acknowledged writes may be lost, ${WHAT_TO_DO}${otherwise}`,
  );
}

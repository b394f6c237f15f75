/**
 * The whole records of one log file, one after the other, in place. For recovery, for truncation and for reading a range
 * while the log goes on; blocks. It stops in front of the first bytes that are no whole record and judges nothing.
 */
import type { Zxid } from '../base/zxid.ts';
import { BATCH_MARK_BYTES, hasBatchMark, writeBegin } from './batch-mark.ts';
import { ByteWindow, FileSource } from './byte-window.ts';
import type { DiskFile } from './disk.ts';
import {
  checksumMatches,
  END_OF_RECORD,
  isCredibleLength,
  isMarkedHeader,
  LOG_HEADER_BYTES,
  LOG_MAGIC,
  PAYLOAD_OFFSET,
  payloadLength,
  RECORD_OVERHEAD_BYTES,
  recordZxid,
} from './txnlog-format.ts';

export class LogFileCursor {
  /** The file has marks of batches; known after the first `next`. */
  isMarked = false;
  /** The transaction of the last record: `bytes[start, end)`, without the mark; valid until the next `next`. */
  bytes: Uint8Array;
  view: DataView;
  start = 0;
  end = 0;
  /** The last record carries the mark of its write: all files before this one had been synced. */
  isBatchMarked = false;
  private readonly window: ByteWindow;
  private recordOffset = 0;
  private hasBegun = false;

  constructor(file: DiskFile, chunkBytes: number) {
    this.window = new ByteWindow(new FileSource(file), Math.min(chunkBytes, file.size() + 1));
    this.bytes = this.window.bytes;
    this.view = this.window.view;
  }

  /** Where the last record begins in the file. */
  get offset(): number {
    return this.recordOffset;
  }

  /** Behind the last whole record; 0 if the file's header is not whole. */
  get endOffset(): number {
    return this.window.offset;
  }

  get zxid(): Zxid {
    return recordZxid(this.view, this.start - PAYLOAD_OFFSET);
  }

  /** False: no whole record follows. */
  next(): boolean {
    const { window } = this;
    if (!this.hasBegun && !this.begin()) return false;
    if (!window.ensure(PAYLOAD_OFFSET)) return false;
    const length = payloadLength(window.view, window.start);
    if (!isCredibleLength(length) || !window.ensure(RECORD_OVERHEAD_BYTES + length)) return false;
    const { bytes, view, start } = window;
    const payloadStart = start + PAYLOAD_OFFSET;
    const payloadEnd = payloadStart + length;
    if (bytes[payloadEnd] !== END_OF_RECORD || !checksumMatches(bytes, view, start, length)) return false;
    this.recordOffset = window.offset;
    this.bytes = bytes;
    this.view = view;
    this.start = payloadStart;
    const hasMark = this.isMarked && hasBatchMark(view, payloadStart, payloadEnd);
    this.end = hasMark ? payloadEnd - BATCH_MARK_BYTES : payloadEnd;
    this.isBatchMarked =
      hasMark && writeBegin(view, payloadStart, payloadEnd, this.recordOffset, recordZxid(view, start)) >= 0;
    window.start = payloadEnd + 1;
    return true;
  }

  private begin(): boolean {
    const { window } = this;
    if (!window.ensure(LOG_HEADER_BYTES) || window.view.getInt32(0) !== LOG_MAGIC) return false;
    this.hasBegun = true;
    this.isMarked = isMarkedHeader(window.view, 0);
    window.start += LOG_HEADER_BYTES;
    return true;
  }
}

/**
 * What lies behind the last good record of a log file: padding, a torn tail that may be dropped, or corruption
 * that must be refused. Recovery thread; read-only.
 *
 * A torn tail is what a crash leaves of writes that were never synced, hence never acknowledged. A sector that
 * did not reach the disk reads as it was before: zeros, because the log writes into fresh space or over zeros of its own.
 * So a tear leaves evidence, and a flipped bit in an acknowledged record does not:
 *
 *   (a) cut        the record runs past the end of the file
 *   (b) unwritten  the record's end mark and everything behind it is zero: a prefix was written
 *   (c) lost       a whole 512-byte sector under the record, before the last data, reads as zeros: sectors were
 *                  written in another order
 *
 *     sector    |<---- 512 ---->|<---- 512 ---->|<---- 512 ---->|
 *     record    ......[chk|len|payload ............... payload|B]......   (first sector: zero from the record on)
 *
 * Nothing valid behind the damage: torn with any of the three. A valid record behind it proves that something was
 * written later. If its write began behind the damage (batch-mark.ts), the damage had been synced before: corruption, whatever it
 * looks like. Otherwise it may be of the same write: still torn, if a sector was certainly lost and all the data from the
 * damage on fits into one write of the appender. Certainly: the zeros begin or end exactly at a sector boundary, or cover
 * the record's header, which is never zero; zeros that a client stored run across the boundaries. Everything else is
 * corruption: start-up must not guess it away.
 *
 * A file without marks (Apache's, or written with forceSync=no) proves nothing of that kind: damage before valid records
 * is `doubtful` there, and the operator decides.
 *
 * A record damaged without evidence is refused even if it is the very last one, as Apache does: a tear cannot
 * look like that, a failing disk can. That the last write was synced as well only `synced-zxid.ts` can tell; the reader asks it.
 */
import { type Zxid, zxidHex } from '../base/zxid.ts';
import { writeBegin } from './batch-mark.ts';
import type { DiskFile } from './disk.ts';
import {
  checksumMatches,
  END_OF_RECORD,
  isCredibleLength,
  LOG_HEADER_BYTES,
  LOG_WRITE_BYTES_MAX,
  PAYLOAD_OFFSET,
  payloadLength,
  RECORD_OVERHEAD_BYTES,
  RECORD_TIME_OFFSET,
  recordZxid,
} from './txnlog-format.ts';

export type LogTail =
  | { readonly kind: 'padding' }
  | { readonly kind: 'torn'; readonly reason: string }
  | { readonly kind: 'doubtful'; readonly reason: string }
  | { readonly kind: 'corrupt'; readonly reason: string };

const SECTOR_BYTES = 512;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Judges the bytes of `file` from `offset` on, where no whole record begins (0: the file header is not whole). `isMarked`:
 * the file has marks of batches.
 */
export function inspectTail(file: DiskFile, offset: number, isMarked: boolean): LogTail {
  const fileBytes = file.size();
  const dataEnd = lastNonZero(file, offset, fileBytes) + 1;
  if (dataEnd <= offset && offset > 0) return { kind: 'padding' };
  const damage = offset === 0 ? damagedHeader(fileBytes) : damagedRecord(file, offset, fileBytes);
  const lost = lostSector(file, offset, Math.min(damage.end, dataEnd), dataEnd);
  const next = findRecord(file, offset + 1, dataEnd);
  if (next === null) {
    const cut = damage.end > fileBytes;
    const unwritten = dataEnd < damage.end;
    return { kind: cut || unwritten || lost !== Lost.no ? 'torn' : 'corrupt', reason: damage.reason };
  }
  const batch = findBatch(file, next, dataEnd, offset);
  if (batch !== null) {
    const proof = `the batch of zxid 0x${zxidHex(batch.zxid)} at offset ${batch.writeOffset} was begun when this had been synced`;
    return { kind: 'corrupt', reason: `${damage.reason}, and ${proof}` };
  }
  const reason = `${damage.reason}, and a valid record with zxid 0x${zxidHex(next.zxid)} follows at offset ${next.offset}`;
  if (lost !== Lost.certainly || dataEnd - offset > LOG_WRITE_BYTES_MAX) return { kind: 'corrupt', reason };
  return isMarked ? { kind: 'torn', reason: damage.reason } : { kind: 'doubtful', reason };
}

interface Damage {
  readonly reason: string;
  /** One past the last byte the record claims. */
  readonly end: number;
}

function damagedHeader(fileBytes: number): Damage {
  return {
    reason:
      fileBytes < LOG_HEADER_BYTES ? 'the file ends inside its header' : 'the magic number is not "ZKLG"',
    end: LOG_HEADER_BYTES,
  };
}

function damagedRecord(file: DiskFile, offset: number, fileBytes: number): Damage {
  const header = new Uint8Array(PAYLOAD_OFFSET);
  const headerEnd = offset + PAYLOAD_OFFSET;
  if (file.read(header, 0, PAYLOAD_OFFSET, offset) < PAYLOAD_OFFSET) {
    return { reason: 'the file ends inside a record header', end: headerEnd };
  }
  const length = payloadLength(new DataView(header.buffer), 0);
  if (!isCredibleLength(length)) return { reason: `unreasonable record length ${length}`, end: headerEnd };
  const end = offset + RECORD_OVERHEAD_BYTES + length;
  if (end > fileBytes) return { reason: `the record of ${length} bytes runs past the end of the file`, end };
  const mark = new Uint8Array(1);
  file.read(mark, 0, 1, end - 1);
  if (mark[0] !== END_OF_RECORD) return { reason: 'the record has no end mark', end };
  return { reason: 'CRC check failed', end };
}

/** Offset of the last byte that is not zero, -1 if there is none; reads backwards from the end. */
function lastNonZero(file: DiskFile, from: number, fileBytes: number): number {
  const chunkBytes = Math.min(CHUNK_BYTES, Math.ceil((fileBytes - from) / 4) * 4);
  const chunk = new Uint8Array(chunkBytes);
  const words = new Int32Array(chunk.buffer);
  let end = fileBytes;
  while (end > from) {
    const start = Math.max(from, end - chunkBytes);
    const count = end - start;
    file.read(chunk, 0, count, start);
    chunk.fill(0, count);
    if (!isZero(words)) {
      for (let i = count - 1; i >= 0; i--) if (chunk[i] !== 0) return start + i;
    }
    end = start;
  }
  return -1;
}

// Padding is up to 64 MiB a file and read at every start: four bytes a step.
function isZero(words: Int32Array): boolean {
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}

const Lost = { no: 0, maybe: 1, certainly: 2 } as const;
type Lost = (typeof Lost)[keyof typeof Lost];

/** The upper half of a checksum is zero in every record: so much of a sector's end proves nothing. */
const CHECKSUM_ZEROS_BYTES = 4;

/**
 * Whether a sector overlapping `[start, end)` is zero from `start` (or its own beginning) to its end. A run of such
 * sectors may go on behind the record, up to `dataEnd`.
 */
function lostSector(file: DiskFile, start: number, end: number, dataEnd: number): Lost {
  const sector = new Uint8Array(SECTOR_BYTES + 1);
  let lost: Lost = Lost.no;
  let inRun = false;
  let byteBefore = 1;
  for (let at = start; at < end || (inRun && at < dataEnd); ) {
    const length = SECTOR_BYTES - (at % SECTOR_BYTES);
    sector[length] = 0;
    file.read(sector, 0, length + 1, at);
    let zeros = 0;
    while (zeros < length && sector[zeros] === 0) zeros++;
    inRun = zeros === length && (at > start || zeros > CHECKSUM_ZEROS_BYTES);
    const exact = byteBefore !== 0 || sector[length] !== 0 || at - start <= RECORD_TIME_OFFSET;
    if (inRun && exact) return Lost.certainly;
    if (inRun) lost = Lost.maybe;
    byteBefore = sector[length - 1]!;
    at += length;
  }
  return lost;
}

interface FoundRecord {
  readonly offset: number;
  readonly zxid: Zxid;
  readonly end: number;
  /** Where its write began, by its mark; -1: it has none. */
  readonly writeOffset: number;
}

/** The first record from `from` on whose write began behind `damage`. */
function findBatch(file: DiskFile, from: FoundRecord, dataEnd: number, damage: number): FoundRecord | null {
  let at: FoundRecord | null = from;
  while (at !== null && at.writeOffset <= damage) {
    at = recordAt(file, at.end, dataEnd) ?? findRecord(file, at.end + 1, dataEnd);
  }
  return at;
}

/** The first whole record that begins in `[from, dataEnd)`, at any alignment. */
function findRecord(file: DiskFile, from: number, dataEnd: number): FoundRecord | null {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(0, dataEnd - from)));
  const view = new DataView(chunk.buffer);
  let base = from;
  while (base < dataEnd) {
    const count = file.read(chunk, 0, Math.min(chunk.length, dataEnd - base), base);
    const starts = count - PAYLOAD_OFFSET + 1;
    for (let i = 0; i < starts; i++) {
      // Three cheap tests pass almost nothing on: checksum's upper half zero, its lower half not, credible length.
      if (view.getInt32(i) !== 0 || view.getInt32(i + 4) === 0) continue;
      const length = payloadLength(view, i);
      if (!isCredibleLength(length) || base + i + RECORD_OVERHEAD_BYTES + length > dataEnd) continue;
      const found = wholeRecord(file, base + i, length);
      if (found !== null) return found;
    }
    if (starts <= 0) break;
    base += starts;
  }
  return null;
}

function recordAt(file: DiskFile, offset: number, dataEnd: number): FoundRecord | null {
  const header = new Uint8Array(PAYLOAD_OFFSET);
  if (file.read(header, 0, PAYLOAD_OFFSET, offset) < PAYLOAD_OFFSET) return null;
  const length = payloadLength(new DataView(header.buffer), 0);
  if (!isCredibleLength(length) || offset + RECORD_OVERHEAD_BYTES + length > dataEnd) return null;
  return wholeRecord(file, offset, length);
}

/** The record at `offset`, null unless it is whole. */
function wholeRecord(file: DiskFile, offset: number, length: number): FoundRecord | null {
  const mark = new Uint8Array(1);
  file.read(mark, 0, 1, offset + PAYLOAD_OFFSET + length);
  if (mark[0] !== END_OF_RECORD) return null;
  const record = new Uint8Array(RECORD_OVERHEAD_BYTES + length);
  const view = new DataView(record.buffer);
  file.read(record, 0, record.length, offset);
  if (!checksumMatches(record, view, 0, length)) return null;
  const zxid = recordZxid(view, 0);
  const payloadEnd = PAYLOAD_OFFSET + length;
  return {
    offset,
    zxid,
    end: offset + record.length,
    writeOffset: writeBegin(view, PAYLOAD_OFFSET, payloadEnd, offset, zxid),
  };
}

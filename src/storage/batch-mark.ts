/**
 * The mark that proves a batch boundary; pure. The appender begins a write only when the sync before it has returned.
 * So a record of a later write that is found whole proves that everything in front of that write, in this file and those
 * before it, was on the disk: damage there is corruption and no torn write. The mark tells where its write began.
 *
 *     payload   TxnHeader | txn | [TxnDigest 12] | mark 11
 *     mark      int32 place | 52 4b 62 ff 72 6b 00
 *     place     mixed from the offset in the file at which the write began, and the record's zxid: a copy of a record
 *               elsewhere, for example within a znode's data, is no proof
 *
 *     one write   | lead | lead | marked record | record | record …      lead: 45 or 57 bytes each, at most LEAD_RECORDS_MAX
 *                 ^ where it began
 *
 * It is the first record of its write, except where that cannot carry a mark: behind a bare TxnHeader, or one with a digest only
 * (a closeSession that lists nothing), Apache would read it as the session's list. Such records have two sizes, so
 * the few places where a write may have begun are known, and one of them fits.
 *
 * Files with marks say so in their header, which is synced before the first record; in others nothing is taken for one. Readers
 * of Apache (3.5 to 3.9) stop behind the digest, or find too little for one, and ignore the rest. Our own reader takes
 * the mark off, so nobody above storage ever sees it. No transaction ends like a mark: the last seven bytes are in no digest
 * but by a chance of 2^-56, the 00 is in no path, and ff726b00 is no version of a znode.
 */
import type { Zxid } from '../base/zxid.ts';
import { LOG_HEADER_BYTES, RECORD_OVERHEAD_BYTES } from './txnlog-format.ts';

export const BATCH_MARK_BYTES = 11;

const TAIL_HIGH = 0x524b62;
const TAIL_LOW = 0xff726b00;

/** A bare TxnHeader, and one with a digest. */
const HEADER_BYTES = 32;
const HEADER_DIGEST_BYTES = 44;
/** So many records without a mark may stand before the marked one of a write; a write with more has no mark. */
export const LEAD_RECORDS_MAX = 8;
const LEAD_BARE_BYTES = HEADER_BYTES + RECORD_OVERHEAD_BYTES;
const LEAD_DIGESTED_BYTES = HEADER_DIGEST_BYTES + RECORD_OVERHEAD_BYTES;

export function isMarkable(payloadBytes: number): boolean {
  return payloadBytes !== HEADER_BYTES && payloadBytes !== HEADER_DIGEST_BYTES;
}

/** `writeOffset`: where the write began in its file; `zxid`: of the record that gets the mark. */
export function writeBatchMark(view: DataView, at: number, writeOffset: number, zxid: Zxid): void {
  view.setInt32(at, place(writeOffset, zxid));
  view.setUint8(at + 4, TAIL_HIGH >>> 16);
  view.setUint16(at + 5, TAIL_HIGH & 0xffff);
  view.setUint32(at + 7, TAIL_LOW);
}

/** Whether the payload that ends at `payloadEnd` ends in a mark, of whatever place. */
export function hasBatchMark(view: DataView, payloadStart: number, payloadEnd: number): boolean {
  return (
    view.getUint32(payloadEnd - 4) === TAIL_LOW &&
    view.getUint16(payloadEnd - 6) === (TAIL_HIGH & 0xffff) &&
    view.getUint8(payloadEnd - 7) === TAIL_HIGH >>> 16 &&
    payloadEnd - payloadStart > HEADER_BYTES + BATCH_MARK_BYTES
  );
}

/** Where the write began that the record at `recordOffset` belongs to, by its mark; -1: it has none made for this place. */
export function writeBegin(
  view: DataView,
  payloadStart: number,
  payloadEnd: number,
  recordOffset: number,
  zxid: Zxid,
): number {
  if (!hasBatchMark(view, payloadStart, payloadEnd)) return -1;
  const marked = view.getInt32(payloadEnd - BATCH_MARK_BYTES);
  for (let bare = 0; bare <= LEAD_RECORDS_MAX; bare++) {
    for (let digested = 0; bare + digested <= LEAD_RECORDS_MAX; digested++) {
      const offset = recordOffset - bare * LEAD_BARE_BYTES - digested * LEAD_DIGESTED_BYTES;
      if (offset >= LOG_HEADER_BYTES && place(offset, zxid) === marked) return offset;
    }
  }
  return -1;
}

function place(offset: number, zxid: Zxid): number {
  const epoch = Math.floor(zxid / 2 ** 32);
  const mixed = Math.imul(offset | 0, 0x9e3779b1) ^ Math.imul(zxid | 0, 0x85ebca6b) ^ epoch;
  return mixed ^ (mixed >>> 15);
}

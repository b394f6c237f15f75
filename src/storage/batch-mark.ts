/**
 * The mark that proves a batch boundary; pure. The appender begins a write only when the sync before it has returned.
 * So the first record of a write that is found whole proves that everything in front of it, in this file and those before
 * it, was on the disk: damage there is corruption and no torn write. The mark tells which records are the first of theirs.
 *
 *     payload   TxnHeader | txn | [TxnDigest 12] | mark 11
 *     mark      int32 place | 52 4b 62 ff 72 6b 00
 *     place     mixed from the record's offset in the file and its zxid: a copy of a record elsewhere, for example within
 *               a znode's data, is no proof
 *
 * Files with marks say so in their header, which is synced before the first record; in others nothing is taken for one. Readers
 * of Apache (3.5 to 3.9) stop behind the digest, or find too little for one, and ignore the rest. Our own reader takes
 * the mark off, so nobody above storage ever sees it. No transaction ends like a mark: the last seven bytes are in no digest
 * but by a chance of 2^-56, the 00 is in no path, and ff726b00 is no version of a znode.
 */
import type { Zxid } from '../base/zxid.ts';

export const BATCH_MARK_BYTES = 11;

const TAIL_HIGH = 0x524b62;
const TAIL_LOW = 0xff726b00;

/** A bare TxnHeader, and one with a digest: a closeSession that lists nothing. Behind it a mark would look like the list. */
const HEADER_BYTES = 32;
const HEADER_DIGEST_BYTES = 44;

export function isMarkable(payloadBytes: number): boolean {
  return payloadBytes !== HEADER_BYTES && payloadBytes !== HEADER_DIGEST_BYTES;
}

/** `recordOffset`: of the record in its file. */
export function writeBatchMark(view: DataView, at: number, recordOffset: number, zxid: Zxid): void {
  view.setInt32(at, place(recordOffset, zxid));
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

/** Whether it is a mark that was made for this place: the record is the first of its write. */
export function beginsBatch(
  view: DataView,
  payloadStart: number,
  payloadEnd: number,
  recordOffset: number,
  zxid: Zxid,
): boolean {
  return (
    hasBatchMark(view, payloadStart, payloadEnd) &&
    view.getInt32(payloadEnd - BATCH_MARK_BYTES) === place(recordOffset, zxid)
  );
}

function place(recordOffset: number, zxid: Zxid): number {
  const epoch = Math.floor(zxid / 2 ** 32);
  const mixed = Math.imul(recordOffset | 0, 0x9e3779b1) ^ Math.imul(zxid | 0, 0x85ebca6b) ^ epoch;
  return mixed ^ (mixed >>> 15);
}

/**
 * A multi transaction while it is made: sub-records one behind the other in a buffer of its own, because a multi's
 * length is known only when all of it has been prepared; then one copy into the log. Reused; core thread.
 *
 *     int32 count | count × { int32 type | int32 length | record }
 */
import type { Zxid } from '../../base/zxid.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { TXN_DIGEST_BYTES } from '../../wire/txn-records.ts';
import { beginSubTxn, endSubTxn, writeErrorTxn, writeMultiTxn } from '../../wire/txn-writers.ts';
import type { Change } from './change.ts';
import { type ChangeEncoder, RECORD_FIXED_BYTES } from './change-encoder.ts';
import type { ProposalWriter } from './proposal-writer.ts';

export class MultiTxn {
  /** Bytes written since `open`. */
  length = 0;
  private readonly change: Change;
  private readonly encoder: ChangeEncoder;
  private readonly writer: ProposalWriter;
  private bytes = new Uint8Array(4096);
  private view = new DataView(this.bytes.buffer);

  constructor(change: Change, encoder: ChangeEncoder, writer: ProposalWriter) {
    this.change = change;
    this.encoder = encoder;
    this.writer = writer;
  }

  open(count: number): void {
    this.length = 0;
    this.ensure(RECORD_FIXED_BYTES);
    this.length = writeMultiTxn(this.view, 0, count);
  }

  /** The planned change as the next sub-transaction. */
  add(): void {
    this.ensure(this.encoder.recordBytesMax());
    // Apache before 3.8.2 stops applying a multi at a create2, so the log says create (they store the same).
    const type = this.change.op === OpCode.create2 ? OpCode.create : this.change.op;
    const record = beginSubTxn(this.view, this.length, type);
    this.length = endSubTxn(this.view, record, this.encoder.write(this.bytes, this.view, record));
  }

  addError(err: number): void {
    this.ensure(RECORD_FIXED_BYTES);
    const record = beginSubTxn(this.view, this.length, OpCode.error);
    this.length = endSubTxn(this.view, record, writeErrorTxn(this.view, record, err));
  }

  /** Into the log as one transaction; false = no room. */
  log(slot: number, xid: number, zxid: Zxid, timeMs: number): boolean {
    const { writer } = this;
    const at = writer.claim(this.length + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const body = writer.header(at, slot, xid, zxid, OpCode.multi, timeMs);
    copyBytes(this.bytes, 0, this.length, writer.log.bytes, body);
    writer.finish(at, body + this.length, zxid);
    return true;
  }

  private ensure(needed: number): void {
    if (this.length + needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + needed));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

/**
 * Transactions as flyweights: the payload of a log record and of a proposal, which are the same bytes. The core
 * reads them when it commits and when it recovers; the rules of flyweight.ts apply. Writers are in
 * txn-writers.ts; the value form is for tests only (test/support/wire).
 *
 *     payload:    TxnHeader | record | TxnDigest (optional)
 *     TxnHeader:  i64 clientId (session) | i32 cxid | i64 zxid | i64 timeMs | i32 type         = 32 bytes
 *     TxnDigest:  i32 version (2) | i64 digest of the tree after this txn                      = 12 bytes
 *
 *     -10 createSession      i32 timeOut
 *     -11 closeSession       vector<ustring> paths2Delete, or nothing (see wrapCloseSession)
 *      -1 error              i32 err
 *       1 create, 15 create2 ustring path | buffer data | vector<ACL> acl | bool ephemeral | i32 parentCVersion
 *                            (V0: parentCVersion missing, reads as -1)
 *      19 createContainer    ustring path | buffer data | vector<ACL> acl | i32 parentCVersion
 *      21 createTTL          ustring path | buffer data | vector<ACL> acl | i32 parentCVersion | i64 ttl
 *       2 delete, 20 deleteContainer   ustring path
 *       5 setData, 16 reconfig         ustring path | buffer data | i32 version (the new one)
 *       7 setACL             ustring path | vector<ACL> acl | i32 version (the new aversion)
 *      13 check              ustring path | i32 version (expected + 1); inside multi only
 *      14 multi              vector<Txn>, Txn = i32 type | buffer record; sub types: all but sessions and multi
 */
import { readInt64 } from '../base/int64.ts';
import type { Zxid } from '../base/zxid.ts';
import { Flyweight } from './flyweight.ts';
import { MALFORMED, skipAcls, skipBuffer, skipStrings, vectorCount } from './jute-skip.ts';
import { OpCode } from './opcodes.ts';

export const TXN_HEADER_BYTES = 32;

export const TxnHeaderOffset = {
  clientId: 0,
  cxid: 8,
  zxid: 12,
  timeMs: 20,
  type: 28,
} as const;

export const TXN_DIGEST_BYTES = 12;
export const TXN_DIGEST_VERSION = 2;

/** The fields of one record; `type` tells which of them mean something. */
export abstract class TxnRecord extends Flyweight {
  type = 0;
  pathStart = 0;
  pathLength = 0;
  dataStart = 0;
  dataLength = 0;
  aclStart = 0;
  aclLength = 0;
  aclCount = 0;
  ephemeral = false;
  parentCVersion = 0;
  /** In ms; exact up to 2^53. */
  ttl = 0;
  version = 0;
  err = 0;

  /** The types that may stand alone or in a multi. */
  protected wrapBody(start: number, end: number): boolean {
    switch (this.type) {
      case OpCode.create:
      case OpCode.create2:
        return this.wrapCreate(start, end);
      case OpCode.createContainer:
      case OpCode.createTtl:
        return this.wrapCreateSpecial(start, end);
      case OpCode.delete:
      case OpCode.deleteContainer:
        return this.wrapPath(start, end);
      case OpCode.setData:
      case OpCode.reconfig:
        return this.wrapSetData(start, end);
      case OpCode.setAcl:
        return this.wrapSetAcl(start, end);
      case OpCode.check:
        return this.wrapPath(start, end) && this.wrapVersion(this.recordEnd, end);
      case OpCode.error:
        if (end - start < 4) return false;
        this.err = this.view.getInt32(start);
        this.recordEnd = start + 4;
        return true;
      default:
        return false;
    }
  }

  private wrapPath(start: number, end: number): boolean {
    const next = skipBuffer(this.view, start, end);
    if (next === MALFORMED) return false;
    this.pathStart = start + 4;
    this.pathLength = this.view.getInt32(start);
    this.recordEnd = next;
    return true;
  }

  private wrapData(start: number, end: number): boolean {
    const next = skipBuffer(this.view, start, end);
    if (next === MALFORMED) return false;
    this.dataStart = start + 4;
    this.dataLength = this.view.getInt32(start);
    this.recordEnd = next;
    return true;
  }

  private wrapAcls(start: number, end: number): boolean {
    const next = skipAcls(this.view, start, end);
    if (next === MALFORMED) return false;
    this.aclStart = start;
    this.aclLength = next - start;
    this.aclCount = vectorCount(this.view, start);
    this.recordEnd = next;
    return true;
  }

  private wrapVersion(start: number, end: number): boolean {
    if (end - start < 4) return false;
    this.version = this.view.getInt32(start);
    this.recordEnd = start + 4;
    return true;
  }

  private wrapCreate(start: number, end: number): boolean {
    if (!this.wrapPath(start, end) || !this.wrapData(this.recordEnd, end)) return false;
    if (!this.wrapAcls(this.recordEnd, end) || this.recordEnd >= end) return false;
    this.ephemeral = this.view.getUint8(this.recordEnd) !== 0;
    this.recordEnd++;
    if (end - this.recordEnd < 4) {
      // V0, written before 3.4: such a log has no digests either, so nothing else can follow.
      this.parentCVersion = -1;
      return true;
    }
    this.parentCVersion = this.view.getInt32(this.recordEnd);
    this.recordEnd += 4;
    return true;
  }

  private wrapCreateSpecial(start: number, end: number): boolean {
    if (!this.wrapPath(start, end) || !this.wrapData(this.recordEnd, end)) return false;
    if (!this.wrapAcls(this.recordEnd, end) || end - this.recordEnd < 4) return false;
    this.ephemeral = false;
    this.parentCVersion = this.view.getInt32(this.recordEnd);
    this.recordEnd += 4;
    if (this.type !== OpCode.createTtl) return true;
    if (end - this.recordEnd < 8) return false;
    this.ttl = readInt64(this.view, this.recordEnd);
    this.recordEnd += 8;
    return true;
  }

  private wrapSetData(start: number, end: number): boolean {
    return (
      this.wrapPath(start, end) && this.wrapData(this.recordEnd, end) && this.wrapVersion(this.recordEnd, end)
    );
  }

  private wrapSetAcl(start: number, end: number): boolean {
    return (
      this.wrapPath(start, end) && this.wrapAcls(this.recordEnd, end) && this.wrapVersion(this.recordEnd, end)
    );
  }
}

/** Walks the sub transactions of a multi that a `TxnReader` has validated. */
export class SubTxnCursor extends TxnRecord {
  /** Subs not yet visited. */
  remaining = 0;
  private offset = 0;
  private end = 0;

  wrap(txn: TxnReader): void {
    this.begin(txn.bytes, txn.view, txn.subsStart, txn.recordEnd);
  }

  /** False at the end. */
  next(): boolean {
    return this.remaining > 0 && this.step();
  }

  /** For TxnReader: whether every sub from `start` on is sound. Returns the offset behind them or MALFORMED. */
  validate(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    if (end - start < 4) return MALFORMED;
    this.begin(bytes, view, start, end);
    while (this.remaining > 0) if (!this.step()) return MALFORMED;
    return this.offset;
  }

  private begin(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.attach(bytes, view);
    this.remaining = view.getInt32(start);
    this.offset = start + 4;
    this.end = end;
  }

  private step(): boolean {
    const start = this.offset;
    const next = skipBuffer(this.view, start + 4, this.end);
    if (next === MALFORMED || this.view.getInt32(start + 4) === -1) return false;
    this.remaining--;
    this.type = this.view.getInt32(start);
    this.offset = next;
    return this.wrapBody(start + 8, next);
  }
}

export class TxnReader extends TxnRecord {
  clientIdHigh = 0;
  clientIdLow = 0;
  cxid = 0;
  timeMs = 0;
  /** createSession. */
  timeoutMs = 0;
  /** closeSession: the vector for `StringCursor.wrap`; count -1: the record names no paths. */
  pathsStart = 0;
  pathsCount = 0;
  /** multi: the vector for `SubTxnCursor.wrap`. */
  subsStart = 0;
  subsCount = 0;
  hasDigest = false;
  digestVersion = 0;
  digestHigh = 0;
  digestLow = 0;
  private readonly subs = new SubTxnCursor();
  private start = 0;

  /** Read where it lies, never kept as a number of its own (base/zxid.ts). */
  get zxid(): Zxid {
    return readInt64(this.view, this.start + TxnHeaderOffset.zxid);
  }

  wrap(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.attach(bytes, view);
    if (end - start < TXN_HEADER_BYTES) return false;
    this.clientIdHigh = view.getInt32(start);
    this.clientIdLow = view.getInt32(start + 4);
    this.cxid = view.getInt32(start + TxnHeaderOffset.cxid);
    this.start = start;
    this.timeMs = readInt64(view, start + TxnHeaderOffset.timeMs);
    this.type = view.getInt32(start + TxnHeaderOffset.type);
    if (!this.wrapRecord(start + TXN_HEADER_BYTES, end)) return false;
    this.wrapDigest(end);
    return true;
  }

  private wrapRecord(start: number, end: number): boolean {
    switch (this.type) {
      case OpCode.createSession:
        if (end - start < 4) return false;
        this.timeoutMs = this.view.getInt32(start);
        this.recordEnd = start + 4;
        return true;
      case OpCode.closeSession:
        return this.wrapCloseSession(start, end);
      case OpCode.multi:
        return this.wrapMulti(start, end);
      case OpCode.check:
        return false;
      default:
        return this.wrapBody(start, end);
    }
  }

  /**
   * Three forms exist. Nothing behind the header: up to 3.5, or switched off, without digest. A digest alone:
   * switched off, with digest; recognised by exactly 12 bytes that start with 2, since a vector of two paths
   * cannot fit. Otherwise the vector of paths.
   */
  private wrapCloseSession(start: number, end: number): boolean {
    const digestAlone = end - start === TXN_DIGEST_BYTES && this.view.getInt32(start) === TXN_DIGEST_VERSION;
    this.pathsStart = start;
    if (start === end || digestAlone) {
      this.pathsCount = -1;
      this.recordEnd = start;
      return true;
    }
    const next = skipStrings(this.view, start, end);
    if (next === MALFORMED) return false;
    this.pathsCount = vectorCount(this.view, start);
    this.recordEnd = next;
    return true;
  }

  private wrapMulti(start: number, end: number): boolean {
    const next = this.subs.validate(this.bytes, this.view, start, end);
    if (next === MALFORMED) return false;
    this.subsStart = start;
    this.subsCount = vectorCount(this.view, start);
    this.recordEnd = next;
    return true;
  }

  private wrapDigest(end: number): void {
    this.hasDigest = end - this.recordEnd === TXN_DIGEST_BYTES;
    if (!this.hasDigest) return;
    this.digestVersion = this.view.getInt32(this.recordEnd);
    this.digestHigh = this.view.getInt32(this.recordEnd + 4);
    this.digestLow = this.view.getInt32(this.recordEnd + 8);
  }
}

/**
 * What all ways to a proposal share: room in the log, the transaction's header, the digest behind its record, the row
 * in the proposal queue. One transaction at a time:
 *
 *     claim ─▶ begin ─▶ header ─▶ (record: written and staged by the caller) ─▶ finish ─▶ push
 *       └ −1: no room now, nothing has changed
 *
 * Core thread; used by proposer, multi-proposer and session-closer.
 */
import type { Zxid } from '../../base/zxid.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { TXN_DIGEST_BYTES, TXN_HEADER_BYTES } from '../../wire/txn-records.ts';
import { writeErrorTxn, writeTxnDigest, writeTxnHeader } from '../../wire/txn-writers.ts';
import type { Client } from '../client/client.ts';
import { NO_WRITE, type WriteNumbers } from '../client/write-numbers.ts';
import type { WriteRequest } from '../client/write-request.ts';
import type { LogPort } from '../ports/ports.ts';
import type { ServerRole } from '../progress/commit-point.ts';
import type { Progress } from '../progress/progress.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { Tree } from '../tree/tree.ts';
import { RECORD_FIXED_BYTES } from './change-encoder.ts';
import type { ProposalQueue } from './proposal-queue.ts';

/** What a transaction takes around its record. */
const TXN_FIXED_BYTES = TXN_HEADER_BYTES + RECORD_FIXED_BYTES + TXN_DIGEST_BYTES;

export class ProposalWriter {
  readonly progress: Progress;
  private readonly writes: WriteNumbers;
  private readonly role: ServerRole;
  readonly clock: TurnClock;
  readonly log: LogPort;
  /**
   * A request may ask for a transaction far larger than itself (ACL entries of scheme auth stand for every id of the
   * connection). One that no reader of the log would accept is refused.
   */
  readonly recordBytesMax: number;
  private readonly tree: Tree;
  private readonly sessions: SessionTable;
  private readonly proposals: ProposalQueue;
  readonly hasDigest: boolean;
  private usedBytesBefore = 0;
  private pausedBytes = 0;
  private isRefused = false;

  constructor(parts: {
    progress: Progress;
    writes: WriteNumbers;
    role: ServerRole;
    clock: TurnClock;
    tree: Tree;
    sessions: SessionTable;
    proposals: ProposalQueue;
    log: LogPort;
    hasDigest: boolean;
  }) {
    this.progress = parts.progress;
    this.writes = parts.writes;
    this.role = parts.role;
    this.clock = parts.clock;
    this.tree = parts.tree;
    this.sessions = parts.sessions;
    this.proposals = parts.proposals;
    this.log = parts.log;
    this.hasDigest = parts.hasDigest;
    this.recordBytesMax = (parts.log.payloadBytesMax ?? Number.POSITIVE_INFINITY) - TXN_FIXED_BYTES;
  }

  /** The changes of one transaction begin: what they build counts from here. */
  begin(): void {
    this.tree.staging.begin();
    this.usedBytesBefore = this.tree.arena.usedBytes;
  }

  /** Memory of the records built since `begin`. */
  get stagedBytes(): number {
    return this.tree.arena.usedBytes - this.usedBytesBefore;
  }

  /** The transaction goes on in another turn: what others use or free until `resume` is not its own. */
  pause(): void {
    this.pausedBytes = this.stagedBytes;
  }

  resume(): void {
    this.usedBytesBefore = this.tree.arena.usedBytes - this.pausedBytes;
  }

  /** Room for a record of so many bytes (its digest included); returns where the header goes, or −1. */
  claim(recordBytes: number): number {
    const at = this.proposals.isFull ? -1 : this.log.claim(TXN_HEADER_BYTES + recordBytes);
    if (at < 0) this.isRefused = true;
    return at;
  }

  /** The same for a transaction of `payloadBytes` as this server's leader has made it. */
  claimPayload(payloadBytes: number): number {
    return this.proposals.isFullForFollowing ? -1 : this.log.claim(payloadBytes);
  }

  /** What has been tried since `forgetRefusal` found no room in log or queue: commits make some. */
  get lacksRoom(): boolean {
    return this.isRefused || this.proposals.isFull;
  }

  forgetRefusal(): void {
    this.isRefused = false;
  }

  /** `slot` −1 is the server itself. Returns where the record goes. */
  header(
    at: number,
    slot: number,
    xid: number,
    zxid: Zxid,
    type: number,
    timeMs = this.clock.wallMs,
  ): number {
    const high = slot < 0 ? 0 : this.sessions.idHigh[slot]!;
    const low = slot < 0 ? 0 : this.sessions.idLow[slot]!;
    return writeTxnHeader(this.log.view, at, high, low, xid, zxid, timeMs, type);
  }

  /** The record ends here. Everything it changes has been staged: the digest is the tree's after it. */
  finish(at: number, recordEnd: number, zxid: Zxid): void {
    const { high, low } = this.tree.staging.digest;
    const end = this.hasDigest ? writeTxnDigest(this.log.view, recordEnd, high, low) : recordEnd;
    this.log.commit(zxid, end - at);
  }

  push(zxid: Zxid, op: number, client: Client | null, xid: number, err: number, recordBytes = 0): number {
    return this.pushNumbered(zxid, op, client, xid, err, recordBytes, this.numberFor(client));
  }

  /** The same for a write that had its number before. */
  pushNumbered(
    zxid: Zxid,
    op: number,
    client: Client | null,
    xid: number,
    err: number,
    recordBytes: number,
    write: number,
  ): number {
    this.progress.onProposed(zxid);
    return this.pushStaged(zxid, op, client, xid, err, recordBytes, write);
  }

  /** The same for one whose zxid has been counted as proposed. */
  pushStaged(
    zxid: Zxid,
    op: number,
    client: Client | null,
    xid: number,
    err: number,
    recordBytes: number,
    write: number,
  ): number {
    const row = this.proposals.push(zxid, op, client, xid, err, this.clock.nowMs, recordBytes);
    this.proposals.writes[row] = write;
    this.proposals.digestHighs[row] = this.tree.staging.digest.high;
    this.proposals.digestLows[row] = this.tree.staging.digest.low;
    return row;
  }

  /**
   * Its place among the writes of this server: the client's later reads wait for it. One that a learner has sent has one
   * too: its session may come here before it is committed, and must not read ahead of it.
   */
  numberFor(client: Client | null): number {
    if (client === null && (this.role.isAlone || this.role.isLearner)) return NO_WRITE;
    const write = this.writes.issue();
    if (client !== null) client.lastWrite[0] = write;
    return write;
  }

  /** What had its number and was not pushed is taken back. */
  withdrawNumber(write: number): void {
    if (write !== NO_WRITE) this.writes.withdrawBehind(write - 1);
  }

  /** A write that failed before or in preparation, as a transaction of its own. */
  proposeError(request: WriteRequest, err: number): boolean {
    const { origin, asker, xid, op } = request;
    const zxid = this.progress.nextZxid();
    if (!this.logError(origin.session, xid, zxid, err)) return false;
    this.push(zxid, op, asker, xid, err);
    return true;
  }

  /** The same for a write of a session that is not known here: its own server waits for it. */
  proposeErrorOf(idHigh: number, idLow: number, { asker, xid, op }: WriteRequest, err: number): boolean {
    const { log, progress, clock } = this;
    const zxid = progress.nextZxid();
    const at = this.claim(4);
    if (at < 0) return false;
    const body = writeTxnHeader(log.view, at, idHigh, idLow, xid, zxid, clock.wallMs, OpCode.error);
    log.commit(zxid, writeErrorTxn(log.view, body, err) - at);
    this.push(zxid, op, asker, xid, err);
    return true;
  }

  /** Into the log only; false = no room. */
  logError(slot: number, xid: number, zxid: Zxid, err: number): boolean {
    const at = this.claim(4);
    if (at < 0) return false;
    const body = this.header(at, slot, xid, zxid, OpCode.error);
    this.log.commit(zxid, writeErrorTxn(this.log.view, body, err) - at);
    return true;
  }
}

/**
 * A multi request as one transaction: each operation is prepared and staged on what the ones before it have built; the
 * first that fails takes all of them back, and the transaction then lists errors. False = the log has no room now:
 * nothing has changed. Core thread; called by the proposer.
 *
 * One of very many operations, or of long ACL checks, is staged in slices of the core's turns. It is accepted at once: it
 * has its number among the writes and its place in its connection. Until it is in the log nothing else is proposed (the queue counts as full)
 * and nothing is committed, so that it can be taken back as any other; reads and pings go on.
 *
 *     propose ─▶ [ doWork: a slice a turn ] ─▶ into the log, a row in the queue
 *                          failed: to its end, │     └─ no room: when there is some (onLogRoom)
 *                          then back in slices ┘
 */
import { assert } from '../../base/assert.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { MultiRequest } from '../../wire/multi.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { Client } from '../client/client.ts';
import type { Origin, WriteRequest } from '../client/write-request.ts';
import { NEXT_TURN, type TurnWork, Work } from '../progress/turn-work.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { Change } from './change.ts';
import type { ChangeEncoder } from './change-encoder.ts';
import type { MultiTxn } from './multi-txn.ts';
import type { CreatePreparation } from './prepare-create.ts';
import type { DeletePreparation } from './prepare-delete.ts';
import type { SetPreparation } from './prepare-set.ts';
import type { ProposalQueue } from './proposal-queue.ts';
import type { ProposalWriter } from './proposal-writer.ts';
import type { Stager } from './stager.ts';

/** A failed operation in a multi: type, length, code. */
const ERROR_SUB_BYTES = 12;
/** With fewer operations it is begun whatever the turn has done. */
const SHORT_MAX = 16;
/** Operations of one turn, and memory of the records that they build: some milliseconds. */
const OPS_PER_TURN = 512;
const STAGED_BYTES_PER_TURN = 4 * 1024 * 1024;
/** Operations of one turn, and then records, when they are taken back: freeing is cheaper than building. */
const UNDONE_PER_TURN = 1024;

/** What makes a proposal of a request; shared by the proposers. */
export interface ProposerParts {
  readonly sessions: SessionTable;
  readonly change: Change;
  readonly creates: CreatePreparation;
  readonly deletes: DeletePreparation;
  readonly sets: SetPreparation;
  readonly stager: Stager;
  readonly encoder: ChangeEncoder;
  readonly writer: ProposalWriter;
  readonly proposals: ProposalQueue;
  readonly multiTxn: MultiTxn;
  readonly work: TurnWork;
}

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

export class MultiProposer {
  /** One is being staged in slices: nothing may be proposed or committed. */
  isStaging = false;
  private readonly parts: ProposerParts;
  private readonly multi = new MultiRequest();
  // The one that is being prepared.
  private origin: Origin = { session: -1, authIds: [] };
  private asker: Client | null = null;
  private xid = 0;
  private acceptedMs = 0;
  private sessionClosed = false;
  private zxid = 0;
  private timeMs = 0;
  private write = 0;
  /** Where its effects begin. */
  private mark = 0;
  private failedAt = -1;
  private failure: number = ErrorCode.ok;
  /** It has failed, and all that it had staged has been taken back. */
  private isUndone = false;
  /** The operation that was looked at last is to be planned again: its checks had no time in that turn. */
  private isRepeated = false;
  /** An operation of it cannot be read: that is an error of the whole request, not of the operation. */
  private isUnreadable = false;
  /** Staged, and there was no room in the log. */
  private waitsForLog = false;

  constructor(parts: ProposerParts) {
    this.parts = parts;
  }

  propose(request: WriteRequest): boolean {
    const { multi } = this;
    const { writer, stager, proposals, work } = this.parts;
    // Before the work, not only before the claim.
    if (proposals.isFull) return false;
    if (!multi.wrap(request.bytes, request.view, request.start, request.end)) {
      return writer.proposeError(request, ErrorCode.marshallingError);
    }
    if (work.isSpent && multi.count > SHORT_MAX) return false;
    this.open(request);
    this.stageSlice();
    if (this.hasMore) {
      this.keep(request);
      return true;
    }
    // All of it has been staged in this turn.
    if (this.failure !== ErrorCode.ok) this.undo(Number.POSITIVE_INFINITY);
    if (!this.log()) {
      if (!this.isUndone) stager.rollback(this.mark);
      return false;
    }
    this.push(writer.numberFor(this.asker));
    return true;
  }

  /** A further turn would bring something. */
  get isBusy(): boolean {
    return this.isStaging && !this.waitsForLog;
  }

  /** One slice of work, if there is any. */
  doWork(): void {
    if (!this.isBusy) return;
    const { writer, change } = this.parts;
    change.sessionClosed = this.sessionClosed;
    writer.resume();
    if (this.hasMore) this.stageSlice();
    else this.undo(UNDONE_PER_TURN);
    writer.pause();
    if (!this.hasMore && (this.failure === ErrorCode.ok || this.isUndone)) this.finish();
  }

  /** The log has room again. */
  onLogRoom(): void {
    if (this.waitsForLog) this.finish();
  }

  /** What is being staged is taken back, as if it had never been asked for; returns who waits for its reply. */
  abandon(): Client | null {
    if (!this.isStaging) return null;
    const { asker } = this;
    const { writer, stager, proposals } = this.parts;
    if (!this.isUndone) stager.rollback(this.mark);
    writer.withdrawNumber(this.write);
    proposals.reopen();
    this.endSlices();
    return asker;
  }

  private open({ origin, asker, xid }: WriteRequest): void {
    const { writer, proposals, multiTxn, change } = this.parts;
    this.origin = origin;
    this.asker = asker;
    this.xid = xid;
    this.sessionClosed = change.sessionClosed;
    this.zxid = writer.progress.nextZxid();
    this.timeMs = writer.clock.wallMs;
    this.acceptedMs = writer.clock.nowMs;
    this.mark = proposals.effectTail;
    this.failedAt = -1;
    this.failure = ErrorCode.ok;
    this.isUndone = false;
    this.isUnreadable = false;
    this.isRepeated = false;
    writer.begin();
    multiTxn.open(this.multi.count);
  }

  // It goes on in another turn. The request's bytes are lent for the call, and a client may prove further ids meanwhile.
  private keep({ origin, bytes, start, end }: WriteRequest): void {
    const { writer, proposals } = this.parts;
    const { multi } = this;
    const done = multi.count - multi.remaining;
    // Not `slice`: that of a Buffer, which the io side may lend, copies nothing.
    const own = new Uint8Array(end - start);
    copyBytes(bytes, start, own.length, own, 0);
    const isWhole = multi.wrap(own, new DataView(own.buffer), 0, own.length);
    assert(isWhole, 'the copy of a sound multi');
    for (let n = 0; n < done; n++) multi.next();
    this.origin = { session: origin.session, authIds: origin.authIds };
    this.write = writer.numberFor(this.asker);
    if (this.asker !== null) this.asker.proposals++;
    this.isStaging = true;
    proposals.shut();
    writer.pause();
  }

  private finish(): void {
    const { proposals, writer } = this.parts;
    proposals.reopen();
    writer.resume();
    this.waitsForLog = !this.log();
    if (this.waitsForLog) {
      writer.pause();
      proposals.shut();
      return;
    }
    this.push(this.write);
    this.endSlices();
  }

  private endSlices(): void {
    const { asker } = this;
    this.isStaging = false;
    this.waitsForLog = false;
    if (asker !== null) asker.proposals--;
    this.asker = null;
    this.multi.wrap(NO_BYTES, NO_VIEW, 0, 0);
  }

  private get hasMore(): boolean {
    return (this.multi.remaining > 0 || this.isRepeated) && !this.isUnreadable;
  }

  private stageSlice(): void {
    const { writer, work } = this.parts;
    const enough = writer.stagedBytes + STAGED_BYTES_PER_TURN;
    let ops = 0;
    while (ops < OPS_PER_TURN && this.hasMore && writer.stagedBytes < enough) {
      this.stageNext();
      ops++;
      if (this.isRepeated) break;
    }
    work.charge(Work.operations, ops);
  }

  // What a failed operation takes back.
  private undo(opsMax: number): void {
    const { stager, proposals, work } = this.parts;
    const before = proposals.effectTail;
    this.isUndone = stager.rollbackSome(this.mark, opsMax);
    work.charge(Work.operations, before - proposals.effectTail);
  }

  private stageNext(): void {
    const { multi } = this;
    const { stager, multiTxn, change } = this.parts;
    if (!this.isRepeated) multi.next();
    const at = multi.count - multi.remaining - 1;
    let err = this.failedAt >= 0 ? ErrorCode.runtimeInconsistency : this.plan(this.origin);
    this.isRepeated = err === NEXT_TURN;
    if (this.isRepeated) return;
    if (err === ErrorCode.marshallingError) {
      this.isUnreadable = true;
      this.failure = err;
      return;
    }
    if (err === ErrorCode.ok) err = this.room(multi.count - at);
    if (err === ErrorCode.ok) {
      multiTxn.add();
      stager.stage(change, this.zxid, this.timeMs);
      return;
    }
    if (this.failedAt < 0) {
      this.failedAt = at;
      this.failure = err;
    }
    multiTxn.addError(err);
  }

  // All of it is prepared. False: no room.
  private log(): boolean {
    const { writer, multiTxn } = this.parts;
    const { session } = this.origin;
    if (this.isUnreadable) return writer.logError(session, this.xid, this.zxid, this.failure);
    return multiTxn.log(session, this.xid, this.zxid, this.timeMs);
  }

  private push(write: number): void {
    const { writer, proposals } = this.parts;
    const { zxid, asker, xid, failure } = this;
    const row = writer.pushNumbered(zxid, OpCode.multi, asker, xid, failure, writer.stagedBytes, write);
    proposals.receivedMs[row] = this.acceptedMs;
    proposals.failedAt[row] = this.failedAt;
    proposals.subCounts[row] = this.multi.count;
  }

  private plan(origin: Origin): number {
    const { multi } = this;
    const { creates, deletes, sets } = this.parts;
    switch (multi.op) {
      case OpCode.delete:
        return deletes.plan(multi.pathVersion, origin.authIds);
      case OpCode.check:
        return sets.planCheck(multi.pathVersion, origin.authIds);
      case OpCode.setData:
        return sets.planData(multi.setData, origin.authIds);
      default:
        return creates.planSub(multi.op, multi.create, origin);
    }
  }

  // In the log the planned operation, with an error for each of those behind it in the worst case: what no reader takes
  // cannot be written. In the store what the operations before it have built, parents with their data among it: there it
  // is room that is missing, whatever the request looks like.
  private room(left: number): number {
    const { encoder, writer, proposals, multiTxn } = this.parts;
    const logBytes = multiTxn.length + encoder.recordBytesMax() + left * ERROR_SUB_BYTES;
    if (logBytes > writer.recordBytesMax) return ErrorCode.marshallingError;
    return writer.stagedBytes > proposals.recordBytesMax ? ErrorCode.quotaExceeded : ErrorCode.ok;
  }
}

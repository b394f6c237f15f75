/**
 * A multi request as one transaction: each operation is prepared and staged on what the ones before it have built; the
 * first that fails takes all of them back, and the transaction then lists errors. False = the log has no room now:
 * nothing has changed. Core thread; called by the proposer.
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { MultiRequest } from '../../wire/multi.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { Origin, WriteRequest } from '../client/write-request.ts';
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
}

export class MultiProposer {
  private readonly parts: ProposerParts;
  private readonly multi = new MultiRequest();

  constructor(parts: ProposerParts) {
    this.parts = parts;
  }

  propose(request: WriteRequest): boolean {
    const { multi, parts } = this;
    const { writer, stager, proposals, multiTxn } = parts;
    const { origin, asker, xid } = request;
    // Before the work, not only before the claim.
    if (proposals.isFull) return false;
    if (!multi.wrap(request.bytes, request.view, request.start, request.end)) {
      return writer.proposeError(request, ErrorCode.marshallingError);
    }
    const zxid = writer.progress.nextZxid();
    const mark = proposals.effectTail;
    writer.begin();
    multiTxn.open(multi.count);
    let failedAt = -1;
    let failure: number = ErrorCode.ok;
    for (let i = 0; multi.next(); i++) {
      let err = failedAt >= 0 ? ErrorCode.runtimeInconsistency : this.plan(origin);
      if (err === ErrorCode.marshallingError) {
        // What cannot be read is an error of the whole request, not of the operation.
        stager.rollback(mark);
        return writer.proposeError(request, err);
      }
      if (err === ErrorCode.ok) err = this.room(multi.count - i);
      if (err === ErrorCode.ok) {
        multiTxn.add();
        stager.stage(parts.change, zxid, writer.clock.wallMs);
        continue;
      }
      if (failedAt < 0) {
        failedAt = i;
        failure = err;
      }
      multiTxn.addError(err);
    }
    if (failedAt >= 0) stager.rollback(mark);
    if (!multiTxn.log(origin.session, xid, zxid)) {
      if (failedAt < 0) stager.rollback(mark);
      return false;
    }
    const row = writer.push(zxid, OpCode.multi, asker, xid, failure, writer.stagedBytes);
    proposals.failedAt[row] = failedAt;
    proposals.subCounts[row] = multi.count;
    return true;
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

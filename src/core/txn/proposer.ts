/**
 * Turns requests into proposals: checks (`prepare-*.ts`), the next zxid, the transaction's bytes in the log,
 * and a row in the proposal queue. Every write that reaches the core becomes exactly one transaction, failed
 * ones too (as error transactions), because the zxid order of all of them is what replicas and logs share.
 *
 * Each method answers false when the log or the queue has no room *now*, or the turn no time for a long check: nothing
 * has changed then, and the caller asks again after some commits, or in the next turn.
 *
 *     plan (reads only) → claim log room → stage records → encode txn → row in the queue
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { CreateRequest, PathVersionRequest, SetAclRequest, SetDataRequest } from '../../wire/requests.ts';
import { TXN_DIGEST_BYTES } from '../../wire/txn-records.ts';
import { writeCreateSessionTxn } from '../../wire/txn-writers.ts';
import type { Client } from '../client/client.ts';
import type { WriteRequest } from '../client/write-request.ts';
import { NEXT_TURN } from '../progress/turn-work.ts';
import { NO_SESSION } from '../session/session-table.ts';
import { MultiProposer, type ProposerParts } from './multi-proposer.ts';
import type { ProposalWriter } from './proposal-writer.ts';
import { ReconfigProposer, type ReconfigProposerParts } from './reconfig-proposer.ts';
import { SessionCloser, type SessionCloserParts } from './session-closer.ts';

export interface ProposerOptions {
  readonly reconfigEnabled: boolean;
}

export class Proposer {
  private readonly parts: ProposerParts;
  private readonly writer: ProposalWriter;
  readonly multi: MultiProposer;
  private readonly closer: SessionCloser;
  readonly reconfigs: ReconfigProposer;
  private readonly createRequest = new CreateRequest();
  private readonly pathVersion = new PathVersionRequest();
  private readonly setData = new SetDataRequest();
  private readonly setAcl = new SetAclRequest();

  constructor(parts: SessionCloserParts & ReconfigProposerParts, options: ProposerOptions) {
    this.parts = parts;
    this.writer = parts.writer;
    this.multi = new MultiProposer(parts);
    this.closer = new SessionCloser(parts);
    this.reconfigs = new ReconfigProposer(parts, options.reconfigEnabled);
  }

  /** A write request, of a client of this server or of another. */
  propose(request: WriteRequest): boolean {
    const { origin, op } = request;
    this.parts.change.sessionClosed = this.parts.sessions.isClosing(origin.session);
    if (op === OpCode.multi) return this.multi.propose(request);
    if (op === OpCode.reconfig) return this.reconfigs.propose(request);
    const err = this.plan(request);
    if (err === NEXT_TURN) return false;
    if (err !== ErrorCode.ok) return this.writer.proposeError(request, err);
    return this.proposePlanned(request, op);
  }

  /** A write that failed before it was prepared. */
  proposeError(request: WriteRequest, err: number): boolean {
    return this.writer.proposeError(request, err);
  }

  /** The same for a session that is not known here. */
  proposeErrorOf(idHigh: number, idLow: number, request: WriteRequest, err: number): boolean {
    return this.writer.proposeErrorOf(idHigh, idLow, request, err);
  }

  /** A new session; `client` (if it is still there) gets the connect response when it commits. */
  proposeCreateSession(client: Client | null, slot: number, xid = 0): boolean {
    const { sessions, proposals } = this.parts;
    const { writer } = this;
    const at = writer.claim(4 + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const zxid = writer.progress.nextZxid();
    const body = writer.header(at, slot, xid, zxid, OpCode.createSession);
    writer.finish(at, writeCreateSessionTxn(writer.log.view, body, sessions.timeoutMs[slot]!), zxid);
    proposals.pushEffect(OpCode.createSession, 0, 0, 0, 0, slot);
    writer.push(zxid, OpCode.createSession, client, xid, ErrorCode.ok);
    return true;
  }

  /**
   * The end of a session, asked for (`client` waits for the reply) or expired (null). May have to be called again
   * until it answers true.
   */
  proposeCloseSession(slot: number, client: Client | null, xid: number): boolean {
    return this.closer.propose(slot, client, xid);
  }

  /** Proposals have been taken back. */
  onWithdrawn(): void {
    this.closer.beginAnew();
  }

  /** The end of an unused container or outdated TTL node; false = no room, true also when it is no longer due. */
  proposeSweep(nodeId: number): boolean {
    if (this.parts.deletes.planSweep(nodeId) !== ErrorCode.ok) return true;
    return this.proposePlanned(null, OpCode.deleteContainer);
  }

  // ---- single operations ---------------------------------------------------------------------------------

  private plan(request: WriteRequest): number {
    const { creates, deletes, sets } = this.parts;
    const { origin, op, bytes, view, start, end } = request;
    switch (op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
        if (!this.createRequest.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
        return creates.plan(op, this.createRequest, origin);
      case OpCode.createTtl:
        if (!this.createRequest.wrapTtl(bytes, view, start, end)) return ErrorCode.marshallingError;
        return creates.plan(op, this.createRequest, origin);
      case OpCode.delete:
        if (!this.pathVersion.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
        return deletes.plan(this.pathVersion, origin.authIds);
      case OpCode.setData:
        if (!this.setData.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
        return sets.planData(this.setData, origin.authIds);
      case OpCode.setAcl:
        if (!this.setAcl.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
        return sets.planAcl(this.setAcl, origin.authIds);
      default:
        // deleteContainer is the server's own; a client may not delete past the ACLs.
        return ErrorCode.badArguments;
    }
  }

  // The change is planned; without a request it is the server's own.
  private proposePlanned(request: WriteRequest | null, op: number): boolean {
    const { encoder, stager, change } = this.parts;
    const { writer } = this;
    const bytesMax = encoder.recordBytesMax();
    if (request !== null && bytesMax > writer.recordBytesMax) {
      return writer.proposeError(request, ErrorCode.marshallingError);
    }
    const at = writer.claim(bytesMax + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const zxid = writer.progress.nextZxid();
    const session = request === null ? NO_SESSION : request.origin.session;
    const xid = request === null ? 0 : request.xid;
    writer.begin();
    const body = writer.header(at, session, xid, zxid, op);
    const end = encoder.write(writer.log.bytes, writer.log.view, body);
    stager.stage(change, zxid, writer.clock.wallMs);
    writer.finish(at, end, zxid);
    writer.push(zxid, op, request === null ? null : request.asker, xid, ErrorCode.ok, writer.stagedBytes);
    return true;
  }
}

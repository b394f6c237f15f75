/**
 * Turns requests into proposals: checks (through `Change`), the next zxid, the transaction's bytes in the log,
 * and a row in the proposal queue. Every write that reaches the core becomes exactly one transaction, failed
 * ones too (as error transactions), because the zxid order of all of them is what replicas and logs share.
 *
 * Each method answers false when the log or the queue has no room *now*: nothing has changed then, and the
 * caller asks again after some commits.
 *
 *     plan (reads only) → claim log room → stage records → encode txn → row in the queue
 */

import type { Zxid } from '../../base/zxid.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { writeBytesAt } from '../../wire/jute-writer.ts';
import { MultiRequest } from '../../wire/multi.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { CreateRequest, PathVersionRequest, SetAclRequest, SetDataRequest } from '../../wire/requests.ts';
import { TXN_DIGEST_BYTES, TXN_HEADER_BYTES } from '../../wire/txn-records.ts';
import {
  beginSubTxn,
  endSubTxn,
  writeCloseSessionTxn,
  writeCreateSessionTxn,
  writeErrorTxn,
  writeMultiTxn,
  writeTxnDigest,
  writeTxnHeader,
} from '../../wire/txn-writers.ts';
import type { AclTable } from '../acl/acl-table.ts';
import type { LogPort } from '../ports.ts';
import type { Client } from '../request/client.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import type { Tree } from '../tree/tree.ts';
import type { Change } from './change.ts';
import { ChangeEncoder, RECORD_FIXED_BYTES } from './change-encoder.ts';
import type { ProposalQueue } from './proposal-queue.ts';

/**
 * How many bytes of paths one closeSession transaction may list, unless a single path is longer. A session with more
 * ephemerals loses the rest before, in multi transactions of this size, so that no log record grows beyond what
 * readers accept (2 MiB).
 */
const CLOSE_PATH_BYTES_MAX = 512 * 1024;
/** What a path takes in a multi of deletes besides its own bytes. */
const REMOVAL_FIXED_BYTES = 16;
/** A failed operation in a multi: type, length, code. */
const ERROR_SUB_BYTES = 12;
/** What a transaction takes around its record. */
const TXN_FIXED_BYTES = TXN_HEADER_BYTES + RECORD_FIXED_BYTES + TXN_DIGEST_BYTES;

export interface ProposerOptions {
  readonly digest: boolean;
  /** closeSession transactions list the ephemerals they remove. */
  readonly closeSessionPaths: boolean;
  readonly reconfigEnabled: boolean;
}

export class Proposer {
  /** Newest zxid given out. */
  lastZxid: Zxid = 0;
  /** Set by the owner at each turn: time stamps of transactions, and of latency. */
  wallMs = 0;
  nowMs = 0;
  private readonly tree: Tree;
  private readonly sessions: SessionTable;
  private readonly ephemerals: Ephemerals;
  private readonly change: Change;
  private readonly encoder: ChangeEncoder;
  private readonly proposals: ProposalQueue;
  private readonly log: LogPort;
  /**
   * A request may ask for a transaction far larger than itself (ACL entries of scheme auth stand for every id of the
   * connection). One that no reader of the log would accept is refused.
   */
  private readonly recordBytesMax: number;
  private readonly closeBytesMax: number;
  private readonly options: ProposerOptions;
  private readonly createRequest = new CreateRequest();
  private readonly pathVersion = new PathVersionRequest();
  private readonly setData = new SetDataRequest();
  private readonly setAcl = new SetAclRequest();
  private readonly multi = new MultiRequest();
  /** Where a multi is encoded before its length is known. */
  private scratch = new Uint8Array(4096);
  private scratchView = new DataView(this.scratch.buffer);
  private usedBytesBefore = 0;

  constructor(parts: {
    tree: Tree;
    acls: AclTable;
    sessions: SessionTable;
    ephemerals: Ephemerals;
    change: Change;
    proposals: ProposalQueue;
    log: LogPort;
    options: ProposerOptions;
  }) {
    this.tree = parts.tree;
    this.sessions = parts.sessions;
    this.ephemerals = parts.ephemerals;
    this.change = parts.change;
    this.encoder = new ChangeEncoder(parts.change, parts.acls);
    this.proposals = parts.proposals;
    this.log = parts.log;
    this.recordBytesMax = (parts.log.payloadBytesMax ?? Number.POSITIVE_INFINITY) - TXN_FIXED_BYTES;
    this.closeBytesMax = Math.min(CLOSE_PATH_BYTES_MAX, this.recordBytesMax);
    this.options = parts.options;
  }

  /** A write request of a client; `start` is where the record begins, behind the request header. */
  propose(
    client: Client,
    xid: number,
    op: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): boolean {
    this.change.sessionClosed = this.sessions.isClosing(client.session);
    if (op === OpCode.multi) return this.proposeMulti(client, xid, bytes, view, start, end);
    const err = this.plan(client, op, bytes, view, start, end);
    if (err !== ErrorCode.ok) return this.proposeError(client, xid, op, err);
    return this.proposePlanned(client, client.session, xid, op, op);
  }

  /** A write that failed before or in preparation. */
  proposeError(client: Client, xid: number, op: number, err: number): boolean {
    const at = this.claim(4);
    if (at < 0) return false;
    const { view } = this.log;
    const zxid = this.lastZxid + 1;
    const body = this.header(at, client.session, xid, zxid, OpCode.error);
    this.log.commit(zxid, writeErrorTxn(view, body, err) - at);
    this.push(zxid, op, client, xid, err);
    return true;
  }

  /** A new session; `client` (if it is still there) gets the connect response when it commits. */
  proposeCreateSession(client: Client | null, slot: number): boolean {
    const at = this.claim(4 + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const zxid = this.lastZxid + 1;
    const body = this.header(at, slot, 0, zxid, OpCode.createSession);
    this.finish(at, writeCreateSessionTxn(this.log.view, body, this.sessions.timeoutMs[slot]!), zxid);
    this.proposals.pushEffect(OpCode.createSession, 0, 0, 0, 0, slot);
    this.push(zxid, OpCode.createSession, client, 0, ErrorCode.ok);
    return true;
  }

  /**
   * The end of a session, asked for (`client` waits for the reply) or expired (null). What it lists is fixed
   * now: its ephemerals in the tree and those being created. May have to be called again until it answers true.
   */
  proposeCloseSession(slot: number, client: Client | null, xid: number): boolean {
    this.sessions.setClosing(slot);
    const nodes = this.liveEphemerals(slot);
    let from = 0;
    for (;;) {
      const to = this.pathBudget(nodes, from);
      if (to === nodes.length) return this.proposeLastClose(slot, client, xid, nodes, from);
      if (!this.proposeRemovals(slot, nodes, from, to)) return false;
      from = to;
    }
  }

  /** The end of an unused container or outdated TTL node; false = no room, true also when it is no longer due. */
  proposeSweep(nodeId: number): boolean {
    if (this.change.planSweep(nodeId) !== ErrorCode.ok) return true;
    return this.proposePlanned(null, -1, 0, OpCode.deleteContainer, OpCode.deleteContainer);
  }

  // ---- single operations ---------------------------------------------------------------------------------

  private plan(
    client: Client,
    op: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): number {
    const { change } = this;
    const ids = client.authIds;
    switch (op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
        if (!this.createRequest.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
        return this.planCreate(client, op, this.createRequest);
      case OpCode.createTtl:
        if (!this.createRequest.wrapTtl(bytes, view, start, end)) return ErrorCode.marshallingError;
        return this.planCreate(client, op, this.createRequest);
      case OpCode.delete:
        if (!this.pathVersion.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
        return change.planDelete(this.pathVersion, ids);
      case OpCode.setData:
        if (!this.setData.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
        return change.planSetData(this.setData, ids);
      case OpCode.setAcl:
        if (!this.setAcl.wrap(bytes, view, start, end)) return ErrorCode.marshallingError;
        return change.planSetAcl(this.setAcl, ids);
      case OpCode.reconfig:
        // A single server has no membership to change, and by default may not even be asked.
        return this.options.reconfigEnabled ? ErrorCode.unimplemented : ErrorCode.reconfigDisabled;
      default:
        // deleteContainer is the server's own; a client may not delete past the ACLs.
        return ErrorCode.badArguments;
    }
  }

  private planCreate(client: Client, op: number, request: CreateRequest): number {
    const slot = client.session;
    const { idHigh, idLow } = this.sessions;
    return this.change.planCreate(op, request, client.authIds, slot, idHigh[slot]!, idLow[slot]!);
  }

  // The change is planned; `slot` −1 is the server itself.
  private proposePlanned(
    client: Client | null,
    slot: number,
    xid: number,
    op: number,
    type: number,
  ): boolean {
    const bytesMax = this.encoder.recordBytesMax();
    if (client !== null && bytesMax > this.recordBytesMax) {
      return this.proposeError(client, xid, op, ErrorCode.marshallingError);
    }
    const at = this.claim(bytesMax + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const zxid = this.lastZxid + 1;
    this.beginChange();
    const body = this.header(at, slot, xid, zxid, type);
    const end = this.encoder.write(this.log.bytes, this.log.view, body);
    this.change.stage(zxid, this.wallMs);
    this.finish(at, end, zxid);
    this.push(zxid, op, client, xid, ErrorCode.ok, this.stagedBytes);
    return true;
  }

  // ---- multi ---------------------------------------------------------------------------------------------

  private proposeMulti(
    client: Client,
    xid: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): boolean {
    const { multi, change, proposals } = this;
    // Before the work, not only before the claim.
    if (proposals.isFull) return false;
    if (!multi.wrap(bytes, view, start, end)) {
      return this.proposeError(client, xid, OpCode.multi, ErrorCode.marshallingError);
    }
    const zxid = this.lastZxid + 1;
    const mark = proposals.effectTail;
    this.beginChange();
    let to = this.openMulti(multi.count);
    let failedAt = -1;
    let failure: number = ErrorCode.ok;
    for (let i = 0; multi.next(); i++) {
      let err = failedAt >= 0 ? ErrorCode.runtimeInconsistency : this.planSub(client);
      if (err === ErrorCode.ok && !this.fitsMulti(to, multi.count - i)) err = ErrorCode.marshallingError;
      if (err === ErrorCode.ok) {
        to = this.writeSub(to);
        change.stage(zxid, this.wallMs);
        continue;
      }
      if (failedAt < 0) {
        failedAt = i;
        failure = err;
      }
      this.ensureScratch(to, RECORD_FIXED_BYTES);
      const record = beginSubTxn(this.scratchView, to, OpCode.error);
      to = endSubTxn(this.scratchView, record, writeErrorTxn(this.scratchView, record, err));
    }
    if (failedAt >= 0) change.rollback(mark);
    if (!this.logScratch(client.session, xid, zxid, to)) {
      if (failedAt < 0) change.rollback(mark);
      return false;
    }
    const row = this.push(zxid, OpCode.multi, client, xid, failure, this.stagedBytes);
    proposals.failedAt[row] = failedAt;
    proposals.subCounts[row] = multi.count;
    return true;
  }

  private planSub(client: Client): number {
    const { multi, change } = this;
    switch (multi.op) {
      case OpCode.delete:
        return change.planDelete(multi.pathVersion, client.authIds);
      case OpCode.check:
        return change.planCheck(multi.pathVersion, client.authIds);
      case OpCode.setData:
        return change.planSetData(multi.setData, client.authIds);
      default:
        return this.planCreate(client, multi.op, multi.create);
    }
  }

  // In the log the planned operation, with an error for each of those behind it in the worst case; in the store what
  // the operations before it have built, parents with their data among it.
  private fitsMulti(to: number, left: number): boolean {
    const logBytes = to + this.encoder.recordBytesMax() + left * ERROR_SUB_BYTES;
    return logBytes <= this.recordBytesMax && this.stagedBytes <= this.proposals.recordBytesMax;
  }

  private writeSub(to: number): number {
    this.ensureScratch(to, this.encoder.recordBytesMax());
    const view = this.scratchView;
    // Apache before 3.8.2 stops applying a multi at a create2, so the log says create (they store the same).
    const type = this.change.op === OpCode.create2 ? OpCode.create : this.change.op;
    const record = beginSubTxn(view, to, type);
    return endSubTxn(view, record, this.encoder.write(this.scratch, view, record));
  }

  private openMulti(count: number): number {
    this.ensureScratch(0, RECORD_FIXED_BYTES);
    return writeMultiTxn(this.scratchView, 0, count);
  }

  private logScratch(slot: number, xid: number, zxid: Zxid, length: number): boolean {
    const at = this.claim(length + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const body = this.header(at, slot, xid, zxid, OpCode.multi);
    copyBytes(this.scratch, 0, length, this.log.bytes, body);
    this.finish(at, body + length, zxid);
    return true;
  }

  private ensureScratch(used: number, needed: number): void {
    if (used + needed <= this.scratch.length) return;
    const larger = new Uint8Array(Math.max(this.scratch.length * 2, used + needed));
    larger.set(this.scratch.subarray(0, used));
    this.scratch = larger;
    this.scratchView = new DataView(larger.buffer);
  }

  // ---- session close -------------------------------------------------------------------------------------

  private liveEphemerals(slot: number): number[] {
    const nodes: number[] = [];
    const owned = this.ephemerals.of(slot);
    if (owned === undefined) return nodes;
    const cursor = this.tree.cursor();
    const high = this.sessions.idHigh[slot]!;
    const low = this.sessions.idLow[slot]!;
    for (const id of owned) {
      const record = this.tree.latestOf(id);
      if (record === 0) continue;
      cursor.moveTo(record);
      if (cursor.ownerHigh === high && cursor.ownerLow === low) nodes.push(id);
    }
    return nodes;
  }

  // How far from `from` one transaction may go.
  private pathBudget(nodes: readonly number[], from: number): number {
    const cursor = this.tree.cursor();
    let bytes = 0;
    let to = from;
    for (; to < nodes.length; to++) {
      cursor.moveTo(this.tree.latestOf(nodes[to]!));
      bytes += cursor.pathLength + REMOVAL_FIXED_BYTES;
      if (bytes > this.closeBytesMax && to > from) break;
    }
    return to;
  }

  // What a closeSession lists from `from` on: strings.
  private pathBytes(nodes: readonly number[], from: number): number {
    if (!this.options.closeSessionPaths) return 0;
    const cursor = this.tree.cursor();
    let bytes = 0;
    for (let i = from; i < nodes.length; i++) {
      cursor.moveTo(this.tree.latestOf(nodes[i]!));
      bytes += 4 + cursor.pathLength;
    }
    return bytes;
  }

  private proposeRemovals(slot: number, nodes: readonly number[], from: number, to: number): boolean {
    const { change, proposals } = this;
    const zxid = this.lastZxid + 1;
    const mark = proposals.effectTail;
    this.beginChange();
    let end = this.openMulti(to - from);
    for (let i = from; i < to; i++) {
      change.planRemovalOf(OpCode.delete, nodes[i]!);
      end = this.writeSub(end);
      change.stage(zxid, this.wallMs);
    }
    if (!this.logScratch(slot, 0, zxid, end)) {
      change.rollback(mark);
      return false;
    }
    this.push(zxid, OpCode.multi, null, 0, ErrorCode.ok, this.stagedBytes);
    return true;
  }

  private proposeLastClose(
    slot: number,
    client: Client | null,
    xid: number,
    nodes: readonly number[],
    from: number,
  ): boolean {
    const { change, log } = this;
    const at = this.claim(RECORD_FIXED_BYTES + this.pathBytes(nodes, from) + TXN_DIGEST_BYTES);
    if (at < 0) return false;
    const zxid = this.lastZxid + 1;
    this.beginChange();
    const body = this.header(at, slot, xid, zxid, OpCode.closeSession);
    const listed = this.options.closeSessionPaths;
    let to = listed ? writeCloseSessionTxn(log.view, body, nodes.length - from) : body;
    for (let i = from; i < nodes.length; i++) {
      change.planRemovalOf(OpCode.closeSession, nodes[i]!);
      if (listed) {
        to = writeBytesAt(log.bytes, log.view, to, change.path, change.pathStart, change.pathLength);
      }
      change.stage(zxid, this.wallMs);
    }
    this.finish(at, to, zxid);
    this.proposals.pushEffect(OpCode.closeSession, 0, 0, 0, 0, slot);
    this.push(zxid, OpCode.closeSession, client, xid, ErrorCode.ok, this.stagedBytes);
    return true;
  }

  // ---- the change being staged ---------------------------------------------------------------------------

  private beginChange(): void {
    this.tree.beginChange();
    this.usedBytesBefore = this.tree.arena.usedBytes;
  }

  /** Memory of the records built since `beginChange`. */
  private get stagedBytes(): number {
    return this.tree.arena.usedBytes - this.usedBytesBefore;
  }

  // ---- encoding ------------------------------------------------------------------------------------------

  private claim(recordBytes: number): number {
    return this.proposals.isFull ? -1 : this.log.claim(TXN_HEADER_BYTES + recordBytes);
  }

  private header(at: number, slot: number, xid: number, zxid: Zxid, type: number): number {
    const high = slot < 0 ? 0 : this.sessions.idHigh[slot]!;
    const low = slot < 0 ? 0 : this.sessions.idLow[slot]!;
    return writeTxnHeader(this.log.view, at, high, low, xid, zxid, this.wallMs, type);
  }

  private finish(at: number, recordEnd: number, zxid: Zxid): void {
    const { high, low } = this.tree.proposed;
    const end = this.options.digest ? writeTxnDigest(this.log.view, recordEnd, high, low) : recordEnd;
    this.log.commit(zxid, end - at);
  }

  private push(
    zxid: Zxid,
    op: number,
    client: Client | null,
    xid: number,
    err: number,
    recordBytes = 0,
  ): number {
    this.lastZxid = zxid;
    if (client !== null) client.lastWriteZxid = zxid;
    const row = this.proposals.push(zxid, op, client, xid, err, this.nowMs, recordBytes);
    this.proposals.digestHighs[row] = this.tree.proposed.high;
    this.proposals.digestLows[row] = this.tree.proposed.low;
    return row;
  }
}

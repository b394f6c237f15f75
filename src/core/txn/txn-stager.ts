/**
 * The follower's way into the proposal queue: a transaction as it was logged elsewhere (TxnHeader, record, digest) is
 * staged without any check of its own, because its leader has made them, and its bytes go into this log as they are. What
 * commits it, fires watches and accounts quotas is the same committer.
 *
 *     leader     request ─▶ preparation ─┐
 *                                        ├─▶ Change ─▶ Stager ─▶ proposal queue ─▶ Committer
 *     follower   bytes ──▶ TxnStager ────┘
 *
 * One of very many operations, or the end of a session with very many ephemerals, is in the log at once and staged in slices
 * of the core's turns over a copy of its bytes. Until it is in the queue that counts as full; what is decided before it is
 * committed meanwhile, and it is itself behind it.
 *
 * A transaction that does not fit (Apache's followers skip it as well) changes nothing and is counted; so is a digest
 * that differs. Core thread.
 */
import { assert } from '../../base/assert.ts';
import { copyBytes } from '../../wire/copy-bytes.ts';
import { StringCursor } from '../../wire/cursors.ts';
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import { SubTxnCursor, TXN_DIGEST_VERSION, TxnReader, type TxnRecord } from '../../wire/txn-records.ts';
import type { Client } from '../client/client.ts';
import { NO_WRITE } from '../client/write-numbers.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { Statistics } from '../progress/statistics.ts';
import { type TurnWork, Work } from '../progress/turn-work.ts';
import { NO_SESSION } from '../session/session-table.ts';
import type { Ephemerals } from '../tree/ephemerals.ts';
import type { ZnodeCursor } from '../tree/record.ts';
import { ForeignChange, type ForeignChangeParts } from './foreign-change.ts';
import type { ProposalQueue } from './proposal-queue.ts';
import type { ProposalWriter } from './proposal-writer.ts';
import type { Stager } from './stager.ts';

export interface TxnStagerParts extends ForeignChangeParts {
  readonly ephemerals: Ephemerals;
  readonly statistics: Statistics;
  readonly stager: Stager;
  readonly writer: ProposalWriter;
  readonly proposals: ProposalQueue;
  readonly forwarder: Forwarder;
  readonly work: TurnWork;
}

/** Operations of one turn, and memory of the records that they build: some milliseconds (multi-proposer.ts). */
const OPS_PER_TURN = 512;
const STAGED_BYTES_PER_TURN = 4 * 1024 * 1024;

export class TxnStager {
  /** One is being staged in slices: nothing else may be proposed. */
  isStaging = false;
  private readonly parts: TxnStagerParts;
  private readonly foreign: ForeignChange;
  private readonly txn = new TxnReader();
  private readonly sub = new SubTxnCursor();
  private readonly paths = new StringCursor();
  private readonly node: ZnodeCursor;
  // ---- the one that is being staged
  /** Of a multi that has failed: the error, and the place of the operation that did. */
  private err = 0;
  private failedAt = 0;
  /** Of a multi: the operation that comes next, and which are to be answered as create2. */
  private place = 0;
  private subOps: Uint8Array | null = null;
  /** Of a session that ends with it, and what it owns; −1 = none does. */
  private slot = NO_SESSION;
  private owned: Iterator<number> | null = null;
  /** Who has asked for it here, and what for. */
  private client: Client | null = null;
  private op = 0;
  private receivedMs = 0;
  private readonly write = new Float64Array(1);
  private misfitsBefore = 0;

  constructor(parts: TxnStagerParts) {
    this.parts = parts;
    this.foreign = new ForeignChange(parts);
    this.node = parts.tree.cursor();
  }

  /**
   * `bytes[start, end)` is the payload of a PROPOSAL; a client here whose forwarded write has become it will be answered.
   * False = no room in the log or the queue, nothing has changed; `null` = it is no transaction.
   */
  stage(bytes: Uint8Array, view: DataView, start: number, end: number): boolean | null {
    const { txn } = this;
    const { writer, proposals } = this.parts;
    // The one that is being staged keeps its place here.
    if (this.isStaging) return false;
    if (!txn.wrap(bytes, view, start, end)) return null;
    const at = writer.claimPayload(end - start);
    if (at < 0) return false;
    copyBytes(bytes, start, end - start, writer.log.bytes, at);
    writer.log.commit(txn.zxid, end - start);
    writer.progress.onProposed(txn.zxid);
    writer.begin();
    const isLong = this.isLong(end - start);
    if (isLong) this.keep(bytes, start, end);
    this.open();
    if (this.goOn(isLong ? OPS_PER_TURN : Number.POSITIVE_INFINITY)) {
      this.finish();
      return true;
    }
    this.isStaging = true;
    proposals.shut();
    writer.pause();
    return true;
  }

  /** One slice of work, if there is any. */
  doWork(): void {
    if (this.isStaging) this.slice(OPS_PER_TURN);
  }

  /** What cannot wait until the rest of it has had its turns. */
  finishStaging(): void {
    while (this.isStaging) this.slice(Number.POSITIVE_INFINITY);
  }

  private slice(opsMax: number): void {
    const { writer, proposals } = this.parts;
    writer.resume();
    const isDone = this.goOn(opsMax);
    writer.pause();
    if (!isDone) return;
    this.isStaging = false;
    proposals.reopen();
    writer.resume();
    this.finish();
  }

  private isLong(payloadBytes: number): boolean {
    const { txn } = this;
    if (txn.type === OpCode.multi)
      return txn.subsCount > OPS_PER_TURN || payloadBytes > STAGED_BYTES_PER_TURN;
    if (txn.type !== OpCode.closeSession) return false;
    const { sessions, ephemerals } = this.parts;
    const slot = sessions.find(txn.clientIdHigh, txn.clientIdLow);
    const owned = slot < 0 ? 0 : (ephemerals.of(slot)?.size ?? 0);
    return Math.max(txn.pathsCount, 0) + owned > OPS_PER_TURN;
  }

  // The packet's bytes are lent for the call.
  private keep(bytes: Uint8Array, start: number, end: number): void {
    // Not `slice`: that of a Buffer, which the socket may lend, copies nothing.
    const own = new Uint8Array(end - start);
    copyBytes(bytes, start, own.length, own, 0);
    const isWhole = this.txn.wrap(own, new DataView(own.buffer), 0, own.length);
    assert(isWhole, 'the copy of a sound transaction');
  }

  private open(): void {
    const { txn } = this;
    const { forwarder, statistics } = this.parts;
    this.misfitsBefore = statistics.foreignMisfits;
    this.client = null;
    this.op = txn.type;
    this.write[0] = NO_WRITE;
    this.subOps = null;
    if (forwarder.isNext(txn.clientIdHigh, txn.clientIdLow, txn.cxid, txn.type)) {
      // The oldest forwarded write of a client here.
      const { client, op, write, received, subOps } = forwarder.next;
      this.client = client;
      if (txn.type === OpCode.error) this.op = op;
      this.write[0] = write;
      this.receivedMs = received;
      this.subOps = subOps;
      client.proposals++;
      forwarder.take();
    } else if (forwarder.isHolding) forwarder.onForeign(txn.clientIdHigh, txn.clientIdLow);
    this.err = 0;
    if (txn.type === OpCode.multi) this.openMulti();
    else if (txn.type === OpCode.closeSession) this.openClose();
    else if (txn.type === OpCode.error) this.err = txn.err;
  }

  private openMulti(): void {
    const { txn, sub } = this;
    // One that contains an error changed nothing.
    this.failedAt = 0;
    this.place = 0;
    for (sub.wrap(txn); sub.next(); this.failedAt++) {
      if (sub.type !== OpCode.error) continue;
      this.err = sub.err;
      return;
    }
    sub.wrap(txn);
  }

  private openClose(): void {
    const { txn, paths } = this;
    const { sessions, ephemerals } = this.parts;
    if (txn.pathsCount > 0) paths.wrap(txn.view, txn.pathsStart);
    const slot = sessions.find(txn.clientIdHigh, txn.clientIdLow);
    // A leader may end a session twice: when it has expired, and because its client has asked for it.
    this.slot = slot < 0 || sessions.isEnding(slot) ? NO_SESSION : slot;
    this.owned = this.slot < 0 ? null : (ephemerals.of(slot)?.values() ?? null);
  }

  /** True: all of it is staged. */
  private goOn(opsMax: number): boolean {
    const { writer, work } = this.parts;
    const enough = writer.stagedBytes + STAGED_BYTES_PER_TURN;
    let ops = 0;
    let isDone = false;
    do isDone = !this.step();
    while (!isDone && ++ops < opsMax && (writer.stagedBytes < enough || opsMax > OPS_PER_TURN));
    work.charge(Work.operations, ops);
    return isDone;
  }

  /** Stages one change; false: there was none left. */
  private step(): boolean {
    const { txn } = this;
    switch (txn.type) {
      case OpCode.multi:
        return this.err === 0 && this.stepMulti();
      case OpCode.closeSession:
        return this.stepClose();
      case OpCode.createSession:
        this.createSession();
        return false;
      case OpCode.error:
        return false;
      default:
        this.applyRecord(txn);
        return false;
    }
  }

  private stepMulti(): boolean {
    const { sub, subOps } = this;
    if (!sub.next()) return false;
    if (subOps !== null && subOps[this.place] === 1 && sub.type === OpCode.create) sub.type = OpCode.create2;
    this.place++;
    this.applyRecord(sub);
    return true;
  }

  // What it lists, then whatever else the session still owns here.
  private stepClose(): boolean {
    const { txn, paths, owned } = this;
    if (txn.pathsCount > 0 && paths.next()) {
      if (this.foreign.planDelete(txn.bytes, paths.start, paths.length)) this.stagePlanned();
      else this.parts.statistics.foreignMisfits++;
      return true;
    }
    const next = owned?.next();
    if (next === undefined || next.done === true) return false;
    this.removeOwned(next.value);
    return true;
  }

  private applyRecord(record: TxnRecord): void {
    if (this.foreign.plan(record, this.txn)) this.stagePlanned();
    else this.parts.statistics.foreignMisfits++;
  }

  private stagePlanned(): void {
    this.parts.stager.stage(this.parts.change, this.txn.zxid, this.txn.timeMs);
  }

  private removeOwned(id: number): void {
    const { tree, deletes } = this.parts;
    const { txn, node } = this;
    const record = tree.staging.latestOf(id);
    if (record === 0) return;
    node.moveTo(record);
    if (node.ownerHigh !== txn.clientIdHigh || node.ownerLow !== txn.clientIdLow) return;
    deletes.planRemovalOf(OpCode.delete, id);
    this.stagePlanned();
  }

  private createSession(): void {
    const { sessions, proposals, writer } = this.parts;
    const { clientIdHigh, clientIdLow, timeoutMs } = this.txn;
    let slot = sessions.find(clientIdHigh, clientIdLow);
    if (slot < 0) {
      slot = sessions.create(clientIdHigh, clientIdLow, timeoutMs, writer.clock.nowMs);
      sessions.setProposed(slot, true);
    } else if (sessions.isUpgrading(slot)) sessions.setProposed(slot, true);
    proposals.pushEffect(OpCode.createSession, 0, 0, 0, 0, slot);
  }

  // All of it is staged.
  private finish(): void {
    const { txn, client } = this;
    const { writer, proposals, sessions, statistics } = this.parts;
    if (txn.type === OpCode.closeSession && this.slot >= 0) {
      sessions.setEnding(this.slot);
      proposals.pushEffect(OpCode.closeSession, 0, 0, 0, 0, this.slot);
    }
    // This tree is not the leader's, where it has happened: nobody here can be told what has come of it.
    const fits = client === null || statistics.foreignMisfits === this.misfitsBefore;
    const err = this.err === 0 && !fits ? ErrorCode.connectionLoss : this.err;
    const row = writer.pushStaged(
      txn.zxid,
      this.op,
      client,
      txn.cxid,
      err,
      writer.stagedBytes,
      this.write[0]!,
    );
    if (this.differs()) proposals.digestDiffers[row] = 1;
    if (client === null) return;
    client.proposals--;
    proposals.receivedMs[row] = this.receivedMs;
    if (txn.type === OpCode.multi && this.err !== 0) {
      proposals.failedAt[row] = this.failedAt;
      proposals.subCounts[row] = txn.subsCount;
    }
    this.client = null;
  }

  private differs(): boolean {
    const { txn } = this;
    if (!txn.hasDigest || txn.digestVersion !== TXN_DIGEST_VERSION || !this.parts.writer.hasDigest)
      return false;
    const { high, low } = this.parts.tree.staging.digest;
    return high !== txn.digestHigh >>> 0 || low !== txn.digestLow >>> 0;
  }
}

/**
 * A leader's side of forwarding: what learners send for their clients becomes proposals, in the order in which each learner sent
 * it, with the session and ids that it vouches for. Each ends in exactly one transaction of its session and cxid, failed ones
 * too, because that is what its own server waits for; a sync is answered instead, behind everything proposed by then.
 *
 *     REQUEST ─▶ take ─┬─ room ─▶ Proposer (with nobody to answer here)
 *                      └─ none ─▶ waits, copied; what the same learner sends next waits behind it ─▶ onLogRoom, doWork
 *
 * The connection is never stopped for want of room: acknowledgements come on it, and they are what makes room. So what waits of one
 * learner is bounded; beyond, its connection ends (no learner has so much in flight). Core thread.
 */
import { ErrorCode } from '../../wire/error-codes.ts';
import { OpCode } from '../../wire/opcodes.ts';
import type { QuorumPacket } from '../../wire/quorum/quorum-packet.ts';
import { ForwardedWrite } from '../client/write-request.ts';
import { Fifo } from '../collections/fifo.ts';
import type { TurnClock } from '../progress/turn-clock.ts';
import type { TurnWork } from '../progress/turn-work.ts';
import type { SessionLifecycle } from '../request/session-lifecycle.ts';
import { NO_OWNER, NO_SESSION, type SessionTable } from '../session/session-table.ts';
import type { ProposalWriter } from '../txn/proposal-writer.ts';
import type { Proposer } from '../txn/proposer.ts';
import { LentIds } from './lent-ids.ts';

export interface ForwardedParts {
  readonly sessions: SessionTable;
  readonly proposer: Proposer;
  readonly writer: ProposalWriter;
  readonly clock: TurnClock;
  readonly work: TurnWork;
}

export const TakenRequest = { ok: 0, malformed: 1, tooMany: 2 } as const;
export type TakenRequest = (typeof TakenRequest)[keyof typeof TakenRequest];

/** Of one learner: twice what ours has in flight at most. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** Session in front of what a request begins with, and the count of ids. */
const SESSION_BYTES = 8;

/** One learner. */
interface Source {
  readonly ids: LentIds;
  /** Data and ids of REQUEST packets, the head of each told apart by its first int32: where the ids begin. */
  readonly waiting: Fifo<Uint8Array>;
  waitingBytes: number;
}

export class ForwardedRequests {
  /** The learner that forwarded it may be told: everything asked for before has been proposed. */
  onSync: (link: number) => void = () => {};
  /** They and the clients of this server have the first choice in turns. */
  goesFirst = false;
  private readonly parts: ForwardedParts;
  private readonly lifecycle: SessionLifecycle;
  private readonly write = new ForwardedWrite();
  private readonly sources = new Map<number, Source>();
  /** Requests that wait, of all learners. */
  private waiting = 0;
  /** The oldest has had no time in this turn. */
  private waitsForTurn = false;

  constructor(parts: ForwardedParts, lifecycle: SessionLifecycle) {
    this.parts = parts;
    this.lifecycle = lifecycle;
  }

  /** `packet` is a REQUEST of at least its fixed fields. */
  take(link: number, packet: QuorumPacket): TakenRequest {
    const { bytes, view, dataStart, dataEnd, recordEnd } = packet;
    const source = this.sourceOf(link);
    if (!source.ids.wrap(bytes, view, packet.authStart, recordEnd)) return TakenRequest.malformed;
    if (source.waiting.length === 0 && this.execute(link, source, bytes, view, dataStart, dataEnd)) {
      return TakenRequest.ok;
    }
    const length = 4 + recordEnd - dataStart;
    if (source.waitingBytes + length > WAITING_BYTES_MAX) return TakenRequest.tooMany;
    const copy = new Uint8Array(length);
    new DataView(copy.buffer).setInt32(0, 4 + packet.authStart - dataStart);
    copy.set(bytes.subarray(dataStart, recordEnd), 4);
    source.waiting.push(copy);
    source.waitingBytes += length;
    this.waiting++;
    return TakenRequest.ok;
  }

  /** The learner has gone: what it has asked for and nobody has proposed was never asked. */
  forget(link: number): void {
    const source = this.sources.get(link);
    if (source === undefined) return;
    this.waiting -= source.waiting.length;
    this.sources.delete(link);
  }

  clear(): void {
    this.sources.clear();
    this.waiting = 0;
    this.waitsForTurn = false;
  }

  /** The next turn would bring something. */
  get isBusy(): boolean {
    return this.waitsForTurn && this.waiting > 0;
  }

  /** The next turn, or the log has room again: those that wait, a learner after the other, up to the first that has to wait again. */
  retry(): void {
    this.waitsForTurn = false;
    if (this.waiting === 0) return;
    this.goesFirst = !this.goesFirst;
    for (const [link, source] of [...this.sources]) {
      while (source.waiting.length > 0) {
        if (!this.executeFirst(link, source)) break;
      }
      if (this.waitsForTurn || (source.waiting.length > 0 && this.parts.writer.lacksRoom)) {
        // Another one comes first next time.
        this.sources.delete(link);
        this.sources.set(link, source);
        return;
      }
    }
  }

  private executeFirst(link: number, source: Source): boolean {
    const copy = source.waiting.first;
    const view = new DataView(copy.buffer);
    const idsStart = view.getInt32(0);
    source.ids.wrap(copy, view, idsStart, copy.length);
    if (!this.execute(link, source, copy, view, 4, idsStart)) return false;
    source.waiting.shift();
    source.waitingBytes -= copy.length;
    this.waiting--;
    return true;
  }

  /** False: no room or no time now, and nothing has happened. */
  private execute(
    link: number,
    source: Source,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): boolean {
    const { writer, work } = this.parts;
    const { write } = this;
    const high = view.getInt32(start);
    const low = view.getInt32(start + 4);
    write.moveTo(bytes, view, start + SESSION_BYTES, end, this.parts.clock.nowMs);
    writer.forgetRefusal();
    const isDone = this.propose(link, source, high, low);
    if (!isDone && work.isSpent && !writer.lacksRoom) this.waitsForTurn = true;
    return isDone;
  }

  private propose(link: number, source: Source, high: number, low: number): boolean {
    const { sessions, proposer } = this.parts;
    const { write, lifecycle } = this;
    const slot = sessions.find(high, low);
    switch (write.op) {
      case OpCode.sync:
        this.onSync(link);
        return true;
      case OpCode.createSession:
        return this.createSession(link, high, low);
      case OpCode.closeSession:
        if (slot === NO_SESSION || sessions.isLocal(slot))
          return proposer.proposeErrorOf(high, low, write, ErrorCode.sessionExpired);
        return lifecycle.ends.closeForwarded(slot, write);
      default: {
        if (slot === NO_SESSION && lifecycle.mayBeElsewhere(high, low))
          return this.proposeOfVisitor(source, high, low);
        const err = this.sessionError(link, slot);
        if (err !== ErrorCode.ok) return proposer.proposeErrorOf(high, low, write, err);
        write.origin = { session: slot, authIds: source.ids.list };
        return proposer.propose(write);
      }
    }
  }

  /** Of a session that is its own server's alone. */
  private proposeOfVisitor(source: Source, high: number, low: number): boolean {
    const { sessions, proposer } = this.parts;
    // There is one slot for all of them, and the one that is being staged names it.
    if (proposer.multi.isStaging) return false;
    this.write.origin = { session: sessions.visit(high, low), authIds: source.ids.list };
    return proposer.propose(this.write);
  }

  private createSession(link: number, high: number, low: number): boolean {
    const { write } = this;
    if (write.end - write.start < 4) {
      return this.parts.proposer.proposeErrorOf(high, low, write, ErrorCode.marshallingError);
    }
    const timeoutMs = Math.max(1, write.view.getInt32(write.start));
    return this.lifecycle.createForwarded(high, low, timeoutMs, write.xid, link);
  }

  /** Who sends for a session that another server serves by now is late: the client has moved on. */
  private sessionError(link: number, slot: number): number {
    const { sessions } = this.parts;
    if (slot === NO_SESSION || sessions.isClosing(slot) || sessions.isLocal(slot))
      return ErrorCode.sessionExpired;
    if (sessions.owner[slot] === NO_OWNER) sessions.owner[slot] = link;
    return sessions.owner[slot] === link ? ErrorCode.ok : ErrorCode.sessionMoved;
  }

  private sourceOf(link: number): Source {
    const known = this.sources.get(link);
    if (known !== undefined) return known;
    const source = { ids: new LentIds(), waiting: new Fifo<Uint8Array>(), waitingBytes: 0 };
    this.sources.set(link, source);
    return source;
  }
}

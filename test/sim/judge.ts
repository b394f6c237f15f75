/**
 * What must hold, whatever happens; asked at every message and every transaction. The database is the model's; the judge
 * adds what clients have been shown and when sessions were heard of.
 *
 *     durability   what anybody was shown is there after every restart            onRecovered
 *     writes       each reply is of the transaction that its request must become  onReply
 *     reads        each reply shows the state at exactly its zxid, and nothing older than anybody was shown before
 *     sessions     none ends while it is heard of; none is refused while it lives
 *     watches      in watch-model.ts
 */

import { OpCode } from '../../src/wire/opcodes.ts';
import { readTxn } from '../support/wire/txn-values.ts';
import type { ServerObserver } from './machine.ts';
import { judgeSweep } from './mortality.ts';
import { type Asked, ReplyJudge } from './reply-judge.ts';
import { Silence } from './silence.ts';
import { Violation, type World } from './world.ts';

/** Timers fire late by a turn, clocks are read at the begin of a round. */
const EXPIRY_SLACK_MS = 5;

export class Judge extends ReplyJudge implements ServerObserver {
  expired = 0;
  recoveries = 0;
  /** Transactions that a crash took back; nobody had been shown them. */
  takenBack = 0;
  /** Answers to four-letter words that were compared, and znodes that the server has ended. */
  words = 0;
  swept = 0;
  snapshots = 0;
  private readonly world: World;
  private readonly silence = new Silence();
  private readonly shownMs: { readonly atMs: number; readonly zxid: number }[] = [];
  private readonly closing = new Set<bigint>();
  private readonly welcomed = new Set<bigint>();
  /** Sessions whose last bytes the machine had and its server never saw. */
  private readonly unread = new Set<bigint>();
  private readonly refused: { readonly sessionId: bigint; readonly recoveries: number }[] = [];
  private recoveredMs = 0;

  constructor(world: World) {
    super();
    this.world = world;
  }

  override onShown(zxid: number): void {
    if (zxid <= this.shownZxid) return;
    this.shownZxid = zxid;
    this.shownMs.push({ atMs: this.world.nowMs, zxid });
  }

  /** The highest zxid that any client had been shown by then. */
  private shownBy(ms: number): number {
    return this.shownMs.findLast(({ atMs }) => atMs <= ms)?.zxid ?? 0;
  }

  // ---- the server's side -----------------------------------------------------------------------------------

  onRecovered(zxid: number): void {
    const { model, world } = this;
    world.trace('judge', `recovered up to ${zxid} of ${model.lastZxid}, shown ${this.shownZxid}`);
    this.recoveries++;
    this.recoveredMs = world.nowMs;
    this.silence.onPause(world.nowMs, world.nowMs, false);
    if (zxid < this.shownZxid) {
      throw new Violation(
        `zxid ${this.shownZxid} was shown to a client; after a restart the last is ${zxid}`,
      );
    }
    if (zxid > model.lastZxid) throw new Violation(`zxid ${zxid} was recovered and never proposed`);
    this.takenBack += model.lastZxid - zxid;
    model.cutAfter(zxid);
  }

  onProposal(zxid: number, payload: Uint8Array): void {
    const txn = readTxn(payload);
    if (txn.zxid !== zxid) throw new Violation(`a record of zxid ${txn.zxid} is handed over as ${zxid}`);
    if (txn.body.type === OpCode.closeSession && txn.cxid === 0)
      // A transaction says when in whole milliseconds: the server may have stood still until within this one.
      this.onExpired(txn.clientId, Math.min(this.world.momentOf(txn.timeMs) + 1, this.world.nowMs));
    if (txn.body.type === OpCode.createSession) {
      const momentMs = this.world.momentOf(txn.timeMs);
      this.silence.onHeard(txn.clientId, momentMs);
    }
    if (txn.body.type === OpCode.deleteContainer) {
      this.swept++;
      // Decided when it says; the log thread has it later.
      const wrong = judgeSweep(this.model, txn, this.shownBy(this.world.momentOf(txn.timeMs) - 1));
      if (wrong !== null) throw new Violation(wrong);
    }
    this.model.apply(txn);
  }

  onHeard(sessionId: bigint): void {
    this.unread.delete(sessionId);
    this.silence.onHeard(sessionId, this.world.nowMs);
  }

  onUnread(sessionId: bigint): void {
    this.silence.forget(sessionId);
    this.unread.add(sessionId);
  }

  onPause(untilMs: number, isAlone: boolean): void {
    this.silence.onPause(this.world.nowMs, untilMs, isAlone);
  }

  onLogLine(level: string, text: string): void {
    if (text.startsWith('snapshot ') && text.endsWith(' written')) this.snapshots++;
    if (level === 'warn' && text.includes('digest differs')) throw new Violation(`the server says: ${text}`);
  }

  /** `atMs`: when the server decided it; the log thread has it later. */
  private onExpired(sessionId: bigint, atMs: number): void {
    this.expired++;
    const session = this.model.sessions.get(sessionId);
    // A client that asked for the end and left before the answer has it all the same.
    if (session === undefined || this.closing.has(sessionId) || this.unread.has(sessionId)) return;
    // Whose creation waits for room in the log may be over before its client can know it.
    if (!this.welcomed.has(sessionId)) return;
    const silentMs = this.silence.longestMs(sessionId, this.recoveredMs, atMs);
    if (silentMs < session.timeoutMs - EXPIRY_SLACK_MS) {
      const id = `0x${sessionId.toString(16)}`;
      throw new Violation(
        `session ${id} with a timeout of ${session.timeoutMs} ms expires after a silence of ${silentMs.toFixed(1)} ms`,
      );
    }
  }

  // ---- the clients' side -----------------------------------------------------------------------------------

  onWelcome(sessionId: bigint, isNew: boolean): void {
    const { model } = this;
    const session = model.sessions.get(sessionId);
    if (session === undefined) throw new Violation('a session was given that was never proposed');
    this.welcomed.add(sessionId);
    if (isNew) this.onShown(session.createdZxid);
    if (session.closedZxid <= this.shownZxid) throw new Violation('a session was welcome that has ended');
  }

  onCloseAsked(sessionId: bigint): void {
    this.closing.add(sessionId);
  }

  onRefused(sessionId: bigint): void {
    this.refused.push({ sessionId, recoveries: this.recoveries });
  }

  /**
   * The close of a session that was refused may have been on its way to the log; it is there when nothing is under way any
   * more, unless a crash has taken it back.
   */
  checkRefused(): void {
    for (const { sessionId, recoveries } of this.refused) {
      if (recoveries !== this.recoveries || !this.model.isLive(sessionId, this.model.lastZxid)) continue;
      throw new Violation(`session 0x${sessionId.toString(16)} lives and was refused`);
    }
  }

  protected oldestZxid({ shownZxid }: Asked): number {
    return shownZxid;
  }
}

/**
 * One recorded connection, replayed. The dispatcher hands it the connection's records in their order, each when it is
 * due; what cannot be done yet waits in its script and goes on when whatever it waits for has come. A timed
 * replay thus keeps its backlog per connection; at full speed a recorded reply holds the script until the replayed
 * one is there, so that as many requests are in flight as there were.
 *
 *     fresh --ConnectRequest--> opening --session--> open --closed record, owed replies in--> finished
 *                                 |  ^                |--closeSession sent, server closes--> ended
 *                                 |  '---- lost ------'
 *                                 |--refused--> refused --another request--> opening, for a new session
 *                                 '--no server for too long--> ended: what is left counts as unsent
 */
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { requestFrame } from '../session/frames.ts';
import { carriesCredential } from './credentials.ts';
import { type Due, type Exchange, exchangeFor, handshakeExchange } from './exchange.ts';
import { ExchangeLedger } from './exchange-ledger.ts';
import { Handshake } from './handshake.ts';
import type { OrderPoint } from './observed-order.ts';
import { PendingName } from './path-map.ts';
import type { ConnectedRecord, RecordingRecord, RequestRecord } from './recording-format.ts';
import type { ReplayContext } from './replay-context.ts';
import { type LinkUser, ReplayLink } from './replay-link.ts';
import { ReplayScript } from './replay-script.ts';
import type { SessionOwner } from './replay-sessions.ts';
import { RECORD_AT } from './request-facts.ts';

const CLOSE_XID = 1;
const PING = requestFrame(SpecialXid.ping, { op: OpCode.ping });
const CLOSE_SESSION = requestFrame(CLOSE_XID, { op: OpCode.closeSession });

type State = 'fresh' | 'opening' | 'open' | 'refused' | 'ended' | 'finished';

export class ReplayConnection implements LinkUser, SessionOwner {
  private readonly context: ReplayContext;
  private readonly number: number;
  private readonly link: ReplayLink;
  private readonly ledger: ExchangeLedger;
  private readonly script: ReplayScript;
  private readonly idleWaiters: (() => void)[] = [];
  private state: State = 'fresh';
  private handshake: Handshake | null = null;
  /** The handshake as a request; null before it. */
  private opening: Exchange | null = null;
  private waitsFor: PendingName | null = null;
  private waitsForWrite: OrderPoint | null = null;
  private closeSessionSent = false;
  private lastWriteMs = 0;

  /** `place`: which target to begin with. */
  constructor(context: ReplayContext, number: number, place: number) {
    this.context = context;
    this.number = number;
    this.link = new ReplayLink(context, place, this);
    this.ledger = new ExchangeLedger(context.tally, context.paths);
    this.script = new ReplayScript(context.backlog, (record, due) => this.execute(record, due));
  }

  /** Nothing waits, and every request has its reply or never gets one. */
  get isIdle(): boolean {
    return this.script.isEmpty && this.ledger.inFlightCount === 0 && this.state !== 'opening';
  }

  /** The next record of the connection, now due. */
  accept(record: RecordingRecord, due: Due): void {
    this.script.add(record, due);
  }

  /** Where the recorded session is to be found when another connection resumes it. */
  enterSession({ sessionId, timeoutMs }: ConnectedRecord): void {
    // Without a handshake this connection itself waits to resume a session, which is known then.
    if (timeoutMs > 0 && this.handshake !== null)
      this.context.sessions.enter(sessionId, this.handshake.session);
  }

  /** Keeps the session of a connection that is slower than its recording. */
  keepAlive(nowMs: number): void {
    if (this.state !== 'open' || nowMs - this.lastWriteMs < this.handshake!.sessionTimeoutMs / 3) return;
    this.ledger.ownPing();
    this.write(PING, nowMs);
  }

  whenIdle(callback: () => void): boolean {
    if (this.script.isEmpty && this.state !== 'opening') return true;
    this.idleWaiters.push(callback);
    return false;
  }

  /** Counts what is left. `closeSession` ends the session on the server too; `done` comes when that has happened. */
  conclude(closeSession: boolean, done: () => void): void {
    for (const { record, due } of this.script.drain()) {
      if (record.kind === 'request') this.ledger.unsent(this.exchangeOf(record, due), this.context.timed);
    }
    if (this.opening?.state === 'open') this.context.tally.onUnanswered(this.opening, performance.now());
    this.ledger.giveUp();
    const closes = closeSession && this.state === 'open' && !this.closeSessionSent;
    this.finish();
    if (closes) {
      this.link.write(CLOSE_SESSION);
      this.link.awaitEnd(done);
    } else {
      this.link.close(done);
    }
  }

  // ---- the script

  private advance(): void {
    if (!this.script.advance()) return;
    if (this.script.isEmpty && this.state !== 'opening') {
      for (const callback of this.idleWaiters.splice(0)) callback();
    }
    this.context.onProgress();
  }

  /** False: not yet. */
  private execute(record: RecordingRecord, due: Due): boolean {
    switch (record.kind) {
      case 'request':
        return this.onRecordedRequest(record, due);
      case 'connected':
        return this.onRecordedGreeting(record);
      case 'reply':
        if (record.xid !== SpecialXid.notification)
          return this.ledger.recordedReply(record, this.context.timed);
        this.context.tally.recordedEvents++;
        return true;
      case 'closed':
        // The recorder stopped, not the client: what is open stays so until the end.
        return record.by === 'proxy' || this.onRecordedClose();
      default:
        return true;
    }
  }

  private onRecordedRequest(record: RequestRecord, due: Due): boolean {
    switch (this.state) {
      case 'fresh':
        return this.shakeHands(record, due);
      case 'opening':
        return false;
      case 'open':
        return this.send(record, due);
      case 'refused':
        // The recorded client was not refused, or it would not have sent this.
        this.renewSession();
        return false;
      default:
        this.ledger.unsent(this.exchangeOf(record, due), this.context.timed);
        return true;
    }
  }

  private shakeHands(record: RequestRecord, due: Due): boolean {
    const { tally, sessions } = this.context;
    const handshake = Handshake.of(record.frame, sessions, this, () => this.advance());
    if (handshake === null) return false;
    this.handshake = handshake;
    this.opening = handshakeExchange(record, this.number, this.dueOr(due));
    if (handshake.replacesSession) tally.sessionsReplaced++;
    tally.onSent(this.opening);
    tally.onConnectionOpened();
    this.state = 'opening';
    this.link.open();
    return true;
  }

  private send(record: RequestRecord, due: Due): boolean {
    const { context, ledger } = this;
    if (ledger.inFlightCount >= context.outstandingMax || !this.link.hasRoom) return false;
    if (!this.mayGo(due)) return false;
    const exchange = this.exchangeOf(record, due);
    if (carriesCredential(exchange.op) && !context.credentialsKept) {
      ledger.skipped(exchange);
      return true;
    }
    const frame = context.paths.active ? context.paths.rewrite(record.frame, exchange.path) : record.frame;
    if (frame instanceof PendingName) {
      if (this.waitsFor !== frame) frame.whenKnown(() => this.advance());
      this.waitsFor = frame;
      return false;
    }
    if (exchange.op === OpCode.closeSession) this.closeSessionSent = true;
    ledger.sent(exchange);
    this.write(this.withOwnZxid(exchange.op, frame), exchange.sentMs);
    return true;
  }

  /** False while a write that the recorded client may have known of has no reply. */
  private mayGo({ order }: Due): boolean {
    const blocker = order?.blocker() ?? null;
    if (blocker !== null && blocker !== this.waitsForWrite) blocker.whenDone(() => this.advance());
    this.waitsForWrite = blocker;
    return blocker === null;
  }

  private onRecordedGreeting(record: ConnectedRecord): boolean {
    const { opening, context } = this;
    if (opening === null) return true;
    if (opening.state === 'open' && !context.timed) return false;
    opening.recordedError = greetingError(record.timeoutMs > 0);
    context.tally.onRecordedReply(opening, record.timeUs);
    this.judgeHandshake(opening);
    return true;
  }

  private onRecordedClose(): boolean {
    const greetingOwed = this.state === 'opening' && this.opening!.recordedError !== null;
    if (this.ledger.owed > 0 || greetingOwed) return false;
    if (this.opening?.state === 'open') this.context.tally.onAbandoned(this.opening);
    this.ledger.abandon();
    this.finish();
    this.link.close(() => {});
    return true;
  }

  private finish(): void {
    if (this.handshake?.session.owner === this) this.handshake.session.owner = null;
    if (this.opening !== null) this.context.tally.openConnections--;
    this.state = 'finished';
    this.context.onFinished(this.number);
  }

  // ---- the link

  connectRequest(): Uint8Array {
    return this.handshake!.frame();
  }

  onGreeting(payload: Uint8Array): void {
    const opening = this.opening!;
    const answer = this.handshake!.onResponse(payload);
    if (answer === 'malformed') {
      this.link.drop();
      return;
    }
    const accepted = answer === 'accepted';
    const nowMs = performance.now();
    this.lastWriteMs = nowMs;
    if (accepted) {
      this.link.accepted();
      this.state = 'open';
    }
    if (opening.state === 'open') {
      opening.state = 'replied';
      opening.replayedError = greetingError(accepted);
      this.context.tally.onReply(opening, nowMs);
      this.judgeHandshake(opening);
      if (!accepted) this.onRefused();
    } else if (!accepted) {
      this.renewSession();
    }
  }

  wantsBody(xid: number, err: number): boolean {
    return this.ledger.wantsBody(xid, err);
  }

  onReply(xid: number, zxid: number, err: number, _frameBytes: number, body: Uint8Array | null): void {
    const { session } = this.handshake!;
    if (zxid > session.lastZxid) session.lastZxid = zxid;
    if (xid === SpecialXid.notification) this.context.tally.events++;
    else this.ledger.reply(xid, err, body);
  }

  onChunkEnd(bytes: number): void {
    this.context.tally.bytesReceived += bytes;
    this.advance();
  }

  onRoom(): void {
    this.advance();
  }

  onAttemptFailed(): void {
    this.context.tally.connectFailures++;
  }

  onLost(): void {
    this.ledger.lose();
    const wanted = !this.closeSessionSent && this.handshake!.session.owner === this;
    if (wanted) {
      this.state = 'opening';
      this.context.tally.reconnects++;
    } else {
      this.state = 'ended';
      this.link.close(() => {});
    }
    this.advance();
  }

  onGone(): void {
    const { opening } = this;
    this.state = 'ended';
    if (opening?.state === 'open') {
      opening.state = 'lost';
      this.context.tally.onLost(opening, performance.now());
    }
    this.advance();
  }

  private onRefused(): void {
    this.state = this.handshake!.session.id === 0n ? 'ended' : 'refused';
    this.link.close(() => {});
  }

  /** The target does not have the session any more: another one must do. */
  private renewSession(): void {
    const { session } = this.handshake!;
    if (session.id === 0n) {
      this.onRefused();
      return;
    }
    session.forget();
    this.context.tally.sessionsReplaced++;
    this.state = 'opening';
    this.link.open();
  }

  private judgeHandshake(opening: Exchange): void {
    if (opening.state !== 'replied' || opening.recordedError === null) return;
    const { tally } = this.context;
    if (this.handshake!.replacesSession) tally.onUncompared(opening, performance.now());
    else tally.compare(opening, performance.now());
  }

  private exchangeOf(record: RequestRecord, due: Due): Exchange {
    return exchangeFor(record, this.number, this.dueOr(due));
  }

  /** At full speed a request is due when it can be sent. */
  private dueOr(due: Due): Due {
    if (this.context.timed) return due;
    const nowMs = performance.now();
    return { dueMs: nowMs, handedMs: nowMs, order: due.order };
  }

  /** A client restores its watches from the last zxid that it saw, which here is the target's. */
  private withOwnZxid(op: number, frame: Uint8Array): Uint8Array {
    const restores = op === OpCode.setWatches || op === OpCode.setWatches2;
    if (!restores || frame.length < RECORD_AT + 8) return frame;
    const copy = Buffer.from(frame);
    copy.writeBigInt64BE(BigInt(this.handshake!.session.lastZxid), RECORD_AT);
    return copy;
  }

  private write(frame: Uint8Array, nowMs: number): void {
    this.lastWriteMs = nowMs;
    this.context.tally.bytesSent += frame.length;
    this.link.write(frame);
  }
}

function greetingError(accepted: boolean): number {
  return accepted ? ErrorCode.ok : ErrorCode.sessionExpired;
}

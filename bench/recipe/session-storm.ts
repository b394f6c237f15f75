/**
 * Sessions come and go: connect, one read, close (or drop the connection without a word), again. Each client has one
 * session at a time beside the quiet one of its connection; `open session` is the time from the TCP connect to the
 * ConnectResponse.
 *
 *     opening ─session─▶ reading ─reply─▶ [closing ─reply─▶] a reset, opening again
 *
 * Raw frames, unlike the other workloads: how many sessions a second a server opens is asked, with thousands of connections
 * that must be reset so that their ports do not linger. A client with its queues, timers and watches for each would be the limit.
 */
import { performance } from 'node:perf_hooks';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { FrameSkimmer, REPLY_HEAD_BYTES } from '../load/frame-skimmer.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { ReadBuffer, SessionSocket, SocketUser } from '../load/session-socket.ts';
import { getRequest, requestFrame } from '../session/frames.ts';

const GET = 0;
const OPEN = 1;
const CLOSE = 2;
const XID = 1;
const CLOSE_FRAME = requestFrame(XID, { op: OpCode.closeSession });

export class SessionStormClient implements SocketUser {
  private readonly socket: SessionSocket;
  private readonly phase: LoadPhase;
  private readonly getFrame: Uint8Array;
  private readonly abrupt: boolean;
  private readonly skimmer = new FrameSkimmer(REPLY_HEAD_BYTES);
  /** What it waits for; null once it is through. */
  private awaited: typeof GET | typeof OPEN | typeof CLOSE | null = OPEN;
  private sinceMs = 0;

  /** `socket` is one of its own: it is closed and opened again and again. */
  constructor(socket: SessionSocket, phase: LoadPhase, root: string, abrupt: boolean) {
    this.socket = socket;
    this.phase = phase;
    this.getFrame = requestFrame(XID, getRequest(root));
    this.abrupt = abrupt;
  }

  get idle(): boolean {
    return this.awaited === null;
  }

  get unanswered(): number {
    return this.idle ? 0 : 1;
  }

  join(): void {
    this.sinceMs = performance.now();
    this.socket.setUser(this);
  }

  leave(): void {
    this.socket.setUser(null);
  }

  tick(): void {}

  giveUp(nowMs: number): void {
    if (this.awaited !== null) this.phase.onUnanswered(this.awaited, this.sinceMs, this.sinceMs, nowMs);
  }

  onSession(): void {
    const nowMs = performance.now();
    this.phase.roll(nowMs);
    this.phase.onStep(OPEN, this.sinceMs, nowMs);
    this.skimmer.reset();
    this.send(GET, this.getFrame, nowMs);
  }

  onData({ view }: ReadBuffer, length: number, nowMs: number): void {
    this.phase.roll(nowMs);
    this.skimmer.begin(view, 0, length);
    while (this.skimmer.next()) this.onReply(this.skimmer.word1, this.skimmer.word4, nowMs);
    if (this.skimmer.malformed) this.onDisorder();
    this.phase.onReplies(nowMs);
  }

  /** Refused or ended by the server: the socket is on its way to the next session. */
  onLost(): void {
    const nowMs = performance.now();
    if (this.awaited === null || this.awaited === OPEN) return;
    this.phase.onLost(1, nowMs);
    this.phase.onUnanswered(this.awaited, this.sinceMs, this.sinceMs, nowMs);
    this.awaited = OPEN;
    this.sinceMs = nowMs;
  }

  private onReply(xid: number, error: number, nowMs: number): void {
    const { awaited } = this;
    if (xid === SpecialXid.ping) return;
    if (xid !== XID || awaited === null || awaited === OPEN) {
      this.onDisorder();
      return;
    }
    this.phase.onReply(awaited, this.sinceMs, this.sinceMs, nowMs, error);
    if (awaited === CLOSE || this.abrupt) this.again(nowMs);
    else this.send(CLOSE, CLOSE_FRAME, nowMs);
  }

  private again(nowMs: number): void {
    if (nowMs >= this.phase.measureEndMs) {
      this.awaited = null;
      this.socket.close();
      return;
    }
    this.awaited = OPEN;
    this.sinceMs = nowMs;
    this.socket.reconnect();
  }

  private send(awaited: typeof GET | typeof CLOSE, frame: Uint8Array, nowMs: number): void {
    this.awaited = awaited;
    this.sinceMs = nowMs;
    this.socket.write(frame);
  }

  private onDisorder(): void {
    this.phase.onDisorder();
    this.socket.drop();
  }
}

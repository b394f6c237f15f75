/**
 * A client that reacts: sends a request, does the next step when its reply or an event comes. Base of the recipes; one
 * per connection, on the generator thread. Callbacks instead of promises: a step costs a closure, no microtask.
 *
 * Requests go out as they are sent, replies come back in their order, and each raw request counts in the phase's
 * throughput; what a recipe is about (to acquire a lock, to pass a barrier) is measured as a step of its own.
 */

import { performance } from 'node:perf_hooks';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { FrameSplitter, FrameStatus } from '../../src/wire/framing.ts';
import { JuteReader } from '../../src/wire/jute-reader.ts';
import { JuteWriter } from '../../src/wire/jute-writer.ts';
import { SpecialXid } from '../../src/wire/opcodes.ts';
import { REPLY_HEADER_BYTES } from '../../src/wire/reply-header.ts';
import { type Request, writeRequestFrame } from '../../src/wire/request-values.ts';
import { readWatchEvent } from '../../src/wire/watch-event.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { ReadBuffer, SessionSocket, SocketUser } from '../load/session-socket.ts';
import type { WatchDelays } from '../load/watch-delays.ts';

const XID_MASK = 0x3fffffff;
const REPLY_BYTES_MAX = 64 * 1024 * 1024;
/** A recipe waits for replies; more than this in flight on one session means that it does not. */
const IN_FLIGHT_MAX = 4_096;

/** `error` is one of those the caller said to expect, or 0; `body` is valid during the call. */
export type ReplyHandler = (error: number, body: JuteReader, nowMs: number) => void;

/** A step that has begun and is not through. */
export interface OpenStep {
  readonly label: number;
  readonly sinceMs: number;
}

interface Waiting {
  readonly label: number;
  readonly sentMs: number;
  readonly expected: readonly number[];
  readonly onReply: ReplyHandler;
}

export interface RecipeSetting {
  /** Directory that is the recipe's own, made before the start. */
  readonly root: string;
  /** Number of this client among `clientCount`, over all workers. */
  readonly index: number;
  readonly clientCount: number;
  readonly seed: number;
  readonly delays: WatchDelays;
}

export abstract class RecipeClient implements SocketUser {
  protected readonly socket: SessionSocket;
  protected readonly phase: LoadPhase;
  protected readonly setting: RecipeSetting;
  private readonly writer = new JuteWriter();
  private splitter = this.newSplitter();
  private waiting: Waiting[] = [];
  private sentCount = 0;
  private replyCount = 0;
  private nowMs = 0;
  private started = false;
  private stopped = false;

  constructor(socket: SessionSocket, phase: LoadPhase, setting: RecipeSetting) {
    this.socket = socket;
    this.phase = phase;
    this.setting = setting;
  }

  join(): void {
    this.socket.setUser(this);
    if (this.socket.ready) this.begin();
  }

  leave(): void {
    this.socket.setUser(null);
  }

  /** It will do nothing more by itself, and nothing is in flight. */
  get idle(): boolean {
    return this.stopped && this.waiting.length === 0;
  }

  get unanswered(): number {
    return this.waiting.length + (this.stopped || this.openStep === null ? 0 : 1);
  }

  protected get inFlight(): number {
    return this.waiting.length;
  }

  /** What waits for a reply, and the step it was for, will get none: they count as long as they waited. */
  giveUp(nowMs: number): void {
    this.countUnanswered(nowMs);
    const step = this.stopped ? null : this.openStep;
    if (step !== null) this.phase.onUnanswered(step.label, step.sinceMs, step.sinceMs, nowMs);
  }

  /** Once a millisecond, for recipes with a rate or a holding time. */
  tick(_nowMs: number): void {}

  onSession(): void {
    this.begin();
  }

  onData(buffer: ReadBuffer, length: number, nowMs: number): void {
    this.nowMs = nowMs;
    this.phase.roll(nowMs);
    const status = this.splitter.pushFirst(buffer.bytes, buffer.view, length);
    if (status !== FrameStatus.ok) {
      this.phase.onDisorder();
      this.socket.drop();
    }
    this.phase.onReplies(nowMs);
    this.flush();
  }

  onLost(): void {
    const nowMs = performance.now();
    this.phase.onLost(this.waiting.length, nowMs);
    this.countUnanswered(nowMs);
    this.waiting = [];
    this.replyCount = this.sentCount;
    this.splitter = this.newSplitter();
    this.onSessionLost();
  }

  /** First step on a new session: at the beginning, and again after a loss. */
  protected abstract start(nowMs: number): void;

  /** What the recipe held on the server is gone with its session. */
  protected abstract onSessionLost(): void;

  /** The step it is in the middle of; null between steps, and for recipes without any. */
  protected get openStep(): OpenStep | null {
    return null;
  }

  protected onEvent(_path: string, _type: number, _nowMs: number): void {}

  /** The time of the phase is over: finish what is open and call `stop`. */
  protected get over(): boolean {
    return performance.now() >= this.phase.measureEndMs;
  }

  protected stop(): void {
    this.stopped = true;
  }

  /** An error that is not among `expected` counts as one, and the handler is not called. */
  protected send(
    label: number,
    request: Request,
    onReply: ReplyHandler,
    expected: readonly number[] = [],
  ): void {
    if (this.waiting.length >= IN_FLIGHT_MAX) throw new Error('a recipe has too many requests in flight');
    const sentMs = performance.now();
    this.waiting.push({ label, sentMs, expected, onReply });
    writeRequestFrame(this.writer, xidOf(this.sentCount++), request);
  }

  /** At the end of callbacks of its own that sent something (ticks); after replies it happens by itself. */
  protected flush(): void {
    if (this.writer.length === 0) return;
    if (this.socket.ready) this.socket.write(this.writer.toBytes());
    this.writer.reset();
  }

  private countUnanswered(nowMs: number): void {
    for (const { label, sentMs } of this.waiting) this.phase.onUnanswered(label, sentMs, sentMs, nowMs);
  }

  private begin(): void {
    if (this.started && this.stopped) return;
    this.started = true;
    this.start(performance.now());
    this.flush();
  }

  private newSplitter(): FrameSplitter {
    return new FrameSplitter(REPLY_BYTES_MAX, {
      onFrame: (bytes, view, start, end) => this.onFrame(bytes, view, start, end),
    });
  }

  private onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (end - start < REPLY_HEADER_BYTES) return false;
    const xid = view.getInt32(start);
    if (xid === SpecialXid.ping) return true;
    const body = new JuteReader(bytes.subarray(start + REPLY_HEADER_BYTES, end));
    if (xid === SpecialXid.notification) {
      const { type, path } = readWatchEvent(body);
      this.onEvent(path, type, this.nowMs);
      return true;
    }
    const waiting = this.waiting.shift();
    if (waiting === undefined || xid !== xidOf(this.replyCount++)) return false;
    this.onReply(waiting, view.getInt32(start + 12), body);
    return true;
  }

  private onReply({ label, sentMs, expected, onReply }: Waiting, error: number, body: JuteReader): void {
    const known = error === ErrorCode.ok || expected.includes(error);
    this.phase.onReply(label, sentMs, sentMs, this.nowMs, known ? ErrorCode.ok : error);
    if (known) onReply(error, body, this.nowMs);
    else this.stop();
  }
}

function xidOf(position: number): number {
  return (position & XID_MASK) + 1;
}

/**
 * The requests of one client: what waits, what is on its way, and what becomes of both when the connection breaks.
 * Replies come in the order of requests (a server's promise, checked); what leaves in one turn leaves in one write.
 *
 *     submit ──▶ waiting ──(connected, window has room)──▶ sent ──reply──▶ call ended
 *                   ▲                                       │
 *                   └── repeatable ones, at the front ◀── connection broke ──▶ all others: outcome unknown
 *
 * What was written but has not left when the connection breaks goes back whole: no server has seen it.
 *
 * Bounds: `inFlightMax` requests sent; `waitingMax` and `waitingBytesMax` waiting, beyond which submit says no.
 * A machine: no clock, no promise, no socket.
 */
import type { Zxid } from '../base/zxid.ts';
import { ErrorCode } from '../wire/error-codes.ts';
import { JuteWriter } from '../wire/jute-writer.ts';
import { OpCode, SpecialXid } from '../wire/opcodes.ts';
import { type Request, writeRequestFrame } from '../wire/request-values.ts';
import { type Call, type FailureReason, isRepeatable, watchKindOf } from './call.ts';
import { CallQueue } from './call-queue.ts';
import type { WatchRegistry } from './watch-registry.ts';

const XID_MAX = 0x7fffffff;
/** A frame buffer that grew beyond this is not kept. */
const WRITER_BYTES_KEPT = 1024 * 1024;
const WRITER_BYTES_MIN = 4096;

export interface PipelineBounds {
  readonly inFlightMax: number;
  readonly waitingMax: number;
  readonly waitingBytesMax: number;
}

export class RequestPipeline {
  /** Send time of the newest request that was answered: the session was alive at the server after it. */
  provenMs = 0;
  private readonly bounds: PipelineBounds;
  private readonly registry: WatchRegistry;
  private readonly waiting = new CallQueue();
  private readonly sent = new CallQueue();
  private writer = new JuteWriter(WRITER_BYTES_MIN);
  private nextXid = 1;
  /** The oldest so many of `sent` have left; frames of the others still wait in `writer`. */
  private left = 0;

  constructor(bounds: PipelineBounds, registry: WatchRegistry) {
    this.bounds = bounds;
    this.registry = registry;
  }

  get waitingCount(): number {
    return this.waiting.length;
  }

  get inFlight(): number {
    return this.sent.length;
  }

  /** Whether frames are waiting for `takeFrames`. */
  get hasFrames(): boolean {
    return this.writer.length > 0;
  }

  /** An answer to something sent at `sentMs`. */
  prove(sentMs: number): void {
    if (sentMs > this.provenMs) this.provenMs = sentMs;
  }

  /** False: no room among those that wait; the call is not taken. */
  submit(call: Call): boolean {
    if (this.waiting.length >= this.bounds.waitingMax) return false;
    if (this.waiting.length > 0 && this.waiting.bytes + call.bytes > this.bounds.waitingBytesMax)
      return false;
    call.state = 'waiting';
    this.waiting.push(call);
    if (call.watch !== null) this.registry.expect(call.watch.path);
    return true;
  }

  /** Sends what waits, as far as the window goes. */
  pump(nowMs: number): void {
    while (this.sent.length < this.bounds.inFlightMax) {
      const call = this.waiting.shift();
      if (call === null) return;
      this.sendNow(call, nowMs);
    }
  }

  /** Sends one call before all that wait: what belongs to the set-up or the end of a connection. */
  sendNow(call: Call, nowMs: number): void {
    call.state = 'sent';
    call.sentAtMs = nowMs;
    call.attempts++;
    call.xid = this.nextXid;
    this.nextXid = this.nextXid === XID_MAX ? 1 : this.nextXid + 1;
    writeRequestFrame(this.writer, call.xid, call.request);
    this.sent.push(call);
  }

  /** A frame with an xid of its own meaning, which `onReply` does not see. */
  sendSpecial(xid: number, request: Request): void {
    writeRequestFrame(this.writer, xid, request);
  }

  sendPing(): void {
    this.sendSpecial(SpecialXid.ping, { op: OpCode.ping });
  }

  /** All frames written since the last time, for one write; valid until the next frame is written. */
  takeFrames(): Uint8Array {
    const bytes = this.writer.written;
    this.left = this.sent.length;
    if (bytes.length > WRITER_BYTES_KEPT) this.writer = new JuteWriter(WRITER_BYTES_MIN);
    else this.writer.reset();
    return bytes;
  }

  /** The reply to the oldest request. False: it is not, so the stream cannot be trusted. */
  onReply(
    xid: number,
    zxid: Zxid,
    err: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): boolean {
    const call = this.sent.peek();
    if (call === null || call.xid !== xid || this.left === 0) return false;
    this.sent.shift();
    this.left--;
    this.prove(call.sentAtMs);
    this.end(call);
    const { watch } = call;
    if (watch !== null && !call.cancelled) {
      const kind = watchKindOf(call.request, err);
      if (kind !== null) this.registry.add(kind, watch.path, watch.watcher);
    }
    if (call.cancelled && watch === null) return true;
    if (err === ErrorCode.ok) call.onReply(bytes, view, start, end, zxid);
    else call.onRefused(err, zxid);
    return true;
  }

  /** The connection is gone. What may be sent again goes to the front of those that wait, in order. */
  onBroken(reason: FailureReason): void {
    this.writer.reset();
    const all = this.sent.drain();
    for (let i = all.length - 1; i >= 0; i--) {
      const call = all[i]!;
      const hasLeft = i < this.left;
      if (!hasLeft) call.attempts--;
      if (call.cancelled) this.end(call);
      else if (!call.isOfConnection && (!hasLeft || isRepeatable(call.request.op))) this.backToFront(call);
    }
    this.left = 0;
    for (const call of all) if (call.state === 'sent') this.fail(call, 'unknown', reason);
  }

  failWaiting(reason: FailureReason): void {
    for (const call of this.waiting.drain())
      this.fail(call, call.attempts > 0 && !isRepeatable(call.request.op) ? 'unknown' : 'notSent', reason);
  }

  /** Takes a call back. Returns whether no server has seen it; a sent one stays in its turn, unheard. */
  cancel(call: Call): boolean {
    call.cancelled = true;
    if (call.state !== 'waiting') return call.state === 'new';
    this.waiting.remove(call);
    this.end(call);
    return call.attempts === 0;
  }

  private backToFront(call: Call): void {
    call.state = 'waiting';
    this.waiting.unshift(call);
  }

  private end(call: Call): void {
    call.state = 'ended';
    if (call.watch !== null) this.registry.expectNoMore(call.watch.path);
  }

  private fail(call: Call, outcome: 'notSent' | 'unknown', reason: FailureReason): void {
    this.end(call);
    call.onFailed(outcome, reason);
  }
}

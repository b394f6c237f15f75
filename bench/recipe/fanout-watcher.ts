/**
 * A watcher of `watch-fanout.ts`: keeps a one-shot data watch on each znode, and sets it again when it fires.
 *
 * Raw frames, unlike the other workloads: the events of one write come to hundreds of watchers of one thread, one behind the
 * other, so what each costs here is in the time of all behind it. Requests are encoded before the phase; the xid of a
 * request is its znode's number + 1.
 */
import { performance } from 'node:perf_hooks';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { FrameSplitter, FrameStatus } from '../../src/wire/framing.ts';
import { JuteReader } from '../../src/wire/jute-reader.ts';
import { FRAME_BYTES_SANE_MAX } from '../../src/wire/limits.ts';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import { REPLY_ERROR, REPLY_HEADER_BYTES } from '../../src/wire/reply-header.ts';
import { STAT_BYTES, StatOffset } from '../../src/wire/stat.ts';
import { readWatchEvent } from '../../src/wire/watch-event.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { ReadBuffer, SessionSocket, SocketUser } from '../load/session-socket.ts';
import type { WatchDelays } from '../load/watch-delays.ts';
import { requestFrame } from '../session/frames.ts';
import { fanoutPath, sendingOf } from './watch-fanout.ts';

const WATCH = 1;
const EVENT = 2;
const WRITE_TO_EVENT = 3;

export interface WatcherSetting {
  readonly root: string;
  readonly delays: WatchDelays;
}

export class FanoutWatcher implements SocketUser {
  private readonly socket: SessionSocket;
  private readonly phase: LoadPhase;
  private readonly delays: WatchDelays;
  private readonly frames: readonly Uint8Array[];
  /** When the request for each znode's watch was sent; 0 = there is none under way. */
  private readonly sentMs: Float64Array;
  /** The version that each watch's event will tell of: the next one after what its reply showed; 0 = not armed. */
  private readonly awaited: Int32Array;
  private readonly toSend: Uint8Array[] = [];
  private splitter = this.newSplitter();
  private inFlight = 0;
  private nowMs = 0;
  private stopped = false;

  constructor(socket: SessionSocket, phase: LoadPhase, { root, delays }: WatcherSetting, znodes: number) {
    this.socket = socket;
    this.phase = phase;
    this.delays = delays;
    this.frames = Array.from({ length: znodes }, (_, znode) =>
      requestFrame(znode + 1, { op: OpCode.getData, path: fanoutPath(root, znode), watch: true }),
    );
    this.sentMs = new Float64Array(znodes);
    this.awaited = new Int32Array(znodes);
  }

  get idle(): boolean {
    return this.stopped && this.inFlight === 0;
  }

  get unanswered(): number {
    return this.inFlight;
  }

  join(): void {
    this.socket.setUser(this);
    if (this.socket.ready) this.onSession();
  }

  leave(): void {
    this.socket.setUser(null);
  }

  tick(nowMs: number): void {
    this.stopped = nowMs >= this.phase.measureEndMs;
  }

  giveUp(nowMs: number): void {
    for (const sentMs of this.sentMs) if (sentMs > 0) this.phase.onUnanswered(WATCH, sentMs, sentMs, nowMs);
  }

  onSession(): void {
    this.nowMs = performance.now();
    if (!this.stopped) for (let znode = 0; znode < this.frames.length; znode++) this.arm(znode);
    this.flush();
  }

  onData(buffer: ReadBuffer, length: number, nowMs: number): void {
    this.nowMs = nowMs;
    this.phase.roll(nowMs);
    if (this.splitter.pushFirst(buffer.bytes, buffer.view, length) !== FrameStatus.ok) {
      this.phase.onDisorder();
      this.socket.drop();
    }
    this.phase.onReplies(nowMs);
    this.flush();
  }

  onLost(): void {
    const nowMs = performance.now();
    this.phase.onLost(this.inFlight, nowMs);
    this.giveUp(nowMs);
    this.sentMs.fill(0);
    this.awaited.fill(0);
    this.inFlight = 0;
    this.toSend.length = 0;
    this.splitter = this.newSplitter();
  }

  private arm(znode: number): void {
    this.sentMs[znode] = this.nowMs;
    this.inFlight++;
    this.toSend.push(this.frames[znode]!);
  }

  private flush(): void {
    if (this.toSend.length === 0) return;
    if (this.socket.ready) {
      this.socket.write(this.toSend.length === 1 ? this.toSend[0]! : Buffer.concat(this.toSend));
    }
    this.toSend.length = 0;
  }

  private newSplitter(): FrameSplitter {
    return new FrameSplitter(FRAME_BYTES_SANE_MAX, {
      onFrame: (bytes, view, start, end) => this.onFrame(bytes, view, start, end),
    });
  }

  private onFrame(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (end - start < REPLY_HEADER_BYTES) return false;
    const xid = view.getInt32(start);
    if (xid === SpecialXid.ping) return true;
    if (xid === SpecialXid.notification) {
      const { path } = readWatchEvent(new JuteReader(bytes, view, start + REPLY_HEADER_BYTES, end));
      return this.onEvent(Number(path.slice(path.lastIndexOf('/') + 2)));
    }
    const znode = xid - 1;
    const sentMs = this.sentMs[znode] ?? 0;
    if (sentMs === 0) return false;
    this.sentMs[znode] = 0;
    this.inFlight--;
    const error = view.getInt32(start + REPLY_ERROR);
    this.phase.onReply(WATCH, sentMs, sentMs, this.nowMs, error);
    // `buffer data | Stat`
    if (error === ErrorCode.ok) {
      this.awaited[znode] = view.getInt32(end - STAT_BYTES + StatOffset.version) + 1;
    }
    return true;
  }

  /** False: nobody watches there. */
  private onEvent(znode: number): boolean {
    const { delays, nowMs } = this;
    const version = this.awaited[znode] ?? 0;
    if (version === 0) return false;
    this.awaited[znode] = 0;
    this.phase.onDelay(EVENT, delays.sinceCountedAck(znode, version, nowMs), nowMs);
    const sending = sendingOf(znode, this.frames.length);
    const sinceSendingMs = delays.sinceCountedAck(sending, version, nowMs);
    if (sinceSendingMs >= 0) this.phase.onStep(WRITE_TO_EVENT, nowMs - sinceSendingMs, nowMs);
    if (nowMs < this.phase.measureEndMs) this.arm(znode);
    return true;
  }
}

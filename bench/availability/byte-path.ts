/**
 * Bytes of one connection in one direction, through a path that can be cut and slowed. A path is shared by all connections
 * from one server to another; whoever changes it tells its byte paths.
 *
 *     source --read--> queue: bytes, due at --due, not cut--> sink
 *
 * While it is cut nothing is read: what the sender still writes fills the buffers of the system, and arrives, like what a
 * real network sends again, when it is mended; so do the ends of connections. The queue is bounded: full, it is not read.
 */
import type { Socket } from 'node:net';
import type { Prng } from '../../src/base/prng.ts';
import { monotonicMs } from '../base/phase-clock.ts';

/** From one server to another, now. */
export interface PathState {
  isCut: boolean;
  delayMs: number;
  /** On top of the delay, up to so much; the order of bytes stays. */
  jitterMs: number;
}

const QUEUE_BYTES_MAX = 1024 * 1024;

export class BytePath {
  private readonly source: Socket;
  private readonly sink: Socket;
  private readonly state: PathState;
  private readonly prng: Prng;
  private readonly queue: { readonly dueMs: number; readonly bytes: Uint8Array }[] = [];
  private queuedBytes = 0;
  private lastDueMs = 0;
  /** The source has said its last, or is gone. */
  private ended: 'no' | 'ended' | 'gone' = 'no';
  private timer: NodeJS.Timeout | null = null;

  /** Reads `source` from now on. `change` makes other bytes of what is read. */
  constructor(
    source: Socket,
    sink: Socket,
    state: PathState,
    prng: Prng,
    change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
  ) {
    this.source = source;
    this.sink = sink;
    this.state = state;
    this.prng = prng;
    source.on('data', (chunk: Buffer) => this.take(change(chunk)));
    source.on('end', () => this.finish('ended'));
    source.on('close', () => this.finish('gone'));
    sink.on('drain', () => this.go());
    sink.on('close', () => this.stop());
  }

  /** The state has changed, or a moment has come. */
  readonly go = (): void => {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.state.isCut) {
      this.source.pause();
      return;
    }
    const nowMs = monotonicMs();
    let next = this.queue[0];
    for (; next !== undefined && next.dueMs <= nowMs && !this.sink.writableNeedDrain; next = this.queue[0]) {
      this.queue.shift();
      this.queuedBytes -= next.bytes.length;
      if (this.sink.writable) this.sink.write(next.bytes);
    }
    if (next !== undefined && next.dueMs > nowMs) this.timer = setTimeout(this.go, next.dueMs - nowMs);
    if (next === undefined && this.ended === 'ended') this.sink.end();
    if (next === undefined && this.ended === 'gone') this.sink.destroySoon();
    if (this.queuedBytes < QUEUE_BYTES_MAX) this.source.resume();
    else this.source.pause();
  };

  private take(bytes: Uint8Array): void {
    const { delayMs, jitterMs } = this.state;
    const jitter = jitterMs > 0 ? this.prng.below(Math.ceil(jitterMs)) : 0;
    this.lastDueMs = Math.max(this.lastDueMs, monotonicMs() + delayMs + jitter);
    this.queue.push({ dueMs: this.lastDueMs, bytes });
    this.queuedBytes += bytes.length;
    this.go();
  }

  private finish(how: 'ended' | 'gone'): void {
    this.ended = how;
    this.go();
  }

  private stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.queue.length = 0;
    this.queuedBytes = 0;
  }
}

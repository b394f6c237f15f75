/**
 * Walks what a server sends on one connection: the ConnectResponse, then replies and watch events. Only heads are
 * looked at, so a reply of a megabyte costs as much as an empty one; a body is collected only when the owner asks
 * for it. One stream per connection; everything is reported when its last byte has come.
 *
 *     greeting: i32 length | ConnectResponse          reply: i32 length | i32 xid | i64 zxid | i32 err | body
 *               `-- the first frame, collected             `------ head: 20 bytes, always ------'  `-- on demand
 */
import { readInt64 } from '../../src/base/int64.ts';
import { EMPTY_BYTES } from '../../src/wire/flyweight.ts';
import { REPLY_HEADER_FRAME_BYTES as HEAD_BYTES } from '../../src/wire/reply-header.ts';
import { FRAME_BYTES_MAX } from './recording-format.ts';

export interface ReplyHandler {
  /** The ConnectResponse without its length; valid during the call. */
  onGreeting(payload: Uint8Array): void;
  /** Whether the body of this reply is wanted. Called once per reply, as soon as its head is there. */
  wantsBody(xid: number, err: number): boolean;
  /** `body` is null unless wanted, and valid during the call. `frameBytes` counts the length prefix. */
  onReply(xid: number, zxid: number, err: number, frameBytes: number, body: Uint8Array | null): void;
}

/** A ConnectResponse has 36 or 37 bytes; more than this is something else. */
const GREETING_BYTES_MAX = 1024;
/** The limit of replies is the client's business; nobody takes more than this. */
const REPLY_BYTES_MAX = 2 ** 30;

export class ReplyStream {
  private stopped = false;
  private readonly handler: ReplyHandler;
  private readonly head = new Uint8Array(HEAD_BYTES);
  private readonly headView = new DataView(this.head.buffer);
  private headHave = 0;
  private greeted = false;
  /** Behind the head of the open frame. */
  private bodyLeft = 0;
  private body: Uint8Array | null = null;
  private bodyHave = 0;

  constructor(handler: ReplyHandler) {
    this.handler = handler;
  }

  /** The bytes cannot be ZooKeeper's, or nobody wants them; nothing more is reported. */
  get malformed(): boolean {
    return this.stopped;
  }

  stop(): void {
    this.stopped = true;
  }

  /** Takes the next bytes of the stream; `chunk` may be reused as soon as the call returns. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.stopped) {
      at = this.headHave < HEAD_BYTES ? this.takeHead(chunk, at) : this.takeBody(chunk, at);
    }
  }

  private takeHead(chunk: Uint8Array, at: number): number {
    const take = Math.min(HEAD_BYTES - this.headHave, chunk.length - at);
    // Byte by byte: a call for 20 bytes costs more than the loop.
    for (let i = 0; i < take; i++) this.head[this.headHave++] = chunk[at++]!;
    if (this.headHave === HEAD_BYTES) this.onHead();
    return at;
  }

  private onHead(): void {
    const view = this.headView;
    const length = view.getInt32(0);
    this.bodyLeft = length + 4 - HEAD_BYTES;
    if (this.bodyLeft < 0 || length > (this.greeted ? REPLY_BYTES_MAX : GREETING_BYTES_MAX)) {
      this.stopped = true;
      return;
    }
    const wanted = !this.greeted || this.handler.wantsBody(view.getInt32(4), view.getInt32(16));
    this.body = wanted && this.bodyLeft <= FRAME_BYTES_MAX ? EMPTY_BYTES : null;
    this.bodyHave = 0;
    if (this.bodyLeft === 0) this.report();
  }

  private takeBody(chunk: Uint8Array, at: number): number {
    const take = Math.min(this.bodyLeft, chunk.length - at);
    if (this.body !== null) this.collect(chunk, at, take);
    this.bodyLeft -= take;
    if (this.bodyLeft === 0) this.report();
    return at + take;
  }

  /** Grows with what has come, never with a length that was only announced. */
  private collect(chunk: Uint8Array, at: number, take: number): void {
    const needed = this.bodyHave + take;
    if (needed > this.body!.length) {
      const bigger = new Uint8Array(Math.max(needed, 2 * this.body!.length));
      bigger.set(this.body!.subarray(0, this.bodyHave));
      this.body = bigger;
    }
    this.body!.set(chunk.subarray(at, at + take), this.bodyHave);
    this.bodyHave = needed;
  }

  private report(): void {
    const view = this.headView;
    const body = this.body?.subarray(0, this.bodyHave) ?? null;
    this.headHave = 0;
    this.body = null;
    if (this.greeted) {
      const frameBytes = view.getInt32(0) + 4;
      this.handler.onReply(view.getInt32(4), readInt64(view, 8), view.getInt32(16), frameBytes, body);
      return;
    }
    this.greeted = true;
    const payload = new Uint8Array(HEAD_BYTES - 4 + body!.length);
    payload.set(this.head.subarray(4));
    payload.set(body!, HEAD_BYTES - 4);
    this.handler.onGreeting(payload);
  }
}

/**
 * A plain session for the few requests beside the load: set-up, tear-down, probes. One promise per request and
 * a copy per chunk, which is fine at their rate; the load itself uses session-socket. Main thread only.
 *
 *     connecting --ConnectResponse--> open --close, destroy, or the server's end--> closed
 *         '--too late, refused--> closed (`connect` throws)
 */

import { createConnection, type Socket } from 'node:net';
import { readInt64 } from '../../src/base/int64.ts';
import type { Zxid } from '../../src/base/zxid.ts';
import { FRAME_BYTES_SANE_MAX } from '../../src/wire/limits.ts';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import type { Request } from '../../src/wire/request-values.ts';
import type { Address } from '../base/address.ts';
import { openingFrames, requestFrame } from './frames.ts';

export interface RawReply {
  /** 0, or the code of an error; then there is no body. */
  readonly error: number;
  readonly zxid: Zxid;
  /** Behind the header, as `src/wire/responses.ts` describes it. */
  readonly body: Uint8Array;
}

/** The connection ended before the reply: the outcome of the request is unknown. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

interface Waiting {
  readonly resolve: (reply: RawReply) => void;
  readonly reject: (error: Error) => void;
  readonly sinceMs: number;
}

const HEAD_BYTES = 20;
/** Replies come in order, so all requests may share one xid. */
const XID = 1;
/** A server that does not answer the end of a session is left after this time. */
const CLOSE_MS_MAX = 2_000;
/** Said by both kinds of session. */
export const CREDENTIALS_REFUSED = 'the server refuses the credentials of --auth';
export const CLOSED_BEFORE_SESSION = 'the server closed the connection before it gave a session';
const NO_BODY = new Uint8Array(0);

export class RawSession {
  readonly address: Address;
  private readonly socket: Socket;
  /** In the order of the requests; the first one waits for the ConnectResponse. */
  private readonly waiting: Waiting[] = [];
  private pinger: NodeJS.Timeout | undefined;
  private received: Buffer = Buffer.alloc(0);
  private greeted = false;
  private open = true;
  private cause: Error | undefined;

  private constructor(address: Address) {
    this.address = address;
    this.socket = createConnection({ host: address.host, port: address.port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.onData(chunk));
    this.socket.on('error', (error) => {
      this.cause = error; // 'close' follows and settles everything
    });
    this.socket.on('close', () => this.onClose());
  }

  /** @throws ConnectionLost when nothing answers with a session within `withinMs`. */
  static async connect(address: Address, withinMs: number, sessionTimeoutMs = 10_000): Promise<RawSession> {
    const session = new RawSession(address);
    const deadline = setTimeout(
      () => session.destroy(new Error(`no session within ${withinMs} ms`)),
      withinMs,
    );
    try {
      await session.send(openingFrames(sessionTimeoutMs, address.auth));
      return session;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** @throws ConnectionLost when the connection ends before the reply. Requests may follow without waiting. */
  request(request: Request): Promise<RawReply> {
    return this.send(requestFrame(XID, request));
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** When the oldest request without a reply was sent, by `performance.now()`; null without one. */
  get silentSinceMs(): number | null {
    return this.waiting[0]?.sinceMs ?? null;
  }

  /** Ends the session on the server too. */
  async close(): Promise<void> {
    const grace = setTimeout(() => this.destroy(), CLOSE_MS_MAX);
    try {
      await this.request({ op: OpCode.closeSession });
    } catch {
      // Closed is what was wanted.
    } finally {
      clearTimeout(grace);
    }
    this.destroy();
  }

  /** Drops the connection without a word; requests without a reply are rejected with `cause`. */
  destroy(cause?: Error): void {
    this.cause ??= cause;
    this.socket.destroy();
  }

  private send(frame: Uint8Array): Promise<RawReply> {
    if (!this.open) return Promise.reject(this.lost());
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject, sinceMs: performance.now() });
      this.socket.write(frame);
    });
  }

  private ping(): void {
    if (this.waiting.length > 0) return;
    this.socket.write(requestFrame(SpecialXid.ping, { op: OpCode.ping }));
  }

  private onData(chunk: Buffer): void {
    const received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    let at = 0;
    while (received.length - at >= HEAD_BYTES) {
      const length = received.readInt32BE(at);
      if (length < HEAD_BYTES - 4 || length > FRAME_BYTES_SANE_MAX) {
        this.destroy(
          new Error(`the server sent a frame of ${length} bytes: it does not speak this protocol`),
        );
        return;
      }
      const end = at + 4 + length;
      if (end > received.length) break;
      if (this.greeted) this.onReply(received.subarray(at + 4, end));
      else this.onConnectResponse(received.readInt32BE(at + 8));
      at = end;
    }
    this.received = received.subarray(at);
  }

  private onConnectResponse(timeoutMs: number): void {
    this.greeted = true;
    if (timeoutMs <= 0) {
      this.destroy(new Error('the server refused the session'));
      return;
    }
    this.pinger = setInterval(() => this.ping(), timeoutMs / 3);
    this.waiting.shift()?.resolve({ error: 0, zxid: 0, body: NO_BODY });
  }

  /** `i32 xid | i64 zxid | i32 err | body` */
  private onReply(frame: Buffer): void {
    const xid = frame.readInt32BE(0);
    if (xid === SpecialXid.ping || xid === SpecialXid.notification) return;
    if (xid === SpecialXid.auth) {
      if (frame.readInt32BE(12) !== 0) this.destroy(new Error(CREDENTIALS_REFUSED));
      return;
    }
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    this.waiting.shift()?.resolve({
      error: frame.readInt32BE(12),
      zxid: readInt64(view, 4),
      body: frame.subarray(HEAD_BYTES - 4),
    });
  }

  private onClose(): void {
    this.open = false;
    clearInterval(this.pinger);
    for (const { reject } of this.waiting.splice(0)) reject(this.lost());
  }

  private lost(): ConnectionLost {
    const closed = this.greeted ? 'the server closed the connection' : CLOSED_BEFORE_SESSION;
    return new ConnectionLost(this.cause?.message ?? closed, { cause: this.cause });
  }
}

/**
 * A session for a few requests and no longer than `withinMs`.
 * @throws ConnectionLost when that is not enough, or whatever `use` throws.
 */
export async function withSession<T>(
  address: Address,
  withinMs: number,
  use: (session: RawSession) => Promise<T>,
): Promise<T> {
  const session = await RawSession.connect(address, withinMs);
  const deadline = setTimeout(() => session.destroy(new Error(`no answer within ${withinMs} ms`)), withinMs);
  try {
    return await use(session);
  } finally {
    clearTimeout(deadline);
    await session.close();
  }
}

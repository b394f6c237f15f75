/**
 * A plain session for the few requests beside the load: set-up, tear-down, probes. One promise per request and
 * a copy per chunk, which is fine at their rate; the load itself uses load-connection. Main thread only.
 */
import { createConnection, type Socket } from 'node:net';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import type { Request } from '../../src/wire/request-values.ts';
import { connectFrame, requestFrame } from './frames.ts';
import type { Address } from './load-connection.ts';

export interface RawReply {
  readonly error: number;
}

/** The connection ended before the reply: the outcome of the request is unknown. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

interface Waiting {
  readonly resolve: (reply: RawReply) => void;
  readonly reject: (error: Error) => void;
}

const HEAD_BYTES = 20;
/** Replies come in order, so all requests may share one xid. */
const XID = 1;

export class RawSession {
  private readonly socket: Socket;
  /** In the order of the requests; the first one waits for the ConnectResponse. */
  private readonly waiting: Waiting[] = [];
  private readonly pinger: NodeJS.Timeout;
  private received: Buffer = Buffer.alloc(0);
  private greeted = false;
  private open = true;
  private cause: Error | undefined;

  private constructor(socket: Socket, sessionTimeoutMs: number) {
    this.socket = socket;
    this.pinger = setInterval(() => this.ping(), sessionTimeoutMs / 3);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('error', (error) => {
      this.cause = error; // 'close' follows and settles everything
    });
    socket.on('close', () => this.onClose());
  }

  /** @throws Error when nothing answers with a session within `withinMs`. */
  static async connect(address: Address, withinMs: number, sessionTimeoutMs = 10_000): Promise<RawSession> {
    const socket = createConnection({ host: address.host, port: address.port, noDelay: true });
    const session = new RawSession(socket, sessionTimeoutMs);
    const deadline = setTimeout(
      () => socket.destroy(new Error(`no session within ${withinMs} ms`)),
      withinMs,
    );
    try {
      await session.send(connectFrame(sessionTimeoutMs));
      return session;
    } finally {
      clearTimeout(deadline);
    }
  }

  request(request: Request): Promise<RawReply> {
    return this.send(requestFrame(XID, request));
  }

  private send(frame: Uint8Array): Promise<RawReply> {
    if (!this.open) return Promise.reject(this.lost());
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.socket.write(frame);
    });
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** Ends the session on the server too. */
  async close(): Promise<void> {
    try {
      await this.request({ op: OpCode.closeSession });
    } catch {
      // Closed is what was wanted.
    }
    this.socket.destroy();
  }

  /** Drops the connection without a word. */
  destroy(): void {
    this.socket.destroy();
  }

  private ping(): void {
    if (this.waiting.length > 0) return;
    this.socket.write(requestFrame(SpecialXid.ping, { op: OpCode.ping }));
  }

  private onData(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    let at = 0;
    while (this.received.length - at >= HEAD_BYTES) {
      const end = at + 4 + this.received.readInt32BE(at);
      if (end > this.received.length) break;
      if (this.greeted) this.onReply(this.received.readInt32BE(at + 4), this.received.readInt32BE(at + 16));
      else this.onConnectResponse(this.received.readInt32BE(at + 8));
      at = end;
    }
    this.received = this.received.subarray(at);
  }

  private onConnectResponse(timeoutMs: number): void {
    this.greeted = true;
    if (timeoutMs > 0) this.waiting.shift()?.resolve({ error: 0 });
    else this.socket.destroy(new Error('the server refused the session'));
  }

  private onReply(xid: number, error: number): void {
    if (xid !== SpecialXid.ping) this.waiting.shift()?.resolve({ error });
  }

  private onClose(): void {
    this.open = false;
    clearInterval(this.pinger);
    for (const { reject } of this.waiting.splice(0)) reject(this.lost());
  }

  private lost(): ConnectionLost {
    return new ConnectionLost(this.cause?.message ?? 'the server closed the connection', {
      cause: this.cause,
    });
  }
}

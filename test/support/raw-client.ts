/**
 * A client without manners, for tests: `RawConnection` sends any bytes and gives the frames that come back, in
 * order; `RawClient` adds the handshake and waits for replies while collecting events. Nothing is retried, pinged or
 * reconnected behind the test's back.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { JuteReader } from './jute.ts';
import { type ConnectFields, connectRequest } from './request-bodies.ts';

/** Only so that a test that waits in vain says for what: far more than a busy machine takes. */
const ANSWER_TIMEOUT_MS = 60_000;
const LENGTH_BYTES = 4;
const NOTIFICATION_XID = -1;

export class RawConnection {
  private readonly socket: Socket;
  /** What has come and is not a whole frame yet. */
  private chunks: Buffer[] = [];
  private receivedBytes = 0;
  /** So many are needed before there is anything to do. */
  private wantedBytes = LENGTH_BYTES;
  private readonly frames: Uint8Array[] = [];
  private waiting: (() => void) | undefined;
  private ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.onChunk(chunk));
    // A reset is one of the ways a server may refuse: to a test it is the same as an orderly close.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.ended = true;
      this.waiting?.();
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** The server (or this side) has closed and every frame that came before has been taken. */
  get closed(): boolean {
    return this.ended && this.frames.length === 0;
  }

  write(bytes: Uint8Array): void {
    if (!this.ended) this.socket.write(bytes);
  }

  /** The next frame without its length, or undefined once the connection is closed. */
  async nextFrame(): Promise<Uint8Array | undefined> {
    if (this.frames.length === 0 && !this.ended) {
      const arrival = Promise.withResolvers<void>();
      this.waiting = arrival.resolve;
      const late = setTimeout(
        () => arrival.reject(new Error(`no frame within ${ANSWER_TIMEOUT_MS} ms`)),
        ANSWER_TIMEOUT_MS,
      );
      try {
        await arrival.promise;
      } finally {
        clearTimeout(late);
        this.waiting = undefined;
      }
    }
    return this.frames.shift();
  }

  /** Waits until the server has closed, dropping what still arrives. */
  async serverClose(): Promise<void> {
    while ((await this.nextFrame()) !== undefined);
  }

  /** Ends the connection at once, without closing the session. */
  destroy(): void {
    this.socket.destroy();
    this.ended = true;
    this.waiting?.();
  }

  private onChunk(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.receivedBytes += chunk.length;
    // A frame of many megabytes is put together once, not with each of its chunks.
    if (this.receivedBytes < this.wantedBytes) return;
    const received = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks, this.receivedBytes);
    let offset = 0;
    this.wantedBytes = LENGTH_BYTES;
    while (received.length - offset >= LENGTH_BYTES) {
      const end = offset + LENGTH_BYTES + received.readInt32BE(offset);
      this.wantedBytes = end - offset;
      if (end > received.length) break;
      this.frames.push(new Uint8Array(received.subarray(offset + LENGTH_BYTES, end)));
      this.wantedBytes = LENGTH_BYTES;
      offset = end;
    }
    this.chunks = offset === received.length ? [] : [received.subarray(offset)];
    this.receivedBytes = received.length - offset;
    if (this.frames.length > 0) this.waiting?.();
  }
}

/** `i32 length | payload` */
export function frame(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + payload.length);
  new DataView(bytes.buffer).setInt32(0, payload.length);
  bytes.set(payload, 4);
  return bytes;
}

/** A framed request: `i32 length | i32 xid | i32 type | record` */
export function requestFrame(xid: number, op: number, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 8 + body.length);
  view.setInt32(4, xid);
  view.setInt32(8, op);
  bytes.set(body, 12);
  return bytes;
}

export interface Reply {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: number;
  readonly body: JuteReader;
}

export interface WatchEvent {
  readonly type: number;
  readonly state: number;
  readonly path: string | null;
  /** The zxid of the notification's header. */
  readonly zxid: bigint;
}

export interface ConnectAnswer {
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  /** Undefined when the server left the byte out. */
  readonly readOnly: boolean | undefined;
}

export function parseConnectAnswer(payload: Uint8Array): ConnectAnswer {
  const reader = new JuteReader(payload);
  reader.int();
  const timeoutMs = reader.int();
  const sessionId = reader.long();
  const password = reader.buffer() ?? new Uint8Array(0);
  return { timeoutMs, sessionId, password, readOnly: reader.remaining > 0 ? reader.bool() : undefined };
}

export class RawClient {
  readonly connection: RawConnection;
  readonly session: ConnectAnswer;
  /** Every notification so far, in the order of arrival; a test may take from its front. */
  readonly events: WatchEvent[] = [];
  private nextXid = 1;

  private constructor(connection: RawConnection, session: ConnectAnswer) {
    this.connection = connection;
    this.session = session;
  }

  /** Opens a session; fails when the server refuses the handshake. */
  static async open(
    port: number,
    fields: ConnectFields = { timeoutMs: 30_000, readOnly: false },
  ): Promise<RawClient> {
    const connection = await RawConnection.open(port);
    connection.write(frame(connectRequest(fields)));
    const answer = await connection.nextFrame();
    if (answer === undefined) throw new Error('the server closed the connection during the handshake');
    return new RawClient(connection, parseConnectAnswer(answer));
  }

  /** Sends one request and waits for its reply; the events before the reply are in `events` afterwards. */
  async request(op: number, body?: Uint8Array): Promise<Reply> {
    const xid = this.nextXid++;
    this.connection.write(requestFrame(xid, op, body));
    return await this.reply();
  }

  /** Sends without waiting; the replies are taken with `reply`, in order. Returns the xid. */
  send(op: number, body?: Uint8Array): number {
    const xid = this.nextXid++;
    this.connection.write(requestFrame(xid, op, body));
    return xid;
  }

  async reply(): Promise<Reply> {
    for (;;) {
      const payload = await this.connection.nextFrame();
      if (payload === undefined) throw new Error('the server closed the connection');
      const reader = new JuteReader(payload);
      const xid = reader.int();
      const zxid = reader.long();
      const err = reader.int();
      if (xid !== NOTIFICATION_XID) return { xid, zxid, err, body: reader };
      this.events.push({ type: reader.int(), state: reader.int(), path: reader.string(), zxid });
    }
  }

  /** Drops the connection; the session lives on until it expires. */
  destroy(): void {
    this.connection.destroy();
  }
}

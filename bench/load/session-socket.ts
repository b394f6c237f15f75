/**
 * One session of the load over one TCP connection: connects, shakes hands, connects anew after a loss, pings. What the
 * session is used for is the business of its user: a lane of requests or the client of a recipe. Generator thread, in
 * the callbacks of the socket.
 *
 *     lost --connect()--> connecting --TCP--> handshaking --ConnectResponse, credentials--> ready --close, error, drop()--> lost
 *     lost --while it has a user, after a short delay--> connecting, to the next address
 *     any  --close()--> closed
 */
import { createConnection, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { writeNow } from '../../src/net/write-now.ts';
import { OpCode, SpecialXid } from '../../src/wire/opcodes.ts';
import type { Address } from '../base/address.ts';
import { openingFrames, requestFrame } from '../session/frames.ts';
import { CLOSED_BEFORE_SESSION, CREDENTIALS_REFUSED } from '../session/refusal.ts';
import { FrameSkimmer, REPLY_HEAD_BYTES } from './frame-skimmer.ts';

const RECONNECT_DELAY_MS = 50;
const CLOSE_XID = 1;
const PING = requestFrame(SpecialXid.ping, { op: OpCode.ping });

/** Where all sockets of a worker read into: callbacks are synchronous, so they never overlap. */
export interface ReadBuffer {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export interface SocketUser {
  /** The session is open, for the first time or again. */
  onSession(): void;
  /** `[0, length)` of the read buffer, valid during the call. */
  onData(buffer: ReadBuffer, length: number, nowMs: number): void;
  /** The session is gone; the outcome of what was in flight is unknown. */
  onLost(): void;
}

type State = 'lost' | 'connecting' | 'handshaking' | 'ready' | 'dropping' | 'closed';

export class SessionSocket {
  private readonly addresses: readonly Address[];
  private readonly readBuffer: ReadBuffer;
  private readonly sessionTimeoutMs: number;
  private readonly handshake = new FrameSkimmer(REPLY_HEAD_BYTES);
  /** Where the connection is, or was last: its place among the addresses. */
  serverIndex: number;
  private nextAddress: number;
  /** Of the handshake: the ConnectResponse, and one for each credential. */
  private repliesToCome = 0;
  private isGreeted = false;
  private state: State = 'lost';
  private socket: Socket | null = null;
  private user: SocketUser | null = null;
  private onReady: ((error: Error | null) => void) | null = null;
  private endedBytesRead = 0;
  private endedBytesWritten = 0;
  /** Written past the stream, which does not count them. */
  private bytesSentNow = 0;

  /** `index` spreads the sessions over the addresses. */
  constructor(
    addresses: readonly Address[],
    index: number,
    readBuffer: ReadBuffer,
    sessionTimeoutMs: number,
  ) {
    this.addresses = addresses;
    this.nextAddress = index % addresses.length;
    this.serverIndex = this.nextAddress;
    this.readBuffer = readBuffer;
    this.sessionTimeoutMs = sessionTimeoutMs;
  }

  /** Resolves when the session is open. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onReady = (error) => (error === null ? resolve() : reject(error));
      this.connect();
    });
  }

  get ready(): boolean {
    return this.state === 'ready';
  }

  get bytesRead(): number {
    return this.endedBytesRead + (this.socket?.bytesRead ?? 0);
  }

  get bytesWritten(): number {
    return this.endedBytesWritten + this.bytesSentNow + (this.socket?.bytesWritten ?? 0);
  }

  /** Without a user the session is kept by pings and replies to nobody are ignored. */
  setUser(user: SocketUser | null): void {
    this.user = user;
    if (user !== null && this.state === 'lost') this.connect();
  }

  /** `bytes` must not change afterwards: what the kernel has no room for is read later. */
  write(bytes: Uint8Array): void {
    const socket = this.socket!;
    const sent = socket.writableLength === 0 ? writeNow(socket, bytes, bytes.length) : 0;
    this.bytesSentNow += sent;
    if (sent < bytes.length) socket.write(sent === 0 ? bytes : bytes.subarray(sent));
  }

  ping(): void {
    if (this.state === 'ready') this.socket!.write(PING);
  }

  /** The stream makes no sense any more, or the user wants another session: ends as if the server had. */
  drop(): void {
    if (this.state === 'ready') this.state = 'dropping';
    this.socket?.destroy();
  }

  /** Another session at once, over a new connection; nothing counts as lost. A reset, so that no port lingers. */
  reconnect(): void {
    this.socket?.removeAllListeners('close');
    this.socket?.resetAndDestroy();
    this.connect();
  }

  /** Ends the session on the server too. */
  close(): void {
    const wasReady = this.state === 'ready';
    this.state = 'closed';
    if (wasReady) this.socket!.end(requestFrame(CLOSE_XID, { op: OpCode.closeSession }));
    else this.socket?.destroy();
  }

  private connect(): void {
    this.serverIndex = this.nextAddress;
    const { host, port, auth = [] } = this.addresses[this.nextAddress]!;
    this.repliesToCome = 1 + auth.length;
    this.isGreeted = false;
    this.nextAddress = (this.nextAddress + 1) % this.addresses.length;
    this.endedBytesRead = this.bytesRead;
    this.endedBytesWritten = this.bytesWritten;
    this.bytesSentNow = 0;
    this.state = 'connecting';
    this.handshake.reset();
    const socket = createConnection({
      host,
      port,
      noDelay: true,
      onread: { buffer: this.readBuffer.bytes, callback: (length) => this.onChunk(length) },
    });
    this.socket = socket;
    socket.on('connect', () => {
      this.state = 'handshaking';
      socket.write(openingFrames(this.sessionTimeoutMs, auth));
    });
    socket.on('error', (error) => this.settle(error));
    socket.on('close', () => this.onClose());
  }

  private onChunk(length: number): boolean {
    if (this.state === 'ready') this.user?.onData(this.readBuffer, length, performance.now());
    else if (this.state === 'handshaking') this.onHandshake(length);
    return true;
  }

  /**
   * ConnectResponse: word1 = protocolVersion, word2 = timeOut, which is 0 when the session was refused. Then one reply
   * for each credential: word4 = its error.
   */
  private onHandshake(length: number): void {
    this.handshake.begin(this.readBuffer.view, 0, length);
    for (; this.repliesToCome > 0; this.repliesToCome--) {
      if (!this.handshake.next()) return;
      const { word2, word4 } = this.handshake;
      if (this.isGreeted ? word4 === 0 : word2 > 0) {
        this.isGreeted = true;
        continue;
      }
      this.settle(new Error(this.isGreeted ? CREDENTIALS_REFUSED : 'the server refused the session'));
      this.socket!.destroy();
      return;
    }
    this.state = 'ready';
    this.settle(null);
    this.user?.onSession();
  }

  private onClose(): void {
    if (this.state === 'closed') return;
    const wasReady = this.state === 'ready' || this.state === 'dropping';
    this.state = 'lost';
    this.settle(new Error(CLOSED_BEFORE_SESSION));
    if (this.user === null) return;
    if (wasReady) this.user.onLost();
    setTimeout(() => {
      if (this.user !== null && this.state === 'lost') this.connect();
    }, RECONNECT_DELAY_MS);
  }

  private settle(error: Error | null): void {
    this.onReady?.(error);
    this.onReady = null;
  }
}

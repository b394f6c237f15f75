/**
 * The TCP side of a replayed connection: finds a server of the list, sends the handshake, and looks for another one
 * when the connection breaks, as a client would. What is on the wire is its user's business.
 *
 *     connecting --connected, handshake sent--> greeting --accepted--> open
 *        ^  `--- no answer ---.                   |                      |
 *        '------- pause <-----+-------------------+--------- lost -------'        no server for too long: gone
 */
import { createConnection, type Socket } from 'node:net';
import type { Address } from '../base/address.ts';
import { type ReplyHandler, ReplyStream } from './reply-stream.ts';

const ATTEMPT_MS_MAX = 5_000;
/** For a server that does not take what is written, or does not end. */
const CLOSE_MS_MAX = 2_000;
const FIRST_PAUSE_MS = 50;
const PAUSE_MS_MAX = 1_000;

export interface LinkUser extends ReplyHandler {
  /** The frame of the handshake; asked for at each attempt. */
  connectRequest(): Uint8Array;
  /** All of a chunk has been reported. */
  onChunkEnd(bytes: number): void;
  /** There is room to write again. */
  onRoom(): void;
  onAttemptFailed(): void;
  /** An accepted connection broke. The link goes on trying unless it is closed now. */
  onLost(): void;
  /** It does not try any more. */
  onGone(): void;
}

export interface LinkOptions {
  readonly targets: readonly Address[];
  readonly reconnectMsMax: number;
  readonly readBuffer: Buffer;
}

export class ReplayLink {
  private readonly options: LinkOptions;
  private readonly user: LinkUser;
  private nextTarget: number;
  private socket: Socket | null = null;
  private isAccepted = false;
  private isClosed = false;
  private corked = false;
  private attempts = 0;
  private failingSinceMs: number | null = null;
  private timer: NodeJS.Timeout | undefined;
  private onClosed: (() => void) | null = null;

  /** `first`: the target to begin with. */
  constructor(options: LinkOptions, first: number, user: LinkUser) {
    this.options = options;
    this.user = user;
    this.nextTarget = first % options.targets.length;
  }

  /** Connects now, dropping what connection there is. */
  open(): void {
    clearTimeout(this.timer);
    this.isClosed = false;
    this.onClosed = null;
    const old = this.socket;
    this.socket = null;
    old?.destroy();
    this.connect();
  }

  /** The user has a session on this connection. */
  accepted(): void {
    this.isAccepted = true;
    this.attempts = 0;
    this.failingSinceMs = null;
    clearTimeout(this.timer);
  }

  get hasRoom(): boolean {
    return this.socket !== null && !this.socket.writableNeedDrain;
  }

  /** `frame` must not change any more. What one turn of the event loop writes goes out together. */
  write(frame: Uint8Array): void {
    const socket = this.socket!;
    if (!this.corked) {
      this.corked = true;
      socket.cork();
      process.nextTick(() => {
        this.corked = false;
        socket.uncork();
      });
    }
    socket.write(frame);
  }

  /** Sends what is written and closes; `done` comes when it is closed. The user hears nothing more. */
  close(done: () => void): void {
    this.awaitEnd(done);
    if (this.isAccepted) this.socket?.destroySoon();
    else this.socket?.destroy();
  }

  /** As `close`, but the server is to end the connection, when it has answered what is written. */
  awaitEnd(done: () => void): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    if (this.socket === null || this.socket.closed) {
      done();
      return;
    }
    this.onClosed = done;
    this.timer = setTimeout(() => this.socket?.destroy(), CLOSE_MS_MAX);
  }

  /** What the server says makes no sense: the connection counts as lost. */
  drop(): void {
    this.socket?.destroy();
  }

  private connect(): void {
    const { targets, readBuffer } = this.options;
    const { host, port } = targets[this.nextTarget]!;
    this.nextTarget = (this.nextTarget + 1) % targets.length;
    this.isAccepted = false;
    this.attempts++;
    const stream = new ReplyStream(this.user);
    const socket: Socket = createConnection({
      host,
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.onChunk(socket, stream, length) },
    });
    this.socket = socket;
    this.timer = setTimeout(() => socket.destroy(), ATTEMPT_MS_MAX);
    socket.on('connect', () => socket.write(this.user.connectRequest()));
    socket.on('drain', () => this.user.onRoom());
    socket.on('error', () => {}); // `close` follows
    socket.on('close', () => {
      if (socket === this.socket) this.onSocketClosed();
    });
  }

  private onChunk(socket: Socket, stream: ReplyStream, length: number): boolean {
    if (socket !== this.socket || this.isClosed) return true;
    stream.push(this.options.readBuffer.subarray(0, length));
    if (stream.malformed) socket.destroy();
    this.user.onChunkEnd(length);
    return true;
  }

  private onSocketClosed(): void {
    clearTimeout(this.timer);
    if (this.isClosed) {
      this.onClosed?.();
      this.onClosed = null;
      return;
    }
    if (this.isAccepted) this.user.onLost();
    else this.user.onAttemptFailed();
    if (!this.isClosed) this.retry();
  }

  /** The next server of the list at once, but a pause after each round. */
  private retry(): void {
    const nowMs = performance.now();
    this.failingSinceMs ??= nowMs;
    if (nowMs - this.failingSinceMs > this.options.reconnectMsMax) {
      this.isClosed = true;
      this.user.onGone();
      return;
    }
    const rounds = Math.floor(this.attempts / this.options.targets.length);
    const pauseMs = rounds === 0 ? 0 : Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * 2 ** (rounds - 1));
    this.timer = setTimeout(() => this.connect(), pauseMs);
  }
}

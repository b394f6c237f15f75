/**
 * The server's end of a connection: kernel buffers and the stream that Node makes of them. Its events come in the poll
 * phase of the server's loop, whatever the network does meanwhile.
 */
import type { AcceptedSocket, ReadBuffer, SocketHandler, SocketPort } from '../../src/net/transport.ts';
import { type EventMischief, EventSpoiler } from './event-mischief.ts';
import type { PollSource, SimLoop } from './sim-loop.ts';

/** What arrives: bytes, or the end of the stream. */
export type Segment = Uint8Array | 'fin' | 'reset';

/** The connection as its server's kernel sees it. */
export interface KernelConnection {
  readonly address: string;
  readonly port: number;
  /** Bytes the kernel takes from the server before the client has them. */
  readonly sendBufferBytes: number;
  readonly toClient: { readonly underWay: number; send(segment: Segment): void };
  /** The process has taken so many bytes from the kernel. */
  onRead?(bytes: number): void;
}

interface PendingWrite {
  readonly bytes: Buffer;
  readonly done: ((error?: Error | null) => void) | undefined;
  sent: number;
}

export class ServerSocket implements AcceptedSocket, SocketPort, PollSource {
  readonly connection: KernelConnection;
  protected readonly loop: SimLoop;
  private readonly spoiler: EventSpoiler | null;
  private buffer: ReadBuffer | null = null;
  private handler: SocketHandler | null = null;
  private readonly received: Uint8Array[] = [];
  private readonly writes: PendingWrite[] = [];
  private isPaused = false;
  /** The client's FIN: none, arrived, told. */
  private fin: 'none' | 'arrived' | 'told' = 'none';
  private isReset = false;
  /** Ours: none, asked for, sent. */
  private end_: 'none' | 'asked' | 'sent' = 'none';
  private isDestroyed = false;
  private isClosed = false;

  constructor(connection: KernelConnection, loop: SimLoop, events: EventMischief | undefined) {
    this.spoiler = events === undefined ? null : new EventSpoiler(events);
    this.connection = connection;
    this.loop = loop;
  }

  get remoteAddress(): string | undefined {
    return this.isReset ? undefined : this.connection.address;
  }

  get remotePort(): number {
    return this.connection.port;
  }

  open(buffer: ReadBuffer, handler: SocketHandler): SocketPort {
    this.buffer = buffer;
    this.handler = handler;
    this.loop.watch(this);
    return this;
  }

  refuse(): void {
    this.destroy();
  }

  /** From the network. */
  arrived(segment: Segment): void {
    if (segment === 'reset') this.isReset = true;
    else if (segment === 'fin') this.fin = this.fin === 'none' ? 'arrived' : this.fin;
    else this.received.push(segment);
  }

  get hasUnread(): boolean {
    return this.received.length > 0;
  }

  // ---- SocketPort ------------------------------------------------------------------------------------------

  writeNow(bytes: Buffer, length: number): number {
    if (this.isDestroyed || this.isReset || this.end_ !== 'none') return 0;
    return this.take(bytes.subarray(0, length));
  }

  write(bytes: Buffer, done?: (error?: Error | null) => void): void {
    this.writes.push({ bytes, done, sent: 0 });
  }

  get queuedBytes(): number {
    return this.writes.reduce((sum, { bytes, sent }) => sum + bytes.length - sent, 0);
  }

  cork(): void {}
  uncork(): void {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    if (this.end_ === 'none') this.end_ = 'asked';
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    if (this.handler === null) this.loop.unwatch(this);
    // A kernel that closes a socket with unread bytes sends a reset.
    if (!this.isReset && this.end_ !== 'sent') {
      this.connection.toClient.send(this.received.length > 0 ? 'reset' : 'fin');
    }
  }

  // ---- PollSource ------------------------------------------------------------------------------------------

  isReady(): boolean {
    if (this.isClosed) return false;
    if (this.isDestroyed || this.isReset) return true;
    if (!this.isPaused && (this.received.length > 0 || this.fin === 'arrived')) return true;
    if (this.writes.length > 0) return this.room > 0;
    return this.end_ === 'asked' || (this.end_ === 'sent' && this.fin === 'told');
  }

  poll(): void {
    if (this.isDestroyed || this.isReset) {
      this.close();
      return;
    }
    this.sendPending();
    if (this.writes.length === 0 && this.end_ === 'asked') {
      this.end_ = 'sent';
      this.connection.toClient.send('fin');
    }
    if (!this.isPaused) this.read();
    if (this.end_ === 'sent' && this.fin === 'told') this.close();
  }

  private read(): void {
    const { received, buffer, handler } = this;
    if (received.length === 0) {
      if (this.fin !== 'arrived') return;
      this.fin = 'told';
      handler!.onEnd();
      return;
    }
    const { bytes } = buffer!;
    let length = 0;
    while (received.length > 0 && length < bytes.length) {
      const first = received[0]!;
      const taken = first.subarray(0, bytes.length - length);
      bytes.set(taken, length);
      length += taken.length;
      if (taken.length === first.length) received.shift();
      else received[0] = first.subarray(taken.length);
    }
    this.connection.onRead?.(length);
    handler!.onBytes(buffer!, length);
  }

  private get room(): number {
    return this.connection.sendBufferBytes - this.connection.toClient.underWay;
  }

  private take(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    if (taken <= 0) return 0;
    const sent = Uint8Array.from(bytes.subarray(0, taken));
    this.connection.toClient.send(this.spoiler === null ? sent : this.spoiler.pass(sent));
    return taken;
  }

  private sendPending(): void {
    while (this.writes.length > 0) {
      const write = this.writes[0]!;
      write.sent += this.take(write.bytes.subarray(write.sent));
      if (write.sent < write.bytes.length) return;
      this.writes.shift();
      write.done?.();
    }
  }

  private close(): void {
    this.isClosed = true;
    this.isDestroyed = true;
    this.loop.unwatch(this);
    for (const { done } of this.writes.splice(0)) done?.(new Error('closed'));
    this.handler?.onClose();
  }
}

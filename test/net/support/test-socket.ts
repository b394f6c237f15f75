/** A client socket that collects what comes back, and can be told to read nothing. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from './net-harness.ts';

export class TestSocket {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  ended = false;

  private readonly onData = (chunk: Buffer): void => {
    this.received = Buffer.concat([this.received, chunk]);
  };

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.ended = true;
    });
  }

  static async open(port: number, reads = true): Promise<TestSocket> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const client = new TestSocket(socket);
    await once(socket, 'connect');
    if (reads) client.read();
    return client;
  }

  read(): void {
    this.socket.on('data', this.onData);
    this.socket.resume();
  }

  /** Leaves what comes from now on to the kernel. */
  stopReading(): void {
    this.socket.off('data', this.onData);
    this.socket.pause();
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  async bytes(count: number): Promise<Buffer> {
    await until(() => this.received.length >= count || this.ended);
    return this.received;
  }

  /** Waits for the server's FIN and gives all that came before it. */
  async all(): Promise<Buffer> {
    await until(() => this.ended);
    return this.received;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** `i32 length | payload` */
export function framed(payload: Uint8Array | string): Buffer {
  const body = Buffer.from(payload);
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length);
  body.copy(frame, 4);
  return frame;
}

/**
 * A client's socket with two shortcuts past what a stream costs per event; everything else is Node's own socket.
 *
 *     reading   all sockets of a thread read into one buffer (`onread`): no 64 KiB allocated per read, no stream event
 *     writing   `writeNow` is one write(2) in the same call. What the kernel does not take goes through `write`,
 *               where the event loop waits for room; until that is done nothing else is written.
 *
 * A listener cannot be told to read that way, so the accepted socket gives its handle to one that can. A socket that is
 * to be dialled begins without one.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';
import { assert } from '../base/assert.ts';
import type { DialOptions, ReadBuffer, SocketHandler, SocketPort } from './transport.ts';
import { writeNow } from './write-now.ts';

/** What is used of Node's socket, which its types do not show. */
interface HandleOwner {
  _handle: { readonly writeQueueSize: number } | null;
}

export class ClientSocket implements SocketPort {
  private readonly socket: Socket;
  /** Null once closed: see `onClose`. */
  private handler: SocketHandler | null;

  /**
   * `accepted` must not have been read (`pauseOnConnect`); it is taken over and of no use afterwards. Null: `connect`
   * follows.
   */
  constructor(accepted: Socket | null, buffer: ReadBuffer, handler: SocketHandler) {
    this.handler = handler;
    const callback = (length: number): boolean => {
      this.handler?.onBytes(buffer, length);
      return true;
    };
    const options = {
      handle: accepted === null ? undefined : takeHandle(accepted),
      allowHalfOpen: true,
      onread: { buffer: buffer.bytes, callback },
    };
    const socket = new Socket(options as unknown as SocketConstructorOpts);
    this.socket = socket;
    socket.on('end', () => this.handler?.onEnd());
    socket.on('error', ignoreError);
    socket.on('close', () => this.onClose());
  }

  /**
   * V8 puts a function that is assigned to a property at once among the old objects, and Node makes one for each stream
   * that leads to it. So a socket outlives its connection until the next full collection; what hangs on it is not to.
   */
  private onClose(): void {
    const handler = this.handler;
    this.handler = null;
    handler?.onClose();
  }

  /** `done` is called once: without an error when the connection stands. */
  connect({ host, port, keepAlive }: DialOptions, done: (error: NodeJS.ErrnoException | null) => void): void {
    this.socket.setNoDelay(true);
    this.socket.setKeepAlive(keepAlive);
    this.socket.once('error', done);
    this.socket.connect({ host, port }, () => {
      this.socket.off('error', done);
      done(null);
    });
  }

  /** As `writeNow`; never while a `write` is under way. */
  writeNow(bytes: Buffer, length: number): number {
    return writeNow(this.socket, bytes, length);
  }

  /** The kernel may read `bytes` until `done` is called; with an error when the connection broke. */
  write(bytes: Buffer, done?: (error?: Error | null) => void): void {
    this.socket.write(bytes, done);
  }

  /** Node looks at it in the same way for its timeouts. */
  get queuedBytes(): number {
    return (this.socket as unknown as HandleOwner)._handle?.writeQueueSize ?? 0;
  }

  /** What is written until `uncork` leaves in one gathering write. */
  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** FIN after what is written. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function takeHandle(accepted: Socket): object {
  const owner = accepted as unknown as HandleOwner;
  const handle = owner._handle;
  assert(handle !== null, 'accepted socket without a handle');
  owner._handle = null;
  accepted.destroy(); // its listener stops counting it
  return handle;
}

// Resets and broken pipes are how clients leave; `close` follows in every case.
function ignoreError(): void {}

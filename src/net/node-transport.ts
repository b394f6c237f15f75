/** The transport of production: Node's listener, and `ClientSocket` for what it accepts and for what is dialled. */
import { createServer, type Server, type Socket } from 'node:net';
import { BindFailure } from '../base/failure.ts';
import { ClientSocket } from './client-socket.ts';
import type {
  AcceptedSocket,
  DialHandler,
  DialOptions,
  Listener,
  ListenOptions,
  ReadBuffer,
  SocketHandler,
  SocketPort,
  Transport,
} from './transport.ts';

export const nodeTransport: Transport = {
  createListener: (keepAlive, onSocket) => new NodeListener(keepAlive, onSocket),
  dial: (options, buffer, handler) => new NodeDial(options, handler).connect(buffer),
};

/** From `dial` until the connection stands or cannot be had; what comes later goes straight to the handler. */
class NodeDial implements SocketHandler {
  private readonly options: DialOptions;
  private readonly handler: DialHandler;
  private isOpen = false;
  private why = 'given up';
  private timer: NodeJS.Timeout | undefined;

  constructor(options: DialOptions, handler: DialHandler) {
    this.options = options;
    this.handler = handler;
  }

  connect(buffer: ReadBuffer): SocketPort {
    const { timeoutMs } = this.options;
    const socket = new ClientSocket(null, buffer, this);
    this.timer = setTimeout(() => {
      this.why = `no connection within ${timeoutMs} ms`;
      socket.destroy();
    }, timeoutMs).unref();
    socket.connect(this.options, (error) => {
      clearTimeout(this.timer);
      if (error === null) {
        this.isOpen = true;
        this.handler.onOpen();
      } else {
        this.why = dialFailure(error);
      }
    });
    return socket;
  }

  onBytes(buffer: ReadBuffer, length: number): void {
    this.handler.onBytes(buffer, length);
  }

  onEnd(): void {
    this.handler.onEnd();
  }

  onClose(): void {
    clearTimeout(this.timer);
    if (this.isOpen) this.handler.onClose();
    else this.handler.onDialFailed(this.why);
  }
}

function dialFailure(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'nobody listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name does not resolve';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'it cannot be reached';
    default:
      return error.message;
  }
}

class NodeListener implements Listener {
  private readonly server: Server;

  constructor(keepAlive: boolean, onSocket: (socket: AcceptedSocket) => void) {
    // Half-open, because the connection itself decides what a client's FIN means.
    // Paused, because the connection chooses how it is read.
    const options = { allowHalfOpen: true, noDelay: true, keepAlive, pauseOnConnect: true };
    this.server = createServer(options, (socket) => onSocket(new NodeAcceptedSocket(socket)));
  }

  listen(options: ListenOptions): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const server = this.server;
    const onError = (error: NodeJS.ErrnoException): void => reject(bindFailure(options, error));
    server.once('error', onError);
    server.listen(
      {
        port: options.port,
        reusePort: options.reusePort,
        exclusive: true,
        ...(options.address === null ? {} : { host: options.address }),
        ...(options.backlog > 0 ? { backlog: options.backlog } : {}),
      },
      () => {
        server.off('error', onError);
        // Later errors are failed accepts (no descriptors left): the client sees a closed connection and retries.
        server.on('error', () => undefined);
        resolve((server.address() as { port: number }).port);
      },
    );
    return promise;
  }

  close(): void {
    this.server.close();
  }
}

class NodeAcceptedSocket implements AcceptedSocket {
  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get remotePort(): number {
    return this.socket.remotePort ?? 0;
  }

  open(buffer: ReadBuffer, handler: SocketHandler): SocketPort {
    return new ClientSocket(this.socket, buffer, handler);
  }

  refuse(): void {
    this.socket.on('error', () => undefined);
    this.socket.destroy();
  }
}

const FOR_CLIENTS = { who: 'clients', portKey: 'clientPort', addressKey: 'clientPortAddress' };

function bindFailure(options: ListenOptions, error: NodeJS.ErrnoException): BindFailure {
  const where = `${options.address ?? '*'}:${options.port}`;
  const { who, portKey, addressKey } = options.purpose ?? FOR_CLIENTS;
  const why = bindProblem(error, portKey, addressKey);
  return new BindFailure(`cannot listen for ${who} on ${where}: ${why}`, options.purpose !== undefined);
}

function bindProblem(error: NodeJS.ErrnoException, portKey: string, addressKey: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `the port is in use; stop its owner or set another ${portKey}`;
    case 'EACCES':
      return `not permitted; set a ${portKey} above 1023 or give this user the right`;
    case 'EADDRNOTAVAIL':
      return `this machine has no such address; correct ${addressKey}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name does not resolve; correct ${addressKey}`;
    default:
      return error.message;
  }
}

/**
 * Sockets of Node behind the session machine's ports: TCP or TLS, names resolved at every attempt and every address of
 * a name tried. All plain sockets of one client read into one buffer, so that a reply is copied once.
 */
import dns from 'node:dns/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Host } from './connect-string.ts';

/** What a connection tells, until `hangUp`. */
export interface ConnectionEvents {
  onOpen(): void;
  /** Valid during the call only. */
  onBytes(bytes: Uint8Array): void;
  onClosed(cause: string): void;
}

export interface Connection {
  /** The bytes are valid during the call only. */
  send(bytes: Uint8Array): void;
  /** Drops it; no event comes afterwards. */
  hangUp(): void;
  /** Lets it go in order: what was sent arrives first. No event comes afterwards. */
  end(): void;
}

export interface Transport {
  dial(host: Host, events: ConnectionEvents): Connection;
  /** Whether the server there is read-write; null = it did not say. */
  probe(host: Host, timeoutMs: number): Promise<boolean | null>;
  /** The servers behind a name of SRV records. */
  resolveSrv(name: string): Promise<readonly Host[]>;
}

/** Options of `node:tls`, or a function that is asked at every attempt (certificates that are renewed). */
export type TlsOptions = ConnectionOptions | (() => ConnectionOptions);

const READ_BUFFER_BYTES = 64 * 1024;
/** `isro` is answered `ro` or `rw`. */
const MODE_BYTES = 2;

export class NodeTransport implements Transport {
  private readonly tls: TlsOptions | null;
  private readonly buffer = new Uint8Array(READ_BUFFER_BYTES);

  constructor(tls: TlsOptions | null) {
    this.tls = tls;
  }

  dial(host: Host, events: ConnectionEvents): Connection {
    try {
      const socket = this.open(host, (bytes) => events.onBytes(bytes));
      return new NodeConnection(socket, this.tls !== null, events);
    } catch (error) {
      // A function of TLS options that throws, or a certificate that is none: an attempt that failed, as any other.
      return new FailedConnection(describe(error as Error), events);
    }
  }

  async probe(host: Host, timeoutMs: number): Promise<boolean | null> {
    const { promise, resolve } = Promise.withResolvers<boolean | null>();
    let text = '';
    const socket = this.tryOpen(host, (bytes) => {
      text += Buffer.from(bytes).toString('latin1');
      if (text.length >= MODE_BYTES)
        resolve(text.startsWith('rw') ? true : text.startsWith('ro') ? false : null);
    });
    if (socket === null) return null;
    socket.setTimeout(timeoutMs, () => resolve(null));
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(null));
    socket.on(this.tls === null ? 'connect' : 'secureConnect', () => socket.write('isro'));
    const answer = await promise;
    socket.destroy();
    return answer;
  }

  async resolveSrv(name: string): Promise<readonly Host[]> {
    // By way of the module: what `setServers` has changed counts from then on.
    const records = await dns.resolveSrv(name);
    return records.map((record) => ({ name: record.name, port: record.port }));
  }

  /** null: the TLS options cannot be had now. */
  private tryOpen(host: Host, onBytes: (bytes: Uint8Array) => void): Socket | null {
    try {
      return this.open(host, onBytes);
    } catch {
      return null;
    }
  }

  private open(host: Host, onBytes: (bytes: Uint8Array) => void): Socket {
    if (this.tls !== null) {
      const options = typeof this.tls === 'function' ? this.tls() : this.tls;
      // The name as configured is what the certificate is checked against, not what it resolves to.
      const socket = connectTls({
        servername: serverName(host.name),
        ...options,
        host: host.name,
        port: host.port,
      });
      socket.on('data', onBytes);
      return socket;
    }
    const { buffer } = this;
    return connectTcp({
      host: host.name,
      port: host.port,
      autoSelectFamily: true,
      noDelay: true,
      onread: {
        buffer,
        callback: (count) => {
          onBytes(buffer.subarray(0, count));
          return true;
        },
      },
    });
  }
}

/** Addresses are no server names in TLS. */
function serverName(name: string): string {
  return /^[\d.]+$|:/.test(name) ? '' : name;
}

/** One that never came about; told of in a later turn, as every other end is. */
class FailedConnection implements Connection {
  private over = false;

  constructor(cause: string, events: ConnectionEvents) {
    setImmediate(() => {
      if (!this.over) events.onClosed(cause);
      this.over = true;
    });
  }

  send(): void {}

  hangUp(): void {
    this.over = true;
  }

  end(): void {
    this.over = true;
  }
}

class NodeConnection implements Connection {
  private readonly socket: Socket;
  private over = false;

  constructor(socket: Socket, isTls: boolean, events: ConnectionEvents) {
    this.socket = socket;
    let cause = 'the server closed the connection';
    socket.on(isTls ? 'secureConnect' : 'connect', () => {
      socket.setNoDelay(true);
      if (!this.over) events.onOpen();
    });
    socket.on('error', (error) => {
      cause = describe(error);
    });
    socket.on('close', () => {
      if (this.over) return;
      this.over = true;
      events.onClosed(cause);
    });
  }

  send(bytes: Uint8Array): void {
    if (this.over) return;
    // Out of the pool of Node: a small array of its own would cost a microsecond more on its way through the stream.
    const copy = Buffer.allocUnsafe(bytes.length);
    copy.set(bytes);
    this.socket.write(copy);
  }

  hangUp(): void {
    this.over = true;
    this.socket.destroy();
  }

  end(): void {
    this.over = true;
    this.socket.end();
    // A server that does not close its side is not waited for.
    this.socket.destroySoon();
  }
}

/** Errors of several addresses come together; each has its own reason. */
function describe(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one: Error) => one.message).join('; ');
  return error.message;
}

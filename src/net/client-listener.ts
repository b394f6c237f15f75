/**
 * The client port: accepts sockets within the limits and hands them over. One per io thread; with `reusePort` the
 * kernel spreads connections over all threads listening on the same port. A refused socket is closed at accept,
 * before the client could send anything that counts.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { BindFailure } from '../base/failure.ts';
import { type AcceptLimits, REFUSED } from './accept-limits.ts';
import type { ConnectionTable } from './connection-table.ts';

export interface ListenOptions {
  /** null = every interface, IPv6 and IPv4. */
  readonly address: string | null;
  /** 0 = the system chooses. */
  readonly port: number;
  /** -1 = the system's default. */
  readonly backlog: number;
  readonly reusePort: boolean;
  readonly keepAlive: boolean;
}

export class ClientListener {
  private readonly server: Server;
  private readonly table: ConnectionTable;
  private readonly limits: AcceptLimits;

  constructor(table: ConnectionTable, limits: AcceptLimits, keepAlive: boolean) {
    this.table = table;
    this.limits = limits;
    // Half-open, because the connection itself decides what a client's FIN means.
    // Paused, because the connection chooses how it is read.
    const options = { allowHalfOpen: true, noDelay: true, keepAlive, pauseOnConnect: true };
    this.server = createServer(options, (socket) => this.onSocket(socket));
  }

  /** Resolves with the bound port. @throws BindFailure saying what to change. */
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

  /** Stops accepting; open connections stay. */
  close(): void {
    this.server.close();
  }

  private onSocket(socket: Socket): void {
    const remote = socket.remoteAddress;
    // Undefined: the client was gone before we looked.
    if (remote === undefined) {
      socket.destroy();
      return;
    }
    const address = clientAddress(remote);
    const admission = this.limits.admit(address);
    if (admission === REFUSED) {
      this.refuse(socket);
    } else if (!this.table.open(socket, address, socket.remotePort ?? 0, admission)) {
      this.limits.leave(admission);
      this.refuse(socket);
    }
  }

  private refuse(socket: Socket): void {
    this.table.counters.refused++;
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

/** An IPv4 client of a dual-stack socket shows as `::ffff:a.b.c.d`; everyone else expects plain `a.b.c.d`. */
export function clientAddress(remote: string): string {
  return remote.startsWith('::ffff:') && remote.includes('.') ? remote.slice('::ffff:'.length) : remote;
}

function bindFailure(options: ListenOptions, error: NodeJS.ErrnoException): BindFailure {
  const where = `${options.address ?? '*'}:${options.port}`;
  const what = `cannot listen for clients on ${where}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new BindFailure(`${what}: the port is in use; stop its owner or set another clientPort`);
    case 'EACCES':
      return new BindFailure(
        `${what}: not permitted; set a clientPort above 1023 or give this user the right`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new BindFailure(`${what}: this machine has no such address; correct clientPortAddress`);
    default:
      return new BindFailure(`${what}: ${error.message}`);
  }
}

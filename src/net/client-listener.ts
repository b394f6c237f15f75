/**
 * The client port: accepts sockets within the limits and hands them over. One per io thread; with `reusePort` the
 * kernel spreads connections over all threads listening on the same port. A refused socket is closed at accept,
 * before the client could send anything that counts.
 */
import { type AcceptLimits, REFUSED } from './accept-limits.ts';
import type { ConnectionTable } from './connection-table.ts';
import type { AcceptedSocket, Listener, ListenOptions, Transport } from './transport.ts';

export class ClientListener {
  private readonly listener: Listener;
  private readonly table: ConnectionTable;
  private readonly limits: AcceptLimits;

  constructor(table: ConnectionTable, limits: AcceptLimits, keepAlive: boolean, transport: Transport) {
    this.table = table;
    this.limits = limits;
    this.listener = transport.createListener(keepAlive, (socket) => this.onSocket(socket));
  }

  /** Resolves with the bound port. @throws BindFailure saying what to change. */
  listen(options: ListenOptions): Promise<number> {
    return this.listener.listen(options);
  }

  /** Stops accepting; open connections stay. */
  close(): void {
    this.listener.close();
  }

  private onSocket(socket: AcceptedSocket): void {
    const remote = socket.remoteAddress;
    // Undefined: the client was gone before we looked.
    if (remote === undefined) {
      socket.refuse();
      return;
    }
    const address = clientAddress(remote);
    const admission = this.limits.admit(address);
    if (admission < 0) {
      this.refuse(socket, address, admission === REFUSED);
    } else if (!this.table.open(socket, address, admission)) {
      this.limits.leave(admission);
      this.refuse(socket, address, false);
    }
  }

  private refuse(socket: AcceptedSocket, address: string, isOfAddress: boolean): void {
    this.table.counters.refused++;
    this.table.reports.refused(address, isOfAddress);
    socket.refuse();
  }
}

/** An IPv4 client of a dual-stack socket shows as `::ffff:a.b.c.d`; everyone else expects plain `a.b.c.d`. */
export function clientAddress(remote: string): string {
  return remote.startsWith('::ffff:') && remote.includes('.') ? remote.slice('::ffff:'.length) : remote;
}

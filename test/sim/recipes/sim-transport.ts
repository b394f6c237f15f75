/** The client's transport over simulated connections to simulated servers: a host's port is the index of its server. */
import type { Connection, ConnectionEvents, Transport } from '../../../src/client/node-transport.ts';
import { SimConnection } from '../sim-network.ts';
import type { SimServer } from '../sim-server.ts';

export const FIRST_PORT = 2181;

export class SimTransport implements Transport {
  /** The present one, for whoever breaks it. */
  connection: SimConnection | null = null;
  private readonly servers: readonly SimServer[];
  private readonly address: string;
  private readonly latencyMsMax: number;

  constructor(servers: readonly SimServer[], address: string, latencyMsMax: number) {
    this.servers = servers;
    this.address = address;
    this.latencyMsMax = latencyMsMax;
  }

  dial({ port }: { readonly port: number }, events: ConnectionEvents): Connection {
    const server = this.servers[port - FIRST_PORT]!;
    let isOver = false;
    const over = (): void => {
      isOver = true;
      server.connections.delete(connection);
    };
    const end = {
      onConnected: () => !isOver && events.onOpen(),
      onBytes: (bytes: Uint8Array) => !isOver && events.onBytes(bytes),
      onClosed: () => {
        if (isOver) return;
        over();
        events.onClosed('the simulated network');
      },
    };
    const connection = new SimConnection(server.world, server, end, this.address, this.latencyMsMax);
    server.connections.add(connection);
    this.connection = connection;
    const close = (how: 'fin' | 'reset') => (): void => {
      if (!isOver) connection.close(how);
      over();
    };
    return {
      send: (bytes) => {
        // Theirs again in the next turn; here they are under way for longer.
        if (!isOver) connection.send(bytes.slice());
      },
      hangUp: close('reset'),
      end: close('fin'),
    };
  }

  probe(): Promise<null> {
    return Promise.resolve(null);
  }

  resolveSrv(): Promise<never> {
    return Promise.reject(new TypeError('no names here'));
  }
}

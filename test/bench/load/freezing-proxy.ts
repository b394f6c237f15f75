/** In front of a server; stops forwarding replies when told to, as a server that freezes does. */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import type { Address } from '../../../bench/base/address.ts';

export interface FreezingProxy {
  readonly address: Address;
  /** From now on no connection gets a reply. */
  freeze(): void;
  /** Those that are open get none any more; new ones do. */
  freezeOpen(): void;
  stop(): void;
}

export async function startFreezingProxy(port: number): Promise<FreezingProxy> {
  let frozen = false;
  const frozenClients = new Set<Socket>();
  const clients = new Set<Socket>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = createConnection({ host: '127.0.0.1', port });
    clients.add(client);
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => frozen || frozenClients.has(client) || client.write(chunk));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => {
        clients.delete(client);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    freeze: () => {
      frozen = true;
    },
    freezeOpen: () => {
      for (const client of clients) frozenClients.add(client);
    },
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

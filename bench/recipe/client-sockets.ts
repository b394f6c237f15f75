/**
 * Where the clients of one worker have their connections: counts the bytes of all of them, which the report divides by the
 * requests, and decides which server each goes to. A connect string would be shuffled; the load says itself where it is.
 */
import {
  type Connection,
  type ConnectionEvents,
  NodeTransport,
  type Transport,
} from '../../src/client/node-transport.ts';
import type { Address } from '../base/address.ts';

export class ClientSockets {
  bytesRead = 0;
  bytesWritten = 0;
  private readonly sockets = new NodeTransport(null);

  /** `index` spreads the clients over the addresses; after a loss each goes on to the next one. */
  transport(addresses: readonly Address[], index: number): Transport {
    let next = index;
    return {
      dial: (_host, events) => this.dial(addresses[next++ % addresses.length]!, events),
      probe: () => Promise.resolve(null),
      resolveSrv: () => Promise.reject(new Error('the engine names its servers by address')),
    };
  }

  private dial({ host, port }: Address, events: ConnectionEvents): Connection {
    const connection = this.sockets.dial(
      { name: host, port },
      {
        onOpen: () => events.onOpen(),
        onBytes: (bytes) => {
          this.bytesRead += bytes.length;
          events.onBytes(bytes);
        },
        onClosed: (cause) => events.onClosed(cause),
      },
    );
    return {
      send: (bytes) => {
        this.bytesWritten += bytes.length;
        connection.send(bytes);
      },
      hangUp: () => connection.hangUp(),
      end: () => connection.end(),
    };
  }
}

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
import { type Address, addressText } from '../base/address.ts';

export class ClientSockets {
  bytesRead = 0;
  bytesWritten = 0;
  private readonly sockets = new NodeTransport(null);
  private readonly open = new Map<string, number>();

  /** `index` spreads the clients over the addresses; after a loss each goes on to the next one. */
  transport(addresses: readonly Address[], index: number): Transport {
    let next = index;
    return {
      dial: (_host, events) => this.dial(addresses[next++ % addresses.length]!, events),
      probe: () => Promise.resolve(null),
      resolveSrv: () => Promise.reject(new Error('the engine names its servers by address')),
    };
  }

  /** Connections to it now. */
  openTo(address: Address): number {
    return this.open.get(addressText(address)) ?? 0;
  }

  private dial(address: Address, events: ConnectionEvents): Connection {
    let isOpen = false;
    const setOpen = (open: boolean): void => {
      if (open !== isOpen) this.open.set(addressText(address), this.openTo(address) + (open ? 1 : -1));
      isOpen = open;
    };
    const connection = this.sockets.dial(
      { name: address.host, port: address.port },
      {
        onOpen: () => {
          setOpen(true);
          events.onOpen();
        },
        onBytes: (bytes) => {
          this.bytesRead += bytes.length;
          events.onBytes(bytes);
        },
        onClosed: (cause) => {
          setOpen(false);
          events.onClosed(cause);
        },
      },
    );
    return {
      send: (bytes) => {
        this.bytesWritten += bytes.length;
        connection.send(bytes);
      },
      hangUp: () => {
        setOpen(false);
        connection.hangUp();
      },
      end: () => {
        setOpen(false);
        connection.end();
      },
    };
  }
}

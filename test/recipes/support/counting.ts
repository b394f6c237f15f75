/**
 * Counts what goes over the connections of clients: requests without pings, and events. What a recipe costs its server.
 */
import { type Connection, type ConnectionEvents, NodeTransport } from '../../../src/client/node-transport.ts';
import { EVENT_XID, PING_XID, splitFrames } from './frames.ts';

export class CountingTransport extends NodeTransport {
  requests = 0;
  events = 0;

  constructor() {
    super(null);
  }

  override dial(host: Parameters<NodeTransport['dial']>[0], events: ConnectionEvents): Connection {
    const answers = splitFrames((xid) => {
      if (xid === EVENT_XID) this.events++;
    });
    const requests = splitFrames((xid) => {
      if (xid !== PING_XID) this.requests++;
    });
    const inner = super.dial(host, {
      onOpen: () => events.onOpen(),
      onBytes: (bytes) => {
        answers(bytes);
        events.onBytes(bytes);
      },
      onClosed: (cause) => events.onClosed(cause),
    });
    return {
      send: (bytes) => {
        requests(bytes);
        inner.send(bytes);
      },
      end: () => inner.end(),
      hangUp: () => inner.hangUp(),
    };
  }
}

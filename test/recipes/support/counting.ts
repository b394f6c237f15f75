/**
 * Counts what goes over the connections of clients: requests without pings, and events. What a recipe costs its server.
 */
import { type Connection, type ConnectionEvents, NodeTransport } from '../../../src/client/node-transport.ts';

/** Where the xid of a frame is, behind its length. */
const XID_AT = 4;
const EVENT = -1;
const PING = -2;

export class CountingTransport extends NodeTransport {
  requests = 0;
  events = 0;

  constructor() {
    super(null);
  }

  override dial(host: Parameters<NodeTransport['dial']>[0], events: ConnectionEvents): Connection {
    const inner = super.dial(host, {
      onOpen: () => events.onOpen(),
      onBytes: (bytes) => {
        for (const xid of xidsIn(bytes)) if (xid === EVENT) this.events++;
        events.onBytes(bytes);
      },
      onClosed: (cause) => events.onClosed(cause),
    });
    return {
      send: (bytes) => {
        for (const xid of xidsIn(bytes)) if (xid !== PING) this.requests++;
        inner.send(bytes);
      },
      end: () => inner.end(),
      hangUp: () => inner.hangUp(),
    };
  }
}

/** Small frames over loopback come whole. */
function* xidsIn(bytes: Uint8Array): Generator<number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + XID_AT + 4 <= bytes.length; at += 4 + view.getInt32(at))
    yield view.getInt32(at + XID_AT);
}

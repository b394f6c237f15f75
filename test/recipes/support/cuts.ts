/**
 * Cuts the connection of a client at its k-th write, in three ways, and goes on until a run needs no k-th write:
 *
 *     request   it never leaves
 *     reply     the server has executed it, the answer does not arrive
 *     expiry    it never leaves, and the session ends meanwhile
 *
 * A write is what left in one turn; recipes that wait for each answer write once per request.
 */
import { connect, type Zk } from '../../../src/client/index.ts';
import {
  type Connection,
  type ConnectionEvents,
  NodeTransport,
  type Transport,
} from '../../../src/client/node-transport.ts';

export type Cut = 'request' | 'reply' | 'expiry';

/** Where the xid of a frame is, behind its length. */
const XID_AT = 4;
const CLOSED = 'cut by the test';

class CuttingTransport implements Transport {
  reached = false;
  zk: Zk | null = null;
  private readonly inner = new NodeTransport(null);
  private readonly at: number;
  private readonly cut: Cut;
  private readonly address: string;
  private writes = 0;

  constructor(at: number, cut: Cut, address: string) {
    this.at = at;
    this.cut = cut;
    this.address = address;
  }

  probe(): Promise<null> {
    return Promise.resolve(null);
  }

  resolveSrv(): Promise<never> {
    throw new TypeError('no SRV records here');
  }

  dial(host: Parameters<Transport['dial']>[0], events: ConnectionEvents): Connection {
    let handshaken = false;
    let lostXid: number | null = null;
    let gone = false;
    const end = (): void => {
      if (gone) return;
      gone = true;
      connection.hangUp();
      events.onClosed(CLOSED);
    };
    const connection = this.inner.dial(host, {
      onOpen: () => events.onOpen(),
      onBytes: (bytes) => {
        if (gone) return;
        if (lostXid === null) events.onBytes(bytes);
        else if (hasFrame(bytes, lostXid)) end();
      },
      onClosed: (cause) => {
        if (!gone) events.onClosed(cause);
        gone = true;
      },
    });
    return {
      hangUp: () => {
        gone = true;
        connection.hangUp();
      },
      end: () => {
        gone = true;
        connection.end();
      },
      send: (bytes) => {
        if (!handshaken) {
          handshaken = true;
          connection.send(bytes);
          return;
        }
        if (gone || this.reached || this.zk === null || ++this.writes !== this.at) {
          if (!gone) connection.send(bytes);
          return;
        }
        this.reached = true;
        if (this.cut === 'reply') {
          lostXid = new DataView(bytes.buffer, bytes.byteOffset).getInt32(XID_AT);
          connection.send(bytes);
        } else if (this.cut === 'request') setImmediate(end);
        else void this.expire().then(end);
      },
    };
  }

  /** Another client takes the session and closes it. */
  private async expire(): Promise<void> {
    const { ticket } = this.zk!.core.driver.machine.session;
    const thief = await connect(this.address, { session: ticket });
    await thief.close();
  }
}

function hasFrame(bytes: Uint8Array, xid: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + XID_AT + 4 <= bytes.length; at += 4 + view.getInt32(at)) {
    if (view.getInt32(at + XID_AT) === xid) return true;
  }
  return false;
}

/**
 * Runs `step` with a client of its own whose connection is cut at write 1, 2, … in each way of `cuts`. What it counts as
 * right is for `step` to assert.
 */
export async function cutAtEachStep(
  address: string,
  step: (zk: Zk, label: string) => Promise<void>,
  cuts: readonly Cut[] = ['request', 'reply', 'expiry'],
): Promise<void> {
  for (const cut of cuts) {
    for (let at = 1; ; at++) {
      const transport = new CuttingTransport(at, cut, address);
      const zk = await connect(address, { transport });
      transport.zk = zk;
      try {
        await step(zk, `${cut}-${at}`);
      } catch (error) {
        throw new Error(`cut of ${cut} at write ${at}: ${(error as Error).message}`, { cause: error });
      } finally {
        await zk.close();
      }
      if (!transport.reached) break;
    }
  }
}

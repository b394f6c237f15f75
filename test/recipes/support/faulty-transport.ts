/**
 * The connection of a client that meets one fault at its k-th request, counted behind the handshake and without pings:
 *
 *     request      it never leaves, the connection ends
 *     reply        the server has executed it; its answer does not arrive, the connection ends
 *     expiry       as `request`, and the session has ended before the client can come back
 *     lateExpiry   as `reply`, and the session has ended before the client can come back
 *     killed       it never leaves, nor anything behind it; the client hears nothing any more, as a process that is no more
 *     killedAfter  the server has executed it, and that was the last
 *
 * Who is killed leaves its session behind; `endSession` does what its expiry would do, at a moment that the test knows.
 */
import { connect, type SessionTicket, type Zk } from '../../../src/client/index.ts';
import {
  type Connection,
  type ConnectionEvents,
  NodeTransport,
  type Transport,
} from '../../../src/client/node-transport.ts';
import { PING_XID, splitFrames } from './frames.ts';

export type Cut = 'request' | 'reply' | 'expiry' | 'lateExpiry';
export type Kill = 'killed' | 'killedAfter';
type Fault = Cut | Kill;

const CLOSED = 'cut by the test';
/** They wait for what the request brings about. */
const EXECUTED: ReadonlySet<Fault> = new Set(['reply', 'lateExpiry', 'killedAfter']);

/** As the server does when it has not heard of the session for too long. */
export async function endSession(address: string, session: SessionTicket): Promise<void> {
  const thief = await connect(address, { session });
  await thief.close();
}

export class FaultyTransport implements Transport {
  /** Whether there was a k-th request. */
  reached = false;
  /** Settles when the client has been killed. */
  readonly died: Promise<void>;
  private readonly inner = new NodeTransport(null);
  private readonly at: number;
  private readonly fault: Fault;
  private readonly address: string;
  private readonly die: () => void;
  private zk: Zk | null = null;
  private isDead = false;
  private requests = 0;

  constructor(at: number, fault: Fault, address: string) {
    this.at = at;
    this.fault = fault;
    this.address = address;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.died = promise;
    this.die = resolve;
  }

  /** A client whose requests count from now on. */
  async connect(): Promise<Zk> {
    this.zk = await connect(this.address, { transport: this });
    // Chance spreads clients that come back together; this one comes back at once.
    this.zk.core.driver.random = () => 0;
    return this.zk;
  }

  /** No fault any more. */
  disarm(): void {
    this.zk = null;
  }

  probe(): Promise<null> {
    return Promise.resolve(null);
  }

  resolveSrv(): Promise<never> {
    throw new TypeError('no SRV records here');
  }

  dial(host: Parameters<Transport['dial']>[0], events: ConnectionEvents): Connection {
    if (this.isDead) return { send: () => undefined, end: () => undefined, hangUp: () => undefined };
    /** Nothing is told to the client any more. */
    let gone = false;
    let lostXid: number | null = null;
    const meet = (): void => {
      if (gone) return;
      gone = true;
      connection.hangUp();
      this.isDead = this.fault === 'killed' || this.fault === 'killedAfter';
      if (this.isDead) this.die();
      else void this.endSessionIfAsked().then(() => events.onClosed(CLOSED));
    };
    const answers = splitFrames((xid, frame) => {
      if (lostXid === xid) meet();
      else if (!gone) events.onBytes(frame);
    });
    const connection = this.inner.dial(host, {
      onOpen: () => events.onOpen(),
      onBytes: answers,
      onClosed: (cause) => {
        if (!gone) events.onClosed(cause);
        gone = true;
      },
    });
    const stop = (how: 'end' | 'hangUp') => (): void => {
      gone = true;
      connection[how]();
    };
    const requests = splitFrames((xid, frame) => {
      if (gone) return;
      const isCounted = this.zk !== null && !this.reached && xid !== PING_XID;
      const isIt = isCounted && ++this.requests === this.at;
      if (isIt) this.reached = true;
      if (isIt && EXECUTED.has(this.fault)) lostXid = xid;
      else if (isIt) {
        // What left before it arrives first.
        gone = this.fault === 'killed' || this.fault === 'killedAfter';
        setImmediate(() => {
          gone = false;
          meet();
        });
        return;
      }
      connection.send(frame);
    });
    return { send: requests, hangUp: stop('hangUp'), end: stop('end') };
  }

  private async endSessionIfAsked(): Promise<void> {
    if (this.fault === 'expiry' || this.fault === 'lateExpiry')
      await endSession(this.address, this.zk!.core.driver.machine.session.ticket);
  }
}

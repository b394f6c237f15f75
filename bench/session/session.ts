/**
 * A session for the few requests beside the load: set-up, tear-down, probes. It is the client library's (`src/client`), held to
 * one connection to one server: where a user's client would connect again, this one has ended and says why, because who
 * prepares a tree or watches a server must know. The load's own sessions are `load/session-socket.ts`.
 *
 *     connecting --session--> open --close, destroy, or the connection's end--> closed
 *         '--too late, refused--> closed (`connect` throws)
 */
import { type ErrorName, isZk, open, type Zk } from '../../src/client/index.ts';
import {
  type Connection,
  type ConnectionEvents,
  NodeTransport,
  type Transport,
} from '../../src/client/node-transport.ts';
import { OPEN_ACL } from '../../src/wire/acl.ts';
import { FRAME_BYTES_SANE_MAX } from '../../src/wire/limits.ts';
import { CreateFlags, OpCode } from '../../src/wire/opcodes.ts';
import { type Address, addressText } from '../base/address.ts';
import { CLOSED_BEFORE_SESSION, CREDENTIALS_REFUSED } from './refusal.ts';

/** The connection ended before the reply: the outcome of the request is unknown. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

export interface SessionLimits {
  /** For the session to be given. */
  readonly withinMs: number;
  readonly sessionTimeoutMs?: number;
  /** For each reply: a connection that owes one for longer is left. 0 = none. */
  readonly replyMs?: number;
}

const SESSION_TIMEOUT_MS = 10_000;
/** A server that does not answer the end of a session is left after this time. */
const CLOSE_MS_MAX = 2_000;
const CLOSED = 'the server closed the connection';
/** All read into one buffer. */
const SOCKETS = new NodeTransport(null);

export class Session {
  readonly address: Address;
  private client: Zk | null = null;
  private cause: Error | null = null;
  private greeted = false;
  private readonly greeting = Promise.withResolvers<void>();

  private constructor(address: Address) {
    this.address = address;
    this.greeting.promise.catch(() => {}); // whoever connects hears of it
  }

  /** @throws ConnectionLost when nothing answers with a session in time. */
  static async connect(address: Address, limits: SessionLimits): Promise<Session> {
    const session = new Session(address);
    const { withinMs } = limits;
    const deadline = setTimeout(
      () => session.destroy(new Error(`no session within ${withinMs} ms`)),
      withinMs,
    );
    try {
      await session.open(limits);
      await session.greeting.promise;
      return session;
    } finally {
      clearTimeout(deadline);
    }
  }

  get isOpen(): boolean {
    return this.greeted && this.cause === null;
  }

  /** @throws ConnectionLost when there was no reply, ZkError when it is an error. Calls may follow without waiting. */
  async ask<T>(what: (zk: Zk) => Promise<T>): Promise<T> {
    try {
      return await what(this.client!);
    } catch (error) {
      if (!isZk(error) || error.outcome === 'refused') throw error;
      if (error.code === 'OPERATIONTIMEOUT') this.destroy(new Error('no answer'));
      throw this.cause === null ? new ConnectionLost(error.message, { cause: error }) : this.lost();
    }
  }

  /** The error that a server answers with; null when it does what was asked. @throws ConnectionLost */
  async errorOf(what: (zk: Zk) => Promise<unknown>): Promise<ErrorName | null> {
    try {
      await this.ask(what);
      return null;
    } catch (error) {
      if (isZk(error)) return error.code;
      throw error;
    }
  }

  /**
   * A persistent znode, open to everyone, by the oldest of the requests: services that know no `create2`, which the client
   * sends, can be measured too. As `errorOf`.
   */
  create(path: string, data: Uint8Array): Promise<ErrorName | null> {
    return this.errorOf(({ core }) =>
      core.call({
        request: { op: OpCode.create, path, data, acl: OPEN_ACL, flags: CreateFlags.persistent },
        path,
        bytes: 3 * path.length + data.length,
        decode: () => undefined,
      }),
    );
  }

  /** Ends the session on the server too. */
  async close(): Promise<void> {
    if (this.isOpen) {
      const grace = setTimeout(() => this.destroy(), CLOSE_MS_MAX);
      await this.client!.close();
      clearTimeout(grace);
    }
    this.destroy();
  }

  /** Drops the connection without a word; requests without a reply are rejected with `cause`. */
  destroy(cause: Error = new Error(this.greeted ? CLOSED : CLOSED_BEFORE_SESSION)): void {
    this.cause ??= cause;
    this.client?.detach();
    this.greeting.reject(this.lost());
  }

  private async open({ sessionTimeoutMs = SESSION_TIMEOUT_MS, replyMs = 0 }: SessionLimits): Promise<void> {
    const zk = await open(addressText(this.address), {
      sessionTimeoutMs,
      auth: (this.address.auth ?? []).map(({ scheme, auth }) => ({ scheme, auth: Buffer.from(auth) })),
      onExpired: 'close',
      offlineQueue: 'fail',
      requestTimeoutMs: replyMs,
      // What a service takes is what is asked: nothing is refused here.
      requestBytesMax: FRAME_BYTES_SANE_MAX,
      replyBytesMax: FRAME_BYTES_SANE_MAX,
      transport: new OneConnection((reason) => this.destroy(this.endOf(reason))),
    });
    this.client = zk;
    zk.core.listen(({ state, cause }) => {
      if (state === 'authFailed') this.destroy(new Error(CREDENTIALS_REFUSED));
      else if (state === 'expired') this.destroy(new Error('the server refused the session'));
      else if (state === 'suspended') this.destroy(this.endOf(cause ?? CLOSED));
      else if (state === 'connected' || state === 'readonly') {
        this.greeted = true;
        this.greeting.resolve();
      }
    });
    if (this.cause !== null) zk.detach();
  }

  private endOf(reason: string): Error {
    return new Error(!this.greeted && reason === CLOSED ? CLOSED_BEFORE_SESSION : reason);
  }

  private lost(): ConnectionLost {
    return new ConnectionLost(this.cause!.message, { cause: this.cause });
  }
}

/** Sockets as every client has them, but only one; `onEnd` hears of its end before the client does. */
class OneConnection implements Transport {
  private readonly onEnd: (reason: string) => void;
  private isUsed = false;

  constructor(onEnd: (reason: string) => void) {
    this.onEnd = onEnd;
  }

  dial(host: Parameters<Transport['dial']>[0], events: ConnectionEvents): Connection {
    if (this.isUsed) {
      setImmediate(() => this.onEnd('no answer in time'));
      return { send: () => {}, hangUp: () => {}, end: () => {} };
    }
    this.isUsed = true;
    return SOCKETS.dial(host, {
      onOpen: () => events.onOpen(),
      onBytes: (bytes) => events.onBytes(bytes),
      onClosed: (reason) => {
        this.onEnd(reason);
        events.onClosed(reason);
      },
    });
  }

  probe(): Promise<null> {
    return Promise.resolve(null);
  }

  resolveSrv(): Promise<never> {
    return Promise.reject(new Error('the engine names its servers by address'));
  }
}

/**
 * A session for a few requests and no longer than `withinMs`.
 * @throws ConnectionLost when that is not enough, or whatever `use` throws.
 */
export async function withSession<T>(
  address: Address,
  withinMs: number,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await Session.connect(address, { withinMs });
  const deadline = setTimeout(() => session.destroy(new Error(`no answer within ${withinMs} ms`)), withinMs);
  try {
    return await use(session);
  } finally {
    clearTimeout(deadline);
    await session.close();
  }
}

/**
 * What stands between one server and one port of another: a listener on loopback that hands connections on. Direction by
 * direction the two paths between the servers are what network.ts makes of them.
 *
 *     from --dials--> listener --both paths open, `to` listens--> to        until then a connection waits, and says nothing
 *
 * On the election port a server says where it may be called back (src/wire/election-notification.ts), and a larger one ends the
 * connection and calls there: past the listener, were the address not replaced on the way by that of the link back.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Prng } from '../../src/base/prng.ts';
import {
  decodeInitialMessage,
  encodeInitialMessage,
  INITIAL_MESSAGE_BYTES_MAX,
} from '../../src/wire/election-notification.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import { BytePath, type PathState } from './byte-path.ts';

const HOST = '127.0.0.1';
/**
 * A port that nobody listens on yet: who dials a real one is refused and tries again, but here it has been accepted already,
 * and an end would mean that a leader has given it up. So it waits, as for a machine that does not answer.
 */
const REFUSED_MS_MAX = 1_000;
const RETRY_MS = 10;
/** Servers hold one or two; more are of one that dials again and again while it is cut off, and the oldest goes. */
const CONNECTIONS_MAX = 64;

export interface LinkPaths {
  readonly forth: PathState;
  readonly back: PathState;
}

export class ServerLink {
  readonly port: number;
  private readonly server: Server;
  private readonly targetPort: number;
  private readonly paths: LinkPaths;
  private readonly prng: Prng;
  /** The port of the link by which the other one may call back; null where nobody asks for that. */
  private readonly callBackPort: () => number | null;
  private readonly connections = new Set<LinkedConnection>();

  private constructor(
    server: Server,
    targetPort: number,
    paths: LinkPaths,
    prng: Prng,
    callBackPort: () => number | null,
  ) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    this.targetPort = targetPort;
    this.paths = paths;
    this.prng = prng;
    this.callBackPort = callBackPort;
    server.on('connection', (near) => this.accept(near));
  }

  /** To `targetPort` of loopback. */
  static async open(
    targetPort: number,
    paths: LinkPaths,
    prng: Prng,
    callBackPort: () => number | null = () => null,
  ): Promise<ServerLink> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    server.listen(0, HOST);
    await once(server, 'listening');
    return new ServerLink(server, targetPort, paths, prng, callBackPort);
  }

  /** The paths have changed. */
  go(): void {
    for (const connection of this.connections) connection.go();
  }

  close(): void {
    this.server.close();
    for (const connection of this.connections) connection.destroy();
  }

  private accept(near: Socket): void {
    const [oldest] = this.connections;
    if (this.connections.size >= CONNECTIONS_MAX) oldest!.destroy();
    const port = this.callBackPort();
    const change = port === null ? undefined : callBackAt(port);
    const connection = new LinkedConnection(near, this.targetPort, this.paths, this.prng, change);
    this.connections.add(connection);
    connection.onOver = () => this.connections.delete(connection);
    connection.go();
  }
}

class LinkedConnection {
  onOver: () => void = () => {};
  private readonly near: Socket;
  private readonly targetPort: number;
  private readonly paths: LinkPaths;
  private readonly prng: Prng;
  private readonly change: ((bytes: Uint8Array) => Uint8Array) | undefined;
  private far: Socket | null = null;
  private readonly refusedUntilMs = monotonicMs() + REFUSED_MS_MAX;
  private retry: NodeJS.Timeout | null = null;
  private streams: readonly BytePath[] = [];
  private closed = 0;

  constructor(
    near: Socket,
    targetPort: number,
    paths: LinkPaths,
    prng: Prng,
    change: ((bytes: Uint8Array) => Uint8Array) | undefined,
  ) {
    this.near = near;
    this.targetPort = targetPort;
    this.paths = paths;
    this.prng = prng;
    this.change = change;
    this.watch(near);
  }

  go(): void {
    if (this.far === null && this.retry === null) this.dial();
    for (const stream of this.streams) stream.go();
  }

  destroy(): void {
    if (this.retry !== null) clearTimeout(this.retry);
    this.near.resetAndDestroy();
    this.far?.resetAndDestroy();
    this.onOver();
  }

  /** No handshake without both ways. */
  private dial(): void {
    this.retry = null;
    const { forth, back } = this.paths;
    if (forth.isCut || back.isCut || this.near.destroyed) return;
    const far = connect({ host: HOST, port: this.targetPort, noDelay: true, allowHalfOpen: true });
    this.far = far;
    far.on('error', () => {
      if (this.streams.length === 0) this.onRefused();
    });
    far.on('connect', () => {
      this.watch(far);
      this.streams = [
        new BytePath(this.near, far, forth, this.prng, this.change),
        new BytePath(far, this.near, back, this.prng),
      ];
      for (const stream of this.streams) stream.go();
    });
  }

  private onRefused(): void {
    this.far = null;
    if (monotonicMs() < this.refusedUntilMs) this.retry = setTimeout(() => this.dial(), RETRY_MS);
    else this.destroy();
  }

  private watch(socket: Socket): void {
    socket.on('error', () => {}); // 'close' follows, and is what the other side hears
    socket.on('close', () => {
      if (++this.closed === 2 || this.far === null) this.onOver();
    });
  }
}

/** Replaces the address in the first message of a connection; what is no such message goes on as it is. */
function callBackAt(port: number): (bytes: Uint8Array) => Uint8Array {
  let waiting: Uint8Array | null = Buffer.alloc(0);
  return (bytes) => {
    if (waiting === null) return bytes;
    const all: Uint8Array = Buffer.concat([waiting, bytes]);
    const read = decodeInitialMessage(all, all.length);
    if (read === 'needs more' && all.length < INITIAL_MESSAGE_BYTES_MAX) {
      waiting = all;
      return Buffer.alloc(0);
    }
    waiting = null;
    if (typeof read === 'string' || read.message.sid === null) return all;
    const changed = encodeInitialMessage(read.message.sid, [{ host: HOST, port }], 'V1');
    return Buffer.concat([changed, all.subarray(read.bytes)]);
  };
}

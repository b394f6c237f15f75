/**
 * The network between clients and a server's machine: one TCP connection is two streams of segments in order, each with
 * its time of arrival. What can happen to them is decided by whoever owns the connection:
 *
 *     stall       nothing arrives before a time           halfOpen   one direction loses everything, and nobody is told
 *     reset       both ends are told, what is under way is lost
 *
 * The machine's kernel is on this side: it completes connections and takes bytes whether its process runs or not.
 */
import type { AcceptedSocket, Listener, ListenOptions } from '../../src/net/transport.ts';
import { type Segment, ServerSocket } from './server-socket.ts';
import type { PollSource, SimLoop } from './sim-loop.ts';
import type { Mischief } from './variants.ts';
import type { World } from './world.ts';

export interface ClientEnd {
  onConnected(): void;
  onBytes(bytes: Uint8Array): void;
  /** FIN or reset: there will be nothing more. */
  onClosed(): void;
}

/** The machine as the network sees it. */
export interface NetworkHost {
  /** False: nobody answers at all. */
  readonly isUp: boolean;
  /** On one port: the kernel gives a connection to any of them. */
  readonly listeners: readonly SimListener[];
  readonly variant: Mischief;
  /** Bytes of a client have reached the kernel. */
  onHeard(connection: SimConnection): void;
  /** Some of them were not read before the connection broke. */
  onUnread(connection: SimConnection): void;
}

const LATENCY_MS_MIN = 0.05;
/** Of what a client sends at once: arrives in two parts. */
const CUT_SHARE = 0.1;

/** One direction. */
class Stream {
  stalledUntilMs = 0;
  isDeaf = false;
  /** Bytes sent and not arrived. */
  underWay = 0;
  private readonly world: World;
  private readonly latencyMsMax: number;
  private readonly deliver: (segment: Segment, isPart: boolean) => void;
  private lastArrivalMs = 0;
  /** What was sent in an earlier one never arrives. */
  private epoch = 0;

  constructor(world: World, latencyMsMax: number, deliver: (segment: Segment, isPart: boolean) => void) {
    this.world = world;
    this.latencyMsMax = latencyMsMax;
    this.deliver = deliver;
  }

  /** `isPart`: more of the same request follows. */
  send(segment: Segment, isPart = false): void {
    const { world, epoch } = this;
    const latencyMs = world.span(LATENCY_MS_MIN, this.latencyMsMax);
    const arrivalMs = Math.max(world.nowMs + latencyMs, this.lastArrivalMs, this.stalledUntilMs);
    this.lastArrivalMs = arrivalMs;
    const length = typeof segment === 'string' ? 0 : segment.length;
    this.underWay += length;
    world.after(arrivalMs - world.nowMs, () => {
      if (epoch !== this.epoch) return;
      this.underWay -= length;
      if (!this.isDeaf) this.deliver(segment, isPart);
    });
  }

  loseAll(): void {
    this.epoch++;
    this.underWay = 0;
  }
}

export class SimConnection {
  readonly address: string;
  readonly port: number;
  /** Null before the server's kernel has it, and after its machine has forgotten it. */
  socket: ServerSocket | null = null;
  /** Set by the client once it knows. */
  sessionId = 0n;
  readonly toServer: Stream;
  readonly toClient: Stream;
  /** Bytes the kernel takes from the server before the client has them. */
  readonly sendBufferBytes: number;
  private readonly world: World;
  private readonly host: NetworkHost;
  private client: ClientEnd | null;

  constructor(world: World, host: NetworkHost, client: ClientEnd, address: string, latencyMsMax: number) {
    const { prng } = world;
    this.world = world;
    this.host = host;
    this.client = client;
    this.address = address;
    this.port = 30_000 + prng.below(30_000);
    this.sendBufferBytes = prng.pick([700, 4096, 65_536, 1 << 20]);
    this.toServer = new Stream(world, latencyMsMax, (segment, isPart) => this.atServer(segment, isPart));
    this.toClient = new Stream(world, latencyMsMax, (segment) => this.atClient(segment));
    world.after(world.span(LATENCY_MS_MIN, latencyMsMax), () => this.arrive());
  }

  get isOpen(): boolean {
    return this.client !== null;
  }

  // ---- the client's side -----------------------------------------------------------------------------------

  /** A whole request. Its pieces are cut here and not where they are read: a kernel gives all that it has. */
  send(bytes: Uint8Array): void {
    const { prng } = this.world;
    const cut = prng.chance(CUT_SHARE) ? 1 + prng.below(Math.min(bytes.length - 1, 40)) : 0;
    if (cut > 0) this.toServer.send(bytes.subarray(0, cut), true);
    this.toServer.send(bytes.subarray(cut));
  }

  /** The client has given it up. */
  close(how: 'fin' | 'reset'): void {
    this.client = null;
    this.toServer.send(how);
  }

  // ---- faults ----------------------------------------------------------------------------------------------

  reset(): void {
    if (this.socket?.hasUnread === true) this.host.onUnread(this);
    this.toServer.loseAll();
    this.toClient.loseAll();
    this.toServer.send('reset');
    this.toClient.send('reset');
  }

  /** The server's process has died: its kernel tells the client, behind what it had taken. */
  abandon(): void {
    this.socket = null;
    this.toClient.send('reset');
  }

  /** The server's machine has lost power: nobody tells anybody. */
  forget(): void {
    this.socket = null;
    this.toClient.loseAll();
  }

  // ---- arrivals --------------------------------------------------------------------------------------------

  private arrive(): void {
    const { host, world } = this;
    if (this.client === null || !host.isUp) return;
    const [first] = host.listeners;
    if (first === undefined) {
      this.toClient.send('reset');
      return;
    }
    const listener = host.listeners.length > 1 ? world.prng.pick(host.listeners) : first;
    this.socket = new ServerSocket(this, listener.loop, host.variant.events);
    listener.backlog.push(this.socket);
    world.after(world.span(LATENCY_MS_MIN, 1), () => this.client?.onConnected());
  }

  private atServer(segment: Segment, isPart: boolean): void {
    if (!this.host.isUp) return;
    if (this.socket === null) {
      if (segment !== 'reset') this.toClient.send('reset');
      return;
    }
    // What a client had sent before it left may arrive when the server has closed that connection too.
    if (typeof segment !== 'string' && this.isOpen && !isPart) this.host.onHeard(this);
    if (segment === 'reset' && this.socket.hasUnread) this.host.onUnread(this);
    this.socket.arrived(segment);
  }

  private atClient(segment: Segment): void {
    const { client } = this;
    if (client === null) return;
    if (typeof segment !== 'string') {
      client.onBytes(segment);
      return;
    }
    this.client = null;
    if (segment === 'fin') this.toServer.send('fin');
    client.onClosed();
  }
}

/** A port of one incarnation of a server. */
export class SimListener implements Listener, PollSource {
  readonly backlog: ServerSocket[] = [];
  readonly loop: SimLoop;
  private readonly onSocket: (socket: AcceptedSocket) => void;
  /** `port`: it is open; null = not any more. */
  private readonly onListening: (listener: SimListener, port: number | null) => void;
  private readonly open: Set<ServerSocket>;

  constructor(
    loop: SimLoop,
    open: Set<ServerSocket>,
    onSocket: (socket: AcceptedSocket) => void,
    onListening: (listener: SimListener, port: number | null) => void,
  ) {
    this.loop = loop;
    this.open = open;
    this.onSocket = onSocket;
    this.onListening = onListening;
  }

  async listen(options: ListenOptions): Promise<number> {
    this.loop.watch(this);
    this.onListening(this, options.port);
    return options.port;
  }

  close(): void {
    this.loop.unwatch(this);
    this.onListening(this, null);
    for (const socket of this.backlog.splice(0)) socket.refuse();
  }

  isReady(): boolean {
    return this.backlog.length > 0;
  }

  poll(): void {
    for (const socket of this.backlog.splice(0)) {
      this.open.add(socket);
      this.onSocket(socket);
    }
  }
}

/**
 * TCP between the machines of an ensemble, kernel to kernel; the processes on them see Node's sockets (server-socket.ts,
 * dialled-socket.ts). A machine that stands still goes on taking connections and bytes; what is sent into a cut way is tried
 * again until it is healed.
 *
 *     cut a>b       nothing of a reaches b, and nobody is told     reset     both ends are told, what is under way is lost
 *     stall         a connection carries nothing for a while       unknown   a name that does not resolve at present
 *     power loss    one end is gone without a word; the other learns of it when it sends to the machine that came back
 */
import type { DialHandler, DialOptions, ReadBuffer, SocketPort } from '../../../src/net/transport.ts';
import type { PeerPorts } from '../machine.ts';
import type { KernelConnection, Segment } from '../server-socket.ts';
import { ServerSocket } from '../server-socket.ts';
import type { SimLoop } from '../sim-loop.ts';
import type { SimListener } from '../sim-network.ts';
import type { World } from '../world.ts';
import { DialledSocket } from './dialled-socket.ts';

const LATENCY_MS_MIN = 0.05;
/** Of a kernel that tries again to reach somebody. */
const RETRANSMIT_MS = 60;

export class PeerNetwork {
  readonly world: World;
  readonly latencyMsMax: number;
  /** By name. */
  readonly hosts = new Map<string, PeerHost>();
  readonly connections = new Set<PeerConnection>();
  /** `a>b`: nothing of a arrives at b. */
  readonly cuts = new Set<string>();
  readonly unknownNames = new Set<string>();

  constructor(world: World, latencyMsMax: number) {
    this.world = world;
    this.latencyMsMax = latencyMsMax;
  }

  host(name: string): PeerHost {
    const host = new PeerHost(this, name);
    this.hosts.set(name, host);
    return host;
  }

  isCut(from: PeerHost, to: PeerHost): boolean {
    return this.cuts.size > 0 && this.cuts.has(`${from.name}>${to.name}`);
  }

  latencyMs(): number {
    return this.world.span(LATENCY_MS_MIN, this.latencyMsMax);
  }
}

/** A machine's kernel. */
export class PeerHost implements PeerPorts {
  readonly name: string;
  readonly network: PeerNetwork;
  hasPower = true;
  /** How often it has lost its power: a connection of an earlier life is not known any more. */
  life = 0;
  private readonly ports = new Map<number, SimListener>();

  constructor(network: PeerNetwork, name: string) {
    this.network = network;
    this.name = name;
  }

  listenerOn(port: number): SimListener | undefined {
    return this.ports.get(port);
  }

  open(port: number, listener: SimListener): void {
    this.ports.set(port, listener);
  }

  close(listener: SimListener): void {
    for (const [port, open] of this.ports) if (open === listener) this.ports.delete(port);
  }

  dial(
    _process: object,
    loop: SimLoop,
    options: DialOptions,
    buffer: ReadBuffer,
    handler: DialHandler,
  ): SocketPort {
    const connection = new PeerConnection(this.network, this, options);
    const socket = new DialledSocket(connection.ends[0], loop);
    connection.begin(socket);
    socket.begin(buffer, handler);
    return socket;
  }

  /** Its process is gone; the kernel closes what it had open. */
  processDied(): void {
    this.ports.clear();
    for (const connection of this.network.connections) connection.processDied(this);
  }

  powerOn(): void {
    this.hasPower = true;
  }

  powerLost(): void {
    this.hasPower = false;
    this.life++;
    this.ports.clear();
    for (const connection of this.network.connections) connection.powerLost(this);
  }
}

/** What a process, or a stranger, has of a connection. */
interface NearSocket {
  readonly hasUnread: boolean;
  arrived(segment: Segment): void;
}

/** That of who dials. */
export interface DiallingSocket extends NearSocket {
  /** Neither connected nor given up. */
  readonly isWaiting: boolean;
  connected(): void;
  failed(why: string): void;
}

/** A connection, from the first try on: end 0 has dialled. */
export class PeerConnection {
  readonly ends: readonly [PeerEnd, PeerEnd];
  readonly network: PeerNetwork;
  stalledUntilMs = 0;
  private readonly options: DialOptions;
  private readonly deadlineMs: number;

  private dialling: DiallingSocket | null = null;

  constructor(network: PeerNetwork, dialler: PeerHost, options: DialOptions) {
    const { world } = network;
    this.network = network;
    this.options = options;
    this.deadlineMs = world.nowMs + options.timeoutMs;
    const near = new PeerEnd(this, 0, dialler);
    const target = network.hosts.get(options.host) ?? dialler;
    this.ends = [near, new PeerEnd(this, 1, target)];
  }

  begin(socket: DiallingSocket): void {
    const { network } = this;
    this.dialling = socket;
    this.ends[0].socket = socket;
    network.connections.add(this);
    network.world.after(network.latencyMs(), () => this.knock());
  }

  /** Asks for the connection, again and again. */
  private knock(): void {
    const { network, options, ends } = this;
    const { world } = network;
    const [near, far] = ends;
    const socket = this.dialling;
    // Given up, or its process is gone.
    if (socket === null || near.socket === null || !socket.isWaiting) {
      network.connections.delete(this);
      return;
    }
    const fail = (why: string): void => {
      network.connections.delete(this);
      socket.failed(why);
    };
    if (network.unknownNames.has(options.host) || !network.hosts.has(options.host)) {
      fail('the name does not resolve');
    } else if (
      network.isCut(near.host, far.host) ||
      network.isCut(far.host, near.host) ||
      !far.host.hasPower
    ) {
      if (world.nowMs >= this.deadlineMs) fail(`no connection within ${options.timeoutMs} ms`);
      else world.after(RETRANSMIT_MS, () => this.knock());
    } else {
      const listener = far.host.listenerOn(options.port);
      if (listener === undefined) fail('nobody listens there');
      else this.join(listener, socket);
    }
  }

  private join(listener: SimListener, socket: DiallingSocket): void {
    const [near, far] = this.ends;
    const accepted = new ServerSocket(far, listener.loop, undefined);
    far.socket = accepted;
    far.begin();
    near.begin();
    listener.backlog.push(accepted);
    this.network.world.after(this.network.latencyMs(), () => socket.connected());
  }

  reset(): void {
    for (const end of this.ends) {
      end.toClient.loseAll();
      end.socket?.arrived('reset');
    }
    this.network.connections.delete(this);
  }

  processDied(host: PeerHost): void {
    for (const end of this.ends) {
      if (end.host !== host || end.socket === null) continue;
      const { hasUnread } = end.socket;
      end.socket = null;
      if (end.isJoined) end.toClient.send(hasUnread ? 'reset' : 'fin');
      else this.network.connections.delete(this);
    }
  }

  powerLost(host: PeerHost): void {
    for (const end of this.ends) {
      if (end.host !== host) continue;
      end.socket = null;
      end.toClient.loseAll();
    }
    if (this.ends.every(({ socket }) => socket === null)) this.network.connections.delete(this);
  }
}

/** One end: what its process sends goes through `toClient` to the other. */
class PeerEnd implements KernelConnection {
  readonly connection: PeerConnection;
  readonly host: PeerHost;
  readonly toClient: PeerStream;
  readonly port: number;
  readonly sendBufferBytes: number;
  /** Null: its process knows nothing of it. */
  socket: NearSocket | null = null;
  isJoined = false;
  life = 0;
  private readonly side: 0 | 1;

  constructor(connection: PeerConnection, side: 0 | 1, host: PeerHost) {
    const { prng } = connection.network.world;
    this.connection = connection;
    this.side = side;
    this.host = host;
    this.port = 30_000 + prng.below(30_000);
    this.sendBufferBytes = prng.pick([2000, 65_536, 1 << 20]);
    this.toClient = new PeerStream(this);
  }

  get other(): PeerEnd {
    return this.connection.ends[this.side === 0 ? 1 : 0];
  }

  /** Of the other end, as a process sees it. */
  get address(): string {
    return this.other.host.name;
  }

  begin(): void {
    this.isJoined = true;
    this.life = this.host.life;
  }

  /** From the other end. */
  arrived(segment: Segment): void {
    if (this.socket !== null && this.life === this.host.life) {
      this.socket.arrived(segment);
      return;
    }
    // A kernel that knows nothing of this connection says so.
    if (segment !== 'reset') this.toClient.send('reset');
    else this.connection.network.connections.delete(this.connection);
  }

  /** What its process has not read still fills the sender's window. */
  onRead(bytes: number): void {
    this.other.toClient.underWay -= bytes;
  }
}

/** One direction: segments in order. */
class PeerStream {
  /** Bytes sent and not read. */
  underWay = 0;
  private readonly from: PeerEnd;
  private queue: { readonly segment: Segment; readonly atMs: number }[] = [];
  private lastArrivalMs = 0;
  private isWaiting = false;
  private epoch = 0;

  constructor(from: PeerEnd) {
    this.from = from;
  }

  send(segment: Segment): void {
    const { network } = this.from.connection;
    const { nowMs } = network.world;
    const atMs = Math.max(
      nowMs + network.latencyMs(),
      this.lastArrivalMs,
      this.from.connection.stalledUntilMs,
    );
    this.lastArrivalMs = atMs;
    if (typeof segment !== 'string') this.underWay += segment.length;
    this.queue.push({ segment, atMs });
    this.wait(atMs - nowMs);
  }

  loseAll(): void {
    this.epoch++;
    this.queue = [];
    this.underWay = 0;
    this.isWaiting = false;
  }

  private wait(ms: number): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    const { epoch } = this;
    this.from.connection.network.world.after(ms, () => {
      if (epoch !== this.epoch) return;
      this.isWaiting = false;
      this.deliver();
    });
  }

  private deliver(): void {
    const { from } = this;
    const { network } = from.connection;
    const { nowMs } = network.world;
    const target = from.other;
    if (network.isCut(from.host, target.host) || !target.host.hasPower) {
      this.wait(RETRANSMIT_MS);
      return;
    }
    const { epoch } = this;
    while (this.queue.length > 0 && this.queue[0]!.atMs <= nowMs) {
      target.arrived(this.queue.shift()!.segment);
      if (epoch !== this.epoch) return;
    }
    if (this.queue.length > 0) this.wait(this.queue[0]!.atMs - nowMs);
  }
}

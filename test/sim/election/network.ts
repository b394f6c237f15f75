/**
 * TCP between the election ports of simulated servers, behind the same `Transport` as Node's: names, refusals, latency, bytes in
 * any pieces, stalls, resets, and machines that lose power without a word.
 *
 *     cut a→b       nothing of a arrives at b; TCP goes on trying, and what was sent arrives when it is healed
 *     reset         both ends are told, what is under way is lost
 *     kill          its connections end; for `dyingMs` its kernel takes new ones, and resets them then
 *     power loss    one end is gone and tells nobody; the other learns of it when it sends something after the return
 */
import { BindFailure } from '../../../src/base/failure.ts';
import type {
  AcceptedSocket,
  DialHandler,
  DialOptions,
  Listener,
  ListenOptions,
  ReadBuffer,
  SocketHandler,
  SocketPort,
  Transport,
} from '../../../src/net/transport.ts';
import type { World } from '../world.ts';

/** One incarnation of a server's process, as its kernel sees it. */
export interface Host {
  readonly name: string;
  /** Process and machine are there. */
  readonly isAlive: boolean;
  /** Runs `callback` on its event loop: not before a pause is over, never after its death. */
  run(callback: () => void): void;
  /** What leaves it, as its variant has it; null = nothing. */
  alter(bytes: Uint8Array, to: string): Uint8Array | null;
}

const LATENCY_MS_MIN = 0.1;
/** Of a kernel that is asked again and again for somebody who cannot be reached. */
const RETRANSMIT_MS = 50;

export class ElectionNetwork {
  readonly latencyMsMax: number;
  readonly world: World;
  dyingMs = 0;
  readonly listeners = new Map<string, SimListener>();
  readonly connections = new Set<Connection>();
  /** `a>b`: nothing of a arrives at b. */
  readonly cuts = new Set<string>();
  /** Names that do not resolve at present. */
  readonly unknownNames = new Set<string>();
  private readonly downNames = new Set<string>();

  constructor(world: World, latencyMsMax: number) {
    this.world = world;
    this.latencyMsMax = latencyMsMax;
  }

  transportOf(host: Host): Transport {
    return {
      createListener: (_keepAlive, onSocket) => new SimListener(this, host, onSocket),
      dial: (options, buffer, handler) => this.dial(host, options, buffer, handler),
    };
  }

  latencyMs(): number {
    return this.world.span(LATENCY_MS_MIN, this.latencyMsMax);
  }

  isCut(from: string, to: string): boolean {
    return this.cuts.has(`${from}>${to}`);
  }

  private dial(host: Host, options: DialOptions, buffer: ReadBuffer, handler: DialHandler): SocketPort {
    const connection = new Connection(this, host, options.host);
    const end = connection.ends[0];
    end.open(buffer, handler);
    const { world } = this;
    const fail = (why: string): void => end.failDial(why);
    const deadlineMs = world.nowMs + options.timeoutMs;
    const attempt = (): void => {
      if (end.isClosed) return;
      if (world.nowMs >= deadlineMs) fail(`no connection within ${options.timeoutMs} ms`);
      else if (this.unknownNames.has(options.host)) fail('the name does not resolve');
      else if (
        this.isCut(host.name, options.host) ||
        this.isCut(options.host, host.name) ||
        !this.isUp(options.host)
      )
        world.after(RETRANSMIT_MS, attempt);
      else this.connect(connection, options, handler, fail);
    };
    world.after(this.latencyMs(), attempt);
    return end;
  }

  private connect(
    connection: Connection,
    options: DialOptions,
    handler: DialHandler,
    fail: (why: string) => void,
  ): void {
    const listener = this.listeners.get(`${options.host}:${options.port}`);
    if (listener === undefined) {
      fail('nobody listens there');
      return;
    }
    this.connections.add(connection);
    connection.ends[1].host = listener.host;
    const [end] = connection.ends;
    this.world.after(this.latencyMs(), () => end.tell(() => handler.onOpen()));
    if (!listener.host.isAlive) return;
    listener.host.run(() => {
      const accepted = connection.ends[1];
      if (accepted.isClosed) return;
      listener.onSocket({
        remoteAddress: connection.ends[0].host.name,
        remotePort: 1,
        open: (buffer, socketHandler) => {
          accepted.open(buffer, socketHandler);
          return accepted;
        },
        refuse: () => accepted.destroy(),
      });
    });
  }

  /** Somebody's kernel answers at that name, if only by a refusal. */
  isUp(name: string): boolean {
    return !this.downNames.has(name);
  }

  /** The process of `host` has ended; with `power` its machine too, which then tells nobody. */
  kill(host: Host, power: boolean): void {
    const close = (): void => {
      for (const [place, listener] of [...this.listeners])
        if (listener.host === host) this.listeners.delete(place);
      for (const connection of [...this.connections]) connection.lose(host, power);
    };
    if (power) this.downNames.add(host.name);
    if (power || this.dyingMs === 0) {
      close();
      return;
    }
    for (const connection of [...this.connections]) connection.lose(host, power);
    this.world.after(this.dyingMs, close);
  }

  /** Its machine is there again. */
  revive(name: string): void {
    this.downNames.delete(name);
  }
}

export class SimListener implements Listener {
  readonly host: Host;
  readonly onSocket: (socket: AcceptedSocket) => void;
  private readonly network: ElectionNetwork;
  private place = '';

  constructor(network: ElectionNetwork, host: Host, onSocket: (socket: AcceptedSocket) => void) {
    this.network = network;
    this.host = host;
    this.onSocket = onSocket;
  }

  async listen({ address, port }: ListenOptions): Promise<number> {
    this.place = `${address ?? this.host.name}:${port}`;
    if (this.network.listeners.has(this.place)) throw new BindFailure(`${this.place} is in use`);
    this.network.listeners.set(this.place, this);
    return port;
  }

  close(): void {
    if (this.network.listeners.get(this.place) === this) this.network.listeners.delete(this.place);
  }
}

class Connection {
  readonly ends: readonly [End, End];
  readonly network: ElectionNetwork;
  private readonly lastArrivalMs = [0, 0];
  private stalledUntilMs = 0;
  private readonly underWay: (() => void)[][] = [[], []];

  constructor(network: ElectionNetwork, dialler: Host, to: string) {
    this.network = network;
    this.ends = [new End(this, 0, dialler), new End(this, 1, { ...dialler, name: to })];
  }

  stall(ms: number): void {
    this.stalledUntilMs = this.network.world.nowMs + ms;
  }

  /** `arrive` at the other side of `from`, behind what was sent before. */
  carry(from: 0 | 1, arrive: () => void): void {
    const { world } = this.network;
    const atMs = Math.max(
      world.nowMs + this.network.latencyMs(),
      this.lastArrivalMs[from]!,
      this.stalledUntilMs,
    );
    this.lastArrivalMs[from] = atMs;
    this.underWay[from]!.push(arrive);
    world.after(atMs - world.nowMs, () => this.deliver(from));
  }

  /** The oldest that is under way; again later while the way is cut. */
  private deliver(from: 0 | 1): void {
    const [a, b] = [this.ends[from].host.name, this.ends[from === 0 ? 1 : 0].host.name];
    if (this.network.isCut(a, b)) this.network.world.after(RETRANSMIT_MS, () => this.deliver(from));
    else this.underWay[from]!.shift()?.();
  }

  reset(): void {
    for (const end of this.ends) end.broken();
  }

  /** One end's process is gone. */
  lose(host: Host, power: boolean): void {
    for (const side of [0, 1] as const) {
      if (this.ends[side].host !== host) continue;
      this.ends[side].isClosed = true;
      const other = this.ends[side === 0 ? 1 : 0];
      if (!power) this.carry(side, () => other.broken());
    }
  }
}

class End implements SocketPort {
  host: Host;
  isClosed = false;
  readonly queuedBytes = 0;
  private readonly connection: Connection;
  private readonly side: 0 | 1;
  private buffer: ReadBuffer | null = null;
  private handler: (SocketHandler & Partial<DialHandler>) | null = null;
  /** Came before the process took the connection. */
  private early: (() => void)[] = [];
  private hasEnded = false;

  constructor(connection: Connection, side: 0 | 1, host: Host) {
    this.connection = connection;
    this.side = side;
    this.host = host;
  }

  private get other(): End {
    return this.connection.ends[this.side === 0 ? 1 : 0];
  }

  open(buffer: ReadBuffer, handler: SocketHandler): void {
    this.buffer = buffer;
    this.handler = handler;
    for (const one of this.early.splice(0)) this.host.run(one);
  }

  /** On the event loop of its process, unless it is closed by then. */
  tell(callback: () => void): void {
    const guarded = (): void => {
      if (!this.isClosed) callback();
    };
    if (this.handler === null) this.early.push(guarded);
    else this.host.run(guarded);
  }

  failDial(why: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.host.run(() => this.handler!.onDialFailed!(why));
  }

  /** Told by the network. */
  broken(): void {
    this.connection.network.connections.delete(this.connection);
    if (this.isClosed) return;
    this.isClosed = true;
    const { handler } = this;
    if (handler !== null) this.host.run(() => handler.onClose());
  }

  private arrived(bytes: Uint8Array): void {
    if (this.isClosed) {
      const { network } = this.connection;
      // A kernel that knows nothing of this connection says so; a machine without power says nothing, and is tried again.
      if (network.isUp(this.host.name)) this.connection.carry(this.side, () => this.other.broken());
      else network.world.after(RETRANSMIT_MS, () => this.arrived(bytes));
      return;
    }
    this.tell(() => {
      const buffer = this.buffer!;
      buffer.bytes.set(bytes);
      this.handler!.onBytes(buffer, bytes.length);
    });
  }

  write(bytes: Buffer, done?: (error?: Error | null) => void): void {
    if (this.isClosed) return;
    const altered = this.host.alter(new Uint8Array(bytes), this.other.host.name);
    const { world } = this.connection.network;
    if (done !== undefined) world.after(0.01, () => this.tell(() => done(null)));
    if (altered === null) return;
    const cut = world.prng.chance(0.2) ? world.prng.below(altered.length) : 0;
    for (const part of [altered.subarray(0, cut), altered.subarray(cut)])
      if (part.length > 0) this.connection.carry(this.side, () => this.other.arrived(part));
  }

  end(): void {
    if (this.isClosed || this.hasEnded) return;
    this.hasEnded = true;
    this.connection.carry(this.side, () => {
      const { other } = this;
      other.tell(() => other.handler!.onEnd());
    });
  }

  destroy(): void {
    if (this.isClosed) return;
    this.end();
    this.isClosed = true;
    this.connection.network.connections.delete(this.connection);
    const { handler } = this;
    if (handler !== null) this.host.run(() => handler.onClose());
  }

  writeNow(): number {
    return 0;
  }
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
}

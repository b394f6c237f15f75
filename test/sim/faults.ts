/** What goes wrong in a run: each seed draws some of the kinds and how often they come. */
import type { ServerConfig } from '../../src/server/config/server-config.ts';
import type { SimClient } from './sim-client.ts';
import type { SimServer } from './sim-server.ts';
import type { World } from './world.ts';

export const FAULT_KINDS = [
  'crash',
  'powerLoss',
  'powerLossInDiskCall',
  'restart',
  'pause',
  'clockJump',
  'stall',
  'reset',
  'halfOpen',
  'slowDisk',
  'failedSync',
  'fullDisk',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

const DOWN_MS_MAX = 3000;

export class Faults {
  readonly counts = new Map<FaultKind, number>();
  /** A disk fault was injected: the server may end. */
  mayEnd = false;
  /** Nothing goes wrong any more. */
  isOver = false;
  /** Somebody else starts and stops the server. */
  isHeld = false;
  private readonly world: World;
  private readonly server: SimServer;
  private readonly clients: readonly SimClient[];
  private readonly config: ServerConfig;

  constructor(world: World, server: SimServer, clients: readonly SimClient[], config: ServerConfig) {
    this.world = world;
    this.server = server;
    this.clients = clients;
    this.config = config;
  }

  /** Each kind with its own rhythm. */
  schedule(kinds: readonly FaultKind[], everyMsMax: number): void {
    const { world } = this;
    for (const kind of kinds) {
      const next = (): void =>
        world.after(everyMsMax * (0.05 + world.prng.fraction()), () => {
          if (this.isOver) return;
          this.strike(kind);
          next();
        });
      next();
    }
  }

  /** Brings the server back, whatever has become of it. */
  startAgain(): void {
    if (!this.server.isRunning) this.start();
  }

  private strike(kind: FaultKind): void {
    if (!this.apply(kind)) return;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** False: it could not be done now. */
  private apply(kind: FaultKind): boolean {
    const { world, server } = this;
    const { prng } = world;
    const client = prng.pick(this.clients);
    const connection = client.connection;
    switch (kind) {
      case 'stall':
      case 'reset':
      case 'halfOpen':
        return connection !== null && this.strikeConnection(kind, client);
      case 'clockJump':
        world.setWallClock(Math.round((prng.fraction() - 0.5) * 10_000_000));
        return true;
      case 'slowDisk':
        server.diskMsMax = prng.pick([1, 10, 300]);
        return true;
      default:
        return server.isServing && this.strikeServer(kind);
    }
  }

  private strikeConnection(kind: 'stall' | 'reset' | 'halfOpen', client: SimClient): boolean {
    const { world } = this;
    const connection = client.connection!;
    world.trace(client.name, `suffers a ${kind}`);
    const stream = world.prng.pick([connection.toServer, connection.toClient]);
    if (kind === 'reset') connection.reset();
    else if (kind === 'halfOpen') stream.isDeaf = true;
    else stream.stalledUntilMs = world.nowMs + world.span(1, 5000);
    return true;
  }

  private strikeServer(kind: FaultKind): boolean {
    const { world, server } = this;
    const { prng } = world;
    switch (kind) {
      case 'crash':
        server.crash();
        break;
      case 'powerLoss':
        server.powerLoss();
        break;
      case 'powerLossInDiskCall':
        server.powerLossWithin(prng.below(12));
        break;
      case 'pause':
        server.pause(world.span(20, 20_000));
        return true;
      case 'restart':
        if (!server.isStarted) return false;
        void server.stop();
        break;
      case 'failedSync':
        this.mayEnd = true;
        server.disk.syncsLeft = prng.below(4);
        break;
      case 'fullDisk':
        this.mayEnd = true;
        server.disk.bytesFree = prng.below(20_000);
        break;
      default:
        return false;
    }
    return true;
  }

  /** Watches over the server: who is down comes up again, on a disk that works. */
  keepUp(): void {
    const { world } = this;
    const look = (): void => {
      if (!this.isHeld && !this.server.isRunning) this.start();
      world.after(world.span(10, DOWN_MS_MAX), look);
    };
    look();
  }

  private start(): void {
    this.server.disk.syncsLeft = Number.POSITIVE_INFINITY;
    this.server.disk.bytesFree = Number.POSITIVE_INFINITY;
    this.mayEnd = false;
    this.server.start(this.config);
  }
}

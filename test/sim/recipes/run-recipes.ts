/**
 * One run of recipes: their real code and the real client over simulated connections to a simulated server, or to an
 * ensemble, with everything drawn from a seed. Connections break, stall until sessions end; servers are killed, lose power,
 * stand still. Then peace: every round ends, and the histories are judged.
 */
import { open, type Zk } from '../../../src/client/index.ts';
import type { ServerConfig } from '../../../src/server/config/server-config.ts';
import { drawConfig } from '../draw-config.ts';
import { drawEnsemble } from '../ensemble/draw-ensemble.ts';
import { PeerNetwork } from '../ensemble/peer-network.ts';
import type { ServerObserver } from '../machine.ts';
import { SimServer } from '../sim-server.ts';
import { SOUND } from '../variants.ts';
import { Violation, World } from '../world.ts';
import { takeTime } from './node-time.ts';
import { FIRST_PORT, SimTransport } from './sim-transport.ts';
import { mayFail, type Work, worksOf } from './works.ts';

const FRAME_BYTES = 32 * 1024;
const ROUNDS = 6;
const REST_MS_MAX = 1_500;
const FAULT_MS = 15_000;
/** Virtual; all of it is done long before. */
const PEACE_MS = 600_000;

export interface RunResult {
  readonly violation: string | null;
  /** What has happened how often. */
  readonly counts: ReadonlyMap<string, number>;
  readonly steps: number;
}

const NOBODY: ServerObserver = {
  onRecovered: () => undefined,
  onProposal: () => undefined,
  onHeard: () => undefined,
  onPause: () => undefined,
  onUnread: () => undefined,
  onLogLine: () => undefined,
};

export interface RecipesOptions {
  /** Several servers, as they are drawn for the ensemble's own runs. */
  readonly isEnsemble?: boolean;
  readonly works?: (clients: number, seed: number) => readonly Work[];
}

export async function runRecipes(seed: number, options: RecipesOptions = {}): Promise<RunResult> {
  const run = new Run(seed, options);
  const giveBack = takeTime(run.world);
  let violation: string | null = null;
  try {
    await run.all();
  } catch (error) {
    violation = String((error as Error).stack ?? error);
  } finally {
    giveBack();
  }
  return { violation, counts: run.counts, steps: run.world.steps };
}

interface Machine {
  readonly server: SimServer;
  readonly config: ServerConfig;
}

/** Lists of contenders are longer than the tiniest frames. */
function withRoom(config: ServerConfig): ServerConfig {
  const room = { requestRingBytes: 4 * FRAME_BYTES, proposalRingBytes: 8 * FRAME_BYTES };
  return { ...config, ...room, frameBytesMax: FRAME_BYTES, juteExtraBytes: FRAME_BYTES };
}

function standaloneIn(world: World): Machine {
  const config = withRoom(drawConfig(world, false));
  return { config, server: new SimServer(world, SOUND, NOBODY) };
}

function ensembleIn(world: World): Machine[] {
  const network = new PeerNetwork(world, world.prng.pick([0.5, 3, 20]));
  return drawEnsemble(world).configs.map((drawn, i) => {
    const name = `s${i + 1}`;
    const server = new SimServer(world, SOUND, NOBODY, name, network.host(name));
    return { server, config: withRoom(drawn) };
  });
}

class Run {
  readonly world: World;
  readonly counts = new Map<string, number>();
  private readonly machines: readonly Machine[];
  private readonly servers: readonly SimServer[];
  private readonly transports: SimTransport[] = [];
  private readonly clients: Zk[] = [];
  private readonly config: ServerConfig;
  private readonly works: (clients: number, seed: number) => readonly Work[];
  /** Told when they do not end. */
  private readonly underWay = new Set<string>();
  private hasPeace = false;
  private failure: { readonly error: unknown } | null = null;

  constructor(seed: number, { isEnsemble = false, works = worksOf }: RecipesOptions) {
    const world = new World(seed, false);
    this.world = world;
    this.works = works;
    this.machines = isEnsemble ? ensembleIn(world) : [standaloneIn(world)];
    this.servers = this.machines.map(({ server }) => server);
    this.config = this.machines[0]!.config;
  }

  async all(): Promise<void> {
    const { world, servers } = this;
    this.startAll();
    for (let i = 0; i < 3; i++) this.clients.push(await this.client(i));
    const [first] = this.clients;
    const works = this.works(this.clients.length, this.world.seed);
    await this.finish(Promise.all(works.map((work) => work.prepare?.(first!))), PEACE_MS);
    this.breakThings();
    const rounds = this.clients.flatMap((zk) => works.map((work) => this.rounds(zk, work)));
    const all = Promise.all(rounds);
    world.after(FAULT_MS, () => {
      this.hasPeace = true;
    });
    await this.finish(all, PEACE_MS);
    this.hasPeace = true;
    this.startAll();
    const judge = await this.client(9);
    for (const work of works) await this.finish(work.judge(judge), PEACE_MS);
    for (const zk of [...this.clients, judge]) await this.finish(zk.close(), PEACE_MS);
    for (const server of servers) void server.stop();
  }

  /** Those that are down. */
  private startAll(): void {
    for (const { server, config } of this.machines) if (!server.isRunning) server.start(config);
  }

  private async client(index: number): Promise<Zk> {
    const { prng } = this.world;
    const transport = new SimTransport(this.servers, `10.0.0.${index}`, prng.pick([0.3, 3, 60]));
    this.transports.push(transport);
    const hosts = this.servers.map((_, i) => `sim:${FIRST_PORT + i}`).join();
    const sessionTimeoutMs = this.config.minSessionTimeoutMs * (1 + prng.below(4));
    const zk = await open(hosts, { transport, sessionTimeoutMs });
    zk.core.listen(({ state }) => this.count(state));
    return zk;
  }

  private async rounds(zk: Zk, work: Work): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      const label = `${work.name}, round ${round} of client ${this.clients.indexOf(zk)}`;
      this.underWay.add(label);
      await new Promise((resolve) => setTimeout(resolve, this.world.prng.below(REST_MS_MAX)));
      await work.round(zk, round).then(
        () => this.count('a round was done'),
        (error: unknown) => {
          mayFail(error);
          this.count('a round failed');
        },
      );
      this.underWay.delete(label);
    }
  }

  /** Runs the world until it has settled. */
  private async finish(promise: Promise<unknown>, limitMs: number): Promise<void> {
    let isOver = false;
    promise.then(
      () => {
        isOver = true;
      },
      (error: unknown) => {
        this.failure ??= { error };
      },
    );
    const isDone = (): boolean => {
      if (this.failure !== null) throw this.failure.error;
      return isOver;
    };
    if (await this.world.run(isDone, limitMs)) return;
    throw new Violation(`never ends: ${[...this.underWay].join(', ')}`);
  }

  private breakThings(): void {
    const { world } = this;
    const { prng } = world;
    const everyMs = prng.pick([200, 800, 3_000]);
    const next = (): void =>
      world.after(everyMs * (0.1 + prng.fraction()), () => {
        if (this.hasPeace) return;
        this.strike();
        next();
      });
    next();
  }

  private strike(): void {
    const { world } = this;
    const { prng } = world;
    const server = prng.pick(this.servers);
    const { connection } = prng.pick(this.transports);
    const kind = prng.pick(['reset', 'reset', 'stall', 'halfOpen', 'kill', 'powerLoss', 'pause'] as const);
    if (kind === 'reset' || kind === 'stall' || kind === 'halfOpen') {
      if (connection === null || !connection.isOpen) return;
      const stream = prng.pick([connection.toServer, connection.toClient]);
      if (kind === 'reset') connection.reset();
      else if (kind === 'halfOpen') stream.isDeaf = true;
      else stream.stalledUntilMs = world.nowMs + world.span(1, 2 * this.config.maxSessionTimeoutMs);
    } else {
      if (!server.isServing) return;
      if (kind === 'pause') server.pause(world.span(20, 5_000));
      else {
        if (kind === 'kill') server.crash();
        else server.powerLoss();
        world.after(world.span(1, 3_000), () => this.startAll());
      }
    }
    this.count(kind);
  }

  private count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

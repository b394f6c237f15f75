/**
 * One run: a server and its clients under faults, then peace, then the reckoning.
 *
 *     faults   virtual seconds to minutes of load; the judge looks at every message
 *     peace    faults end, the server comes up, every client gets a write done
 *     silence  clients that have vanished lose their sessions, and their ephemerals with them
 *     audit    every path is read; then an orderly stop, a start, and the same again
 */

import type { ServerConfig } from '../../src/server/config/server-config.ts';
import { OPEN_ACL } from '../../src/wire/acl.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { damageSomewhere } from '../storage/support/sector-faults.ts';
import { USERS } from './access.ts';
import { drawConfig, TINY_FRAME_BYTES } from './draw-config.ts';
import { FAULT_KINDS, type FaultKind, Faults } from './faults.ts';
import { Judge } from './judge.ts';
import { outlives, overdue } from './mortality.ts';
import { SimClient } from './sim-client.ts';
import { SimServer } from './sim-server.ts';
import { drawWord, SimWord } from './sim-words.ts';
import { SOUND, type Variant } from './variants.ts';
import { type Habits, Workload } from './workload.ts';
import { Violation, World } from './world.ts';

export interface SeedResult {
  readonly seed: number;
  /** Null = everything held. */
  readonly violation: string | null;
  readonly virtualMs: number;
  readonly steps: number;
  readonly faults: ReadonlyMap<string, number>;
  /** States that this run has reached, by name. */
  readonly covered: ReadonlySet<string>;
  readonly acknowledged: number;
  readonly reads: number;
  readonly lines: readonly string[];
}

/** A client is patient for this long when nothing goes wrong any more. */
const PEACE_MS = 60_000;
const START_MS = 30_000;
const CROWD_MS = 100;
/** Beyond the interval of its looks: until the server has ended what is due. */
const SWEEP_MS = 5000;
const DIRECTORY = '/data/version-2';
/** Of a CorruptionFailure. */
const CORRUPT_STATUS = 10;

export async function runSeed(seed: number, variant: Variant = SOUND, traced = false): Promise<SeedResult> {
  const undo = variant.patch?.();
  const run = new Run(seed, variant, traced);
  let violation: string | null = null;
  try {
    await run.all();
  } catch (error) {
    violation = error instanceof Violation ? error.message : String((error as Error).stack ?? error);
    run.world.trace('violation', violation);
  } finally {
    undo?.();
  }
  return run.result(violation);
}

class Run {
  readonly world: World;
  private readonly judge: Judge;
  private readonly server: SimServer;
  private readonly clients: SimClient[] = [];
  private readonly auditor: SimClient;
  private readonly workload: Workload;
  private readonly faults: Faults;
  private readonly config: ServerConfig;
  private readonly habits: Habits;
  private damage: 'survived' | 'refused' | null = null;
  private readonly kinds: readonly FaultKind[];

  constructor(seed: number, variant: Variant, traced: boolean) {
    const world = new World(seed, traced);
    const { prng } = world;
    this.world = world;
    this.judge = new Judge(world);
    // More than the rings hold, on a disk that is slow: what waits for room is what this is about.
    const isCrowded = prng.chance(0.1);
    this.config = drawConfig(world, isCrowded);
    this.habits = {
      restMsMax: isCrowded ? 20 : prng.pick([20, 200, 1500]),
      burstMax: isCrowded ? 30 : prng.pick([1, 4, 12]),
      underWayMax: isCrowded ? 100 : prng.pick([1, 10, 60]),
      dataBytesMax: this.config.frameBytesMax === TINY_FRAME_BYTES ? 400 : prng.pick([50, 500, 5000]),
      largeShare: isCrowded ? 1 : prng.pick([0.1, 0.8]),
      whim: prng.pick([0, 0.01, 0.05]),
      hasTtl: this.config.extendedTypesEnabled,
      hasAcls: prng.chance(0.5),
      hasQuota: prng.chance(0.4),
    };
    this.kinds = FAULT_KINDS.filter(() => prng.chance(0.4));
    this.server = new SimServer(world, variant, this.judge);
    if (isCrowded) this.server.diskMsMax = 300;
    const latencyMsMax = prng.pick([0.3, 3, 60]);
    const client = (n: number): SimClient => {
      const timeoutMs = this.config.minSessionTimeoutMs * (1 + prng.below(4));
      const user = prng.pick(USERS);
      return new SimClient(`c${n}`, user, timeoutMs, latencyMsMax, () => [this.server], this.judge);
    };
    for (let n = 1; n <= 1 + prng.below(5); n++) this.clients.push(client(n));
    this.auditor = client(9);
    this.workload = new Workload(world, this.habits);
    this.faults = new Faults(world, this.server, this.clients, this.config);
  }

  async all(): Promise<void> {
    const { world, faults, workload, clients } = this;
    faults.keepUp();
    for (const client of clients) workload.start(client);
    workload.start(this.auditor);
    this.askWords();
    const { prng } = world;
    const lengthMs = prng.pick([1000, 4000, 15_000]);
    faults.schedule(this.kinds, lengthMs / prng.pick([0.5, 2, 5]));
    const requests = 40 + prng.below(200);
    await this.until(() => this.judge.acknowledged + this.judge.reads >= requests, lengthMs);
    faults.isOver = true;
    await this.peace();
    await this.silence();
    await this.audit();
    await this.stopAndStart();
    await this.audit();
    this.judge.checkRefused();
  }

  result(violation: string | null): SeedResult {
    const { world, judge, faults } = this;
    return {
      seed: world.seed,
      violation,
      virtualMs: world.virtualMs,
      steps: world.steps,
      faults: faults.counts,
      covered: this.covered(),
      acknowledged: judge.acknowledged,
      reads: judge.reads,
      lines: world.lines ?? [],
    };
  }

  /** The server must not end by itself unless its disk was made to fail. */
  private async until(isDone: () => boolean, limitMs: number): Promise<boolean> {
    return await this.world.run(() => {
      const { ended } = this.server;
      if (ended !== null && !this.faults.mayEnd) throw new Violation(`the server ended: ${ended.message}`);
      return isDone();
    }, limitMs);
  }

  private async peace(): Promise<void> {
    this.world.trace('run', 'peace');
    this.server.diskMsMax = 1;
    this.server.calm();
    this.workload.isOver = true;
    const waiting = new Set([...this.clients, this.auditor]);
    const data = new Uint8Array(1);
    const ask = (client: SimClient): void => {
      if (!waiting.has(client)) return;
      if (client.state === 'open' && client.asked.length === 0) {
        const request = {
          op: OpCode.create,
          path: `/peace-${client.name}`,
          data,
          acl: OPEN_ACL,
          flags: 0,
        } as const;
        client.send(request, () => waiting.delete(client));
      }
      this.world.after(50, () => ask(client));
    };
    for (const client of waiting) ask(client);
    if (await this.until(() => waiting.size === 0, PEACE_MS)) return;
    const names = [...waiting].map((client) => `${client.name} (${client.state})`).join(', ');
    throw new Violation(`nothing goes wrong for ${PEACE_MS} ms, and yet no write gets done by ${names}`);
  }

  private async silence(): Promise<void> {
    this.judge.checkRefused();
    const gone = this.clients.filter(() => this.world.prng.chance(0.6));
    const sessions = gone.map((client) => client.sessionId).filter((id) => id !== 0n);
    for (const client of gone) client.vanish();
    const { maxSessionTimeoutMs, tickTimeMs } = this.config;
    const { model } = this.judge;
    const { world } = this;
    const isOver = (): boolean => sessions.every((id) => !model.isLive(id, model.lastZxid));
    // A thread that stands still may be one whose clients' bytes the server waits for.
    const pausedMs = Math.max(0, this.server.pausedUntilMs - world.nowMs);
    if (!(await this.until(isOver, pausedMs + maxSessionTimeoutMs + 2 * tickTimeMs + 1000))) {
      throw new Violation('a session outlives its client for longer than its timeout');
    }
    // Ephemerals that go may leave a container empty, and a clock that was set brings many a time forward.
    const isSwept = (): boolean => overdue(model, world.wallMs).length === 0;
    const sweepMs = pausedMs + 2 * this.config.containerCheckIntervalMs + SWEEP_MS;
    if (!(await this.until(isSwept, sweepMs))) throw outlives(overdue(model, world.wallMs));
    for (const id of sessions) {
      if (model.ephemeralsOf(id).length > 0) throw new Violation('an ephemeral outlives its session');
    }
  }

  /** Now and then somebody looks at the server. */
  private askWords(): void {
    const { world, workload, server, judge } = this;
    const ask = (): void => {
      if (workload.isOver) return;
      const word = drawWord((n) => world.prng.below(n));
      new SimWord(word, server, judge, 3);
      world.after(world.span(20, 2000), ask);
    };
    world.after(world.span(1, 1000), ask);
  }

  /** Every path as the model has it, by a client that reads. */
  private async audit(): Promise<void> {
    const { auditor } = this;
    let connection = auditor.connection;
    let left = -1;
    const isOver = (): boolean => {
      // A connection may break for what went wrong earlier: then all is asked again.
      if (left < 0 || auditor.connection !== connection) {
        connection = auditor.connection;
        left = auditor.state === 'open' && auditor.asked.length === 0 ? this.askAll(() => left--) : -1;
      }
      return left === 0;
    };
    if (!(await this.until(isOver, 2 * PEACE_MS))) throw new Violation('the audit gets no answers');
  }

  private askAll(onReply: () => void): number {
    const { auditor, judge } = this;
    const paths = judge.model.paths().filter((path) => !path.startsWith('/zookeeper'));
    this.world.trace('run', `audit of ${paths.length} paths at zxid ${judge.model.lastZxid}`);
    for (const path of paths) {
      auditor.send({ op: OpCode.getData, path, watch: false }, onReply);
      auditor.send({ op: OpCode.getChildren2, path, watch: false }, onReply);
    }
    return 2 * paths.length;
  }

  private async stopAndStart(): Promise<void> {
    const { server, judge, faults } = this;
    faults.isHeld = true;
    await this.until(() => server.isServing && server.isStarted, START_MS);
    if (this.world.prng.chance(0.3)) {
      this.crowd();
      const arrivedMs = this.world.nowMs + CROWD_MS;
      await this.until(() => this.world.nowMs >= arrivedMs, START_MS);
    }
    void server.stop();
    if (!(await this.until(() => !server.isRunning, START_MS)))
      throw new Violation('the server does not stop');
    server.diskMsMax = 1;
    const before = judge.model.lastZxid;
    if (this.world.prng.chance(0.5)) await this.startDamaged();
    const { recoveries } = judge;
    faults.startAgain();
    if (!(await this.until(() => judge.recoveries > recoveries && server.isServing, START_MS))) {
      throw new Violation('the server does not start again');
    }
    faults.isHeld = false;
    if (judge.model.lastZxid < before) throw new Violation('an orderly stop took transactions back');
  }

  /** Much is under way on a slow disk: what a stop has to wait for. */
  private crowd(): void {
    this.server.diskMsMax = 300;
    const data = new Uint8Array(1);
    for (const client of [...this.clients, this.auditor]) {
      if (client.state !== 'open') continue;
      for (let n = 0; n < 30; n++) client.send({ op: OpCode.setData, path: '/', data, version: -1 });
    }
  }

  /** A sector of its files has gone bad: it starts with everything, or it says that it cannot. */
  private async startDamaged(): Promise<void> {
    const { server, judge, faults, world } = this;
    const whole = server.disk.crash(world.prng);
    const file = world.prng.pick(
      server.disk.list(DIRECTORY).filter((name) => /^(log|snapshot)\./.test(name)),
    );
    const what = damageSomewhere(world.prng, server.disk, `${DIRECTORY}/${file}`, this.dataEnd(file));
    world.trace('run', `${file}: ${what}`);
    const { recoveries } = judge;
    faults.mayEnd = true;
    server.start(this.config);
    const isSettled = (): boolean =>
      server.ended !== null || (judge.recoveries > recoveries && server.isServing);
    if (!(await this.until(isSettled, START_MS)))
      throw new Violation('a damaged server neither starts nor ends');
    const { ended } = server;
    if (ended === null) {
      this.damage = 'survived';
      server.crash();
    } else {
      this.damage = 'refused';
      if (ended.exitStatus !== CORRUPT_STATUS) throw new Violation(`damage makes it end: ${ended.message}`);
      server.disk = whole;
    }
    faults.mayEnd = false;
  }

  /** Behind it a file has zeros, if anything. */
  private dataEnd(file: string): number {
    const bytes = this.server.disk.contents(`${DIRECTORY}/${file}`);
    return bytes.findLastIndex((byte) => byte !== 0) + 1;
  }

  private covered(): Set<string> {
    const { judge, config, workload } = this;
    const covered = new Set<string>([`mode ${config.threadingMode}`]);
    for (const kind of this.faults.counts.keys()) covered.add(`fault ${kind}`);
    for (const op of workload.counts.keys()) covered.add(`op ${op}`);
    if (this.damage !== null) covered.add(`damage ${this.damage}`);
    if (judge.takenBack > 0) covered.add('a power loss took unacknowledged writes back');
    if (judge.expired > 0) covered.add('a session expired');
    if (judge.overQuota > 0) covered.add('a quota was exceeded');
    if (judge.unauthorized > 0) covered.add('a permission was missing');
    if (judge.words > 0) covered.add('a word was compared');
    if (judge.swept > 0) covered.add('a znode was ended');
    if (this.judge.events > 0) covered.add('a watch fired');
    if (this.server.fullRings > 0) covered.add('a ring was full');
    if (this.judge.snapshots > 0) covered.add('a snapshot was written');
    return covered;
  }
}

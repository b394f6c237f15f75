/**
 * Kills a server under write load, again and again on the same data directory, and looks after each restart whether what
 * it shows can be explained: everything acknowledged, a prefix of what was in flight, no half of a multi, sessions with
 * exactly their ephemerals, sequence numbers that never come twice.
 *
 *     start ──▶ settle every writer ──▶ sessions go on ──▶ load ──▶ SIGKILL ─┐
 *       ▲                                                                    │ by a signal at a random moment, or at a
 *       └────────────────────────────────────────────────────────────────────┘ chosen call of its disk (disk-fault.ts)
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Prng } from '../../../src/base/prng.ts';
import type { DiskFault } from './disk-fault.ts';
import { Server, THREADING_MODES, type ThreadingMode } from './server.ts';
import { settleAll } from './settle.ts';
import { isConnectionLoss, Writer } from './writer.ts';
import { sequenceNumber, WriterModel } from './writer-model.ts';

const WRITERS = 4;
/** Small files and frequent snapshots: kills meet every phase. */
const SETTINGS = { snapCount: 300, preAllocSize: 64, 'autopurge.purgeInterval': 1 };
/** A kill at a point of the disk that is not reached in so many writes becomes one by signal. */
const POINT_WRITES_MAX = 4000;

export type Killing = 'signal' | 'start' | 'point';

export interface CampaignOptions {
  readonly dataDir: string;
  readonly seed: number;
  readonly rounds: number;
  /** Writes that a round acknowledges at most, about. */
  readonly writesMax: number;
  /** How rounds end, in turn. */
  readonly killings: readonly Killing[];
  /** For killing `point`, in turn; by default drawn by the seed. */
  readonly points?: readonly DiskFault[];
  readonly onRound?: (round: RoundReport) => void;
}

export interface RoundReport {
  readonly round: number;
  readonly threading: ThreadingMode;
  readonly killing: Killing;
  /** For killing `point`: where. */
  readonly point: string | null;
  readonly acknowledged: number;
  /** Operations in flight at the kill, and how many of them had happened. */
  readonly inFlight: number;
  readonly happened: number;
  /** From the start of the process until it accepted clients. */
  readonly restartMs: number;
}

export class KillCampaign {
  private readonly options: CampaignOptions;
  private readonly random: Prng;
  private readonly writers: Writer[];
  /** Numbers of sequential nodes ever seen; none may come twice. */
  private readonly numbers = new Set<number>();
  private highestNumber = -1;

  constructor(options: CampaignOptions) {
    this.options = options;
    this.random = new Prng(options.seed);
    this.writers = Array.from(
      { length: WRITERS },
      (_, i) => new Writer(new WriterModel(i, new Prng(options.seed * 31 + i))),
    );
  }

  /** @throws Error naming round and seed when something cannot be explained. */
  async run(): Promise<RoundReport[]> {
    const reports: RoundReport[] = [];
    for (let round = 0; round < this.options.rounds; round++) {
      try {
        reports.push(await this.round(round));
      } catch (error) {
        throw new Error(`round ${round} with seed ${this.options.seed}`, { cause: error });
      }
      this.options.onRound?.(reports.at(-1)!);
    }
    await this.lastStart();
    return reports;
  }

  private async round(round: number): Promise<RoundReport> {
    const { killings } = this.options;
    const killing = killings[round % killings.length]!;
    // Another mode for each killing the next time it comes.
    const turn = round + Math.floor(round / killings.length);
    const threading = THREADING_MODES[turn % THREADING_MODES.length]!;
    if (killing === 'start') await this.killDuringStart(threading);
    const point = killing === 'point' ? this.point(round) : null;
    const startMs = performance.now();
    let server = await this.start(threading);
    const restartMs = Math.round(performance.now() - startMs);
    const inFlight = this.inFlight();
    const happened = await this.settleAll(server);
    if (point !== null) server = await this.replaceBy(server, { threading, faults: [point] });
    const acknowledged = await this.load(server, killing);
    const where = point === null ? null : `${point.effect} ${point.call} ${point.path} ${point.nth}`;
    return { round, threading, killing, point: where, acknowledged, inFlight, happened, restartMs };
  }

  /** An orderly start and stop at the end, and once more: what was explained stays as it is. */
  private async lastStart(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const server = await this.start('shared');
      await this.settleAll(server);
      assert.equal(this.inFlight(), 0);
      assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
    }
  }

  private start(threading: ThreadingMode): Promise<Server> {
    return Server.start({ dataDir: this.options.dataDir, threading, settings: SETTINGS });
  }

  /** Kills one and starts the next, which may be killed by its fault before it is ready. */
  private async replaceBy(
    server: Server,
    options: { readonly threading: ThreadingMode; readonly faults: readonly DiskFault[] },
  ): Promise<Server> {
    server.kill();
    await server.ended;
    const next = new Server({ dataDir: this.options.dataDir, settings: SETTINGS, ...options });
    await next.ready().catch(async (error: unknown) => {
      if ((await next.ended).signal !== 'SIGKILL') throw error;
    });
    return next;
  }

  private async killDuringStart(threading: ThreadingMode): Promise<void> {
    const server = new Server({ dataDir: this.options.dataDir, threading, settings: SETTINGS });
    await delay(this.random.below(400));
    server.kill();
    await server.ended;
  }

  private point(round: number): DiskFault {
    const { points } = this.options;
    return points === undefined ? this.randomPoint() : points[round % points.length]!;
  }

  private randomPoint(): DiskFault {
    const kill = this.random.pick(['killBefore', 'killAfter'] as const);
    const write = this.random.pick(['killBefore', 'killHalfWay', 'killAfter'] as const);
    const log = '/log\\.';
    const snapshot = 'snapshot\\.';
    return this.random.pick<DiskFault>([
      { call: 'writeSync', path: log, nth: 1 + this.random.below(30), effect: write },
      { call: 'fdatasyncSync', path: log, nth: 1 + this.random.below(30), effect: kill },
      { call: 'openSync', path: log, nth: 1 + this.random.below(4), effect: kill },
      { call: 'ftruncateSync', path: log, nth: 1 + this.random.below(3), effect: kill },
      { call: 'fsyncSync', path: '.', nth: 1 + this.random.below(4), effect: kill },
      { call: 'writeSync', path: snapshot, nth: 1 + this.random.below(2), effect: write },
      { call: 'fdatasyncSync', path: snapshot, nth: 1 + this.random.below(2), effect: kill },
      { call: 'renameSync', path: snapshot, nth: 1 + this.random.below(2), effect: kill },
      { call: 'rmSync', path: '.', nth: 1 + this.random.below(2), effect: kill },
    ]);
  }

  // ---- load ----------------------------------------------------------------------------------------------

  /** Until the server has been killed; returns how many operations it acknowledged. */
  private async load(server: Server, killing: Killing): Promise<number> {
    if (server.port === 0) return 0;
    const goal = killing === 'point' ? POINT_WRITES_MAX : 50 + this.random.below(this.options.writesMax);
    const highestBefore = this.highestNumber;
    let count = 0;
    const onAcknowledged = (created: string | null): void => {
      if (created !== null) this.onNumber(sequenceNumber(created), highestBefore);
      if (++count === goal) server.kill();
    };
    try {
      await this.connectAll(server.port);
      await Promise.all(this.writers.map((writer) => writer.run(server.port, onAcknowledged)));
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
    }
    assert.equal((await server.ended).signal, 'SIGKILL', server.stderr);
    return count;
  }

  private async connectAll(port: number): Promise<void> {
    for (const writer of this.writers) await writer.connect(port);
  }

  private onNumber(number: number, highestBefore: number): void {
    assert.ok(!this.numbers.has(number), `sequence number ${number} twice`);
    assert.ok(number > highestBefore, `sequence number ${number} after ${highestBefore} and a restart`);
    this.numbers.add(number);
    if (number > this.highestNumber) this.highestNumber = number;
  }

  // ---- after a restart -----------------------------------------------------------------------------------

  private inFlight(): number {
    return this.writers.reduce((sum, writer) => sum + writer.model.inFlightCount, 0);
  }

  /** How many operations in flight had happened. */
  private settleAll(server: Server): Promise<number> {
    return settleAll(server.port, this.writers, (number) => this.onSeen(number));
  }

  private onSeen(number: number): void {
    this.numbers.add(number);
    if (number > this.highestNumber) this.highestNumber = number;
  }
}

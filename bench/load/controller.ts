/**
 * Runs the generator workers from the main thread: opens all sessions, prepares the tree, starts every phase
 * at one instant on all workers and merges what they counted.
 */
import { Worker } from 'node:worker_threads';
import { assert } from '../../src/base/assert.ts';
import { ConfigFailure } from '../../src/base/failure.ts';
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts';
import type { Scenario } from '../plan.ts';
import { createRequest, deleteRequest } from './frames.ts';
import type { Address } from './load-connection.ts';
import { monotonicMs } from './phase-clock.ts';
import { PhaseCounters } from './phase-counters.ts';
import { RawSession } from './raw-session.ts';
import type { Answer, Command, WorkerPhaseReport, WorkerSetting } from './worker-messages.ts';

/** Workers build their tapes in this time before the common start. */
const START_LEAD_MS = 500;
const CONNECT_MS_MAX = 5_000;
const CLOSE_MS_MAX = 2_000;

/** A phase under way. Instants are on the monotonic clock. */
export interface RunningPhase {
  readonly startMs: number;
  readonly counters: readonly PhaseCounters[];
  readonly reports: Promise<readonly WorkerPhaseReport[]>;
}

export class LoadController {
  private readonly scenario: Scenario;
  private readonly address: Address;
  private readonly workers: readonly GeneratorWorker[];

  private constructor(scenario: Scenario, address: Address) {
    this.scenario = scenario;
    this.address = address;
    this.workers = Array.from(
      { length: scenario.workerCount },
      (_, workerIndex) => new GeneratorWorker({ scenario, address, workerIndex }),
    );
  }

  /** Opens all sessions. */
  static async open(scenario: Scenario, address: Address): Promise<LoadController> {
    const controller = new LoadController(scenario, address);
    try {
      await controller.all({ kind: 'open' });
      return controller;
    } catch (error) {
      await controller.terminate();
      throw error;
    }
  }

  /** @throws ConfigFailure when the tree's root exists: it may be somebody's. */
  async createTree(): Promise<void> {
    const { root } = this.scenario.tree;
    const session = await RawSession.connect(this.address, CONNECT_MS_MAX);
    try {
      for (let slash = root.indexOf('/', 1); ; slash = root.indexOf('/', slash + 1)) {
        const path = slash < 0 ? root : root.slice(0, slash);
        const { error } = await session.request(createRequest(path, new Uint8Array(0)));
        const exists = error === ErrorCode.nodeExists;
        if (exists && slash < 0) {
          throw new ConfigFailure(
            `${root} exists on the target - delete it, or choose another parent with --root`,
          );
        }
        if (error !== 0 && !exists) throw new Error(`create ${path} gave ${errorName(error)}`);
        if (slash < 0) break;
      }
    } finally {
      await session.close();
    }
    await this.workers[0]!.command({ kind: 'createKeys' });
  }

  async deleteTree(): Promise<void> {
    await this.workers[0]!.command({ kind: 'deleteKeys' });
    const session = await RawSession.connect(this.address, CONNECT_MS_MAX);
    await session.request(deleteRequest(this.scenario.tree.root));
    await session.close();
  }

  startPhase(phaseIndex: number): RunningPhase {
    const plan = this.scenario.phases[phaseIndex];
    assert(plan !== undefined, 'no such phase');
    const startMs = monotonicMs() + START_LEAD_MS;
    const counters = this.workers.map(() => PhaseCounters.allocate(plan.measureMs));
    const reports = Promise.all(
      this.workers.map(async (worker, i) => {
        const memory = counters[i]!.memory;
        const report = await worker.command({ kind: 'phase', phaseIndex, counters: memory, startMs });
        assert(report !== null, 'a phase ends with a report');
        return report;
      }),
    );
    reports.catch(() => {}); // whoever awaits it later gets the failure
    return { startMs, counters, reports };
  }

  /** Ends the running phase early; its reports then hold what was measured so far. */
  stopPhase(): void {
    for (const worker of this.workers) worker.post({ kind: 'stop' });
  }

  /** Closes all sessions; a server that does not answer is left after a while. */
  async close(): Promise<void> {
    const grace = setTimeout(() => void this.terminate(), CLOSE_MS_MAX);
    await this.all({ kind: 'close' }).catch(() => {}); // a worker that failed has said so before
    await Promise.all(this.workers.map((worker) => worker.exited));
    clearTimeout(grace);
  }

  async terminate(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private async all(command: Command): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.command(command)));
  }
}

/** One worker with at most one unanswered command. */
class GeneratorWorker {
  readonly exited: Promise<void>;
  private readonly worker: Worker;
  private settle: ((answer: Answer) => void) | null = null;
  /** Why it takes no commands any more. */
  private ended: string | null = null;

  constructor(setting: WorkerSetting) {
    this.worker = new Worker(new URL('./generator-main.ts', import.meta.url), { workerData: setting });
    this.worker.on('message', (answer: Answer) => this.onAnswer(answer));
    this.worker.on('error', (error: Error) =>
      this.onEnd(`the generator failed: ${error.stack ?? error.message}`),
    );
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', () => {
        this.onEnd('the generator worker has ended');
        resolve();
      });
    });
  }

  command(command: Command): Promise<WorkerPhaseReport | null> {
    assert(this.settle === null, 'one command at a time');
    if (this.ended !== null) return Promise.reject(new Error(this.ended));
    return new Promise((resolve, reject) => {
      this.settle = (answer) => (answer.ok ? resolve(answer.report) : reject(new Error(answer.message)));
      this.post(command);
    });
  }

  post(command: Command): void {
    this.worker.postMessage(command);
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  private onEnd(message: string): void {
    this.ended ??= message;
    this.onAnswer({ ok: false, message });
  }

  private onAnswer(answer: Answer): void {
    const settle = this.settle;
    this.settle = null;
    settle?.(answer);
  }
}

/**
 * Runs the generator workers from the main thread: opens all sessions, prepares the tree, starts every phase
 * at one instant on all workers and collects what they count.
 */
import { Worker } from 'node:worker_threads';
import { assert } from '../../src/base/assert.ts';
import type { Address } from '../base/address.ts';
import { sourceFile } from '../base/package-root.ts';
import { monotonicMs } from '../base/phase-clock.ts';
import { IntervalCollector } from '../load/interval-collector.ts';
import { KeySpace } from '../load/key-space.ts';
import { historyMemory } from '../load/lane-history.ts';
import type { PhaseGrid } from '../load/load-phase.ts';
import { type PhaseLabel, phaseLabels } from '../load/mix-labels.ts';
import { hasWatches } from '../load/mix-requests.ts';
import { PhaseCounters, SERIES_STEP_MS } from '../load/phase-counters.ts';
import { WatchDelays } from '../load/watch-delays.ts';
import { largestRequest, type PhasePlan, type Plan } from '../plan/plan.ts';
import { recipeTargetCount } from '../recipe/recipes.ts';
import { awaitEverywhere, createTree, type Footprint, prepareRecipe, removeTree } from './tree-set-up.ts';
import {
  type Answer,
  type Command,
  GeneratorTrouble,
  type WorkerPhaseReport,
  type WorkerSetting,
} from './worker-messages.ts';

/** Workers build their tapes in this time before the common start. */
const START_LEAD_MS = 500;
const CLOSE_MS_MAX = 2_000;
/** Latencies are kept in this many intervals per phase, none shorter than a step and none longer than a second. */
const INTERVALS_PER_PHASE = 20;
const INTERVAL_MS_MAX = 1_000;
const POLLS_PER_INTERVAL = 4;

/** A phase under way. Instants are on the monotonic clock. */
export interface RunningPhase {
  readonly grid: PhaseGrid;
  readonly labels: readonly PhaseLabel[];
  readonly counters: readonly PhaseCounters[];
  readonly collector: IntervalCollector;
  /** Those of the load: all of the service, or those that the plan wants. */
  readonly addresses: readonly Address[];
  /** One per worker; empty without `check`. */
  readonly histories: readonly SharedArrayBuffer[];
  readonly reports: Promise<readonly WorkerPhaseReport[]>;
}

export class LoadController {
  private readonly plan: Plan;
  private readonly addresses: readonly Address[];
  private readonly workers: readonly GeneratorWorker[];
  private readonly made: Footprint = { parents: [], root: null };
  /** The first worker, which makes and removes the keys, still waits for replies of a phase that is over. */
  private isFirstOwed = false;

  private constructor(plan: Plan, addresses: readonly Address[]) {
    this.plan = plan;
    this.addresses = addresses;
    this.workers = Array.from(
      { length: plan.workerCount },
      (_, workerIndex) => new GeneratorWorker({ plan, addresses, workerIndex }),
    );
  }

  /** Opens all sessions. */
  static async open(plan: Plan, addresses: readonly Address[]): Promise<LoadController> {
    const controller = new LoadController(plan, addresses);
    try {
      await controller.all({ kind: 'open' });
      return controller;
    } catch (error) {
      await controller.terminate();
      throw error;
    }
  }

  /** @throws Failure when the service refuses, ConfigFailure when the tree's root exists: it may be somebody's. */
  async createTree(options: { readonly showSize: boolean }): Promise<void> {
    const largest = options.showSize ? largestRequest(this.plan) : null;
    await createTree(this.addresses, this.plan.tree, this.made, largest);
    await this.workers[0]!.command({ kind: 'createKeys' });
    for (const [index, { load }] of this.plan.phases.entries()) {
      if (load.kind !== 'mix') await prepareRecipe(this.addresses, this.plan.tree.root, index, load);
    }
    await awaitEverywhere(this.addresses, this.plan.tree.root);
  }

  /** Something of this run is on the service. */
  get hasTree(): boolean {
    return this.made.root !== null || this.made.parents.length > 0;
  }

  /** Everything that was made, as far as it was. Returns what is still there. */
  async deleteTree(): Promise<string[]> {
    // Fast for the keys; what it does not reach the next step finds, over a connection of its own.
    if (this.made.root !== null && !this.isFirstOwed) {
      await this.workers[0]!.command({ kind: 'deleteKeys' }).catch(() => {});
    }
    return removeTree(this.addresses, this.made);
  }

  /** The znodes of `deleteTree` when it cannot be asked. */
  get footprint(): readonly string[] {
    return [...this.made.parents, ...(this.made.root === null ? [] : [this.made.root])];
  }

  /** `everyMs`: of the intervals in which latencies are kept, a multiple of 100; absent: by the phase's length. */
  startPhase(phaseIndex: number, everyMs?: number): RunningPhase {
    const { warmupMs, measureMs } = this.plan.phases[phaseIndex]!;
    return this.start(phaseIndex, { warmupMs, measureMs, everyMs: everyMs ?? intervalMs(measureMs) }, false);
  }

  /** The load of a phase before it, for at most `forMs`; to be ended with `stopPhase`. */
  async startWarmUp(phaseIndex: number, forMs: number): Promise<RunningPhase> {
    const { load } = this.plan.phases[phaseIndex]!;
    if (load.kind !== 'mix') {
      await prepareRecipe(this.addresses, this.plan.tree.root, phaseIndex, load, true);
      await awaitEverywhere(this.addresses, this.plan.tree.root);
    }
    return this.start(phaseIndex, { warmupMs: 0, measureMs: forMs, everyMs: INTERVAL_MS_MAX }, true);
  }

  private start(
    phaseIndex: number,
    times: { readonly warmupMs: number; readonly measureMs: number; readonly everyMs: number },
    warmUp: boolean,
  ): RunningPhase {
    const { plan, workers } = this;
    const phase = plan.phases[phaseIndex];
    assert(phase !== undefined, 'no such phase');
    const labels = phaseLabels(phase, plan.check);
    const openLoop = phase.load.kind === 'mix' && phase.load.arrival.kind === 'open';
    const startMs = monotonicMs() + START_LEAD_MS;
    const grid: PhaseGrid = {
      startMs,
      measureStartMs: startMs + times.warmupMs,
      measureEndMs: startMs + times.warmupMs + times.measureMs,
      intervalMs: times.everyMs,
    };
    const totalMs = times.warmupMs + times.measureMs;
    const counters = workers.map(() =>
      PhaseCounters.allocate({ labelCount: labels.length, totalMs, openLoop }),
    );
    const delays = WatchDelays.allocate(watchTargetCount(plan, phase));
    const histories = plan.check ? workers.map(() => historyMemory(workers.length)) : [];
    const collector = new IntervalCollector(counters, labels.length, openLoop);
    const poller = setInterval(() => collector.poll(), grid.intervalMs / POLLS_PER_INTERVAL);
    const reports = Promise.all(
      workers.map(async (worker, i) => {
        const history = histories[i] ?? null;
        const report = await worker.command({
          kind: 'phase',
          phaseIndex,
          warmUp,
          counters: counters[i]!.handle,
          delays,
          history,
          grid,
        });
        assert(report !== null, 'a phase ends with a report');
        if (i === 0 && report.unanswered > 0) this.isFirstOwed = true;
        collector.addUnanswered(report.unansweredCounts);
        return report;
      }),
    ).finally(() => {
      clearInterval(poller);
      collector.poll();
    });
    reports.catch(() => {}); // whoever awaits it later gets the failure
    return { grid, labels, addresses: this.addresses, counters, collector, histories, reports };
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

/** 0 for a load that measures no watches. */
function watchTargetCount({ tree }: Plan, { load }: PhasePlan): number {
  if (load.kind !== 'mix') return recipeTargetCount(load);
  return hasWatches(load) ? new KeySpace(tree).targetCount : 0;
}

/** A multiple of the series' step. */
function intervalMs(measureMs: number): number {
  const steps = Math.floor(measureMs / INTERVALS_PER_PHASE / SERIES_STEP_MS);
  return Math.min(INTERVAL_MS_MAX, Math.max(1, steps) * SERIES_STEP_MS);
}

/** One worker with at most one unanswered command. */
class GeneratorWorker {
  readonly exited: Promise<void>;
  private readonly worker: Worker;
  private settle: ((answer: Answer) => void) | null = null;
  /** Why it takes no commands any more. */
  private ended: string | null = null;

  constructor(setting: WorkerSetting) {
    this.worker = new Worker(sourceFile('bench/generator/generator-main'), { workerData: setting });
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
      this.settle = (answer) => (answer.ok ? resolve(answer.report) : reject(failureOf(answer)));
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
    this.onAnswer({ ok: false, message, trouble: { kind: 'defect' } });
  }

  private onAnswer(answer: Answer): void {
    const settle = this.settle;
    this.settle = null;
    settle?.(answer);
  }
}

function failureOf({ message, trouble }: Extract<Answer, { ok: false }>): Error {
  return trouble.kind === 'defect' ? new Error(message) : new GeneratorTrouble(message, trouble);
}

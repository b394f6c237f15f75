/**
 * A client that uses `ringkeeper/recipes` as users do: round after round on a session of its own, with the typed client. What
 * counts is the round; its steps have latencies of their own. Beside the raw recipes it shows what the library costs.
 *
 *     join: connect ─▶ round ─▶ round ─▶ … ─▶ time over: the round that runs goes on, bounded by the drain ─▶ leave: close
 */
import { performance } from 'node:perf_hooks';
import { connect, type Zk, ZkError } from '../../src/client/index.ts';
import { ErrorCode } from '../../src/wire/error-codes.ts';
import { type Address, addressText } from '../base/address.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { RecipeLoad } from '../plan/plan.ts';
import { openRounds } from './library-rounds.ts';

type LibraryLoad = Extract<RecipeLoad, { kind: 'library' }>;

export interface LibrarySetting {
  readonly addresses: readonly Address[];
  readonly sessionTimeoutMs: number;
  readonly root: string;
  /** Number of this client among `clientCount`, over all workers. */
  readonly index: number;
  readonly clientCount: number;
}

const ROUND = 0;

export function libraryPath(root: string, object: number): string {
  return `${root}/object-${object}`;
}

export class LibraryClient {
  private readonly phase: LoadPhase;
  private readonly load: LibraryLoad;
  private readonly setting: LibrarySetting;
  private readonly end = new AbortController();
  private running: Promise<void> | null = null;
  private isOver = false;
  /** When the round that runs began; null between rounds. */
  private sinceMs: number | null = null;
  private wake: (() => void) | null = null;

  constructor(phase: LoadPhase, load: LibraryLoad, setting: LibrarySetting) {
    this.phase = phase;
    this.load = load;
    this.setting = setting;
  }

  get idle(): boolean {
    return this.running === null || this.isOver;
  }

  get unanswered(): number {
    return this.sinceMs === null ? 0 : 1;
  }

  join(): void {
    this.running = this.run();
  }

  giveUp(nowMs: number): void {
    if (this.sinceMs !== null) this.phase.onUnanswered(ROUND, this.sinceMs, this.sinceMs, nowMs);
    this.sinceMs = null;
  }

  /** Resolves when its session is closed. */
  async leave(): Promise<void> {
    this.end.abort();
    await this.running;
  }

  tick(nowMs: number): void {
    if (nowMs < this.phase.measureEndMs) return;
    this.wake?.();
    // The others may have stopped a round earlier: nobody would come any more.
    if (this.load.recipe === 'barrier') {
      this.sinceMs = null;
      this.end.abort();
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.end;
    const { sessionTimeoutMs, addresses } = this.setting;
    const auth = (addresses[0]?.auth ?? []).map(({ scheme, auth: text }) => ({
      scheme,
      auth: new TextEncoder().encode(text),
    }));
    try {
      const zk = await connect(addresses.map(addressText).join(','), { sessionTimeoutMs, auth, signal });
      try {
        await this.rounds(zk);
      } finally {
        await zk.close();
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.isOver = true;
    }
  }

  private async rounds(zk: Zk): Promise<void> {
    const { load, setting } = this;
    const object = setting.index % load.objects;
    const rounds = await openRounds(load.recipe, zk, {
      path: libraryPath(setting.root, object),
      members: Math.ceil((setting.clientCount - object) / load.objects),
      holdMs: load.holdMs,
      signal: this.end.signal,
      step: (label, work) => this.step(label, work),
      hold: () => this.hold(),
    });
    try {
      while (!this.isTimeOver && !this.end.signal.aborted) {
        const sinceMs = performance.now();
        this.sinceMs = sinceMs;
        try {
          await rounds.one();
          this.count(sinceMs, ErrorCode.ok);
        } catch (error) {
          this.fail(error);
        }
        this.sinceMs = null;
      }
    } finally {
      await rounds.close();
    }
  }

  private get isTimeOver(): boolean {
    return performance.now() >= this.phase.measureEndMs;
  }

  private async step<T>(label: number, work: () => Promise<T>): Promise<T> {
    const sinceMs = performance.now();
    const result = await work();
    const nowMs = performance.now();
    this.phase.roll(nowMs);
    this.phase.onStep(label, sinceMs, nowMs);
    return result;
  }

  /** Not longer than the phase. */
  private async hold(): Promise<void> {
    const { holdMs } = this.load;
    if (holdMs === 0 || this.isTimeOver) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, holdMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }

  /** What was given up because the phase is over is no error. @throws what the client does not know: a defect. */
  private fail(error: unknown): void {
    if (this.end.signal.aborted) return;
    if (!(error instanceof Error)) throw error;
    const lost = error instanceof ZkError && error.outcome !== 'refused';
    this.count(performance.now(), lost ? ErrorCode.connectionLoss : ErrorCode.systemError);
  }

  private count(sinceMs: number, error: number): void {
    const nowMs = performance.now();
    this.phase.roll(nowMs);
    this.phase.onReply(ROUND, sinceMs, sinceMs, nowMs, error);
    this.phase.onReplies(nowMs);
  }
}

/**
 * A client that reacts: one session of the client library (`src/client`) each, on the generator's threads, doing what a program
 * would do with it. Base of the workloads; what a workload is about (a round, a lock acquired) is a request or a step here.
 *
 *     open: connect ─▶ join: work ─▶ … ─▶ time over: what is under way goes on, bounded by the drain ─▶ leave: close
 *
 * Requests count in the throughput, with their latency; an error of the service counts as one; what had no reply is lost, and
 * counts as long as it waited.
 */
import { performance } from 'node:perf_hooks';
import { connect, type Zk, ZkError } from '../../src/client/index.ts';
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts';
import { type Address, addressText } from '../base/address.ts';
import type { LoadPhase } from '../load/load-phase.ts';
import type { WatchDelays } from '../load/watch-delays.ts';
import type { ClientSockets } from './client-sockets.ts';

export interface WorkloadSetting {
  readonly addresses: readonly Address[];
  readonly sessionTimeoutMs: number;
  readonly sockets: ClientSockets;
  /** Directory that is the workload's own, made before the start. */
  readonly root: string;
  /** Number of this client among `clientCount`, over all workers. */
  readonly index: number;
  readonly clientCount: number;
  readonly seed: number;
  readonly delays: WatchDelays;
}

/** A request or step under way. */
interface Open {
  readonly label: number;
  readonly sinceMs: number;
}

const CODES: ReadonlyMap<string, number> = new Map(
  Object.values(ErrorCode).map((code) => [errorName(code), code]),
);
const IN_FLIGHT_MAX = 4_096;

export abstract class WorkloadClient {
  protected readonly phase: LoadPhase;
  protected readonly setting: WorkloadSetting;
  /** Of the time of the phase, and of patience with it. */
  private readonly timeOver = Promise.withResolvers<void>();
  private readonly givenUp = new AbortController();
  private readonly open = new Set<Open>();
  private session: Promise<Zk> | null = null;
  private running: Promise<void> | null = null;
  private isThrough = false;
  private wake: (() => void) | null = null;
  private onSettled: (() => void) | null = null;

  constructor(phase: LoadPhase, setting: WorkloadSetting) {
    this.phase = phase;
    this.setting = setting;
  }

  /** It will do nothing more. */
  get idle(): boolean {
    return this.running === null || this.isThrough;
  }

  get unanswered(): number {
    return this.open.size;
  }

  /** Before the phase, so that opening the session is no part of it. */
  connect(): void {
    const { addresses, sessionTimeoutMs, sockets, index } = this.setting;
    const auth = (addresses[0]?.auth ?? []).map(({ scheme, auth: text }) => ({
      scheme,
      auth: Buffer.from(text),
    }));
    this.session = connect(addresses.map(addressText).join(','), {
      ...{ sessionTimeoutMs, auth, signal: this.signal, maxInFlight: IN_FLIGHT_MAX },
      transport: sockets.transport(addresses, index),
    });
    this.session.catch(() => {}); // `run` hears of it
  }

  join(): void {
    this.running ??= this.run();
  }

  /** Once a millisecond. */
  tick(nowMs: number): void {
    if (nowMs < this.phase.measureEndMs) return;
    this.timeOver.resolve();
    this.wake?.();
  }

  giveUp(nowMs: number): void {
    for (const { label, sinceMs } of this.open) this.phase.onUnanswered(label, sinceMs, sinceMs, nowMs);
    this.abandon();
  }

  /** Resolves when its session is closed. */
  async leave(): Promise<void> {
    this.abandon();
    await this.running;
    const zk = await this.session?.catch(() => null);
    await zk?.close();
  }

  /** Until the time is over, or the work is done. What `counted` and `step` have been told of needs no handling here. */
  protected abstract work(zk: Zk): Promise<void>;

  protected get isOver(): boolean {
    return this.signal.aborted || performance.now() >= this.phase.measureEndMs;
  }

  protected get over(): Promise<void> {
    return this.timeOver.promise;
  }

  /** Aborted when nothing is awaited any more. */
  protected get signal(): AbortSignal {
    return this.givenUp.signal;
  }

  protected get inFlight(): number {
    return this.open.size;
  }

  /** What is under way counts for nothing. */
  protected abandon(): void {
    this.open.clear();
    this.onSettled?.();
    this.timeOver.resolve();
    this.givenUp.abort();
  }

  /** Until nothing is under way. */
  protected async answered(): Promise<void> {
    while (this.open.size > 0) await new Promise<void>((resolve) => (this.onSettled = resolve));
  }

  /** A request; null when it failed, which is counted. */
  protected async counted<T>(label: number, call: () => Promise<T>): Promise<T | null> {
    const one: Open = { label, sinceMs: performance.now() };
    this.open.add(one);
    try {
      const value = await call();
      this.count(one, ErrorCode.ok);
      return value;
    } catch (error) {
      this.fail(one, error);
      return null;
    } finally {
      this.open.delete(one);
      this.onSettled?.();
    }
  }

  /** A part of a request, or what several are for: a latency of its own. @throws what `work` throws */
  protected async step<T>(label: number, work: () => Promise<T>): Promise<T> {
    const sinceMs = performance.now();
    const result = await work();
    this.took(label, sinceMs);
    return result;
  }

  protected took(label: number, sinceMs: number): void {
    if (this.signal.aborted) return;
    const nowMs = performance.now();
    this.phase.roll(nowMs);
    this.phase.onStep(label, sinceMs, nowMs);
  }

  /** Not longer than the phase. */
  protected async pause(ms: number): Promise<void> {
    if (ms === 0 || this.isOver) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }

  private async run(): Promise<void> {
    try {
      await this.work(await this.session!);
    } catch (error) {
      this.fail({ label: 0, sinceMs: performance.now() }, error);
    } finally {
      this.isThrough = true;
    }
  }

  /** What was given up because the phase is over is no error. @throws what the client does not know: a defect. */
  private fail(one: Open, error: unknown): void {
    if (this.signal.aborted) return;
    if (!(error instanceof Error)) throw error;
    if (error instanceof ZkError && error.outcome !== 'refused') {
      const nowMs = performance.now();
      this.phase.onLost(1, nowMs);
      this.phase.onUnanswered(one.label, one.sinceMs, one.sinceMs, nowMs);
      return;
    }
    const code = error instanceof ZkError ? CODES.get(error.code) : undefined;
    this.count(one, code ?? ErrorCode.systemError);
  }

  private count({ label, sinceMs }: Open, error: number): void {
    if (this.signal.aborted) return;
    const nowMs = performance.now();
    this.phase.roll(nowMs);
    this.phase.onReply(label, sinceMs, sinceMs, nowMs, error);
    this.phase.onReplies(nowMs);
  }
}

/**
 * A thread with an event loop, in Node's order: timers, then sockets and messages, then immediates. Each phase is a turn
 * of its own, so that bytes and other threads come in between.
 *
 *     timers ──▶ poll ──▶ immediates ──▶ timers …        runnable while any of them has something
 */
import type { EventLoop, LoopTimer } from '../../src/base/event-loop.ts';
import type { Actor, World } from './world.ts';

/** A socket or listener that the loop watches. */
export interface PollSource {
  isReady(): boolean;
  poll(): void;
}

interface Timer {
  dueMs: number;
  /** 0 = once. */
  readonly intervalMs: number;
  readonly callback: () => void;
}

const Phase = { timers: 0, poll: 1, immediates: 2 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

export class SimLoop implements EventLoop, Actor {
  readonly name: string;
  /** A process that was stopped: nothing of it runs before. */
  stoppedUntilMs = 0;
  /** Behind each turn. */
  onTurn: (() => void) | null = null;
  private readonly world: World;
  private readonly onError: (error: unknown) => void;
  private phase: Phase = Phase.timers;
  private readonly timers = new Set<Timer>();
  /** Of the timer that is due first; asked for at every step of the world. */
  private nextTimerMs = Number.POSITIVE_INFINITY;
  private immediates: (() => void)[] = [];
  private messages: (() => void)[] = [];
  private readonly sources = new Set<PollSource>();

  /** `onError`: a callback has thrown. */
  constructor(name: string, world: World, onError: (error: unknown) => void) {
    this.name = name;
    this.world = world;
    this.onError = onError;
  }

  /** Bound, as Node's setImmediate is. */
  readonly soon = (callback: () => void): void => {
    this.immediates.push(callback);
  };

  after(delayMs: number, callback: () => void): LoopTimer {
    return this.addTimer(delayMs, 0, callback);
  }

  every(intervalMs: number, callback: () => void): LoopTimer {
    return this.addTimer(intervalMs, intervalMs, callback);
  }

  /** From another thread. */
  message(callback: () => void): void {
    this.messages.push(callback);
  }

  watch(source: PollSource): void {
    this.sources.add(source);
  }

  unwatch(source: PollSource): void {
    this.sources.delete(source);
  }

  isRunnable(nowMs: number): boolean {
    if (nowMs < this.stoppedUntilMs) return false;
    if (this.phase !== Phase.timers || this.immediates.length > 0 || this.messages.length > 0) return true;
    if (this.nextTimerMs <= nowMs) return true;
    for (const source of this.sources) if (source.isReady()) return true;
    return false;
  }

  wakeMs(): number {
    return Math.max(this.nextTimerMs, this.stoppedUntilMs);
  }

  run(): void {
    try {
      if (this.phase === Phase.timers) this.runTimers();
      else if (this.phase === Phase.poll) this.poll();
      else this.runImmediates();
      this.onTurn?.();
    } catch (error) {
      this.onError(error);
    }
  }

  private runTimers(): void {
    this.phase = Phase.poll;
    const nowMs = this.world.nowMs;
    if (this.nextTimerMs > nowMs) return;
    try {
      for (const timer of [...this.timers]) {
        if (timer.dueMs > nowMs || !this.timers.has(timer)) continue;
        if (timer.intervalMs === 0) this.timers.delete(timer);
        else timer.dueMs = nowMs + timer.intervalMs;
        timer.callback();
      }
    } finally {
      this.findNextTimer();
    }
  }

  private poll(): void {
    this.phase = Phase.immediates;
    const messages = this.messages;
    this.messages = [];
    const ready: PollSource[] = [];
    for (const source of this.sources) if (source.isReady()) ready.push(source);
    for (const message of messages) message();
    // The kernel tells of ready sockets in an order of its own.
    while (ready.length > 0) ready.splice(this.world.prng.below(ready.length), 1)[0]!.poll();
  }

  private runImmediates(): void {
    this.phase = Phase.timers;
    const immediates = this.immediates;
    this.immediates = [];
    for (const immediate of immediates) immediate();
  }

  private addTimer(delayMs: number, intervalMs: number, callback: () => void): LoopTimer {
    const timer = { dueMs: this.world.nowMs + delayMs, intervalMs, callback };
    this.timers.add(timer);
    this.nextTimerMs = Math.min(this.nextTimerMs, timer.dueMs);
    const cancel = (): void => {
      this.timers.delete(timer);
      if (timer.dueMs <= this.nextTimerMs) this.findNextTimer();
    };
    return { cancel };
  }

  private findNextTimer(): void {
    this.nextTimerMs = Number.POSITIVE_INFINITY;
    for (const timer of this.timers) this.nextTimerMs = Math.min(this.nextTimerMs, timer.dueMs);
  }
}

/**
 * Holds work back for one fixed time. The time is the same for all, so the queue is in order of due times as it is,
 * and one timer for its head is enough: it sleeps until shortly before and then looks at the clock in every turn
 * of the event loop, because timers are whole milliseconds and the delay is to be exact. That costs a core while
 * the queue is not empty, and is why a delay is only for checking the engine, not for its ceiling.
 */
import { performance } from 'node:perf_hooks';

/** Timers may fire this much late. */
const SLEEP_MARGIN_MS = 2;
/** Done work at the head of the array that is worth moving the rest for. */
const COMPACT_FROM = 1_024;

interface Held {
  readonly dueMs: number;
  readonly run: () => void;
}

export class DelayQueue {
  private readonly delayMs: number;
  private readonly held: Held[] = [];
  private head = 0;
  private armed = false;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  /** Runs `run` the delay after `sinceMs` (`performance.now()`); calls must come in the order of `sinceMs`. */
  add(sinceMs: number, run: () => void): void {
    this.held.push({ dueMs: sinceMs + this.delayMs, run });
    if (!this.armed) this.arm();
  }

  private arm(): void {
    const next = this.held[this.head];
    this.armed = next !== undefined;
    if (next === undefined) return;
    const leftMs = next.dueMs - performance.now();
    if (leftMs > SLEEP_MARGIN_MS) setTimeout(() => this.turn(), Math.floor(leftMs - SLEEP_MARGIN_MS));
    else setImmediate(() => this.turn());
  }

  private turn(): void {
    const nowMs = performance.now();
    while (this.head < this.held.length && this.held[this.head]!.dueMs <= nowMs)
      this.held[this.head++]!.run();
    if (this.head >= COMPACT_FROM || this.head === this.held.length) {
      this.held.splice(0, this.head);
      this.head = 0;
    }
    this.arm();
  }
}

/**
 * What the lanes of one worker share during one phase: the time limits and the counting rules.
 *
 * Throughput counts replies by their arrival in the measured time. Latency counts every request that was due before
 * its end, so that a server that freezes at the end of a run does not escape: those replies are awaited after the
 * end and count with their full latency, and what has none by then counts as long as it waited (unanswered.ts). Where the measured time begins is decided afterwards (steady state), at a
 * boundary of the intervals in which latencies are kept.
 *
 *     start | warm-up | i0 | i1 | i2 | ... | measureEnd | drain: no new requests, replies still counted
 *                     ^ measureStart: intervals lie on a grid through here
 */

import { toLocalMs } from '../base/phase-clock.ts';
import { LATENCY_BUCKETS, latencyBucket, recordableUs } from '../latency/latency-recorder.ts';
import { type PhaseCounters, SERIES_STEP_MS } from './phase-counters.ts';
import { Unanswered } from './unanswered.ts';

/** On the machine's monotonic clock, the same numbers in all threads. */
export interface PhaseGrid {
  readonly startMs: number;
  readonly measureStartMs: number;
  readonly measureEndMs: number;
  readonly intervalMs: number;
}

export class LoadPhase {
  readonly counters: PhaseCounters;
  readonly openLoop: boolean;
  /** Instants on this thread's `performance.now()`. */
  readonly startMs: number;
  readonly measureStartMs: number;
  measureEndMs: number;
  lostCount = 0;
  disorderCount = 0;
  droppedCount = 0;
  /** Those whose delay was taken, and of them those that came before the acknowledgement. */
  events = 0;
  eventsBeforeAck = 0;
  /** Error code -> replies in the measured time. */
  readonly errors = new Map<number, number>();
  readonly unanswered = new Unanswered();
  /** Of the lanes, by the places of the load's addresses; brought up to date by `Lane.credit`. */
  readonly answeredByServer: Float64Array;
  private readonly grid: PhaseGrid;
  /** Requests that may still be sent; Infinity for phases that end by time. */
  private quota: number;
  private chunkOk = 0;
  private chunkErrors = 0;
  /** The current interval on the grid, and when it ends on the local clock; Infinity once draining. */
  private interval: number;
  private intervalEndMs: number;
  private blocked = false;
  private counts: Uint32Array;
  private lastDueMs = -1;
  private lastNowMs = -1;
  private lastBucket = 0;

  constructor(counters: PhaseCounters, grid: PhaseGrid, quota = Number.POSITIVE_INFINITY, serverCount = 1) {
    this.answeredByServer = new Float64Array(serverCount);
    this.counters = counters;
    this.grid = grid;
    this.openLoop = counters.shape.openLoop;
    this.quota = quota;
    this.startMs = toLocalMs(grid.startMs);
    this.measureStartMs = toLocalMs(grid.measureStartMs);
    this.measureEndMs = toLocalMs(grid.measureEndMs);
    this.interval = Math.floor((grid.startMs - grid.measureStartMs) / grid.intervalMs);
    this.intervalEndMs = this.endOf(this.interval);
    this.counts = counters.current;
    counters.beginIntervals(grid.startMs);
  }

  /** True when a phase with a number of requests has sent them all. */
  get exhausted(): boolean {
    return this.quota === 0;
  }

  /** How many of `count` further requests may be sent now. */
  grant(count: number, nowMs: number): number {
    if (nowMs >= this.measureEndMs) return 0;
    const granted = Math.min(count, this.quota);
    this.quota -= granted;
    return granted;
  }

  /** Before the replies of a chunk, and now and then without any: moves on to the interval of `nowMs`. */
  roll(nowMs: number): void {
    if (nowMs < this.intervalEndMs) return;
    const { grid, counters } = this;
    const draining = nowMs >= this.measureEndMs;
    const next = Math.floor((nowMs - this.measureStartMs) / grid.intervalMs);
    const nextFromMs = draining ? this.endMonotonicMs : grid.measureStartMs + next * grid.intervalMs;
    const endMs = Math.min(this.endMonotonicMs, grid.measureStartMs + (this.interval + 1) * grid.intervalMs);
    this.blocked = !counters.nextInterval(this.blocked ? nextFromMs : endMs, nextFromMs);
    if (this.blocked) return;
    this.counts = counters.current;
    this.interval = next;
    this.intervalEndMs = draining ? Number.POSITIVE_INFINITY : this.endOf(next);
  }

  onReply(label: number, dueMs: number, sentMs: number, nowMs: number, error: number): void {
    if (error !== 0) {
      this.onError(error, nowMs);
      return;
    }
    this.chunkOk++;
    this.record(label, dueMs, nowMs);
    if (this.openLoop) {
      const at = this.counters.uncorrectedAt(label) + latencyBucket(recordableUs(nowMs - sentMs));
      this.counts[at]!++;
    }
  }

  /** A step of a recipe or the delivery of an event: a latency of its own, no request. */
  onStep(label: number, sinceMs: number, nowMs: number): void {
    this.record(label, sinceMs, nowMs);
    if (this.openLoop) {
      this.counts[this.counters.uncorrectedAt(label) + latencyBucket(recordableUs(nowMs - sinceMs))]!++;
    }
  }

  /** An event, by its time since the acknowledgement of its change; below 0: it came before that, and counts as 0. */
  onDelay(label: number, delayMs: number, nowMs: number): void {
    this.events++;
    if (delayMs < 0) this.eventsBeforeAck++;
    this.onStep(label, nowMs - Math.max(0, delayMs), nowMs);
  }

  /** Once per chunk, after its replies. Returns how many there were. */
  onReplies(nowMs: number): number {
    const { chunkOk, chunkErrors } = this;
    const count = chunkOk + chunkErrors;
    if (count === 0) return 0;
    this.chunkOk = 0;
    this.chunkErrors = 0;
    this.counters.addDone(chunkOk);
    if (chunkErrors > 0) this.counters.addErrors(chunkErrors);
    const step = this.stepOf(nowMs);
    if (step >= 0) {
      this.counters.series[step]! += chunkOk;
      this.counters.errorSeries[step]! += chunkErrors;
    }
    return count;
  }

  onLost(count: number, nowMs: number): void {
    this.lostCount += count;
    const step = this.stepOf(nowMs);
    if (step >= 0) this.counters.errorSeries[step]! += count;
  }

  /** It has no reply and will get none here. `sentMs` null: it was due, and never sent. */
  onUnanswered(label: number, dueMs: number, sentMs: number | null, nowMs: number): void {
    if (nowMs < this.measureStartMs) return;
    const { measureStartMs, intervalMs } = this.grid;
    const interval = Math.floor((nowMs - this.measureStartMs) / intervalMs);
    const fromMs = Math.min(this.endMonotonicMs, measureStartMs + interval * intervalMs);
    this.unanswered.add(fromMs, label, dueMs, sentMs, nowMs);
  }

  onDisorder(): void {
    this.disorderCount++;
  }

  onLag(lagMs: number): void {
    this.counters.lag[latencyBucket(recordableUs(lagMs))]!++;
  }

  /** Ends the phase before its time; what has been measured stays. */
  stop(nowMs: number): void {
    this.measureEndMs = Math.min(this.measureEndMs, nowMs);
  }

  /** After the drain. */
  finish(nowMs: number): void {
    this.roll(nowMs);
    this.counters.seal(this.endMonotonicMs + Math.max(0, nowMs - this.measureEndMs));
  }

  private record(label: number, sinceMs: number, nowMs: number): void {
    // Requests of one batch share their due time, so most replies of a chunk fall into the same bucket.
    if (sinceMs !== this.lastDueMs || nowMs !== this.lastNowMs) {
      this.lastDueMs = sinceMs;
      this.lastNowMs = nowMs;
      this.lastBucket = latencyBucket(recordableUs(nowMs - sinceMs));
    }
    this.counts[label * LATENCY_BUCKETS + this.lastBucket]!++;
  }

  private onError(code: number, nowMs: number): void {
    this.chunkErrors++;
    if (nowMs >= this.measureStartMs) this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** -1 outside the phase. */
  private stepOf(nowMs: number): number {
    if (nowMs < this.startMs || nowMs >= this.measureEndMs) return -1;
    // Rounding may put the last instant a hair behind the last step.
    const last = this.counters.series.length - 1;
    return Math.min(last, Math.floor((nowMs - this.startMs) / SERIES_STEP_MS));
  }

  private endOf(interval: number): number {
    return Math.min(this.measureEndMs, this.measureStartMs + (interval + 1) * this.grid.intervalMs);
  }

  /** The end on the common clock; earlier than planned after `stop`. */
  private get endMonotonicMs(): number {
    return this.grid.measureEndMs - (toLocalMs(this.grid.measureEndMs) - this.measureEndMs);
  }
}

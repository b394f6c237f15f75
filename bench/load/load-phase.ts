/**
 * What the connections of one worker share during one phase: the tape, the time limits and the counting rules.
 *
 * Throughput counts replies by their arrival in the measured time. Latency counts requests by the instant they
 * were due in it, so that a server that freezes at the end of a run does not escape: those replies are awaited
 * after the end and count with their full latency.
 *
 *     start ... warm-up ... | measureStart ....... measureEnd | drain: no new requests, replies still counted
 */
import { LATENCY_BUCKETS, latencyBucket, recordableUs } from '../measure/latency-recorder.ts';
import type { FrameTape } from './frame-tape.ts';
import { type PhaseCounters, SERIES_STEP_MS } from './phase-counters.ts';

/** Instants on this thread's `performance.now()`. */
export interface PhaseTimes {
  readonly measureStartMs: number;
  measureEndMs: number;
}

export class LoadPhase {
  readonly tape: FrameTape;
  readonly closedLoop: boolean;
  readonly counters: PhaseCounters;
  readonly times: PhaseTimes;
  /** Successful replies in the measured time. */
  measuredReplies = 0;
  lostCount = 0;
  disorderCount = 0;
  droppedCount = 0;
  readonly errors = new Map<number, number>();
  /** Requests that may still be sent; Infinity for phases that end by time. */
  private quota: number;
  private chunkErrors = 0;
  private lastDueMs = -1;
  private lastNowMs = -1;
  private lastBucket = 0;
  private lastCounts = false;

  constructor(
    tape: FrameTape,
    counters: PhaseCounters,
    times: PhaseTimes,
    options: { readonly closedLoop: boolean; readonly quota: number },
  ) {
    this.tape = tape;
    this.counters = counters;
    this.times = times;
    this.closedLoop = options.closedLoop;
    this.quota = options.quota;
  }

  /** True when a phase with a number of requests has sent them all. */
  get exhausted(): boolean {
    return this.quota === 0;
  }

  /** How many of `count` further requests a closed loop may send now. */
  grant(count: number, nowMs: number): number {
    if (nowMs >= this.times.measureEndMs) return 0;
    const granted = Math.min(count, this.quota);
    this.quota -= granted;
    return granted;
  }

  onReply(op: number, dueMs: number, nowMs: number, error: number): void {
    // Requests of one batch share their due time, so most replies of a chunk fall into the same bucket.
    if (dueMs !== this.lastDueMs || nowMs !== this.lastNowMs) {
      this.lastDueMs = dueMs;
      this.lastNowMs = nowMs;
      this.lastBucket = latencyBucket(recordableUs(nowMs - dueMs));
      this.lastCounts = dueMs >= this.times.measureStartMs && dueMs < this.times.measureEndMs;
    }
    if (error !== 0) this.onError(error);
    else if (this.lastCounts) this.counters.latency[op * LATENCY_BUCKETS + this.lastBucket]!++;
  }

  /** Once per chunk, after its replies. */
  onReplies(count: number, nowMs: number): void {
    const ok = count - this.chunkErrors;
    this.chunkErrors = 0;
    this.counters.addDone(ok);
    const since = nowMs - this.times.measureStartMs;
    if (since < 0 || nowMs >= this.times.measureEndMs) return;
    this.measuredReplies += ok;
    this.counters.series[Math.floor(since / SERIES_STEP_MS)]! += ok;
  }

  onLost(count: number): void {
    this.lostCount += count;
  }

  onDisorder(): void {
    this.disorderCount++;
  }

  private onError(code: number): void {
    this.chunkErrors++;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    this.counters.addErrors(1);
  }
}

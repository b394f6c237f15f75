/**
 * What one worker counts during one phase. The arrays lie in shared memory: the worker is the only writer, the
 * main thread reads `done` for the progress line and everything else after the worker has reported the end.
 *
 *     Uint32:  live: done, errors | series: replies per 100 ms | lag buckets | latency buckets of op 0, 1, 2
 */
import { LATENCY_BUCKETS } from '../measure/latency-recorder.ts';
import { LOAD_OPS } from '../plan.ts';

export const SERIES_STEP_MS = 100;
const LIVE_DONE = 0;
const LIVE_ERRORS = 1;
const LIVE_WORDS = 32;

export class PhaseCounters {
  readonly memory: SharedArrayBuffer;
  /** Replies in each step of the measured time, by arrival. */
  readonly series: Uint32Array;
  /** How late requests were handed to a connection, open loop only. */
  readonly lag: Uint32Array;
  /** `op * LATENCY_BUCKETS + bucket`, for requests that were due in the measured time. */
  readonly latency: Uint32Array;
  private readonly live: Uint32Array;

  constructor(memory: SharedArrayBuffer, measureMs: number) {
    const steps = seriesSteps(measureMs);
    this.memory = memory;
    this.live = new Uint32Array(memory, 0, LIVE_WORDS);
    this.series = new Uint32Array(memory, LIVE_WORDS * 4, steps);
    this.lag = new Uint32Array(memory, (LIVE_WORDS + steps) * 4, LATENCY_BUCKETS);
    const latencyStart = (LIVE_WORDS + steps + LATENCY_BUCKETS) * 4;
    this.latency = new Uint32Array(memory, latencyStart, LOAD_OPS.length * LATENCY_BUCKETS);
  }

  static allocate(measureMs: number): PhaseCounters {
    const words = LIVE_WORDS + seriesSteps(measureMs) + (1 + LOAD_OPS.length) * LATENCY_BUCKETS;
    return new PhaseCounters(new SharedArrayBuffer(words * 4), measureMs);
  }

  /** Counts of one op. */
  latencyOf(op: number): Uint32Array {
    return this.latency.subarray(op * LATENCY_BUCKETS, (op + 1) * LATENCY_BUCKETS);
  }

  addDone(count: number): void {
    Atomics.add(this.live, LIVE_DONE, count);
  }

  addErrors(count: number): void {
    Atomics.add(this.live, LIVE_ERRORS, count);
  }

  /** Replies so far, modulo 2^32; use differences. */
  get done(): number {
    return Atomics.load(this.live, LIVE_DONE);
  }

  get errors(): number {
    return Atomics.load(this.live, LIVE_ERRORS);
  }
}

function seriesSteps(measureMs: number): number {
  return Math.ceil(measureMs / SERIES_STEP_MS);
}

/**
 * What one worker counts during one phase, in shared memory: the worker is the only writer, the main thread reads
 * live figures for the progress line, and collects the latencies interval by interval while the phase runs.
 *
 *     Int32    live: done, errors, lost | state of half 0, of half 1
 *     Float64  [from, to) of half 0, of half 1 | bounds in ms of the machine's monotonic clock
 *     Uint32   replies per step | errors per step | lag buckets | half 0 | half 1
 *
 *     a half:  corrected latencies of label 0, 1, ... | uncorrected latencies of label 0, 1, ... (open loop only)
 *
 * The worker fills one half; at the end of an interval it seals it and goes on in the other one:
 *
 *     free --worker begins--> filling --interval over--> sealed --main has folded and cleared it--> free
 *
 * When the main thread has not freed the other half in time the interval is longer than planned; nothing is lost.
 *
 * Memory and shape go to the worker together (`PhaseCountersHandle`): it never works the shape out again. It did once,
 * from the instants of the grid, and (start + 1400) - start is a hair more than 1400 in one of some thousand phases: a
 * step more than there was memory for.
 */
import { assert } from '../../src/base/assert.ts';
import { LATENCY_BUCKETS } from '../latency/latency-recorder.ts';

export const SERIES_STEP_MS = 100;

const LIVE_DONE = 0;
const LIVE_ERRORS = 1;
const HALF_STATE = 2;
const INT_WORDS = 32;
const BOUNDS_AT = INT_WORDS * 4;
const BOUNDS = 4;
const COUNTS_AT = BOUNDS_AT + BOUNDS * 8;

const FREE = 0;
const FILLING = 1;
const SEALED = 2;

export interface CountersShape {
  readonly labelCount: number;
  /** Warm-up and measured time, as planned. */
  readonly totalMs: number;
  readonly openLoop: boolean;
}

/** What one message carries from the thread that allocates to the thread that counts. */
export interface PhaseCountersHandle {
  readonly memory: SharedArrayBuffer;
  readonly shape: CountersShape;
}

export class PhaseCounters {
  readonly handle: PhaseCountersHandle;
  /** Successful replies in each step of the phase, by arrival. */
  readonly series: Uint32Array;
  readonly errorSeries: Uint32Array;
  /** How late requests were handed to a connection, open loop only. */
  readonly lag: Uint32Array;
  readonly shape: CountersShape;
  private readonly ints: Int32Array;
  private readonly bounds: Float64Array;
  private readonly halves: readonly [Uint32Array, Uint32Array];
  /** The half being filled, and what of it holds what; worker only. */
  private filling = 0;

  constructor(handle: PhaseCountersHandle) {
    const { memory, shape } = handle;
    const planned = memoryBytes(shape);
    assert(
      memory.byteLength === planned,
      `counters of ${memory.byteLength} bytes for a phase that needs ${planned}`,
    );
    const steps = seriesSteps(shape);
    const half = halfWords(shape);
    const words = (index: number, length: number): Uint32Array =>
      new Uint32Array(memory, COUNTS_AT + index * 4, length);
    this.handle = handle;
    this.shape = shape;
    this.ints = new Int32Array(memory, 0, INT_WORDS);
    this.bounds = new Float64Array(memory, BOUNDS_AT, BOUNDS);
    this.series = words(0, steps);
    this.errorSeries = words(steps, steps);
    this.lag = words(2 * steps, LATENCY_BUCKETS);
    const start = 2 * steps + LATENCY_BUCKETS;
    this.halves = [words(start, half), words(start + half, half)];
  }

  static allocate(shape: CountersShape): PhaseCounters {
    return new PhaseCounters({ memory: new SharedArrayBuffer(memoryBytes(shape)), shape });
  }

  // --- worker

  /** The counts to record into until the next `nextInterval`: see `correctedAt` and `uncorrectedAt`. */
  get current(): Uint32Array {
    return this.halves[this.filling]!;
  }

  correctedAt(label: number): number {
    return label * LATENCY_BUCKETS;
  }

  /** Only in an open loop. */
  uncorrectedAt(label: number): number {
    return (this.shape.labelCount + label) * LATENCY_BUCKETS;
  }

  beginIntervals(fromMs: number): void {
    this.bounds[0] = fromMs;
    Atomics.store(this.ints, HALF_STATE, FILLING);
  }

  /** Seals the current interval as [from, to) and begins one at `nextFromMs`; false when it has to go on. */
  nextInterval(toMs: number, nextFromMs: number): boolean {
    const other = 1 - this.filling;
    if (Atomics.load(this.ints, HALF_STATE + other) !== FREE) return false;
    this.bounds[other * 2] = nextFromMs;
    Atomics.store(this.ints, HALF_STATE + other, FILLING);
    this.seal(toMs);
    this.filling = other;
    return true;
  }

  /** The phase is over. */
  seal(toMs: number): void {
    this.bounds[this.filling * 2 + 1] = toMs;
    Atomics.store(this.ints, HALF_STATE + this.filling, SEALED);
  }

  addDone(count: number): void {
    Atomics.add(this.ints, LIVE_DONE, count);
  }

  addErrors(count: number): void {
    Atomics.add(this.ints, LIVE_ERRORS, count);
  }

  // --- main thread

  /** Replies so far. */
  get done(): number {
    return Atomics.load(this.ints, LIVE_DONE) >>> 0;
  }

  get errors(): number {
    return Atomics.load(this.ints, LIVE_ERRORS) >>> 0;
  }

  /** Hands over each sealed half, the older one first, and frees it. `counts` is valid during the call only. */
  collect(take: (fromMs: number, toMs: number, counts: Uint32Array) => void): void {
    const { ints, bounds } = this;
    const order = bounds[0]! <= bounds[2]! ? [0, 1] : [1, 0];
    for (const half of order) {
      if (Atomics.load(ints, HALF_STATE + half) !== SEALED) continue;
      take(bounds[half * 2]!, bounds[half * 2 + 1]!, this.halves[half]!);
      this.halves[half]!.fill(0);
      Atomics.store(ints, HALF_STATE + half, FREE);
    }
  }
}

function memoryBytes(shape: CountersShape): number {
  return COUNTS_AT + (2 * seriesSteps(shape) + LATENCY_BUCKETS + 2 * halfWords(shape)) * 4;
}

function seriesSteps({ totalMs }: CountersShape): number {
  return Math.ceil(totalMs / SERIES_STEP_MS);
}

function halfWords({ labelCount, openLoop }: CountersShape): number {
  return labelCount * LATENCY_BUCKETS * (openLoop ? 2 : 1);
}

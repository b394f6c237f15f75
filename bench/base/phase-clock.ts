/**
 * One clock for all threads of the engine: milliseconds of the machine's monotonic clock. `performance.now()` is
 * cheaper and finer in a hot loop, but starts at a different zero in every thread; `toLocalMs` converts.
 */
import { performance } from 'node:perf_hooks';

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** More than enough to find an undisturbed one. */
const CALIBRATION_ROUNDS = 20;

const LOCAL_ZERO_MS = calibrate();

/** Reads one clock between two readings of the other; of several rounds the tightest, which nothing came between. */
function calibrate(): number {
  let zeroMs = 0;
  let tightestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < CALIBRATION_ROUNDS; round++) {
    const beforeMs = monotonicMs();
    const localMs = performance.now();
    const afterMs = monotonicMs();
    if (afterMs - beforeMs >= tightestMs) continue;
    tightestMs = afterMs - beforeMs;
    zeroMs = (beforeMs + afterMs) / 2 - localMs;
  }
  return zeroMs;
}

/** An instant of `monotonicMs` as this thread's `performance.now()` would show it. */
export function toLocalMs(monotonic: number): number {
  return monotonic - LOCAL_ZERO_MS;
}

export function toMonotonicMs(local: number): number {
  return local + LOCAL_ZERO_MS;
}

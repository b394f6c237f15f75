/**
 * One clock for all threads of the engine: milliseconds of the machine's monotonic clock. `performance.now()` is
 * cheaper and finer in a hot loop, but starts at a different zero in every thread; `toLocalMs` converts.
 */
import { performance } from 'node:perf_hooks';

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const LOCAL_ZERO_MS = monotonicMs() - performance.now();

/** An instant of `monotonicMs` as this thread's `performance.now()` would show it. */
export function toLocalMs(monotonic: number): number {
  return monotonic - LOCAL_ZERO_MS;
}

export function toMonotonicMs(local: number): number {
  return local + LOCAL_ZERO_MS;
}

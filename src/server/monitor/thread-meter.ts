/**
 * What one thread costs, whatever its stage does: CPU time, busy time, pauses of its garbage collector, and on an
 * event loop how late timers come.
 *
 *     busy    event loop: the time it did not wait for the kernel; blocking thread: the time in turns, the waits for
 *             the disk included
 *     cpu     what the kernel charges to this thread: less than busy by waits for disk and processor, more by what
 *             lies between turns
 *     gc      each stop of this thread by its collector
 *
 * Nothing here runs per request: a thread publishes when it is asked (a four-letter word passes through it), an event
 * loop besides ten times a second, a blocking thread at the end of a turn when it has not done so for 10 ms.
 */
import type { Clock } from '../../base/clock.ts';
import type { EventLoop, LoopTimer } from '../../base/event-loop.ts';
import type { CountersHandle } from '../../shm/counters.ts';
import type { Distribution } from './distribution.ts';
import type { GcPauses } from './gc-pauses.ts';
import {
  createDistribution,
  type DistributionHandle,
  DistributionReader,
  DistributionRecorder,
} from './shared-distribution.ts';
import { cpuMicros, type LoopUsage, type ThreadUsage } from './thread-usage.ts';
import { createTotals, Totals, TotalsReader } from './totals.ts';

export interface ThreadMeterHandle {
  /** Which stages it carries: `io_core`, `io_0`, `core`, `log`, `snapshot`. */
  readonly role: string;
  readonly totals: CountersHandle;
  readonly gcPauses: DistributionHandle;
  readonly timerDelays: DistributionHandle;
}

const ThreadTotal = { busyMicros: 0, cpuMicros: 1 } as const;

export function createThreadMeter(role: string): ThreadMeterHandle {
  return {
    role,
    totals: createTotals(ThreadTotal),
    gcPauses: createDistribution(),
    timerDelays: createDistribution(),
  };
}

const GC_INTERVAL_MS = 1000;
/** To ask the kernel for the CPU time costs 1 to 5 microseconds. */
const TURN_INTERVAL_MS = 10;

/** On the metered thread. */
export class ThreadMeter {
  private readonly totals: Totals;
  private readonly gcPauses: DistributionRecorder;
  private readonly gc: GcPauses;
  private readonly busyMs: () => number;
  private readonly cpuMicros: () => number;
  /** What earlier threads of this role had used up. */
  private readonly busyMicrosBefore: number;
  private readonly cpuMicrosBefore: number;
  private gcAskedMs = 0;

  /** `busyMs` and `cpuNow` (microseconds): since this thread began. */
  constructor(handle: ThreadMeterHandle, gc: GcPauses, busyMs: () => number, cpuNow = cpuMicros) {
    this.totals = new Totals(handle.totals);
    this.gcPauses = new DistributionRecorder(handle.gcPauses);
    this.gc = gc;
    this.busyMs = busyMs;
    this.cpuMicros = cpuNow;
    this.busyMicrosBefore = this.totals.get(ThreadTotal.busyMicros);
    this.cpuMicrosBefore = this.totals.get(ThreadTotal.cpuMicros);
  }

  /** `asked`: somebody waits for it; else the collector's part is not looked at every time. */
  publish(nowMs: number, asked: boolean): void {
    this.totals.set(ThreadTotal.cpuMicros, this.cpuMicrosBefore + this.cpuMicros());
    this.totals.set(ThreadTotal.busyMicros, this.busyMicrosBefore + this.busyMs() * 1000);
    this.totals.publish();
    if (!asked && nowMs - this.gcAskedMs < GC_INTERVAL_MS) return;
    this.gcAskedMs = nowMs;
    this.gc.collect(this.gcPauses);
    this.gcPauses.publish();
  }
}

/** A blocking thread says itself how long its turns took. */
export class TurnMeter {
  private busyMs = 0;
  private publishedMs = 0;
  private readonly thread: ThreadMeter;

  constructor(handle: ThreadMeterHandle, usage: ThreadUsage) {
    this.thread = new ThreadMeter(handle, usage.gc, () => this.busyMs, usage.cpuMicros);
  }

  onTurn(startMs: number, endMs: number): void {
    this.busyMs += endMs - startMs;
  }

  /** What others see is some milliseconds of turns behind at most. */
  publishSometimes(nowMs: number): void {
    if (nowMs - this.publishedMs < TURN_INTERVAL_MS) return;
    this.publishedMs = nowMs;
    this.thread.publish(nowMs, false);
  }

  /** Somebody waits for it. */
  publish(nowMs: number): void {
    this.thread.publish(nowMs, true);
  }
}

const SAMPLE_INTERVAL_MS = 100;

interface MeteredLoop {
  readonly clock: Clock;
  readonly loop: EventLoop;
  loopUsage(): LoopUsage;
}

/** An event loop: busy time is libuv's, and a timer shows how long whatever is ready has to wait for its turn. */
export class EventLoopMeter {
  private readonly thread: ThreadMeter;
  private readonly delays: DistributionRecorder;
  private readonly timer: LoopTimer;
  private readonly onSample: () => void;
  private readonly nowMs: () => number;
  private sampledMs: number;

  /** `onSample` is called some ten times a second: publish what may be published rarely. */
  constructor(handle: ThreadMeterHandle, { clock, loop, loopUsage }: MeteredLoop, onSample: () => void) {
    const { gc, busyMs, cpuMicros: cpuNow } = loopUsage();
    this.thread = new ThreadMeter(handle, gc, busyMs, cpuNow);
    this.nowMs = clock.monotonicMs;
    this.sampledMs = this.nowMs();
    this.delays = new DistributionRecorder(handle.timerDelays);
    this.onSample = onSample;
    this.timer = loop.every(SAMPLE_INTERVAL_MS, () => this.sample());
  }

  publish(asked: boolean): void {
    this.thread.publish(this.nowMs(), asked);
    this.delays.publish();
  }

  close(): void {
    this.timer.cancel();
  }

  private sample(): void {
    const nowMs = this.nowMs();
    this.delays.add((nowMs - this.sampledMs - SAMPLE_INTERVAL_MS) * 1000);
    this.sampledMs = nowMs;
    this.onSample();
  }
}

/** On the thread of the four-letter words. */
export class ThreadMeterReader {
  readonly role: string;
  private readonly totals: TotalsReader;
  private readonly gc: DistributionReader;
  private readonly delays: DistributionReader;

  constructor(handle: ThreadMeterHandle) {
    this.role = handle.role;
    this.totals = new TotalsReader(handle.totals);
    this.gc = new DistributionReader(handle.gcPauses);
    this.delays = new DistributionReader(handle.timerDelays);
  }

  get busyMicros(): number {
    return this.totals.since(ThreadTotal.busyMicros);
  }

  get cpuMicros(): number {
    return this.totals.since(ThreadTotal.cpuMicros);
  }

  /** Microseconds, as `timerDelays`. */
  gcPauses(): Distribution {
    return this.gc.read();
  }

  /** Empty for a blocking thread. */
  timerDelays(): Distribution {
    return this.delays.read();
  }

  reset(): void {
    this.totals.reset();
    this.gc.reset();
    this.delays.reset();
  }
}

/**
 * Pauses by garbage collection, of threads of this process and of a Java server by its log.
 *
 *     [1234567890123ns] GC(7) Pause Young (Normal) (G1 Evacuation Pause) 24M->5M(384M) 3.456ms
 *      ^ end of the pause by System.nanoTime, which on Linux is the engine's monotonic clock
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';

export interface PauseSum {
  readonly count: number;
  readonly totalMs: number;
  /** 0 without a pause. */
  readonly maxMs: number;
}

const NO_PAUSES: PauseSum = { count: 0, totalMs: 0, maxMs: 0 };

/** Collections of the thread that makes one; each worker needs its own. They are known one turn of the event loop later. */
export class GcPauseMeter {
  private readonly observer: PerformanceObserver;
  private sum = NO_PAUSES;

  constructor() {
    this.observer = new PerformanceObserver((list) => this.add(list.getEntries()));
    this.observer.observe({ entryTypes: ['gc'] });
  }

  /** Pauses that became known since the last call. */
  take(): PauseSum {
    this.add(this.observer.takeRecords());
    const sum = this.sum;
    this.sum = NO_PAUSES;
    return sum;
  }

  stop(): void {
    this.observer.disconnect();
  }

  private add(entries: readonly PerformanceEntry[]): void {
    this.sum = sumPauses(
      entries.map(({ duration }) => duration),
      this.sum,
    );
  }
}

export interface Pause {
  /** On the monotonic clock. */
  readonly endMs: number;
  readonly durationMs: number;
}

const LINE = /^\[(\d+)ns\].*\bPause\b.* ([\d.]+)ms$/;
const READ_BYTES = 64 * 1024;
/** Far more than any run has; beyond it the oldest half is forgotten. */
const PAUSES_MAX = 200_000;

/** Null for lines about anything but a pause that stopped the program. */
export function parseGcLine(line: string): Pause | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  return { endMs: Number(match[1]) / 1e6, durationMs: Number(match[2]) };
}

/** Follows the log while the server writes it, since the log is gone when the server is. */
export class GcLog {
  private readonly file: string;
  private descriptor: number | null = null;
  private closed = false;
  private position = 0;
  private rest = '';
  private pauses: Pause[] = [];
  private readonly buffer = Buffer.alloc(READ_BYTES);

  constructor(file: string) {
    this.file = file;
  }

  /** Takes in what was written since the last call. */
  poll(): void {
    if (this.closed) return;
    try {
      this.descriptor ??= openSync(this.file, 'r');
    } catch {
      return; // not written yet
    }
    for (;;) {
      const length = readSync(this.descriptor, this.buffer, 0, READ_BYTES, this.position);
      if (length === 0) return;
      this.position += length;
      this.takeIn(this.buffer.toString('latin1', 0, length));
    }
  }

  /** Pauses that ended in `[fromMs, toMs)`. */
  sum(fromMs: number, toMs: number): PauseSum {
    const inside = this.pauses.filter(({ endMs }) => endMs >= fromMs && endMs < toMs);
    return sumPauses(inside.map(({ durationMs }) => durationMs));
  }

  /** What was taken in stays. */
  close(): void {
    this.closed = true;
    if (this.descriptor !== null) closeSync(this.descriptor);
    this.descriptor = null;
  }

  private takeIn(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    for (const line of lines) {
      const pause = parseGcLine(line);
      if (pause !== null) this.pauses.push(pause);
    }
    if (this.pauses.length > PAUSES_MAX) this.pauses = this.pauses.slice(PAUSES_MAX / 2);
  }
}

function sumPauses(durations: readonly number[], start: PauseSum = NO_PAUSES): PauseSum {
  return durations.reduce(
    ({ count, totalMs, maxMs }, ms) => ({
      count: count + 1,
      totalMs: totalMs + ms,
      maxMs: Math.max(maxMs, ms),
    }),
    start,
  );
}

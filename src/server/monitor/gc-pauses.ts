/**
 * Each stop of this thread by its garbage collector, in microseconds. Two sources, because of how a thread lives:
 *
 *     event loop   a PerformanceObserver: the entries come with a later turn of the loop
 *     blocking     V8's GC profiler, which can be asked at any time: an observer is called back on an event loop only,
 *                  and without one its entries would pile up
 *
 * The profiler describes the heap before and after each collection: used on all threads, it made a pipelined write
 * about 3 % dearer, and the observer nothing that could be measured.
 */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { GCProfiler } from 'node:v8';
import type { DistributionRecorder } from './shared-distribution.ts';

export interface GcPauses {
  /** Records what has not been recorded yet. The profiler takes some 20 microseconds for that. */
  collect(into: DistributionRecorder): void;
}

export class ObservedGcPauses implements GcPauses {
  private readonly observer: PerformanceObserver;
  private readonly pending: number[] = [];

  constructor() {
    this.observer = new PerformanceObserver((list) => this.take(list.getEntries()));
    this.observer.observe({ entryTypes: ['gc'] });
  }

  collect(into: DistributionRecorder): void {
    this.take(this.observer.takeRecords());
    for (const ms of this.pending) into.add(ms * 1000);
    this.pending.length = 0;
  }

  private take(entries: readonly PerformanceEntry[]): void {
    for (const { duration } of entries) this.pending.push(duration);
  }
}

export class ProfiledGcPauses implements GcPauses {
  private readonly profiler = new GCProfiler();

  constructor() {
    this.profiler.start();
  }

  collect(into: DistributionRecorder): void {
    const { statistics } = this.profiler.stop();
    this.profiler.start();
    for (const { cost } of statistics) into.add(cost);
  }
}

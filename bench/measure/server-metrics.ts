/** From readings of `mntr` to the figures of a time: growth of counters, last value of gauges. Pure. */
import type { ServerMetrics } from '../result/run-json.ts';
import type { PauseSum } from './gc-pauses.ts';
import { isCounter, type MonitorValues } from './mntr.ts';
import type { SampleSeries, Timed } from './sample-series.ts';

export interface MonitorSample extends Timed {
  readonly values: MonitorValues;
}

/** Averages and minima are of the time since the server's start, where another phase hides; the rest says nothing. */
const LEFT_OUT = /^(?:avg_|min_)|^(?:uptime|max_file_descriptor_count|ringkeeper_since_reset_ms)$/;
const THREAD_COLLECTIONS = /^ringkeeper_thread_\w+_gc_ms$/;

/** What a server tells of times of one kind: in microseconds (ringkeeper's own names) or whole milliseconds. */
interface TimesNames {
  readonly count: string;
  readonly sumMs: string;
  readonly maxMs: string;
}

const FSYNCS: readonly TimesNames[] = [
  timesNames('ringkeeper_log_fsync_ms'),
  { count: 'cnt_fsynctime', sumMs: 'sum_fsynctime', maxMs: 'max_fsynctime' },
];

/**
 * Figures over `[fromMs, toMs]`. `pauses`: from the server's own log of collections, null without one. Null when
 * there is neither a reading nor a log.
 */
export function summarizeMonitor(
  series: SampleSeries<MonitorSample>,
  pauses: PauseSum | null,
  fromMs: number,
  toMs: number,
): ServerMetrics | null {
  const window = MonitorWindow.of(series, fromMs, toMs);
  if (window === null && pauses === null) return null;
  const fsyncs = FSYNCS.map((names) => window?.times(names) ?? null).find((times) => times !== null);
  const collections = pauses ?? window?.collections() ?? null;
  return {
    packetsReceived: rounded(window?.growth('packets_received') ?? null),
    fsyncMeanMs: fsyncs === undefined || fsyncs.count < 1 ? null : fsyncs.totalMs / fsyncs.count,
    fsyncMaxMs: fsyncs === undefined || fsyncs.count < 1 ? null : fsyncs.maxMs,
    gcPauseMaxMs: collections?.maxMs ?? null,
    gcPauseTotalMs: collections?.totalMs ?? null,
    values: window?.all() ?? {},
  };
}

/**
 * Readings come about once a second, and a phase begins and ends between them: counters are taken as growing evenly
 * from one reading to the next.
 *
 *     readings   a        b        c        d
 *     time              from                  to        growth = value at `to` - value at `from`
 */
class MonitorWindow {
  private readonly fromMs: number;
  private readonly toMs: number;
  /** Around `fromMs`, and around `toMs`; the same one twice where there is none on the other side. */
  private readonly first: readonly [MonitorSample, MonitorSample];
  private readonly last: readonly [MonitorSample, MonitorSample];

  private constructor(
    fromMs: number,
    toMs: number,
    first: readonly [MonitorSample, MonitorSample],
    last: readonly [MonitorSample, MonitorSample],
  ) {
    this.fromMs = fromMs;
    this.toMs = toMs;
    this.first = first;
    this.last = last;
  }

  static of(series: SampleSeries<MonitorSample>, fromMs: number, toMs: number): MonitorWindow | null {
    const first = around(series, fromMs);
    const last = around(series, toMs);
    return first === null || last === null ? null : new MonitorWindow(fromMs, toMs, first, last);
  }

  /** Null when the server does not count it, or has begun anew in between. */
  growth(name: string): number | null {
    const before = at(this.first, name, this.fromMs);
    const after = at(this.last, name, this.toMs);
    if (before === null || after === null || this.first[0] === this.last[1]) return null;
    return after >= before ? after - before : null;
  }

  /**
   * The server's maximum is of the time since its start. It is that of this time when it has grown; otherwise that
   * is below it, and not known. Null when the server does not tell such times at all.
   */
  times({ count, sumMs, maxMs }: TimesNames): Times | null {
    const [counted, totalMs] = [this.growth(count), this.growth(sumMs)];
    if (counted === null || totalMs === null) return null;
    const before = this.first[0].values.get(maxMs) ?? 0;
    const after = this.last[1].values.get(maxMs) ?? 0;
    const known = counted === 0 ? 0 : after > before ? after : null;
    return { count: counted, totalMs, maxMs: known, maxMsBound: counted === 0 ? 0 : after };
  }

  /** Of all threads together; only ringkeeper tells them. */
  collections(): { readonly maxMs: number | null; readonly totalMs: number } | null {
    const threads: Times[] = [];
    for (const name of this.last[1].values.keys()) {
      const times = THREAD_COLLECTIONS.test(name) ? this.times(timesNames(name)) : null;
      if (times !== null) threads.push(times);
    }
    if (threads.length === 0) return null;
    const known = Math.max(0, ...threads.map(({ maxMs }) => maxMs ?? 0));
    const bound = Math.max(...threads.map(({ maxMsBound }) => maxMsBound));
    return {
      totalMs: threads.reduce((sum, { totalMs }) => sum + totalMs, 0),
      maxMs: known >= bound ? known : null,
    };
  }

  /** Everything that is not 0. */
  all(): Record<string, number> {
    const figures: Record<string, number> = {};
    for (const [name, value] of this.last[0].values) {
      if (LEFT_OUT.test(name)) continue;
      const figure = isCounter(name) ? rounded(this.growth(name)) : value;
      if (figure !== null && figure !== 0) figures[name] = figure;
    }
    return figures;
  }
}

interface Times {
  readonly count: number;
  readonly totalMs: number;
  /** Null when it is only known not to be above the bound. */
  readonly maxMs: number | null;
  readonly maxMsBound: number;
}

/** Of ringkeeper's `<stage>_<what>_ms`. */
function timesNames(sumMs: string): TimesNames {
  return { count: sumMs.replace(/_ms$/, '_count'), sumMs, maxMs: `${sumMs}_max` };
}

function around(
  series: SampleSeries<MonitorSample>,
  atMs: number,
): readonly [MonitorSample, MonitorSample] | null {
  const before = series.lastUntil(atMs);
  const behind = series.firstFrom(atMs);
  const sample = before ?? behind;
  return sample === null ? null : [before ?? sample, behind ?? sample];
}

/** The value of a counter between two readings. */
function at([a, b]: readonly [MonitorSample, MonitorSample], name: string, atMs: number): number | null {
  const before = a.values.get(name);
  const after = b.values.get(name);
  if (before === undefined || after === undefined) return before ?? after ?? null;
  if (b.atMs <= a.atMs) return before;
  return before + ((after - before) * (atMs - a.atMs)) / (b.atMs - a.atMs);
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}

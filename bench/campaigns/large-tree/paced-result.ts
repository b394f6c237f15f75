/**
 * From what was counted in the paced phase to its result. All instants are of one clock, the machine's monotonic one:
 * slices of latencies, snapshots (by the times of their files), the generator's lateness.
 */
import { errorName } from '../../../src/wire/error-codes.ts';
import { formatCount, formatRate, plural } from '../../figures/format.ts';
import type { RunningPhase } from '../../generator/controller.ts';
import type { WorkerPhaseReport } from '../../generator/worker-messages.ts';
import { foldCounts, newHistogram, summarizeLatency } from '../../latency/latency-recorder.ts';
import type { GcLog } from '../../measure/gc-pauses.ts';
import type { MonitorValues } from '../../measure/mntr.ts';
import { readProcessUsage } from '../../measure/process-usage.ts';
import type { LatencySummary } from '../../result/run-json.ts';
import type { Target } from '../../target/target.ts';
import { type SnapshotSpan, snapshotSpans } from './data-dir.ts';
import type { LoadResult, Moment, SnapshotFacts } from './large-tree-json.ts';
import { type LatenessWatch, worstLateness } from './lateness-watch.ts';
import { type ReplySlice, splitReplies, worstMoments } from './reply-times.ts';
import { extremes, larger, threadPauses } from './server-facts.ts';

export type PacedResult = Omit<
  LoadResult,
  'server' | 'target' | 'peakPerSecond' | 'ratePerSecond' | 'snapCount'
>;

/** What was looked at from the main thread while the phase ran. */
export interface Watched {
  readonly lateness: LatenessWatch;
  readonly residentBytes: number | null;
  readonly cpuPressure: number | null;
}

const WORST_MOMENTS = 10;
/** Instants of several threads are compared. */
const EDGE_MS = 0.01;
/** The arrivals are a Poisson process: beyond this share below the rate it is no chance. */
const RATE_TOLERANCE = 0.02;

export interface PacedFacts extends Watched {
  readonly target: Target;
  readonly running: RunningPhase;
  readonly report: WorkerPhaseReport;
  readonly rate: number;
  /** Read behind the load, statistics reset before it; null when the server did not answer. */
  readonly values: MonitorValues | null;
  readonly gcLog: GcLog | null;
}

export function pacedResult(facts: PacedFacts, wanted: number): PacedResult {
  const { target, running, report, values, lateness, gcLog, rate } = facts;
  const { measureStartMs } = running.grid;
  const endMs = measureStartMs + report.measuredMs;
  const spans = snapshotSpans(target.dataDir!).filter(
    ({ fromMs, toMs }) => toMs >= measureStartMs && fromMs < endMs,
  );
  const whole = spans.filter(({ fromMs, toMs }) => fromMs >= measureStartMs && toMs <= endMs);
  const slices = replySlices(running, measureStartMs);
  const pauses = threadPauses(values);
  const reachedPerSecond = repliesPerSecond(running, measureStartMs, report.measuredMs);
  const pid = target.servers[0]?.pid ?? null;
  const usage = pid === null ? null : readProcessUsage(pid);
  return {
    reachedPerSecond,
    measuredMs: report.measuredMs,
    snapshotsWanted: wanted,
    snapshots: whole.map((span) => snapshotFacts(span, measureStartMs)),
    replies: splitReplies(slices, spans),
    uncorrected: summarizeLatency(
      running.collector.histogram(allLabels(running), measureStartMs, 'uncorrected'),
    ),
    worst: moments(slices, spans, lateness),
    generator: {
      lateness: generatorLateness(running),
      gcPauseMaxMs: report.gcPauseMaxMs,
      busy: report.cpuMicros / 1000 / Math.max(1, report.measuredMs),
    },
    findings: [
      ...findings(report, rate, reachedPerSecond, whole.length, wanted),
      ...(values === null ? ['the server did not answer mntr behind the load'] : []),
    ],
    gcPauseMaxMs: gcLog === null ? (pauses[0]?.maxMs ?? null) : gcLog.sum(measureStartMs, endMs).maxMs,
    threadPauses: pauses,
    extremes: extremes(values),
    residentBytes: larger(facts.residentBytes, usage?.rssBytes ?? null),
    residentPeakBytes: usage?.rssPeakBytes ?? null,
    cpuPressure: facts.cpuPressure,
  };
}

/** Replies that arrived in the measured time. */
export function repliesPerSecond(running: RunningPhase, fromMs: number, measuredMs: number): number {
  const counts = running.collector.counts(allLabels(running), fromMs, fromMs + measuredMs);
  const replies = counts.reduce((sum, count) => sum + count, 0);
  return measuredMs > 0 ? (replies / measuredMs) * 1000 : 0;
}

/** Late replies to requests of the measured time are in the slices behind its end. */
function replySlices({ collector, labels }: RunningPhase, fromMs: number): ReplySlice[] {
  const [reads, writes] = (['get', 'set'] as const).map((wanted) =>
    labels.flatMap(({ kind }, label) => (kind === wanted ? [label] : [])),
  );
  return collector.intervals
    .filter((interval) => interval.fromMs >= fromMs - EDGE_MS)
    .map((interval) => ({
      fromMs: interval.fromMs,
      toMs: interval.toMs,
      reads: collector.intervalHistogram(interval, reads!),
      writes: collector.intervalHistogram(interval, writes!),
    }));
}

function allLabels({ labels }: RunningPhase): number[] {
  return labels.map((_, label) => label);
}

function snapshotFacts({ fromMs, toMs, bytes }: SnapshotSpan, zeroMs: number): SnapshotFacts {
  return { atMs: Math.round(fromMs - zeroMs), ms: Math.round(toMs - fromMs), bytes };
}

/** A reply that came late was due up to its latency before its slice. */
function moments(
  slices: readonly ReplySlice[],
  spans: readonly SnapshotSpan[],
  { stretches }: LatenessWatch,
): Moment[] {
  const zeroMs = slices[0]?.fromMs ?? 0;
  return worstMoments(slices, spans, WORST_MOMENTS).map((moment) => {
    const slice = slices.find(({ fromMs }) => Math.round(fromMs - zeroMs) === moment.atMs)!;
    const reachMs = Math.max(moment.readMs ?? 0, moment.writeMs ?? 0);
    return { ...moment, generatorLateMs: worstLateness(stretches, slice.fromMs - reachMs, slice.toMs) };
  });
}

function generatorLateness({ counters }: RunningPhase): LatencySummary | null {
  const histogram = newHistogram();
  for (const { lag } of counters) foldCounts(lag, histogram);
  return summarizeLatency(histogram);
}

function findings(
  report: WorkerPhaseReport,
  rate: number,
  reached: number,
  snapshots: number,
  wanted: number,
): string[] {
  const found = [...report.errors].map(
    ([code, count]) => `${formatCount(count)} replies with ${errorName(code)}`,
  );
  if (report.lost > 0) found.push(`${plural(report.lost, 'request')} lost their connection`);
  if (report.unanswered > 0) found.push(`${plural(report.unanswered, 'request')} without an answer`);
  if (report.disorder > 0) found.push(`replies out of order: ${report.disorder} times`);
  if (report.dropped > 0) found.push(`${plural(report.dropped, 'request')} were dropped`);
  if (reached < rate * (1 - RATE_TOLERANCE))
    found.push(`${formatRate(reached)} reached of ${formatRate(rate)}`);
  if (snapshots < wanted) found.push(`only ${snapshots} of ${plural(wanted, 'snapshot')} within the time`);
  return found;
}

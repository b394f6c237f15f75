/**
 * The rows of the result table, the same on the terminal, in `summary.md` and in the report: one row per figure, one
 * cell per phase. The terminal shows the main rows; rows that no phase has a figure for are left out everywhere.
 */

import type { AvailabilityResult, PhaseResult, RunResult } from '../result/run-json.ts';
import { isOpenLoop, phaseBrief } from './describe.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMiB,
  formatMicros,
  formatMs,
  formatPercent,
  formatRate,
  MISSING,
  orMissing,
} from './format.ts';
import { keyFigures } from './key-figures.ts';
import { coreEachPerSecond, limitOf } from './limit.ts';
import { availabilityText, throughputText } from './verdict.ts';

export interface FigureRow {
  readonly label: string;
  /** One cell per phase. */
  readonly cells: readonly string[];
  /** Left out on the terminal. */
  readonly detail: boolean;
}

type Cell = (phase: PhaseResult) => string;

interface RowPlan {
  readonly label: string;
  readonly cell: Cell;
  readonly detail?: true;
}

const LOAD_ROWS: readonly RowPlan[] = [
  { label: 'Load', cell: (p) => phaseBrief(p.plan) },
  { label: 'Throughput = requests / time', cell: throughputText },
  { label: 'Goodput (within the SLO)', cell: (p) => orMissing(p.goodputPerSecond, formatRate) },
  { label: 'Latency mean, ms', cell: (p) => orMissing(p.latency?.meanMs, formatMs) },
  { label: 'Latency p50, ms', cell: (p) => orMissing(p.latency?.p50Ms, formatMs) },
  { label: 'Latency p90, ms', cell: (p) => orMissing(p.latency?.p90Ms, formatMs), detail: true },
  { label: 'Latency p99, ms', cell: (p) => orMissing(p.latency?.p99Ms, formatMs) },
  { label: 'Latency p99.9, ms', cell: (p) => orMissing(p.latency?.p999Ms, formatMs) },
  { label: 'Latency p99.99, ms', cell: (p) => orMissing(p.latency?.p9999Ms, formatMs), detail: true },
  { label: 'Latency max, ms', cell: (p) => orMissing(p.latency?.maxMs, formatMs) },
  { label: 'p99 counted from sending, ms', cell: uncorrectedP99, detail: true },
  { label: 'Schedule lag p99, ms', cell: (p) => orMissing(p.scheduleLag?.p99Ms, formatMs), detail: true },
  { label: 'Availability = up time / time', cell: (p) => availabilityText(p.availability) },
  { label: 'Longest outage, ms', cell: (p) => orMissing(longestOutageMs(p.availability), formatMs) },
  { label: 'Replies with an error', cell: (p) => nonZero(errorCount(p)) },
  { label: 'Lost or never answered', cell: (p) => nonZero(p.lost + p.unanswered) },
  { label: 'Longest unanswered wait, ms', cell: (p) => orMissing(p.waited?.longestMs, formatMs) },
  { label: 'Dropped before sending', cell: (p) => nonZero(p.dropped) },
];

const COST_ROWS: readonly RowPlan[] = [
  { label: 'Server CPU, us/op', cell: (p) => orMissing(p.server?.cpuMicrosPerOp, formatMicros) },
  { label: 'Server CPU, cores', cell: (p) => orMissing(p.server?.cpuCores, (cores) => cores.toFixed(2)) },
  {
    label: 'Server context switches / op',
    cell: (p) => orMissing(p.server?.contextSwitchesPerOp, (count) => count.toFixed(3)),
    detail: true,
  },
  { label: 'Server memory (RSS)', cell: (p) => orMissing(p.server?.rssBytes, formatMiB) },
  {
    label: 'Server memory, peak',
    cell: (p) => orMissing(p.server?.rssPeakBytes, formatMiB),
    detail: true,
  },
  { label: 'Server fsync mean, ms', cell: (p) => orMissing(p.metrics?.fsyncMeanMs, formatMs), detail: true },
  { label: 'Server fsync max, ms', cell: (p) => orMissing(p.metrics?.fsyncMaxMs, formatMs), detail: true },
  {
    label: 'Server GC pause max, ms',
    cell: (p) => orMissing(p.metrics?.gcPauseMaxMs, formatMs),
    detail: true,
  },
  {
    label: 'Server GC pauses, total ms',
    cell: (p) => orMissing(p.metrics?.gcPauseTotalMs, formatMs),
    detail: true,
  },
  {
    label: 'Packets received, by the server',
    cell: (p) => orMissing(p.metrics?.packetsReceived, formatCount),
    detail: true,
  },
  {
    label: 'Generator CPU, us/op',
    cell: (p) => orMissing(p.generator.cpuMicrosPerOp, formatMicros),
    detail: true,
  },
  { label: 'Generator busy', cell: (p) => formatPercent(p.generator.busy) },
  { label: 'Generator ceiling', cell: ceilingText },
  { label: 'Generator GC pause max, ms', cell: (p) => formatMs(p.generator.gcPauseMaxMs), detail: true },
  { label: 'Sent / request', cell: (p) => perRequest(p, p.generator.bytesSent), detail: true },
  { label: 'Received / request', cell: (p) => perRequest(p, p.generator.bytesReceived), detail: true },
  { label: 'Waiting for a CPU (PSI)', cell: (p) => orMissing(p.cpuPressure, formatPercent), detail: true },
  { label: 'Measured time, s', cell: (p) => (p.measuredMs / 1000).toFixed(1), detail: true },
  { label: 'Warm-up cut at, s', cell: (p) => (p.steady.cutMs / 1000).toFixed(1), detail: true },
  { label: 'Others on this machine, cores', cell: (p) => orMissing(p.othersCores, (n) => n.toFixed(2)) },
  { label: 'Warmed before: CPU, us/op', cell: warmingText },
  {
    label: 'Spread of throughput, ±',
    cell: (p) => orMissing(p.steady.variation, formatPercent),
    detail: true,
  },
  { label: 'Znodes before, after', cell: treeText, detail: true },
];

const ROWS: readonly RowPlan[] = [...LOAD_ROWS, ...COST_ROWS];

export function figureRows(run: RunResult): FigureRow[] {
  return [...keyRows(run), ...ROWS, ...limitRows(run)]
    .map(({ label, cell, detail }) => ({
      label: label === 'Goodput (within the SLO)' ? goodputLabel(run) : label,
      cells: run.phases.map(cell),
      detail: detail ?? false,
    }))
    .filter(({ cells }) => cells.some((text) => text !== MISSING));
}

/** What depends on the machine's cores. */
function limitRows({ environment }: RunResult): RowPlan[] {
  return [
    { label: 'Limited by', cell: (p) => orMissing(limitOf(p, environment.cpuCount), ({ text }) => text) },
    {
      label: 'Estimate, a core for each server',
      cell: (p) => orMissing(coreEachPerSecond(p), formatRate),
      detail: true,
    },
  ];
}

/** Those of each plan come first. */
function keyRows({ phases }: RunResult): RowPlan[] {
  const figures = phases.map((phase) => new Map(keyFigures(phase)));
  const labels = [...new Set(figures.flatMap((of) => [...of.keys()]))];
  return labels.map((label) => ({
    label,
    cell: (phase) => figures[phases.indexOf(phase)]!.get(label) ?? MISSING,
  }));
}

/** `6.0 s, 8.2 -> 4.1`: how long, and the server's CPU per request at both ends. */
function warmingText({ warming }: PhaseResult): string {
  if (warming === null) return MISSING;
  const { durationMs, cpuMicrosPerOp, level } = warming;
  const ends = [cpuMicrosPerOp[0], cpuMicrosPerOp.at(-1)].map((cost) => orMissing(cost, formatMicros));
  const end = level === null ? ', level?' : level ? '' : ', falling';
  return `${(durationMs / 1000).toFixed(1)} s, ${ends.join(' -> ')}${end}`;
}

/** Of all probe classes; null without an outage. */
export function longestOutageMs({ classes }: AvailabilityResult): number | null {
  const longest = Math.max(0, ...Object.values(classes).map(({ longestOutageMs: ms }) => ms));
  return longest === 0 ? null : longest;
}

export function errorCount({ errors }: PhaseResult): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

/** `ConnectionLoss 12, NoNode 3`, most frequent first. */
export function errorText({ errors }: PhaseResult): string {
  return Object.entries(errors)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
    .join(', ');
}

function goodputLabel({ plan }: RunResult): string {
  return plan.sloMs === null ? 'Goodput' : `Goodput (within ${formatDuration(plan.sloMs)})`;
}

/** In a closed loop it would repeat the row above. */
function uncorrectedP99({ plan, uncorrected }: PhaseResult): string {
  return isOpenLoop(plan) ? orMissing(uncorrected?.p99Ms, formatMs) : MISSING;
}

/** `9,800,000 /s (4.9 x)`: where the generator itself would end, and how far above the load that is. */
function ceilingText({ generator, throughputPerSecond }: PhaseResult): string {
  const { ceilingPerSecond } = generator;
  if (ceilingPerSecond === null) return MISSING;
  const times = throughputPerSecond > 0 ? ` (${(ceilingPerSecond / throughputPerSecond).toFixed(1)} x)` : '';
  return `${formatRate(ceilingPerSecond)}${times}`;
}

function perRequest({ requests }: PhaseResult, bytes: number): string {
  return requests === 0 ? MISSING : formatBytes(bytes / requests);
}

function treeText({ treeSize }: PhaseResult): string {
  const { before, after } = treeSize;
  return before === null || after === null ? MISSING : `${formatCount(before)}, ${formatCount(after)}`;
}

/** A row that only matters when something happened. */
function nonZero(count: number): string {
  return count === 0 ? MISSING : formatCount(count);
}

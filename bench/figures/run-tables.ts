/**
 * The tables of a run beyond the main figures, as heads and rows of text: for `summary.md` and for the report, where
 * they are also the text behind the charts.
 */
import { LOAD_OPS } from '../plan/plan.ts';
import type {
  AvailabilityResult,
  CheckResult,
  LatencySummary,
  PhaseResult,
  RunResult,
} from '../result/run-json.ts';
import { isOpenLoop } from './describe.ts';
import { formatCount, formatMs, formatRate, formatShare, MISSING, orMissing } from './format.ts';

export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const LATENCY_HEAD = ['mean, ms', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max'];

/** One row per op of each phase; a second one, counted from the instant of sending, where that differs. */
export function latencyByOp(phases: readonly PhaseResult[]): TextTable {
  const rows = phases.flatMap((phase) => {
    const name = phase.plan.name;
    const all: string[][] = [];
    if (phase.latency !== null && phase.ops.filter(isRequest).length !== 1) {
      all.push([name, 'all requests', formatRate(phase.throughputPerSecond), ...latencyCells(phase.latency)]);
    }
    for (const op of phase.ops) {
      all.push([name, op.label, formatRate(op.perSecond), ...latencyCells(op.latency)]);
      if (isOpenLoop(phase.plan) && isRequest(op)) {
        all.push([name, `${op.label}, from sending`, MISSING, ...latencyCells(op.uncorrected)]);
      }
    }
    return all;
  });
  return { head: ['phase', 'op', 'rate', ...LATENCY_HEAD], rows };
}

/** Whether an op is a request of its own: events and steps of recipes are not. */
export function isRequest({ kind }: { readonly kind: string }): boolean {
  return (LOAD_OPS as readonly string[]).includes(kind);
}

export function availabilityTable(run: RunResult): TextTable {
  const head = ['phase', 'class', 'up time / time', 'by count', 'ok', 'late', 'failed', 'unknown', 'outages'];
  const windows = windowLengths(run.availability);
  const rows = [
    ...run.phases.flatMap((phase) => classRows(phase.plan.name, phase.availability, windows)),
    ...classRows('whole run', run.availability, windows),
  ];
  return { head: [...head, 'longest, ms', ...windows.map((ms) => `worst ${Number(ms) / 1000} s`)], rows };
}

/** Each outage of the run: class, begin, end, length. */
export function outageTable(availability: AvailabilityResult): TextTable {
  const rows = Object.entries(availability.classes).flatMap(([name, { outages }]) =>
    outages.map(({ fromMs, toMs }) => [
      name,
      (fromMs / 1000).toFixed(2),
      (toMs / 1000).toFixed(2),
      formatMs(toMs - fromMs),
    ]),
  );
  return { head: ['class', 'from, s', 'to, s', 'length, ms'], rows };
}

/** What the server says of itself; no rows where it says nothing. */
export function metricsTable(phases: readonly PhaseResult[]): TextTable {
  const names = new Set(phases.flatMap(({ metrics }) => Object.keys(metrics?.values ?? {})));
  const rows = [...names]
    .sort()
    .map((name) => [
      name,
      ...phases.map(({ metrics }) =>
        orMissing(metrics?.values[name], (value) => String(Number(value.toFixed(3)))),
      ),
    ]);
  return { head: ['mntr', ...phases.map(({ plan }) => plan.name)], rows };
}

export function checkTable(check: CheckResult): TextTable {
  const rows = check.rules.map(({ rule, violations, examples }) => [
    rule,
    formatCount(violations),
    examples[0] ?? '',
  ]);
  return { head: ['rule', 'broken', 'example'], rows };
}

/** The verdict of a checked history in a sentence. */
export function checkSentence({ passed, operations, keys, truncated }: CheckResult): string {
  const what = `${formatCount(operations)} operations, ${formatCount(keys)} keys searched for a linearization`;
  const part = truncated ? '; the history was too long to keep whole: only its beginning was checked' : '';
  return `${passed ? 'The history keeps all guarantees' : 'THE HISTORY BREAKS A GUARANTEE'} (${what}${part}).`;
}

/** Measured figures beside those published by others for the same load. */
export function referenceTable(run: RunResult): TextTable {
  const rows = run.plan.references.map((reference) => {
    const phase = run.phases.find(({ plan }) => plan.name === reference.phase);
    const own = phase === undefined ? null : referencedFigure(phase, reference.metric);
    const format = reference.metric === 'throughput' ? formatRate : (ms: number) => `${formatMs(ms)} ms`;
    const { label, source, value } = reference;
    return [reference.phase, reference.metric, orMissing(own, format), format(value), label, source];
  });
  return { head: ['phase', 'figure', 'this run', 'published', 'by', 'source'], rows };
}

export const REFERENCED_METRICS = ['throughput', 'latencyMeanMs', 'p99Ms'] as const;
export type ReferencedMetric = (typeof REFERENCED_METRICS)[number];

/** What a published figure is to be compared with: of double barriers the time of a client for all of them. */
export function referencedFigure(phase: PhaseResult, metric: ReferencedMetric): number | null {
  if (metric === 'throughput') return phase.throughputPerSecond;
  const whole = phase.plan.load.kind === 'doubleBarrier';
  const latency = whole ? phase.ops.find(({ label }) => label === ALL_BARRIERS)?.latency : phase.latency;
  return (metric === 'p99Ms' ? latency?.p99Ms : latency?.meanMs) ?? null;
}

/** The step of `doubleBarrier` that lasts from the first entry to the last leave of a client. */
const ALL_BARRIERS = 'all';

/** Where published figures come from; many places are left to the table. */
export function sourcesText(references: readonly { readonly source: string }[]): string {
  const sources = [...new Set(references.map(({ source }) => source))];
  return sources.length <= SOURCES_MAX ? sources.join('; ') : `${sources.length} sources, in the table`;
}

const SOURCES_MAX = 2;

/** Text columns of a table: those without a figure in any row. */
export function isTextColumn({ rows }: TextTable, column: number): boolean {
  const cells = rows.map((row) => row[column] ?? MISSING).filter((text) => text !== MISSING);
  return column === 0 || (cells.length > 0 && !cells.some((text) => /^(< |[-+]?\d)/.test(text)));
}

function latencyCells(latency: LatencySummary): string[] {
  const { meanMs, p50Ms, p90Ms, p99Ms, p999Ms, p9999Ms, maxMs } = latency;
  return [meanMs, p50Ms, p90Ms, p99Ms, p999Ms, p9999Ms, maxMs].map(formatMs);
}

function classRows(label: string, { classes }: AvailabilityResult, windows: readonly string[]): string[][] {
  return Object.entries(classes).map(([name, summary]) => {
    const { ok, late, failed, unknown } = summary.outcomes;
    return [
      label,
      name,
      formatShare(summary.byTime),
      orMissing(summary.byCount, formatShare),
      ...[ok, late, failed, unknown, summary.outages.length].map(formatCount),
      summary.longestOutageMs === 0 ? MISSING : formatMs(summary.longestOutageMs),
      ...windows.map((ms) => orMissing(summary.worstWindow[ms], formatShare)),
    ];
  });
}

/** Lengths in ms of the windows of the run, shortest first. */
function windowLengths({ classes }: AvailabilityResult): string[] {
  const lengths = new Set(Object.values(classes).flatMap(({ worstWindow }) => Object.keys(worstWindow)));
  return [...lengths].sort((a, b) => Number(a) - Number(b));
}

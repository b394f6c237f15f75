/**
 * A sweep as curves and rows: figures of the replicates at each point, along the first axis; one curve per phase and
 * per value of the other axes. With one replicate the median is its figure and the range is empty.
 */
import { median } from 'simple-statistics';
import type { SearchOutcome, Sweep, SweepPoint } from '../result/compare-json.ts';
import { type PhaseResult, verdictOfPhase } from '../result/run-json.ts';
import {
  formatCount,
  formatDuration,
  formatMicros,
  formatMs,
  formatRate,
  formatShare,
  MISSING,
  orMissing,
  plural,
} from './format.ts';
import { coreEachPerSecond, limitOf } from './limit.ts';
import { type ReferencedMetric, referencedFigure, type TextTable } from './run-tables.ts';
import { runsText } from './verdict.ts';

export const SWEPT_METRICS = ['throughput', 'coreEach', 'p99', 'latencyMean', 'serverCpuPerOp'] as const;
export type SweptMetric = (typeof SWEPT_METRICS)[number];

export const METRIC_LABELS: Readonly<Record<SweptMetric, string>> = {
  throughput: 'Throughput, requests/s',
  coreEach: 'Estimate with a core for each server, requests/s',
  p99: 'Latency p99, ms',
  latencyMean: 'Latency mean, ms',
  serverCpuPerOp: 'Server CPU, us/op',
};

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Each replicate, with its verdict. */
  readonly each: readonly { readonly value: number; readonly valid: boolean }[];
}

export interface SweepCurve {
  /** Empty when there is only one curve. */
  readonly label: string;
  readonly phase: string;
  /** By the first axis, in its order. */
  readonly points: readonly { readonly at: number | string; readonly spread: Spread }[];
}

export function metricOf(phase: PhaseResult, metric: SweptMetric): number | null {
  if (metric === 'throughput') return phase.throughputPerSecond;
  if (metric === 'coreEach') return coreEachPerSecond(phase);
  if (metric === 'serverCpuPerOp') return phase.server?.cpuMicrosPerOp ?? null;
  return metric === 'latencyMean' ? referencedFigure(phase, 'latencyMeanMs') : (phase.latency?.p99Ms ?? null);
}

export function metricText(metric: SweptMetric, value: number): string {
  if (metric === 'throughput' || metric === 'coreEach') return formatRate(value);
  return metric === 'serverCpuPerOp' ? `${formatMicros(value)} us` : `${formatMs(value)} ms`;
}

/** Points without the figure are left out; a curve without points too. @param only Of this phase. */
export function sweepCurves(sweep: Sweep, metric: SweptMetric, only?: string): SweepCurve[] {
  const phases = only === undefined ? phaseNames(sweep) : [only];
  const curves: SweepCurve[] = [];
  for (const phase of phases) {
    for (const [others, points] of byOtherAxes(sweep)) {
      const spreads = points.flatMap((point) => {
        const spread = spreadAt(point, phase, metric);
        return spread === null ? [] : [{ at: point.at[0]!, spread }];
      });
      const label = [...(phases.length > 1 ? [phase] : []), ...(others === '' ? [] : [others])].join(', ');
      if (spreads.length > 0) curves.push({ label, phase, points: spreads });
    }
  }
  return curves;
}

export function spreadAt(point: SweepPoint, phase: string, metric: SweptMetric): Spread | null {
  const each = point.runs.flatMap(({ phases }) => {
    const result = phases.find(({ plan }) => plan.name === phase);
    const value = result === undefined ? null : metricOf(result, metric);
    return value === null ? [] : [{ value, valid: result!.valid }];
  });
  if (each.length === 0) return null;
  const values = each.map(({ value }) => value);
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), each };
}

export function phaseNames(sweep: Sweep): string[] {
  const names = sweep.points.flatMap(({ runs }) =>
    runs.flatMap(({ phases }) => phases.map(({ plan }) => plan.name)),
  );
  return [...new Set(names)];
}

/** The part of a path that says what is varied: `readPercent` of `phases.mixed.readPercent`. */
export function axisName(path: string): string {
  const parts = path.split('.');
  return (parts[0] === 'phases' && parts.length > 2 ? parts.slice(2) : parts).join('.');
}

/** Figures that others published, and what was measured at the same place; those of no swept place too. */
export function sweepReferences(sweep: Sweep): TextTable {
  const sizes = sizeAxis(sweep);
  const rows = sweep.plan.references.flatMap(({ label, source, phase, metric, value, at, servers }) => {
    const swept = METRIC_OF_REFERENCE[metric];
    const points = sweep.points.filter(
      (one) =>
        (sizes === 0 ? at === null : one.at[0] === at || (at === null && sizes > 0)) &&
        (sizes < 0 || servers === undefined || one.at[sizes] === servers),
    );
    // Of sizes that were not measured there is nothing to say.
    const places = points.length === 0 && sizes < 0 ? [undefined] : points;
    return places.map((point) => {
      const own = point === undefined ? null : spreadAt(point, phase, swept);
      const place = sizes < 0 ? at : (point?.at.join(', ') ?? null);
      return [
        phase,
        METRIC_LABELS[swept].split(',')[0]!,
        place === null ? MISSING : String(place),
        own === null ? MISSING : metricText(swept, own.median),
        metricText(swept, value),
        label,
        source,
      ];
    });
  });
  const at =
    sizes < 0
      ? axisName(sweep.axes[0]?.path ?? 'at')
      : sweep.axes.map(({ path }) => axisName(path)).join(', ');
  return { head: ['phase', 'figure', at, 'this sweep', 'published', 'by', 'source'], rows };
}

/** Which axis is the size of the ensemble; -1: none is. */
export function sizeAxis({ axes }: Sweep): number {
  return axes.findIndex(({ path }) => path === SIZE_AXIS);
}

const SIZE_AXIS = 'servers';
export const SERVICE_AXIS = 'service';

/** The same sweep with another axis first: along it the curves go. */
export function turned(sweep: Sweep, axis: number): Sweep {
  const turn = <T>(values: readonly T[]): T[] => [values[axis]!, ...values.filter((_, at) => at !== axis)];
  return {
    ...sweep,
    axes: turn(sweep.axes),
    points: sweep.points.map(({ at, runs }) => ({ at: turn(at), runs })),
    knee: [],
  };
}

export const METRIC_OF_REFERENCE: Readonly<Record<ReferencedMetric, SweptMetric>> = {
  throughput: 'throughput',
  p99Ms: 'p99',
  latencyMeanMs: 'latencyMean',
};

/** `connections: 1, 10, 100; values: 100, 1024`. */
export function variedText({ axes }: Sweep): string {
  return axes.map(({ path, values }) => `${axisName(path)}: ${values.join(', ')}`).join('; ');
}

/** One row per point and phase: median [lowest .. highest] of the replicates. */
export function sweepTable(sweep: Sweep): TextTable {
  const ofServices = sizeAxis(sweep) >= 0;
  const head = [
    ...sweep.axes.map(({ path }) => axisName(path)),
    'phase',
    'throughput, /s',
    'p50, ms',
    'p99, ms',
    'server CPU, us/op',
    ...(ofServices ? ['a core each, /s', 'limit'] : []),
    'availability',
    'runs',
  ];
  const rows = sweep.points.flatMap((point) =>
    phaseNames(sweep).flatMap((phase) => {
      const results = point.runs.flatMap(({ phases }) => phases.filter(({ plan }) => plan.name === phase));
      if (results.length === 0) return [];
      const p50 = results.flatMap(({ latency }) => latency?.p50Ms ?? []);
      return [
        [
          ...point.at.map(String),
          phase,
          spreadText(spreadAt(point, phase, 'throughput'), formatCount),
          p50.length === 0 ? MISSING : formatMs(median(p50)),
          spreadText(spreadAt(point, phase, 'p99'), formatMs),
          spreadText(spreadAt(point, phase, 'serverCpuPerOp'), formatMicros),
          ...(ofServices
            ? [
                spreadText(spreadAt(point, phase, 'coreEach'), formatCount),
                limitsText(results, sweep.environment.cpuCount),
              ]
            : []),
          formatShare(Math.min(...results.map(({ availability }) => availability.byTime))),
          runsText(results.map(verdictOfPhase)),
        ],
      ];
    }),
  );
  return { head, rows };
}

/** What was at its end; of replicates that differ, each that was seen. */
function limitsText(results: readonly PhaseResult[], cpuCount: number): string {
  const limits = results.map((phase) => limitOf(phase, cpuCount));
  const kinds = new Set(limits.map((limit) => limit?.kind));
  if (kinds.size === 1) return orMissing(limits[0], ({ text }) => text);
  return [...new Set(limits.map((limit) => limit?.text ?? MISSING))].join(' | ');
}

/** Why runs are void, a row for each sentence and point. */
export function voidTable(sweep: Sweep): TextTable {
  const rows = sweep.points.flatMap(({ at, runs }) => {
    const found = runs.flatMap(({ phases }) =>
      phases.flatMap(({ plan, findings }) =>
        findings
          .filter(({ kind }) => kind === 'void')
          .map(({ text }) => [...at.map(String), plan.name, text]),
      ),
    );
    return [...new Map(found.map((row) => [row.join('\n'), row])).values()];
  });
  return { head: [...sweep.axes.map(({ path }) => axisName(path)), 'phase', 'why it is void'], rows };
}

/** Where throughput stops growing, in a sentence per phase. */
export function kneeSentences({ knee, axes }: Sweep): string[] {
  return knee.map(
    ({ phase, at, throughputPerSecond, others = [] }) =>
      `${[phase, ...others.map((value, index) => axisText(axes, index + 1, value))].join(', ')}: throughput stops growing at ` +
      `${axisText(axes, 0, at)}, with ${formatRate(throughputPerSecond)}`,
  );
}

function axisText(axes: Sweep['axes'], axis: number, value: number | string): string {
  return `${axisName(axes[axis]?.path ?? '')} = ${value}`;
}

const EDGES: Readonly<Record<SearchOutcome['edge'], string>> = {
  smooth: 'p99 crosses the bound smoothly',
  cliff: 'p99 jumps over the bound: beyond this rate the service falls behind',
  open: 'the highest rate tried kept the bound: the limit lies above it',
  none: 'no rate tried kept the bound: the limit, if there is one, lies below the lowest of them',
};

/** What was found, and on how many probes it rests. */
export function searchSentence(search: SearchOutcome): string {
  const { phase, p99MsMax, ratePerSecond, low, high, edge, probes } = search;
  const bound = `p99 <= ${formatDuration(p99MsMax)}`;
  const kept = probes.filter((probe) => keptBound(probe, p99MsMax)).length;
  const made = `${kept} of ${plural(probes.length, 'probe')} kept the bound; ${EDGES[edge]}`;
  if (ratePerSecond === null) return `${phase}: no rate was found at ${bound} (${made})`;
  const range = low === null || high === null ? '' : ` [${formatRate(low)} .. ${formatRate(high)}]`;
  const least = edge === 'open' ? 'at least ' : '';
  return `${phase}: ${least}${formatRate(ratePerSecond)}${range} at ${bound} (${made})`;
}

/** A probe whose figures are void (the rate was not held, as a rule) has not kept it, whatever its p99. */
export function keptBound({ p99Ms, valid }: SearchOutcome['probes'][number], p99MsMax: number): boolean {
  return valid && p99Ms <= p99MsMax;
}

function spreadText(spread: Spread | null, format: (value: number) => string): string {
  if (spread === null) return MISSING;
  const { median, min, max, each } = spread;
  return each.length === 1 ? format(median) : `${format(median)} [${format(min)} .. ${format(max)}]`;
}

/** `connections 8`; `3 servers` and `apache` of services. */
function curveText(path: string, value: number | string): string {
  if (path === SIZE_AXIS && typeof value === 'number') return plural(value, 'server');
  return path === SERVICE_AXIS ? String(value) : `${axisName(path)} ${value}`;
}

/** Points with the same values of all axes but the first: `valueBytes 100` -> its points. */
function byOtherAxes({ axes, points }: Sweep): Map<string, SweepPoint[]> {
  const groups = new Map<string, SweepPoint[]>();
  for (const point of points) {
    const key = axes
      .slice(1)
      .map(({ path }, index) => curveText(path, point.at[index + 1]!))
      .join(', ');
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return groups;
}

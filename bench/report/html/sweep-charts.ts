/**
 * A figure over the swept parameter: each replicate a dot (hollow when its figures are void), a line through the medians, a
 * bar from the lowest to the highest. Published figures are grey, the knee is a vertical line.
 */

import { sourcesText } from '../../figures/run-tables.ts';
import {
  axisName,
  METRIC_LABELS,
  METRIC_OF_REFERENCE,
  metricText,
  type SweepCurve,
  type SweptMetric,
  sizeAxis,
  sweepCurves,
} from '../../figures/sweep-figures.ts';
import type { Reference } from '../../plan/plan.ts';
import type { Sweep } from '../../result/compare-json.ts';
import {
  type AxisPlan,
  baseOption,
  type Chart,
  type FormatName,
  GRID,
  type Json,
  type JsonObject,
  legendRows,
  line,
  logScale,
  NARROW_GRID,
  NARROW_Y_NAME,
  seriesColor,
  xAxis,
  yAxis,
} from './chart.ts';

/** From this span on the swept parameter is drawn on a logarithmic axis. */
const LOG_SPAN = 20;

const METRIC_FORMATS: Readonly<Record<SweptMetric, FormatName>> = {
  throughput: 'rate',
  coreEach: 'rate',
  p99: 'ms',
  latencyMean: 'ms',
  serverCpuPerOp: 'plain',
};

/** Where the values of an axis are drawn: numbers as they are, words by their place. */
interface Place {
  readonly axis: JsonObject;
  x(at: number | string): number;
}

/**
 * Null when no point has the figure; the mean latency is drawn only beside published ones, the estimate only over sizes.
 * @param phase Only this one.
 */
export function sweepChart(sweep: Sweep, metric: SweptMetric, phase?: string): Chart | null {
  if (metric === 'coreEach' && sizeAxis(sweep) < 0) return null;
  const curves = sweepCurves(sweep, metric, phase);
  const first = sweep.axes[0];
  if (curves.length === 0 || first === undefined) return null;
  const references = referencesOf(sweep, metric, phase);
  if (metric === 'latencyMean' && references.length === 0) return null;
  const place = placeOf(axisName(first.path), [...first.values, ...references.flatMap(({ at }) => at ?? [])]);
  const names = curves.map(({ label }) => (label === '' ? sweep.target.name : label));
  const series = curves.flatMap((curve, index) =>
    curveSeries(curve, names[index]!, seriesColor(index), place, metric),
  );
  const published = referenceSeries(references, place, metric);
  const keyed = curves.length > 1 || published.length > 0;
  const { legend, top, narrowTop } = legendRows([...names, ...published.map((one) => String(one['name']))]);
  const knees =
    metric === 'throughput'
      ? sweep.knee.filter(({ phase }) => curves.some((curve) => curve.phase === phase))
      : [];
  const replicates = Math.max(
    ...curves.flatMap(({ points }) => points.map(({ spread }) => spread.each.length)),
  );
  return {
    title: `${phase === undefined ? '' : `${phase}: `}${METRIC_LABELS[metric].split(',')[0]} over ${axisName(first.path)}`,
    note: noteText(replicates, references, knees.length > 0, metric),
    summary: `${phase === undefined ? '' : `${phase}: `}${METRIC_LABELS[metric]} over ${axisName(first.path)}: ${curves.map((curve, index) => `${names[index]} ${curve.points.map(({ at, spread }) => `${at}: ${metricText(metric, spread.median)}`).join(', ')}`).join('; ')}.`,
    heightPx: 340,
    group: null,
    table: {
      head: ['curve', axisName(first.path), 'median', 'lowest', 'highest', 'replicates'],
      rows: curves.flatMap((curve, index) =>
        curve.points.map(({ at, spread }) => [
          names[index]!,
          String(at),
          ...[spread.median, spread.min, spread.max].map((value) => metricText(metric, value)),
          String(spread.each.length),
        ]),
      ),
    },
    option: baseOption({
      tooltip: { ...(baseOption({})['tooltip'] as JsonObject), trigger: 'item' },
      grid: { ...GRID, top: keyed ? top : GRID.top },
      ...(keyed ? { legend } : {}),
      xAxis: place.axis,
      yAxis: yAxis(metricAxis(metric, curves, references)),
      series: [...series, ...published, kneeSeries(knees, place)],
    }),
    narrow: { grid: { ...NARROW_GRID, ...(keyed ? { top: narrowTop } : {}) }, yAxis: NARROW_Y_NAME },
  };
}

function noteText(
  replicates: number,
  references: readonly Reference[],
  knee: boolean,
  metric: SweptMetric,
): string {
  const parts = [
    replicates > 1
      ? 'Line: median of the replicates; bar: lowest to highest; hollow: a void run.'
      : 'One run per point; hollow: a void run.',
  ];
  if (metric === 'coreEach') {
    parts.push('Not measured: throughput / cores of the server that used most of them, the load elsewhere.');
  }
  if (knee) parts.push('Dashed: the knee, where throughput stops growing.');
  if (references.length > 0) parts.push(`Grey: published (${sourcesText(references)}).`);
  return parts.join(' ');
}

function curveSeries(
  curve: SweepCurve,
  name: string,
  color: string,
  place: Place,
  metric: SweptMetric,
): JsonObject[] {
  const ranges = curve.points.flatMap(({ at, spread }): Json[] =>
    spread.each.length < 2
      ? []
      : [
          [place.x(at), spread.min],
          [place.x(at), spread.max],
          [place.x(at), null],
        ],
  );
  const dots = curve.points.flatMap(({ at, spread }) =>
    spread.each.map(({ value, valid }) => ({
      value: [place.x(at), value],
      name: `${name}, ${at}: ${metricText(metric, value)}${valid ? '' : ', void'}`,
      itemStyle: { color: valid ? color : 'var(--paper)', borderColor: color, borderWidth: 1.5, opacity: 1 },
    })),
  );
  return [
    line({
      name,
      color,
      data: curve.points.map(({ at, spread }) => [place.x(at), spread.median]),
      format: METRIC_FORMATS[metric],
      width: 2,
      parts: { silent: true },
    }),
    line({
      name,
      color,
      data: ranges,
      format: METRIC_FORMATS[metric],
      parts: { silent: true, lineStyle: { color, width: 1.5 } },
    }),
    { type: 'scatter', name, color, data: dots, symbolSize: 6, tooltip: { formatter: '{b}' } },
  ];
}

/**
 * Those of the phase, at their place on the first axis. Over sizes, figures of one source are one curve; where sizes are
 * curves, those of other sizes are left out. The estimate stands beside the same figures as the throughput.
 */
function referencesOf(sweep: Sweep, metric: SweptMetric, phase: string | undefined): Reference[] {
  const shown = metric === 'coreEach' ? 'throughput' : metric;
  const own = sweep.plan.references.filter(
    (reference) =>
      METRIC_OF_REFERENCE[reference.metric] === shown && (phase === undefined || reference.phase === phase),
  );
  const sizes = sizeAxis(sweep);
  if (sizes < 0) return own;
  if (sizes > 0) {
    const { values } = sweep.axes[sizes]!;
    return own.filter(({ servers }) => servers === undefined || values.includes(servers));
  }
  return own.flatMap((reference) => {
    const { servers, curve, at } = reference;
    if (servers === undefined) return at === null ? [reference] : [];
    return [{ ...reference, at: servers, label: at === null ? curve! : `${curve}, at ${at}` }];
  });
}

/** One grey curve per label; a figure without a place on the axis is a horizontal line. */
function referenceSeries(references: readonly Reference[], place: Place, metric: SweptMetric): JsonObject[] {
  const labels = [...new Set(references.map(({ label }) => label))];
  return labels.map((label, index) => {
    const own = references.filter((reference) => reference.label === label);
    const data = own.flatMap(({ at, value }): [number, number][] =>
      at === null ? [] : [[place.x(at), value]],
    );
    const flat = own.flatMap(({ at, value }): Json[] =>
      at === null ? [{ yAxis: value, label: { show: false } }] : [],
    );
    const dash = index % 2 === 0 ? 'dashed' : 'dotted';
    const look = { color: 'var(--reference)', width: 1.5, type: dash };
    return line({
      name: label,
      color: 'var(--reference)',
      data: [...data].sort((a, b) => a[0] - b[0]),
      format: METRIC_FORMATS[metric],
      dash,
      parts: {
        showSymbol: true,
        symbol: 'diamond',
        symbolSize: 8,
        markLine: { symbol: 'none', silent: true, lineStyle: look, data: flat },
      },
    });
  });
}

function kneeSeries(knees: Sweep['knee'], place: Place): JsonObject {
  const data = knees.map(({ at }) => ({
    xAxis: place.x(at),
    lineStyle: { color: 'var(--ink)', width: 1, type: 'dashed', opacity: 0.6 },
    label: { show: true, formatter: 'knee', position: 'end', rotate: 0, color: 'var(--muted)', fontSize: 11 },
  }));
  return { type: 'line', data: [], silent: true, markLine: { symbol: 'none', silent: true, data } };
}

/** Throughput from zero; latency on a logarithmic axis. */
function metricAxis(
  metric: SweptMetric,
  curves: readonly SweepCurve[],
  references: readonly Reference[],
): AxisPlan {
  if (metric !== 'p99' && metric !== 'latencyMean')
    return { name: METRIC_LABELS[metric], format: 'short', min: 0 };
  const values = curves.flatMap(({ points }) => points.flatMap(({ spread }) => [spread.min, spread.max]));
  const scale = logScale(
    [...values, ...references.map(({ value }) => value)].map((value) => Math.max(0.001, value)),
  );
  return {
    name: METRIC_LABELS[metric],
    format: 'plain',
    min: scale.min,
    max: scale.max,
    logTicks: scale.ticks,
  };
}

function placeOf(name: string, values: readonly (number | string)[]): Place {
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length < values.length) {
    const words = [...new Set(values.map(String))];
    return {
      axis: {
        ...xAxis({ name, format: 'plain' }),
        type: 'category',
        data: words,
        axisLabel: { color: 'var(--muted)', fontSize: 12, interval: 0 },
      },
      x: (at) => words.indexOf(String(at)),
    };
  }
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const figure: FormatName = high >= 100_000 ? 'short' : 'plain';
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  if (low > 0 && high / low >= LOG_SPAN) {
    const axis = xAxis({ name, format: figure, min: low / 1.2, max: high * 1.2, logTicks: sorted });
    return { axis, x: Number };
  }
  const margin = (high - low) * 0.04 || 1;
  return {
    axis: xAxis({ name, format: figure, min: low - margin, max: high + margin, ticks: sorted }),
    x: Number,
  };
}

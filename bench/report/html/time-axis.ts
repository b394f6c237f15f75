/**
 * What the charts of a phase over time have in common: rows under each other with the same time axis, and the shading of
 * what is not counted (warm-up) and of what was down.
 *
 *     0 ....... cut | measured ......................... | end      s since the start of the phase
 *     grey: warm-up      red: some probe class was down
 */

import { formatMs, formatRate, MISSING, plural } from '../../figures/format.ts';
import type { TextTable } from '../../figures/run-tables.ts';
import { unionOf } from '../../result/outage-bands.ts';
import type { OutageBand, PhaseResult } from '../../result/run-json.ts';
import {
  type AxisPlan,
  band,
  baseOption,
  type Chart,
  GRID,
  type Json,
  type JsonObject,
  legend,
  NARROW_GRID,
  NARROW_Y_NAME,
  xAxis,
  yAxis,
} from './chart.ts';

/** Rows of a table behind a chart; longer phases are summed up in longer intervals. */
export const TABLE_ROWS_MAX = 60;
/** Points of a curve; of longer ones the lowest and the highest of each stretch are drawn. */
const POINTS_MAX = 4_000;

/** A chart of one or several rows under each other, each with its own y axis. */
export interface TimeRow {
  readonly axis: AxisPlan;
  readonly heightPx: number;
}

const ROW_GAP_PX = 40;

/** All rows have the same time axis; only the lowest one has its labels. A legend is for the first row. */
export function timeRows(
  phase: PhaseResult,
  rows: readonly TimeRow[],
  series: readonly JsonObject[],
  legendNames: readonly string[],
): Pick<Chart, 'heightPx' | 'option' | 'narrow'> {
  const endS = phaseEndMs(phase) / 1000;
  const last = rows.length - 1;
  let top: number = GRID.top;
  const grids = rows.map(({ heightPx }) => {
    const grid = { ...GRID, bottom: 'auto', top, height: heightPx };
    top += heightPx + ROW_GAP_PX;
    return grid;
  });
  const times = rows.map((_, index) => {
    const name = index === last ? 'Time since the start of the phase, s' : '';
    const axis = xAxis({ name, format: 'seconds', min: 0, max: endS, gridIndex: index });
    return index === last ? axis : { ...axis, axisLabel: { show: false } };
  });
  const zoom = {
    type: 'inside',
    xAxisIndex: rows.map((_, index) => index),
    zoomOnMouseWheel: 'ctrl',
    moveOnMouseMove: false,
    filterMode: 'none',
  };
  return {
    heightPx: top - ROW_GAP_PX + GRID.bottom,
    option: baseOption({
      grid: grids,
      xAxis: times,
      yAxis: rows.map(({ axis }, index) => yAxis({ ...axis, gridIndex: index })),
      series: [...series],
      axisPointer: { link: [{ xAxisIndex: 'all' }] },
      dataZoom: [zoom],
      ...(legendNames.length === 0 ? {} : { legend: legend(legendNames) }),
    }),
    narrow: {
      grid: rows.map(() => ({ ...NARROW_GRID })),
      yAxis: rows.map(() => NARROW_Y_NAME),
      xAxis: rows.map((_, index): JsonObject => (index === last ? { name: 'Time, s' } : {})),
      dataZoom: [{ disabled: true }],
      series: [{ markArea: { data: [[{ label: { show: false } }]] } }],
    },
  };
}

export function phaseEndMs(phase: PhaseResult): number {
  const planned = phase.plan.warmupMs + phase.plan.measureMs;
  return Math.max(
    phase.series.length * phase.seriesStepMs,
    phase.steady.cutMs + phase.measuredMs,
    phase.measuredMs === 0 ? planned : 0,
  );
}

/** Warm-up grey, outages of any class red. */
export function shading(phase: PhaseResult, labelled = true): JsonObject {
  const { cutMs } = phase.steady;
  const data: Json[] = [];
  if (cutMs > 0) {
    const look = { color: 'var(--reference)', opacity: 0.16 };
    data.push(band(0, cutMs / 1000, labelled ? { ...look, label: 'warm-up' } : look));
  }
  for (const { fromMs, toMs } of mergedOutages(phase)) {
    data.push(band(fromMs / 1000, toMs / 1000, { color: 'var(--bad)', opacity: 0.16 }));
  }
  return { silent: true, data };
}

/** Of all classes, overlapping ones joined, in order. */
export function mergedOutages({ availability }: PhaseResult): OutageBand[] {
  return unionOf(Object.values(availability.classes).flatMap(({ outages }) => outages));
}

/** [s, value or null for a gap]. */
export type TimePoint = readonly [atS: number, value: number | null];

/** Keeps what stands out: a zero, a gap or a peak is never lost between two points. */
export function thinned(points: readonly TimePoint[]): readonly TimePoint[] {
  if (points.length <= POINTS_MAX) return points;
  const size = Math.ceil(points.length / (POINTS_MAX / 2));
  const kept: TimePoint[] = [];
  for (let first = 0; first < points.length; first += size) {
    const stretch = points.slice(first, first + size);
    const height = ([, value]: TimePoint): number => value ?? Number.NEGATIVE_INFINITY;
    const lowest = stretch.reduce((a, b) => (height(b) < height(a) ? b : a));
    const highest = stretch.reduce((a, b) => (height(b) > height(a) ? b : a));
    kept.push(
      ...(lowest[0] < highest[0] ? [lowest, highest] : lowest === highest ? [lowest] : [highest, lowest]),
    );
  }
  return kept;
}

/** Replies, errors and latency per interval, as text. */
export function overTimeTable(phase: PhaseResult): TextTable {
  const seconds = Math.ceil(phaseEndMs(phase) / 1000 / TABLE_ROWS_MAX);
  const perRow = Math.max(1, Math.round((seconds * 1000) / phase.seriesStepMs));
  const rows: string[][] = [];
  for (let first = 0; first < phase.series.length; first += perRow) {
    const part = (counts: readonly number[]): number =>
      counts.slice(first, first + perRow).reduce((sum, count) => sum + count, 0);
    const fromMs = first * phase.seriesStepMs;
    const steps = Math.min(perRow, phase.series.length - first);
    const lengthS = (steps * phase.seriesStepMs) / 1000;
    const points = phase.latencySeries.filter(
      ({ atMs, count }) => count > 0 && atMs >= fromMs && atMs < fromMs + lengthS * 1000,
    );
    const highest = (figure: (point: (typeof points)[number]) => number): string =>
      points.length === 0 ? MISSING : formatMs(Math.max(...points.map(figure)));
    rows.push([
      `${(fromMs / 1000).toFixed(0)}`,
      formatRate(part(phase.series) / lengthS),
      formatRate(part(phase.errorSeries) / lengthS),
      highest(({ p50Ms }) => p50Ms),
      highest(({ p99Ms }) => p99Ms),
      highest(({ maxMs }) => maxMs),
    ]);
  }
  return {
    head: [
      `from, s (${plural(seconds, 'second')} each)`,
      'replies',
      'errors',
      'p50, ms',
      'p99, ms',
      'max, ms',
    ],
    rows,
  };
}

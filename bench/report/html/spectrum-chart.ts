/**
 * The whole distribution of latencies: percentiles on an axis that gives each further nine the same room. A curve is
 * read off the histogram at fixed places, so that curves can be compared point by point.
 *
 *     x = 1 / (1 - p):   1 = 0 %     10 = 90 %     100 = 99 %     1,000 = 99.9 %     ... to one sample in all
 */
import type { Histogram } from 'hdr-histogram-js';
import { isOpenLoop } from '../../figures/describe.ts';
import { formatMs } from '../../figures/format.ts';
import { isRequest, latencyByOp, type TextTable } from '../../figures/run-tables.ts';
import { decodeHistogram, mergeHistograms } from '../../latency/hdr-files.ts';
import type { LatencySummary, PhaseResult } from '../../result/run-json.ts';
import {
  baseOption,
  type Chart,
  GRID,
  type Json,
  legendRows,
  line,
  logScale,
  NARROW_GRID,
  NARROW_Y_NAME,
  seriesColor,
  xAxis,
  yAxis,
} from './chart.ts';

const POINTS_PER_DECADE = 12;

export interface SpectrumCurve {
  readonly name: string;
  readonly color: string;
  readonly dash: 'solid' | 'dashed' | 'dotted';
  readonly width: number;
  /** [1 / (1 - p), ms], left to right. */
  readonly points: readonly (readonly [number, number])[];
}

/** A phase: one curve per op, and what it would look like counted from the instant of sending. */
export function phaseSpectrum(phase: PhaseResult): Chart | null {
  const requests = phase.ops.filter(isRequest);
  const all = mergeHistograms(requests.map(({ histogram }) => histogram));
  const curves: SpectrumCurve[] = [];
  if (all !== null && requests.length > 1) {
    curves.push({
      name: 'all requests',
      color: 'var(--ink)',
      dash: 'solid',
      width: 2.25,
      points: spectrumOf(all),
    });
  }
  phase.ops.forEach((op, index) => {
    const look = { name: op.label, color: seriesColor(index) };
    curves.push({
      ...look,
      dash: isRequest(op) || requests.length === 0 ? 'solid' : 'dotted',
      width: 1.5,
      points: spectrumOf(decodeHistogram(op.histogram)),
    });
    if (isOpenLoop(phase.plan) && isRequest(op)) {
      curves.push({ ...look, dash: 'dashed', width: 1, points: spectrumOfSummary(op.uncorrected) });
    }
  });
  if (curves.length === 0) return null;
  const corrected = isOpenLoop(phase.plan)
    ? ' Dashed: counted from the instant of sending, which hides what waited behind a pause.'
    : '';
  return spectrumChart(curves, {
    title: 'Latency by percentile',
    note: `Each step to the right is one more nine. Solid: counted from the instant each request was due.${corrected}`,
    summary: `Latency percentiles of phase ${phase.plan.name}${phase.latency === null ? '' : `: p99 ${formatMs(phase.latency.p99Ms)} ms, p99.9 ${formatMs(phase.latency.p999Ms)} ms`}.`,
    table: latencyByOp([phase]),
  });
}

export interface SpectrumText {
  readonly title: string;
  readonly note: string;
  readonly summary: string;
  readonly table: TextTable;
}

export function spectrumChart(curves: readonly SpectrumCurve[], text: SpectrumText): Chart {
  const points = curves.flatMap((curve) => curve.points);
  const scale = logScale(points.map(([, ms]) => ms));
  const maxX = 10 ** Math.ceil(Math.log10(Math.max(10, ...points.map(([x]) => x))));
  const ticks = Array.from({ length: Math.round(Math.log10(maxX)) + 1 }, (_, power) => 10 ** power);
  const { legend, top, narrowTop } = legendRows([...new Set(curves.map(({ name }) => name))]);
  return {
    ...text,
    heightPx: 350,
    group: null,
    option: baseOption({
      grid: { ...GRID, top },
      legend,
      xAxis: xAxis({
        name: 'Percentile',
        format: 'percentile',
        min: 1,
        max: maxX,
        logTicks: ticks,
        alignLast: true,
      }),
      yAxis: {
        ...yAxis({
          name: 'Latency, ms',
          format: 'plain',
          min: scale.min,
          max: scale.max,
          logTicks: scale.ticks,
        }),
      },
      series: curves.map((curve) =>
        line({ ...curve, data: curve.points as unknown as readonly Json[], format: 'ms' }),
      ),
    }),
    narrow: { grid: { ...NARROW_GRID, top: narrowTop }, yAxis: NARROW_Y_NAME },
  };
}

/** Ends with the largest latency, at the place of one sample in all. */
export function spectrumOf(histogram: Histogram): [number, number][] {
  const count = histogram.totalCount;
  const points: [number, number][] = [];
  for (let step = 0; ; step++) {
    const x = 10 ** (step / POINTS_PER_DECADE);
    if (x >= count) break;
    points.push([round(x), atLeastOneMicro(histogram.getValueAtPercentile(100 - 100 / x) / 1000)]);
  }
  points.push([Math.max(1, count), atLeastOneMicro(histogram.maxValue / 1000)]);
  return points;
}

/** The few percentiles that are saved of latencies counted from sending. */
export function spectrumOfSummary(latency: LatencySummary): [number, number][] {
  const { count, p50Ms, p90Ms, p99Ms, p999Ms, p9999Ms, maxMs } = latency;
  const known: [number, number][] = [
    [2, p50Ms],
    [10, p90Ms],
    [100, p99Ms],
    [1_000, p999Ms],
    [10_000, p9999Ms],
  ];
  return [...known.filter(([x]) => x < count), [Math.max(1, count), maxMs]].map(([x, ms]) => [
    x!,
    atLeastOneMicro(ms!),
  ]);
}

/** A logarithm has no place for zero. */
function atLeastOneMicro(ms: number): number {
  return Math.max(0.001, ms);
}

function round(x: number): number {
  return Number(x.toPrecision(6));
}

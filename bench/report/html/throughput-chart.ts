/**
 * Throughput of a phase over time: replies in steps of 100 ms, zero drawn as zero, the mean of what is counted, what was
 * offered in an open loop, figures that others published, and the errors below with a scale of their own.
 */
import { errorCount, longestOutageMs } from '../../figures/figures.ts';
import { formatRate, plural } from '../../figures/format.ts';
import type { PhaseResult } from '../../result/run-json.ts';
import { type Chart, type Json, type JsonObject, line } from './chart.ts';
import {
  overTimeTable,
  phaseEndMs,
  shading,
  type TimePoint,
  type TimeRow,
  thinned,
  timeRows,
} from './time-axis.ts';

/** A published figure is drawn into the chart when it does not crush the measured curve. */
const REFERENCE_REACH = 2.5;

export interface ReferenceMark {
  readonly label: string;
  readonly value: number;
}

export function throughputChart(phase: PhaseResult, references: readonly ReferenceMark[]): Chart {
  const { plan, seriesStepMs, throughputPerSecond } = phase;
  const replies = perSecond(phase.series, seriesStepMs);
  const failed = errorCount(phase) + phase.lost;
  const highest = replies.reduce((most, [, rate]) => Math.max(most, rate ?? 0), 1);
  const shown = references.filter(({ value }) => value <= highest * REFERENCE_REACH);
  const offered = offeredRates(phase);
  const marks = { symbol: 'none', silent: true, data: [meanMark(phase), ...shown.map(referenceMark)] };
  const area = {
    areaStyle: { color: 'var(--s1)', opacity: 0.1 },
    markArea: shading(phase),
  };
  const series = [
    line({
      name: 'replies',
      color: 'var(--s1)',
      data: replies,
      format: 'rate',
      width: 1.25,
      parts: { ...area, markLine: marks },
    }),
  ];
  if (offered !== null) {
    series.push(
      line({
        name: 'offered',
        color: 'var(--muted)',
        data: offered,
        format: 'rate',
        width: 1,
        dash: 'dashed',
      }),
    );
  }
  const rows: TimeRow[] = [{ axis: { name: 'Requests/s', format: 'short', min: 0 }, heightPx: 182 }];
  if (failed > 0) {
    series.push(errorSeries(phase));
    rows.push({ axis: { name: 'Errors and lost/s', format: 'short', min: 0, tickCount: 2 }, heightPx: 44 });
  }
  const mean = `The solid straight line is their mean over the measured time, ${formatRate(throughputPerSecond)}.`;
  return {
    title: 'Throughput over time',
    note: `Replies per second in steps of ${seriesStepMs} ms; a step without replies is drawn as zero. ${mean} ${shadingText(phase)}`,
    summary: `Throughput of phase ${plan.name}: mean ${formatRate(throughputPerSecond)} over ${(phase.measuredMs / 1000).toFixed(1)} s, ${plural(failed, 'error')}.`,
    ...timeRows(phase, rows, series, offered === null ? [] : ['replies', 'offered']),
    table: overTimeTable(phase),
    group: phase.plan.name,
  };
}

function errorSeries(phase: PhaseResult): JsonObject {
  return line({
    name: 'errors and lost',
    color: 'var(--bad)',
    data: perSecond(phase.errorSeries, phase.seriesStepMs),
    format: 'rate',
    width: 1.25,
    parts: {
      xAxisIndex: 1,
      yAxisIndex: 1,
      areaStyle: { color: 'var(--bad)', opacity: 0.3 },
      markArea: shading(phase, false),
    },
  });
}

/** Rates in the middle of their steps: [s, 1/s]. */
function perSecond(counts: readonly number[], stepMs: number): readonly TimePoint[] {
  return thinned(counts.map((count, step) => [((step + 0.5) * stepMs) / 1000, (count * 1000) / stepMs]));
}

/** What was offered, as steps; null in a closed loop. */
function offeredRates(phase: PhaseResult): Json[] | null {
  const { load } = phase.plan;
  if (load.kind !== 'mix' || load.arrival.kind !== 'open') return null;
  const corners: Json[] = [];
  let atMs = 0;
  const endMs = phaseEndMs(phase);
  load.arrival.steps.forEach(({ ratePerSecond, forMs }, index, all) => {
    corners.push([atMs / 1000, ratePerSecond]);
    atMs = index === all.length - 1 ? endMs : Math.min(endMs, atMs + forMs);
    corners.push([atMs / 1000, ratePerSecond]);
  });
  return corners;
}

function shadingText(phase: PhaseResult): string {
  const parts: string[] = [];
  if (phase.steady.cutMs > 0)
    parts.push(`Grey: warm-up, not counted (${(phase.steady.cutMs / 1000).toFixed(1)} s).`);
  if (longestOutageMs(phase.availability) !== null) parts.push('Red: some probe class was down.');
  return parts.join(' ');
}

/** The mean over the measured time, over just that time. */
function meanMark({ steady, measuredMs, throughputPerSecond }: PhaseResult): Json {
  const y = throughputPerSecond;
  const lineStyle = { color: 'var(--ink)', width: 1, type: 'solid', opacity: 0.75 };
  return [
    { coord: [steady.cutMs / 1000, y], lineStyle, label: { show: false } },
    { coord: [(steady.cutMs + measuredMs) / 1000, y] },
  ];
}

function referenceMark({ label, value }: ReferenceMark): Json {
  return {
    yAxis: value,
    lineStyle: { color: 'var(--reference)', width: 1.25, type: 'dashed' },
    label: {
      show: true,
      position: 'insideEndTop',
      color: 'var(--reference)',
      fontSize: 11,
      formatter: `${label}: ${formatRate(value)}`,
    },
  };
}

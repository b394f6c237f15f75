/** Measured figures beside those that others published for the same load, in grey: an orientation, never a verdict. */

import { formatMs, formatRate } from '../../figures/format.ts';
import { type ReferencedMetric, sourcesText } from '../../figures/run-tables.ts';
import type { Reference } from '../../plan/plan.ts';
import { baseOption, type Chart, format, GRID, type JsonObject, xAxis } from './chart.ts';

export interface OwnFigure {
  readonly label: string;
  readonly value: number;
  readonly color: string;
}

const METRIC_TITLES: Readonly<Record<ReferencedMetric, string>> = {
  throughput: 'Throughput, requests/s',
  latencyMeanMs: 'Mean latency, ms',
  p99Ms: 'Latency p99, ms',
};

/** Null without a reference. Bars begin at zero. */
export function referenceChart(
  phase: string,
  metric: ReferencedMetric,
  own: readonly OwnFigure[],
  references: readonly Reference[],
): Chart | null {
  const published = references.filter(
    (reference) => reference.phase === phase && reference.metric === metric,
  );
  if (published.length === 0 || own.length === 0) return null;
  const bars = [
    ...own,
    ...published.map(({ label, value }) => ({ label, value, color: 'var(--reference)' })),
  ];
  const text = (value: number): string =>
    metric === 'throughput' ? formatRate(value) : `${formatMs(value)} ms`;
  return {
    title: 'Beside published figures',
    note: `Grey: published by others for the same load, on their machines (${sourcesText(published)}).`,
    summary: `${METRIC_TITLES[metric]} of phase ${phase}: ${bars.map(({ label, value }) => `${label} ${text(value)}`).join(', ')}.`,
    heightPx: 12 + GRID.bottom + bars.length * 34,
    group: null,
    table: {
      head: ['', METRIC_TITLES[metric], 'source'],
      rows: [
        ...own.map(({ label, value }) => [label, text(value), 'measured']),
        ...published.map(({ label, value, source }) => [label, text(value), source]),
      ],
    },
    option: baseOption({
      tooltip: { show: false },
      grid: { ...GRID, left: 190, right: 84, top: 8 },
      xAxis: {
        ...xAxis({ name: METRIC_TITLES[metric], format: 'short', min: 0 }),
        splitLine: { show: true, lineStyle: { color: 'var(--grid)' } },
      },
      yAxis: barAxis(bars.map(({ label }) => label)),
      series: [
        {
          type: 'bar',
          barWidth: 16,
          silent: true,
          data: bars.map(({ value, color }) => ({ value, itemStyle: { color } })),
          label: {
            show: true,
            position: 'right',
            color: 'var(--ink)',
            fontSize: 12,
            formatter: format(metric === 'throughput' ? 'rate' : 'ms'),
          },
        },
      ],
    }),
    narrow: {
      grid: { left: 110, right: 76 },
      yAxis: { axisLabel: { width: 98 } },
      xAxis: { splitNumber: 2 },
    },
  };
}

function barAxis(names: readonly string[]): JsonObject {
  return {
    type: 'category',
    data: [...names],
    inverse: true,
    axisLine: { lineStyle: { color: 'var(--rule)' } },
    axisTick: { show: false },
    axisLabel: { color: 'var(--ink)', fontSize: 12, interval: 0, width: 176, overflow: 'break' },
  };
}

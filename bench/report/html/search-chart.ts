/** A search for the highest rate within a latency bound: its probes, the bound, and the rate found with its interval. */

import { formatDuration, formatMs, formatRate, plural } from '../../figures/format.ts';
import { searchSentence } from '../../figures/sweep-figures.ts';
import type { SearchOutcome } from '../../result/compare-json.ts';
import {
  baseOption,
  type Chart,
  format,
  GRID,
  type Json,
  type JsonObject,
  logScale,
  NARROW_GRID,
  NARROW_Y_NAME,
  xAxis,
  yAxis,
} from './chart.ts';

/** Null without probes. */
export function searchChart(search: SearchOutcome): Chart | null {
  const { probes, p99MsMax, ratePerSecond, low, high } = search;
  if (probes.length === 0) return null;
  const scale = logScale([p99MsMax, ...probes.map(({ p99Ms }) => Math.max(0.001, p99Ms))]);
  const found: Json[] =
    ratePerSecond === null
      ? []
      : [
          {
            xAxis: ratePerSecond,
            lineStyle: { color: 'var(--good)', width: 1.5, type: 'solid' },
            label: { show: false },
          },
        ];
  const area: Json[] =
    low === null || high === null
      ? []
      : [[{ xAxis: low, itemStyle: { color: 'var(--good)', opacity: 0.16 } }, { xAxis: high }]];
  const bound = {
    yAxis: p99MsMax,
    lineStyle: { color: 'var(--bad)', width: 1.25, type: 'dashed' },
    label: {
      show: true,
      position: 'insideStartTop',
      color: 'var(--bad)',
      fontSize: 11,
      formatter: `bound ${formatDuration(p99MsMax)}`,
    },
  };
  return {
    title: `Throughput at p99 <= ${formatDuration(p99MsMax)}`,
    note: `${plural(probes.length, 'probe')} at fixed rates; hollow: the rate was not held. Green: the highest rate that keeps the bound, with its interval.`,
    summary: `${searchSentence(search)}.`,
    heightPx: 300,
    group: null,
    table: {
      head: ['offered rate', 'p99', 'verdict'],
      rows: [...probes]
        .sort((a, b) => a.ratePerSecond - b.ratePerSecond)
        .map((probe) => [
          formatRate(probe.ratePerSecond),
          `${formatMs(probe.p99Ms)} ms`,
          probe.valid ? 'rate held' : 'rate not held',
        ]),
    },
    option: baseOption({
      tooltip: { ...(baseOption({})['tooltip'] as JsonObject), trigger: 'item' },
      grid: { ...GRID },
      xAxis: xAxis({
        name: 'Offered rate, requests/s',
        format: 'short',
        min: 0,
      }),
      yAxis: yAxis({
        name: 'Latency p99, ms',
        format: 'plain',
        min: scale.min,
        max: scale.max,
        logTicks: scale.ticks,
      }),
      series: [
        {
          type: 'scatter',
          symbolSize: 9,
          clip: false,
          tooltip: { formatter: '{b}', valueFormatter: format('ms') },
          data: probes.map((probe) => ({
            value: [probe.ratePerSecond, Math.max(0.001, probe.p99Ms)],
            name: `${formatRate(probe.ratePerSecond)}: p99 ${formatMs(probe.p99Ms)} ms${probe.valid ? '' : ', rate not held'}`,
            itemStyle: {
              color: probe.valid ? 'var(--s1)' : 'var(--paper)',
              borderColor: 'var(--s1)',
              borderWidth: 1.5,
              opacity: 1,
            },
          })),
          markLine: { symbol: 'none', silent: true, data: [bound, ...found] },
          markArea: { silent: true, data: area },
        },
      ],
    }),
    narrow: { grid: { ...NARROW_GRID }, yAxis: NARROW_Y_NAME },
  };
}

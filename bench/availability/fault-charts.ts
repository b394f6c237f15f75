/**
 * The charts of a run under faults.
 *
 *     goodput of the load    ▔▔▔▔▔╲___╱▔▔▔▔▔▔╲╱▔▔▔▔       grey: a fault, until all serve again
 *     write        up        ─────┐   ┌──────────         red: probes of a class were not answered in time
 *                  down           └───┘
 */
import type { TextTable } from '../figures/run-tables.ts';
import { availabilityChart } from '../report/html/availability-chart.ts';
import {
  band,
  baseOption,
  type Chart,
  GRID,
  legendRows,
  line,
  logScale,
  NARROW_GRID,
  NARROW_Y_NAME,
  seriesColor,
  xAxis,
  yAxis,
} from '../report/html/chart.ts';
import { thinned } from '../report/html/time-axis.ts';
import { byFault, CLASSES } from './fault-tables.ts';
import type { TargetUnderFaults } from './measure-faults.ts';

const X_NAME = 'Time since the first rest, s';
/** More bands than this have no names: they would lie on each other; the table has them. */
const NAMED_BANDS_MAX = 16;
/** Below a period of the probes there is no outage; a logarithm has no place for zero. */
const LEAST_MS = 10;

/** One target over time; the first is null without a load. */
export function timeCharts(result: TargetUnderFaults): Chart[] {
  const { target, totalMs, availability } = result;
  const classes = Object.fromEntries(
    Object.entries(CLASSES).flatMap(([name, label]) => {
      const summary = availability.classes[name];
      return summary === undefined ? [] : [[label, summary]];
    }),
  );
  return [
    goodputChart(result),
    availabilityChart(
      { ...availability, classes },
      { of: target, endMs: totalMs, xName: X_NAME, group: target },
    ),
  ].filter((chart) => chart !== null);
}

function goodputChart({ target, totalMs, faults, load }: TargetUnderFaults): Chart | null {
  if (load === null) return null;
  const { bucketMs, startMs, duePerBucket, good } = load;
  const share = good.map((count) => count / duePerBucket);
  const isNamed = faults.length <= NAMED_BANDS_MAX;
  const bands = faults.map(({ name, fromMs, wholeMs }) => {
    const look = { color: 'var(--reference)', opacity: 0.16 };
    return band(fromMs / 1000, wholeMs / 1000, isNamed ? { ...look, label: name } : look);
  });
  const mean = share.reduce((sum, one) => sum + one, 0) / Math.max(1, share.length);
  return {
    title: 'Goodput of the load',
    note: 'Of the requests due in each tenth of a second, how many were answered within 200 ms. Grey: a fault, until all servers served again.',
    summary: `Goodput of ${target} under ${faults.length} faults: ${(100 * mean).toFixed(1)} % of what was due.`,
    heightPx: 260,
    group: target,
    table: faultTable(faults),
    option: baseOption({
      grid: { ...GRID },
      xAxis: xAxis({ name: X_NAME, format: 'seconds', min: 0, max: totalMs / 1000 }),
      yAxis: yAxis({ name: 'Answered in time', format: 'percent', min: 0, max: 1 }),
      series: [
        line({
          name: 'goodput',
          color: seriesColor(0),
          format: 'percent',
          width: 1,
          data: thinned(share.map((value, at) => [(startMs + at * bucketMs) / 1000, value])).map((point) => [
            ...point,
          ]),
          parts: { markArea: { silent: true, data: bands } },
        }),
      ],
    }),
    narrow: {
      grid: { ...NARROW_GRID },
      yAxis: NARROW_Y_NAME,
      series: [{ markArea: { data: faults.map(() => [{ label: { show: false } }]) } }],
    },
  };
}

function faultTable(faults: TargetUnderFaults['faults']): TextTable {
  return {
    head: ['fault', 'at, s', 'writes down, ms', 'lost, s of load', 'connections lost'],
    rows: faults.map(({ name, fromMs, costs, load }) => [
      name,
      (fromMs / 1000).toFixed(1),
      costs['write']!.downMs.toFixed(0),
      load === null ? '-' : load.lostSeconds.toFixed(2),
      load === null ? '-' : String(load.connectionsLost),
    ]),
  };
}

/** All targets: a dot for each fault. */
export function outageDots(results: readonly TargetUnderFaults[]): Chart {
  const faults = [...new Set(results.flatMap((result) => [...byFault(result.faults).keys()]))];
  const names = results.map(({ target }) => target);
  const { legend, top, narrowTop } = legendRows(names);
  const downMs = results.flatMap((result) => result.faults.map(({ costs }) => costs['write']!.downMs));
  const scale = logScale([LEAST_MS, ...downMs.map((ms) => Math.max(ms, LEAST_MS))]);
  return {
    title: 'Outage of writes, fault by fault',
    note: 'A dot for each fault: how long writes were down. At the left end: not at all.',
    summary: `Outages of writes of ${names.join(' and ')} for ${faults.join(', ')}.`,
    heightPx: 80 + top + faults.length * 34,
    group: null,
    table: {
      head: ['fault', ...names.map((name) => `${name}: writes down, ms`)],
      rows: faults.map((fault) => [
        fault,
        ...results.map((result) => {
          const ofKind = byFault(result.faults).get(fault) ?? [];
          return ofKind
            .map(({ costs }) => costs['write']!.downMs.toFixed(0))
            .sort((a, b) => Number(a) - Number(b))
            .join(', ');
        }),
      ]),
    },
    option: baseOption({
      tooltip: { show: false },
      grid: { ...GRID, left: 190, top },
      legend: { ...legend, itemStyle: {} },
      xAxis: xAxis({
        name: 'Writes down, ms',
        format: 'ms',
        min: scale.min,
        max: scale.max,
        logTicks: scale.ticks,
      }),
      yAxis: {
        type: 'category',
        inverse: true,
        data: faults,
        axisLabel: { color: 'var(--muted)', fontSize: 12 },
        axisLine: { lineStyle: { color: 'var(--rule)' } },
        splitLine: { show: true, lineStyle: { color: 'var(--grid)' } },
      },
      series: results.map(({ target, faults: injected }, at) => ({
        type: 'scatter',
        name: target,
        color: seriesColor(at),
        symbolSize: 9,
        // One above the other, so that equal outages of two targets do not hide each other.
        symbolOffset: [0, (at - (results.length - 1) / 2) * 9],
        itemStyle: { color: seriesColor(at), opacity: 0.7 },
        data: injected.map(({ name, costs }) => [Math.max(costs['write']!.downMs, LEAST_MS), name]),
      })),
    }),
    narrow: { grid: { ...NARROW_GRID, left: 130, top: narrowTop } },
  };
}

/**
 * Two sides of a comparison in one chart: throughput over time, each run a thin line and the median of a side a thick
 * one; and the latencies of all runs of a side pooled into one distribution.
 */
import { median } from 'simple-statistics';
import { formatMs, formatRate, MISSING, plural } from '../../figures/format.ts';
import { isRequest } from '../../figures/run-tables.ts';
import { mergeHistograms } from '../../latency/hdr-files.ts';
import type { Comparison } from '../../result/compare-json.ts';
import type { PhaseResult, RunResult } from '../../result/run-json.ts';
import {
  baseOption,
  type Chart,
  GRID,
  type Json,
  type JsonObject,
  legendRows,
  line,
  NARROW_GRID,
  NARROW_Y_NAME,
  xAxis,
  yAxis,
} from './chart.ts';
import { type SpectrumCurve, spectrumChart, spectrumOf } from './spectrum-chart.ts';

/** Curves of whole runs side by side need no finer steps. */
const BIN_MS = 1000;

export interface Side {
  /** `A embedded`. */
  readonly name: string;
  readonly color: string;
  readonly runs: readonly RunResult[];
}

/** A/A runs belong to neither side. */
export function sidesOf(comparison: Comparison, runs: readonly RunResult[]): [a: Side, b: Side] {
  const of = (side: 'a' | 'b'): RunResult[] =>
    runs.filter((_, index) => comparison.runs[index]?.side === side);
  return [
    { name: `A ${comparison.a.name}`, color: 'var(--s1)', runs: of('a') },
    { name: `B ${comparison.b.name}`, color: 'var(--s2)', runs: of('b') },
  ];
}

export function sidesThroughput(phase: string, sides: readonly Side[]): Chart | null {
  const bins = sides.map((side) => ({ ...side, rates: phasesOf(side, phase).map(ratesPerBin) }));
  const length = Math.max(0, ...bins.flatMap(({ rates }) => rates.map((one) => one.length)));
  if (length === 0) return null;
  const curve = (rates: readonly (number | null)[]): Json[] =>
    rates.map((rate, bin) => [((bin + 0.5) * BIN_MS) / 1000, rate]);
  // The medians come first, because a legend takes the look of the first series of a name.
  const series = [
    ...bins.map(({ name, color, rates }) =>
      line({
        name,
        color,
        data: curve(medians(rates, length)),
        format: 'rate',
        width: 2.25,
        parts: { z: 4 },
      }),
    ),
    ...bins.flatMap(({ name, color, rates }) => rates.map((one) => thinLine(name, color, curve(one)))),
  ];
  const cut = Math.max(
    0,
    ...sides.flatMap((side) => phasesOf(side, phase).map(({ steady }) => steady.cutMs)),
  );
  const { legend, top, narrowTop } = legendRows(bins.map(({ name }) => name));
  const endS = (length * BIN_MS) / 1000;
  return {
    title: 'Throughput over time, both sides',
    note: `Replies per second in steps of ${BIN_MS / 1000} s; thin: each run, thick: the median of a side. Grey: the longest warm-up that was cut.`,
    summary: `Throughput of phase ${phase} over time: ${bins.map(({ name, rates }) => `${name} ${plural(rates.length, 'run')}`).join(', ')}.`,
    heightPx: 300,
    group: null,
    table: {
      head: ['from, s', ...bins.map(({ name }) => `${name}, median`)],
      rows: Array.from({ length }, (_, bin) => [
        String((bin * BIN_MS) / 1000),
        ...bins.map(({ rates }) => {
          const rate = medians(rates, length)[bin]!;
          return rate === null ? MISSING : formatRate(rate);
        }),
      ]),
    },
    option: baseOption({
      grid: { ...GRID, top },
      legend,
      xAxis: xAxis({ name: 'Time since the start of the phase, s', format: 'seconds', min: 0, max: endS }),
      yAxis: yAxis({ name: 'Requests/s', format: 'short', min: 0 }),
      series: [...series, warmupShade(cut)],
    }),
    narrow: { grid: { ...NARROW_GRID, top: narrowTop }, xAxis: { name: 'Time, s' }, yAxis: NARROW_Y_NAME },
  };
}

function thinLine(name: string, color: string, data: readonly Json[]): JsonObject {
  const look = {
    silent: true,
    tooltip: { trigger: 'none' },
    lineStyle: { color, width: 0.75, opacity: 0.35 },
  };
  return line({ name, color, data, format: 'rate', parts: look });
}

export function sidesSpectrum(phase: string, sides: readonly Side[]): Chart | null {
  const curves: SpectrumCurve[] = [];
  const rows: string[][] = [];
  for (const side of sides) {
    const encoded = phasesOf(side, phase).flatMap(({ ops }) =>
      ops.filter(isRequest).map(({ histogram }) => histogram),
    );
    const pooled = mergeHistograms(encoded);
    if (pooled === null) continue;
    curves.push({ name: side.name, color: side.color, dash: 'solid', width: 2, points: spectrumOf(pooled) });
    rows.push([
      side.name,
      ...[50, 90, 99, 99.9, 99.99, 100].map((p) => formatMs(pooled.getValueAtPercentile(p) / 1000)),
    ]);
  }
  if (curves.length === 0) return null;
  return spectrumChart(curves, {
    title: 'Latency by percentile, both sides',
    note: 'All requests of all runs of a side pooled; each step to the right is one more nine. Counted from the instant each request was due.',
    summary: `Latency percentiles of phase ${phase}: ${rows.map(([name, p50, , p99]) => `${name} p50 ${p50} ms, p99 ${p99} ms`).join('; ')}.`,
    table: { head: ['side', 'p50, ms', 'p90', 'p99', 'p99.9', 'p99.99', 'max'], rows },
  });
}

function phasesOf({ runs }: Side, phase: string): PhaseResult[] {
  return runs.flatMap(({ phases }) => phases.filter(({ plan }) => plan.name === phase));
}

/** The last, incomplete bin is left out. */
function ratesPerBin({ series, seriesStepMs }: PhaseResult): number[] {
  const steps = Math.max(1, Math.round(BIN_MS / seriesStepMs));
  return Array.from({ length: Math.floor(series.length / steps) }, (_, bin) => {
    const count = series.slice(bin * steps, (bin + 1) * steps).reduce((sum, replies) => sum + replies, 0);
    return (count * 1000) / (steps * seriesStepMs);
  });
}

function medians(runs: readonly (readonly number[])[], length: number): (number | null)[] {
  return Array.from({ length }, (_, bin) => {
    const rates = runs.flatMap((run) => run[bin] ?? []);
    return rates.length === 0 ? null : median(rates);
  });
}

function warmupShade(cutMs: number): JsonObject {
  const area = {
    silent: true,
    itemStyle: { color: 'var(--reference)', opacity: 0.16 },
    data: [[{ xAxis: 0 }, { xAxis: cutMs / 1000 }]],
  };
  return { type: 'line', data: [], silent: true, markArea: area };
}

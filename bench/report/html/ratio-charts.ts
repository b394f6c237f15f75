/**
 * Ratios B / A as charts: with their intervals over the noise floor (a forest plot), and pair by pair, which shows
 * whether the machine drifted. The axis is logarithmic with 1 in the middle, so that twice and half are as far away.
 *
 *                    0.5        1        2
 *     Throughput      |         |    |--●--|      interval clear of 1: filled
 *     p99             |       |-○-|      |        1 inside: hollow
 *                               ▒▒▒               grey: how far equal things differed here (A/A runs)
 */
import { FIGURE_LABELS, intervalWords, isBetter, ratioText } from '../../figures/compare-figures.ts';
import { formatP, formatRatio, orMissing, plural } from '../../figures/format.ts';
import {
  COMPARED_FIGURES,
  type ComparedFigure,
  INTERVAL_PAIRS_MIN,
  type PhaseComparison,
  type RatioEstimate,
} from '../../result/compare-json.ts';
import {
  baseOption,
  type Chart,
  format,
  GRID,
  type Json,
  type JsonObject,
  NARROW_GRID,
  NARROW_Y_NAME,
  xAxis,
  yAxis,
} from './chart.ts';

export const ROW_PX = 34;

/** From fine to coarse: the first that holds all ratios is taken. */
const TICK_SETS: readonly (readonly number[])[] = [
  [0.98, 0.99, 1, 1.01, 1.02],
  [0.95, 0.98, 1, 1.02, 1.05],
  [0.9, 0.95, 1, 1.05, 1.1],
  [0.8, 0.9, 1, 1.1, 1.25],
  [0.5, 0.7, 1, 1.4, 2],
  [0.2, 0.5, 1, 2, 5],
  [0.1, 0.2, 0.5, 1, 2, 5, 10],
  [0.01, 0.1, 1, 10, 100],
  [0.001, 0.01, 0.1, 1, 10, 100, 1000],
];

interface FigureRow {
  readonly figure: ComparedFigure;
  readonly estimate: RatioEstimate;
  readonly floor: RatioEstimate | undefined;
}

type Ends = Pick<RatioEstimate, 'ratio' | 'low' | 'high'>;

/** `isBetter`: null where the interval holds 1. */
export interface ForestRow {
  readonly estimate: Ends;
  readonly floor: Ends | undefined;
  readonly isBetter: boolean | null;
}

/** What a mark and its line stand for. */
function rangeSentence(pairs: number): string {
  if (pairs < INTERVAL_PAIRS_MIN) return `Of ${plural(pairs, 'pair')}, which makes no interval.`;
  return `Median over ${pairs} pairs, with ${intervalWords(pairs)}; hollow where 1 lies within.`;
}

export function forestChart(comparison: PhaseComparison): Chart | null {
  const rows = COMPARED_FIGURES.flatMap((figure): FigureRow[] => {
    const estimate = comparison.figures[figure];
    return estimate === undefined ? [] : [{ figure, estimate, floor: comparison.noiseFloor?.[figure] }];
  });
  if (rows.length === 0) return null;
  const ends = rows.flatMap(({ estimate, floor }) => [
    estimate.low,
    estimate.high,
    floor?.low ?? 1,
    floor?.high ?? 1,
  ]);
  const ticks = ratioTicks(ends);
  const floorNote =
    comparison.noiseFloor === null ? '' : ' Grey: how far equal things differed here (A/A runs).';
  const names = rows.map(({ figure }) => FIGURE_LABELS[figure]);
  const { pairs } = rows[0]!.estimate;
  return {
    title: 'Ratio B / A of each figure',
    note: `${rangeSentence(pairs)} Right of 1, B has more of it: better for throughput, worse for latency and CPU.${floorNote}`,
    summary: `Ratios of phase ${comparison.phase}: ${rows.map(({ figure, estimate }) => `${FIGURE_LABELS[figure]} ${ratioText(estimate)}`).join(', ')}.`,
    heightPx: GRID.bottom + 16 + rows.length * ROW_PX,
    group: null,
    table: {
      head: ['figure', 'ratio B / A', intervalWords(pairs), 'p', 'pairs', 'noise floor'],
      rows: rows.map(({ figure, estimate, floor }) => [
        FIGURE_LABELS[figure],
        formatRatio(estimate.ratio),
        endsText(estimate),
        formatP(estimate.p),
        String(estimate.pairs),
        orMissing(floor, endsText),
      ]),
    },
    option: baseOption({
      tooltip: { show: false },
      grid: { ...GRID, left: 118, right: 150, top: 16 },
      xAxis: xAxis({
        name: 'Ratio B / A',
        format: 'ratio',
        min: ticks[0]!,
        max: ticks[ticks.length - 1]!,
        logTicks: ticks,
      }),
      yAxis: [
        rowAxis(names, 'left'),
        rowAxis(
          rows.map(({ estimate }) => ratioText(estimate)),
          'right',
        ),
      ],
      series: forestSeries(
        rows.map(({ figure, estimate, floor }) => ({
          estimate,
          floor,
          isBetter: isBetter(figure, estimate),
        })),
      ),
    }),
    narrow: {
      grid: { left: 112, right: 16 },
      yAxis: [{}, { show: false }],
    },
  };
}

function endsText({ ratio, low, high, pairs }: RatioEstimate): string {
  return pairs < INTERVAL_PAIRS_MIN
    ? `${formatRatio(ratio)}, ${plural(pairs, 'pair')}`
    : `${formatRatio(low)} .. ${formatRatio(high)}`;
}

/** One row each, from the top. */
export function forestSeries(rows: readonly ForestRow[]): JsonObject[] {
  const floors = rows.map(({ floor }, row) => (floor === undefined ? null : segment(floor, row)));
  const color = ({ isBetter: better }: ForestRow): string =>
    better === null ? 'var(--muted)' : better ? 'var(--good)' : 'var(--bad)';
  return [
    ...floors.flatMap((data) =>
      data === null ? [] : [segmentSeries(data, { color: 'var(--reference)', width: 14, opacity: 0.3 })],
    ),
    ...rows.map((row, index) =>
      segmentSeries(segment(row.estimate, index), { color: color(row), width: 2, opacity: 1 }),
    ),
    {
      type: 'scatter',
      symbolSize: 11,
      silent: true,
      z: 5,
      data: rows.map((row, index) => ({
        value: [row.estimate.ratio, index],
        itemStyle: {
          color: row.isBetter === null ? 'var(--paper)' : color(row),
          borderColor: color(row),
          borderWidth: 2,
          opacity: 1,
        },
      })),
      markLine: {
        symbol: 'none',
        silent: true,
        label: { show: false },
        lineStyle: { color: 'var(--ink)', width: 1, type: 'solid', opacity: 0.6 },
        data: [{ xAxis: 1 }],
      },
    },
  ];
}

function segment({ low, high }: Ends, row: number): Json[] {
  return [
    [low, row],
    [high, row],
  ];
}

function segmentSeries(
  data: readonly Json[],
  look: { color: string; width: number; opacity: number },
): JsonObject {
  const { color, width, opacity } = look;
  return {
    type: 'line',
    silent: true,
    symbol: 'none',
    data,
    lineStyle: { color, width, opacity },
    z: width > 5 ? 1 : 3,
  };
}

/** @param width Of the names, in pixels. */
export function rowAxis(
  names: readonly string[],
  position: 'left' | 'right',
  width = position === 'left' ? 104 : 140,
): JsonObject {
  return {
    type: 'category',
    data: [...names],
    inverse: true,
    position,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: {
      color: position === 'left' ? 'var(--ink)' : 'var(--muted)',
      fontSize: 12,
      interval: 0,
      width,
      overflow: 'break',
    },
    splitLine: { show: false },
  };
}

/** The figure that decides, pair by pair in the order of the runs. */
export function pairChart(comparison: PhaseComparison): Chart | null {
  const estimate = comparison.figures[comparison.decidedBy];
  if (estimate === undefined) return null;
  return ratiosChart(FIGURE_LABELS[comparison.decidedBy], estimate, `of phase ${comparison.phase}`);
}

/** Null of one pair. @param where Behind "ratios of 8 pairs". */
export function ratiosChart(
  name: string,
  estimate: RatioEstimate,
  where: string,
  of = 'B / A',
): Chart | null {
  if (estimate.each.length < 2) return null;
  const ticks = ratioTicks(estimate.each);
  const mark = (value: number, color: string, dash: string): JsonObject => ({
    yAxis: value,
    lineStyle: { color, width: 1, type: dash },
    label: { show: false },
  });
  return {
    title: `${name}, pair by pair`,
    note: 'The ratio of each pair in the order of the runs, with their median. A slope means that the machine changed while it was measured.',
    summary: `${name} ratios of ${plural(estimate.each.length, 'pair')} ${where}: ${estimate.each.map(formatRatio).join(', ')}.`,
    heightPx: 220,
    group: null,
    table: {
      head: ['pair', `ratio ${of}`],
      rows: estimate.each.map((ratio, pair) => [String(pair + 1), formatRatio(ratio)]),
    },
    option: baseOption({
      grid: { ...GRID },
      xAxis: {
        ...xAxis({
          name: 'Pair',
          format: 'plain',
          min: 0.5,
          max: estimate.each.length + 0.5,
          ticks: estimate.each.map((_, pair) => pair + 1),
        }),
      },
      yAxis: yAxis({
        name: `${name}, ratio ${of}`,
        format: 'ratio',
        min: ticks[0]!,
        max: ticks[ticks.length - 1]!,
        logTicks: ticks,
      }),
      series: [
        {
          type: 'scatter',
          name: 'ratio',
          symbolSize: 9,
          itemStyle: { color: 'var(--s1)', opacity: 1 },
          tooltip: { valueFormatter: format('ratio') },
          data: estimate.each.map((ratio, pair) => [pair + 1, ratio]),
          markLine: {
            symbol: 'none',
            silent: true,
            data: [mark(1, 'var(--ink)', 'solid'), mark(estimate.ratio, 'var(--s1)', 'dashed')],
          },
        },
      ],
    }),
    narrow: { grid: { ...NARROW_GRID }, yAxis: NARROW_Y_NAME },
  };
}

/** That hold all of them, and 1. */
export function ratioTicks(ratios: readonly number[]): readonly number[] {
  const low = Math.min(1, ...ratios);
  const high = Math.max(1, ...ratios);
  const fits = TICK_SETS.find((set) => set[0]! <= low && set[set.length - 1]! >= high);
  return fits ?? TICK_SETS[TICK_SETS.length - 1]!;
}

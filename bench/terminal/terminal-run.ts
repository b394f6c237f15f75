/** A run on a terminal: table, throughput over time as a small chart, what is to be known before it is believed. */
import { plot } from 'simple-ascii-chart';
import { environmentLine, planLine } from '../figures/describe.ts';
import { figureRows } from '../figures/figures.ts';
import { formatCount } from '../figures/format.ts';
import { checkSentence } from '../figures/run-tables.ts';
import { serverTable } from '../figures/server-table.ts';
import { runVerdict } from '../figures/verdict.ts';
import type { PhaseResult, RunResult } from '../result/run-json.ts';
import { DEFAULT_COLUMNS, styled, type TerminalStyle, terminalTable } from './terminal-tables.ts';

const CHART_HEIGHT = 6;
const CHART_COLUMNS_MIN = 36;
const CHART_COLUMNS_MAX = 120;
/** The report has the others. */
const CHARTS_MAX = 6;
const SERIES_MIN = 10;
const Y_LABEL_COLUMNS = 8;

export function renderRun(
  run: RunResult,
  style: TerminalStyle = { columns: DEFAULT_COLUMNS, color: false },
): string {
  const rows = figureRows(run)
    .filter(({ detail }) => !detail)
    .map(({ label, cells }) => [label, ...cells]);
  const checks = run.phases.flatMap(({ plan, check }) =>
    check === null ? [] : [`${plan.name}: ${checkSentence(check)}`],
  );
  return [
    styled(`${run.plan.name} against ${run.target.description}`, 'bold', style),
    terminalTable(['', ...run.phases.map(({ plan }) => plan.name)], rows, style),
    ...servers(run.phases, style),
    ...throughputCharts(run.phases, style),
    styled(planLine(run.plan), 'dim', style),
    styled(environmentLine(run.environment), 'dim', style),
    ...checks,
    ...verdictLines(run, style),
  ].join('\n');
}

/** Of an ensemble: the main figures of each server. */
function servers(phases: readonly PhaseResult[], style: TerminalStyle): string[] {
  const { head, rows } = serverTable(phases);
  if (rows.length === 0) return [];
  const short = rows.map(([phase, server, ...figures]) => [`${phase}, ${server}`, ...figures]);
  return [terminalTable(['', ...head.slice(2)], short, style)];
}

function verdictLines(run: RunResult, style: TerminalStyle): string[] {
  const verdict = runVerdict(run);
  const { title, lines } = verdict;
  if (verdict.look === 'good') return [styled(title, 'green', style)];
  const look = verdict.look === 'warn' ? 'yellow' : 'red';
  return [styled(`${title}:`, look, style), ...lines.map((line) => styled(`! ${line}`, look, style))];
}

/**
 * Replies per second of each phase, side by side, each with its own scale: phases differ by orders of magnitude. What
 * does not fit beside each other goes below; nothing is drawn where there are too few steps.
 */
function throughputCharts(phases: readonly PhaseResult[], style: TerminalStyle): string[] {
  const drawable = phases.filter(({ series }) => series.length >= SERIES_MIN).slice(0, CHARTS_MAX);
  if (drawable.length === 0) return [];
  const room = Math.min(style.columns, CHART_COLUMNS_MAX);
  const perRow = Math.max(1, Math.min(drawable.length, Math.floor(room / CHART_COLUMNS_MIN)));
  const width = Math.floor(room / perRow) - Y_LABEL_COLUMNS - 2;
  const lines: string[] = ['', 'Requests/s over the time of each phase, warm-up included'];
  for (let first = 0; first < drawable.length; first += perRow) {
    lines.push(
      ...sideBySide(
        drawable.slice(first, first + perRow).map((phase) => phaseChart(phase, width)),
        width + Y_LABEL_COLUMNS + 2,
      ),
    );
  }
  return [...lines, ''];
}

function phaseChart({ plan, series, seriesStepMs }: PhaseResult, width: number): string[] {
  const points = series.map((replies, step): [number, number] => [
    ((step + 0.5) * seriesStepMs) / 1000,
    (replies * 1000) / seriesStepMs,
  ]);
  const drawn = meanPerColumn(points, width);
  const highest = Math.max(1, ...drawn.map(([, rate]) => rate));
  const endS = Math.round((series.length * seriesStepMs) / 1000);
  const chart = plot(drawn, {
    width,
    height: CHART_HEIGHT,
    yRange: [0, highest],
    customYAxisTicks: [0, highest],
    hideXAxisTicks: true,
    formatter: (value, { axis }) =>
      axis === 'y' ? shortCount(value).padStart(Y_LABEL_COLUMNS - 2) : Math.round(value),
  });
  const lines = chart.split('\n').map((line) => line.trimEnd());
  return [
    `${' '.repeat(Y_LABEL_COLUMNS)}${plan.name}, 0 .. ${endS} s`,
    ...lines.filter((line) => line !== ''),
  ];
}

function sideBySide(charts: readonly (readonly string[])[], columns: number): string[] {
  const height = Math.max(...charts.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    charts
      .map((lines) => (lines[line] ?? '').padEnd(columns))
      .join('')
      .trimEnd(),
  );
}

/** One point per column: the mean of what falls into it. */
function meanPerColumn(points: readonly [number, number][], columns: number): [number, number][] {
  const size = Math.max(1, Math.ceil(points.length / columns));
  const means: [number, number][] = [];
  for (let first = 0; first < points.length; first += size) {
    const part = points.slice(first, first + size);
    const mean = (index: 0 | 1): number => part.reduce((sum, point) => sum + point[index], 0) / part.length;
    means.push([mean(0), mean(1)]);
  }
  return means;
}

function shortCount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  return value >= 10_000 ? `${Math.round(value / 1e3)}k` : formatCount(value);
}

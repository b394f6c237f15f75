/** Latency of a phase over time: p50, p99 and the maximum of each second, on a logarithmic axis. */
import { formatDuration, formatMs, orMissing } from '../../figures/format.ts';
import type { LatencyPoint, PhaseResult } from '../../result/run-json.ts';
import { type AxisPlan, type Chart, type JsonObject, line, logScale } from './chart.ts';
import { overTimeTable, shading, thinned, timeRows } from './time-axis.ts';

/** A logarithm has no place for zero. */
const MS_MIN = 0.001;

/** Null without a point. */
export function latencyChart(phase: PhaseResult): Chart | null {
  const points = phase.latencySeries;
  if (points.length === 0) return null;
  const answered = points.filter(({ count }) => count > 0);
  const scale = logScale(
    answered.flatMap(({ p50Ms, maxMs }) => [Math.max(p50Ms, MS_MIN), Math.max(maxMs, MS_MIN)]),
  );
  const axis: AxisPlan = {
    name: 'Latency, ms',
    format: 'plain',
    min: scale.min,
    max: scale.max,
    logTicks: scale.ticks,
  };
  const series = [
    curve('max', 'var(--s2)', points, ({ maxMs }) => maxMs, { markArea: shading(phase) }),
    curve('p99', 'var(--s1)', points, ({ p99Ms }) => p99Ms),
    curve('p50', 'var(--s3)', points, ({ p50Ms }) => p50Ms),
  ];
  const text = (ms: number | undefined): string => orMissing(ms, (value) => `${formatMs(value)} ms`);
  const { p50Ms, p99Ms, maxMs } = phase.latency ?? {};
  return {
    title: 'Latency over time',
    note: `Percentiles of each ${stepText(phase)}, counted from the instant each request was due. Where nothing was answered there is no latency: the line ends.`,
    summary: `Latency of phase ${phase.plan.name} over time; over all of it p50 ${text(p50Ms)}, p99 ${text(p99Ms)}, max ${text(maxMs)}.`,
    ...timeRows(phase, [{ axis, heightPx: 182 }], series, ['max', 'p99', 'p50']),
    table: overTimeTable(phase),
    group: phase.plan.name,
  };
}

/** `second`, `150 ms`: what one point stands for. */
function stepText({ latencySeries }: PhaseResult): string {
  const [first, second] = latencySeries;
  const stepMs = first === undefined || second === undefined ? 1_000 : Math.round(second.atMs - first.atMs);
  return stepMs === 1_000 ? 'second' : formatDuration(stepMs);
}

function curve(
  name: string,
  color: string,
  points: readonly LatencyPoint[],
  figure: (point: LatencyPoint) => number,
  parts: JsonObject = {},
): JsonObject {
  const data = points.map((point): [number, number | null] => [
    point.atMs / 1000,
    point.count === 0 ? null : Math.max(figure(point), MS_MIN),
  ]);
  return line({ name, color, format: 'ms', data: thinned(data), parts });
}

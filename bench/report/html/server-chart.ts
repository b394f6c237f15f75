/** The server's process over time: CPU, memory and requests under way, each in a row of its own with its own scale. */
import { orMissing } from '../../figures/format.ts';
import type { TextTable } from '../../figures/run-tables.ts';
import type { PhaseResult, ServerSample } from '../../result/run-json.ts';
import { type Chart, line } from './chart.ts';
import { shading, TABLE_ROWS_MAX, type TimeRow, thinned, timeRows } from './time-axis.ts';

const SAMPLE_ROW_PX = 84;

const SAMPLE_ROWS = [
  {
    name: 'CPU, cores',
    color: 'var(--s2)',
    figure: (s: ServerSample) => s.cpuCores,
    format: 'plain',
    axisFormat: 'plain',
    scale: 1,
  },
  {
    name: 'Memory (RSS), MiB',
    color: 'var(--s4)',
    figure: (s: ServerSample) => s.rssBytes,
    format: 'mib',
    axisFormat: 'short',
    scale: 1024 ** 2,
  },
  {
    name: 'Outstanding requests',
    color: 'var(--s7)',
    figure: (s: ServerSample) => s.outstanding,
    format: 'count',
    axisFormat: 'short',
    scale: 1,
  },
] as const;

/** Null when nothing of the server's process is known. */
export function serverChart(phase: PhaseResult): Chart | null {
  const { samples } = phase;
  const rows = SAMPLE_ROWS.filter(({ figure }) => samples.some((sample) => figure(sample) !== null));
  if (rows.length === 0) return null;
  const series = rows.map(({ name, color, figure, format: shown, scale }, index) =>
    line({
      name,
      color,
      format: shown,
      data: thinned(
        samples.map((sample) => {
          const value = figure(sample);
          return [sample.atMs / 1000, value === null ? null : value / scale];
        }),
      ),
      parts: {
        xAxisIndex: index,
        yAxisIndex: index,
        areaStyle: { color, opacity: 0.08 },
        markArea: shading(phase, index === 0),
      },
    }),
  );
  const axes = rows.map(
    ({ name, axisFormat }): TimeRow => ({
      axis: { name, format: axisFormat, min: 0, tickCount: 3 },
      heightPx: SAMPLE_ROW_PX,
    }),
  );
  return {
    title: phase.servers === undefined ? 'The server’s process' : 'The servers’ processes, together',
    note: 'CPU time of all threads per wall time, resident memory, and the requests the server says it is working on, once a second.',
    summary: `Server of phase ${phase.plan.name}: ${orMissing(phase.server?.cpuCores, (cores) => `${cores.toFixed(2)} cores on average`)}.`,
    ...timeRows(phase, axes, series, []),
    table: sampleTable(samples),
    group: phase.plan.name,
  };
}

function sampleTable(samples: readonly ServerSample[]): TextTable {
  const every = Math.ceil(samples.length / TABLE_ROWS_MAX);
  const rows = samples
    .filter((_, index) => index % every === 0)
    .map(({ atMs, cpuCores, rssBytes, outstanding }) => [
      (atMs / 1000).toFixed(0),
      orMissing(cpuCores, (cores) => cores.toFixed(2)),
      orMissing(rssBytes, (bytes) => (bytes / 1024 ** 2).toFixed(0)),
      orMissing(outstanding, String),
    ]);
  return { head: ['at, s', 'CPU, cores', 'RSS, MiB', 'outstanding'], rows };
}

/**
 * The curves of a run for spreadsheets and scripts. Instants are milliseconds since the start of their phase, warm-up
 * included. A row with zeros is an interval in which nothing came: it is never left out, so that a plot of the file
 * does not draw a line across an outage. An empty cell is a figure that does not exist.
 */
import type { PhaseResult, RunResult } from '../result/run-json.ts';

/** One row per step of 100 ms, stamped with its begin: `phase,at_ms,replies,errors`. */
export function seriesCsv(run: RunResult): string {
  return csv('phase,at_ms,replies,errors', run, ({ series, errorSeries, seriesStepMs }) => {
    const count = Math.max(series.length, errorSeries.length);
    return Array.from({ length: count }, (_, step) => [
      step * seriesStepMs,
      series[step] ?? 0,
      errorSeries[step] ?? 0,
    ]);
  });
}

/** One row per second, stamped with its middle; no latency where nothing was answered. */
export function latencyCsv(run: RunResult): string {
  return csv('phase,at_ms,count,p50_ms,p99_ms,max_ms', run, ({ latencySeries }) =>
    latencySeries.map(({ atMs, count, p50Ms, p99Ms, maxMs }) =>
      count === 0 ? [atMs, 0, null, null, null] : [atMs, count, p50Ms, p99Ms, maxMs],
    ),
  );
}

/** The server's process, one row per sample. */
export function samplesCsv(run: RunResult): string {
  return csv('phase,at_ms,cpu_cores,rss_bytes,outstanding', run, ({ samples }) =>
    samples.map(({ atMs, cpuCores, rssBytes, outstanding }) => [atMs, cpuCores, rssBytes, outstanding]),
  );
}

type Cells = readonly (number | null)[];

function csv(head: string, run: RunResult, rows: (phase: PhaseResult) => readonly Cells[]): string {
  const lines = run.phases.flatMap((phase) =>
    rows(phase).map((cells) => [quoted(phase.plan.name), ...cells.map(numberText)].join(',')),
  );
  return [head, ...lines].join('\n') + '\n';
}

function numberText(value: number | null): string {
  return value === null ? '' : String(Number(value.toFixed(4)));
}

function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The rows of the result table, the same on the terminal and in `summary.md`. */
import { formatCount, formatMiB, formatMicros, formatMs, formatShare, orMissing } from './format.ts';
import type { PhaseResult, RunResult } from './run-json.ts';

export interface FigureRow {
  readonly label: string;
  /** One cell per phase. */
  readonly cells: readonly string[];
}

export function figureRows(run: RunResult): FigureRow[] {
  const row = (label: string, cell: (phase: PhaseResult) => string): FigureRow => ({
    label,
    cells: run.phases.map(cell),
  });
  return [
    row('Throughput = requests / time', (p) => `${formatCount(p.throughputPerSecond)} /s`),
    row('Latency mean, ms', (p) => orMissing(p.latency?.meanMs, formatMs)),
    row('        p50', (p) => orMissing(p.latency?.p50Ms, formatMs)),
    row('        p90', (p) => orMissing(p.latency?.p90Ms, formatMs)),
    row('        p99', (p) => orMissing(p.latency?.p99Ms, formatMs)),
    row('        p99.9', (p) => orMissing(p.latency?.p999Ms, formatMs)),
    row('        max', (p) => orMissing(p.latency?.maxMs, formatMs)),
    row('Availability = up time / time', (p) => formatShare(p.availability.byTime)),
    row('Server CPU, us/op', (p) => orMissing(p.server?.cpuMicrosPerOp, formatMicros)),
    row('Server CPU, cores', (p) => orMissing(p.server?.cpuCores, (cores) => cores.toFixed(2))),
    row('Server memory (RSS)', (p) => orMissing(p.server?.rssBytes, formatMiB)),
    row('Generator CPU, us/op', (p) => orMissing(p.generator.cpuMicrosPerOp, formatMicros)),
    row('Generator busy', (p) => `${(p.generator.busy * 100).toFixed(0)} %`),
  ];
}

/** What stands between the figures and belief, one line each; empty when nothing does. */
export function caveats(run: RunResult): string[] {
  const lines = run.phases.flatMap((phase) => phase.findings.map((text) => `${phase.plan.name}: ${text}`));
  if (!run.complete) lines.unshift('the run was interrupted: these are partial results');
  if (run.target.failure !== null) lines.unshift(`the server failed during the run: ${run.target.failure}`);
  if (run.environment.dataFilesystem === 'tmpfs') {
    lines.push('the data directory is on tmpfs: writes were not durable (choose a disk with --temp-dir)');
  }
  return lines;
}

/** `read 50 x 100, closed loop`, below the table. */
export function loadLine(run: RunResult): string {
  const { connectionCount, outstanding, tree, workerCount, seed } = run.scenario;
  const workers = `${workerCount} generator ${workerCount === 1 ? 'thread' : 'threads'}`;
  return (
    `${connectionCount} connections x ${outstanding} outstanding, ${tree.valueBytes} B values, ` +
    `${formatCount(tree.keyCount)} znodes, ${workers}, seed ${seed}`
  );
}

export function environmentLine(run: RunResult): string {
  const { cpuModel, cpuCount, kernel, nodeVersion, commit, dirty, dataFilesystem } = run.environment;
  const build = commit === null ? 'no commit' : `commit ${commit.slice(0, 7)}${dirty ? ' + changes' : ''}`;
  const disk = dataFilesystem === null ? '' : `, data on ${dataFilesystem}`;
  return `${cpuCount} x ${cpuModel}, ${kernel}, Node ${nodeVersion}, ${build}${disk}`;
}

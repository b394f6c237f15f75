/** `summary.md`: the run for people who read the repository. */
import { caveats, environmentLine, figureRows, loadLine } from './figures.ts';
import { formatMs, formatShare, orMissing } from './format.ts';
import type { PhaseAvailability, RunResult } from './run-json.ts';

export function renderSummary(run: RunResult): string {
  const phases = run.phases.map((phase) => phase.plan.name);
  const lines = [
    `# ${run.scenario.name}: ${run.target.name}`,
    '',
    `${run.scenario.description}. Against ${run.target.description}, ${run.startedAt}.`,
    '',
    ...markdownTable(
      ['', ...phases],
      figureRows(run).map((row) => [row.label.trim(), ...row.cells]),
    ),
    '',
    `${loadLine(run)}.`,
    '',
    `${environmentLine(run)}.`,
    '',
    ...verdict(run),
    '',
    '## Availability',
    '',
    `Probes of each class every ${run.scenario.probes.periodMs} ms on sessions apart from the load; up means ` +
      `answered within ${run.scenario.probes.deadlineMs} ms of the instant the probe was due.`,
    '',
    ...availabilityTable(run),
    '',
    ...mixedOps(run),
    '## Again',
    '',
    '```',
    run.command,
    '```',
  ];
  return lines.join('\n') + '\n';
}

function verdict(run: RunResult): string[] {
  const found = caveats(run);
  if (found.length === 0) {
    return [
      'Valid: all replies came, in order and without error; the generator had time to spare; throughput x ' +
        'latency agrees with the requests in flight.',
    ];
  }
  return ['Read with care:', '', ...found.map((line) => `- ${line}`)];
}

function availabilityTable(run: RunResult): string[] {
  const head = ['', 'class', 'up time / time', 'ok', 'late', 'failed', 'unknown', 'longest outage, ms'];
  const rows = [
    ...run.phases.flatMap((phase) => classRows(phase.plan.name, phase.availability)),
    ...classRows('whole run', run.availability),
  ];
  return markdownTable(head, rows);
}

function classRows(label: string, availability: PhaseAvailability): string[][] {
  return Object.entries(availability.classes).map(([name, summary]) => {
    const { ok, late, failed, unknown } = summary.outcomes;
    const counts = [ok, late, failed, unknown].map(String);
    return [label, name, formatShare(summary.byTime), ...counts, formatMs(summary.longestOutageMs)];
  });
}

/** Phases with several operations, taken apart. */
function mixedOps(run: RunResult): string[] {
  const rows = run.phases
    .filter((phase) => phase.ops.length > 1)
    .flatMap((phase) =>
      phase.ops.map(({ op, latency }) => {
        const figures = [latency.meanMs, latency.p50Ms, latency.p99Ms, latency.p999Ms, latency.maxMs];
        return [phase.plan.name, op, ...figures.map((value) => orMissing(value, formatMs))];
      }),
    );
  if (rows.length === 0) return [];
  const head = ['', 'op', 'mean, ms', 'p50', 'p99', 'p99.9', 'max'];
  return ['## Latency by operation', '', ...markdownTable(head, rows), ''];
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? ':---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)];
}

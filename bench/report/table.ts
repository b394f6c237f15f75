/** The result on a terminal. */
import Table from 'cli-table3';
import { caveats, environmentLine, figureRows, loadLine } from './figures.ts';
import type { RunResult } from './run-json.ts';

export function renderRun(run: RunResult): string {
  const table = new Table({
    head: ['', ...run.phases.map((phase) => phase.plan.name)],
    colAligns: ['left', ...run.phases.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { label, cells } of figureRows(run)) table.push([label, ...cells]);
  return [
    `${run.scenario.name} against ${run.target.description}`,
    table.toString(),
    loadLine(run),
    environmentLine(run),
    ...caveats(run).map((line) => `! ${line}`),
  ].join('\n');
}

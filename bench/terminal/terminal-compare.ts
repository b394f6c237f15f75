/** A comparison and a sweep on a terminal, and the JSON of any result for machines. */
import {
  comparisonTable,
  pairsSentence,
  runsSentence,
  verdictKind,
  verdictSentence,
  verdictWords,
} from '../figures/compare-figures.ts';
import { environmentLine, planLine } from '../figures/describe.ts';
import type { TextTable } from '../figures/run-tables.ts';
import { kneeSentences, searchSentence, sizeAxis, sweepTable } from '../figures/sweep-figures.ts';
import { servicesNotes, servicesTable } from '../figures/sweep-services.ts';
import type { Comparison, Sweep } from '../result/compare-json.ts';
import type { RunResult } from '../result/run-json.ts';
import { DEFAULT_COLUMNS, type Look, styled, type TerminalStyle, terminalTable } from './terminal-tables.ts';

const PLAIN: TerminalStyle = { columns: DEFAULT_COLUMNS, color: false };
const LOOKS: Readonly<Record<'good' | 'bad' | 'warn', Look>> = { good: 'green', bad: 'red', warn: 'yellow' };

export function renderComparison(comparison: Comparison, style: TerminalStyle = PLAIN): string {
  const { head, rows } = comparisonTable(comparison);
  const runs = runsSentence(comparison);
  return [
    styled(comparison.plan.name, 'bold', style),
    `A: ${comparison.a.description}`,
    `B: ${comparison.b.description}`,
    terminalTable(
      ['', ...head.slice(2)],
      rows.map(([phase, figure, ...cells]) => [`${phase} ${figure}`, ...cells]),
      style,
    ),
    ...comparison.phases.map((phase) => {
      const words = styled(verdictWords(phase.verdict), LOOKS[verdictKind(phase.verdict)], style);
      return `${phase.phase}: ${words} (${verdictSentence(phase)})`;
    }),
    ...(runs === null ? [] : [runs]),
    styled(pairsSentence(comparison), 'dim', style),
    styled(environmentLine(comparison.environment), 'dim', style),
  ].join('\n');
}

export function renderSweep(sweep: Sweep, style: TerminalStyle = PLAIN): string {
  const { head, rows } =
    sizeAxis(sweep) < 0 ? sweepTable(sweep) : keyedByPoint(sweepTable(sweep), sweep.axes.length + 1);
  const ratios = keyedByPoint(servicesTable(sweep), sweep.axes.length + 1);
  return [
    styled(`${sweep.plan.name} against ${sweep.target.description}`, 'bold', style),
    ...(rows.length === 0 ? [] : [terminalTable(head, rows, style)]),
    ...(ratios.rows.length === 0 ? [] : [terminalTable(ratios.head, ratios.rows, style)]),
    ...servicesNotes(sweep).map((text) => styled(text, 'dim', style)),
    ...kneeSentences(sweep),
    ...(sweep.search === null ? [] : [searchSentence(sweep.search)]),
    styled(planLine(sweep.plan), 'dim', style),
    styled(environmentLine(sweep.environment), 'dim', style),
    ...(sweep.target.failure === null ? [] : [styled(`! it failed: ${sweep.target.failure}`, 'red', style)]),
    ...(sweep.complete ? [] : [styled('! not complete: points are missing', 'yellow', style)]),
  ].join('\n');
}

/** The first columns as one, which begins each part of a table that is too wide. */
function keyedByPoint({ head, rows }: TextTable, count: number): TextTable {
  const keyed = (cells: readonly string[]): string[] => [
    cells.slice(0, count).join(' '),
    ...cells.slice(count),
  ];
  return { head: keyed(head), rows: rows.map(keyed) };
}

/** For `--json`: one document on stdout, the same as the saved one, in one line. */
export function renderJson(result: RunResult | Comparison | Sweep): string {
  return `${JSON.stringify(result)}\n`;
}

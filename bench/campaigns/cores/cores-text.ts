/** The comparison of threading modes in words and tables, and its document. */
import { FIGURE_LABELS, figureText, ratioText } from '../../figures/compare-figures.ts';
import { MISSING, orMissing, plural } from '../../figures/format.ts';
import { markdownTable } from '../../figures/markdown.ts';
import type { ComparedFigure, PhaseComparison } from '../../result/compare-json.ts';
import { type CampaignHead, campaignFoot } from '../campaign.ts';
import type { ModeComparison } from './compare-modes.ts';
import type { Conclusion } from './conclusion.ts';
import type { ModeName } from './modes.ts';

export interface CoresResult extends CampaignHead {
  /** What `auto` chose on this machine. */
  readonly defaultMode: ModeName;
  readonly comparisons: readonly ModeComparison[];
  readonly conclusion: Conclusion;
}

const FIGURES: readonly ComparedFigure[] = ['throughput', 'serverCpuPerOp', 'p50', 'p99'];

/** For the terminal, as soon as a comparison is done. */
export function comparisonLines({ mode, plan, phases, invalidRuns, runs }: ModeComparison): string[] {
  const invalid = invalidRuns === 0 ? '' : ` (${invalidRuns} of ${runs} runs void)`;
  return phases.map(
    (phase) =>
      `${mode.padEnd(14)}${`${plan} ${phase.phase}`.padEnd(18)}${verdictText(phase).padEnd(22)}` +
      `throughput ${ratioCell(phase, 'throughput')}, CPU/op ${ratioCell(phase, 'serverCpuPerOp')}${invalid}`,
  );
}

export function renderCoresSummary(result: CoresResult): string {
  const { defaultMode, comparisons, conclusion, environment } = result;
  const head = ['mode', 'load', 'verdict', ...FIGURES.map((figure) => FIGURE_LABELS[figure])];
  const rows = comparisons.flatMap(({ mode, plan, phases }) =>
    phases.map((phase) => [
      mode,
      `${plan} ${phase.phase}`,
      `**${verdictText(phase)}**`,
      ...FIGURES.map((figure) => ratioCell(phase, figure)),
    ]),
  );
  const lines = [
    `# Threading modes on ${plural(environment.cpuCount, 'core')}`,
    '',
    `The default here is \`${defaultMode}\`. Ratios are mode / default, median over pairs of fresh servers with the 95 % interval.`,
    ...(result.complete ? [] : ['', '**Not complete**: the campaign was interrupted.']),
    '',
    '## Conclusion',
    '',
    ...conclusion.lines.map((line) => `- ${line}`),
    '',
    '## Ratios',
    '',
    ...markdownTable(head, rows, (column) => (column < 3 ? 'left' : 'right')),
    '',
    '## Medians',
    '',
    ...medianTable(comparisons),
    '',
    ...effortLines(comparisons),
    '',
    'What to expect on other machines: `bench/campaigns/cores/README.md`. Verdicts: `bench/stats/decide.ts`.',
    '',
    ...campaignFoot(result),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function medianTable(comparisons: readonly ModeComparison[]): string[] {
  const head = ['load', 'mode', ...FIGURES.map((figure) => `${FIGURE_LABELS[figure]}: default, mode`)];
  const rows = comparisons.flatMap(({ mode, plan, phases }) =>
    phases.map(({ phase, medians }) => [
      `${plan} ${phase}`,
      mode,
      ...FIGURES.map((figure) =>
        orMissing(medians[figure], ({ a, b }) => `${figureText(figure, a)}, ${figureText(figure, b)}`),
      ),
    ]),
  );
  return markdownTable(head, rows, (column) => (column < 2 ? 'left' : 'right'));
}

function effortLines(comparisons: readonly ModeComparison[]): string[] {
  const runs = comparisons.reduce((sum, one) => sum + one.runs, 0);
  const invalid = comparisons.reduce((sum, one) => sum + one.invalidRuns, 0);
  const pairs = Math.min(...comparisons.map((one) => one.pairs));
  const floor = Math.min(...comparisons.map((one) => one.floorPairs));
  const rules = new Map<string, number>();
  for (const { brokenRules } of comparisons) {
    for (const [rule, count] of Object.entries(brokenRules)) rules.set(rule, (rules.get(rule) ?? 0) + count);
  }
  const broken = [...rules].map(([rule, count]) => `${rule} in ${plural(count, 'phase')}`).join(', ');
  const loads = new Map(comparisons.map(({ plan, load }) => [plan, load]));
  return [
    ...[...loads].map(([plan, load]) => `- ${plan}: ${load}`),
    `- ${plural(runs, 'run')}, at least ${plural(pairs, 'pair')} per mode and load, ` +
      `${floor === 0 ? 'no noise floor: verdicts need an effect above 5 %' : `noise floor of ${plural(floor, 'pair')}`}` +
      `${invalid === 0 ? '' : `; ${plural(invalid, 'run')} broke a rule of validity: ${broken}`}`,
  ];
}

function verdictText({ verdict }: PhaseComparison): string {
  return verdict === 'faster' || verdict === 'slower' ? `${verdict} than default` : verdict;
}

function ratioCell({ figures }: PhaseComparison, figure: ComparedFigure): string {
  const estimate = figures[figure];
  return estimate === undefined ? MISSING : ratioText(estimate);
}

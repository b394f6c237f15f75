/** `summary.md` of a comparison: the verdict of each phase in words, then medians and ratios with their intervals. */
import {
  comparisonTable,
  pairsSentence,
  runsSentence,
  verdictSentence,
  verdictWords,
} from '../figures/compare-figures.ts';
import { environmentFacts, environmentLine, phaseLine, planLine } from '../figures/describe.ts';
import { formatInstant, sentenceOf } from '../figures/format.ts';
import { codeBlock, factLines, tableLines } from '../figures/markdown.ts';
import type { Comparison } from '../result/compare-json.ts';

export function renderComparisonSummary(comparison: Comparison): string {
  const { plan, a, b, environment, phases } = comparison;
  const runs = runsSentence(comparison);
  const lines = [
    `# ${plan.name}: ${a.name} vs ${b.name}`,
    '',
    `${sentenceOf(plan.description)} ${formatInstant(comparison.startedAt)}. Charts: \`report.html\`.`.trim(),
    '',
    `- A: ${a.description}`,
    `- B: ${b.description}`,
    '',
    '## Verdict',
    '',
    ...phases.map(
      (phase) => `- ${phase.phase}: **${verdictWords(phase.verdict)}**. ${verdictSentence(phase)}.`,
    ),
    '',
    ...(runs === null ? [] : [runs, '']),
    `${pairsSentence(comparison)}. A ratio is the median over pairs of B / A with its 95 % bootstrap interval over pairs`,
    '(of fewer than 6 pairs: with the lowest and the highest); p is of a sign-flip permutation test, which cannot go below',
    '2 / 2^pairs.',
    '',
    '## Figures',
    '',
    ...tableLines(comparisonTable(comparison)),
    '',
    `${planLine(plan)}.`,
    '',
    ...plan.phases.map((phase) => `- ${phase.name}: ${phaseLine(phase)}`),
    '',
    `${environmentLine(environment)}.`,
    '',
    ...factLines(environmentFacts(environment)),
    '## Again',
    '',
    ...codeBlock([comparison.command]),
    '`compare.json` has everything (schema in `bench/result/compare-json.ts`), `runs/` each single run.',
  ];
  return `${lines.join('\n')}\n`;
}

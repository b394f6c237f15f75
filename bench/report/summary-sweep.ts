/** `summary.md` of a sweep: what was varied, the knee and the search in sentences, every point as a row. */

import { environmentFacts, environmentLine, phaseLine, planLine } from '../figures/describe.ts';
import { formatInstant, sentenceOf } from '../figures/format.ts';
import { codeBlock, factLines, tableLines } from '../figures/markdown.ts';
import { roleTable } from '../figures/role-costs.ts';
import type { TextTable } from '../figures/run-tables.ts';
import {
  kneeSentences,
  searchSentence,
  sweepReferences,
  sweepTable,
  variedText,
  voidTable,
} from '../figures/sweep-figures.ts';
import { servicesNotes, servicesTable } from '../figures/sweep-services.ts';
import type { Sweep } from '../result/compare-json.ts';

const ROLES_NOTE =
  'Of each server that had this role all the time, per request that the whole service answered.';
const RATIOS_NOTE = 'Medians of the replicates; `bench compare` says how far such ratios move.';

export function renderSweepSummary(sweep: Sweep): string {
  const { plan, target } = sweep;
  const findings = [
    ...kneeSentences(sweep),
    ...(sweep.search === null ? [] : [searchSentence(sweep.search)]),
  ];
  const notes = servicesNotes(sweep);
  const lines = [
    `# ${plan.name}: sweep of ${target.name}`,
    '',
    `${sentenceOf(plan.description)} Against ${target.description}, ${formatInstant(sweep.startedAt)}. Charts: \`report.html\`.`.trim(),
    '',
    ...(sweep.axes.length === 0 ? [] : [`Varied: ${variedText(sweep)}.`, '']),
    ...(sweep.services ?? []).map(({ text, target: service }) => `- \`${text}\`: ${service.description}`),
    ...(sweep.services === undefined ? [] : ['']),
    ...(sweep.complete ? [] : ['**Partial:** the sweep is not complete, points are missing.', '']),
    ...(target.failure === null ? [] : [`**The server failed:** ${target.failure}.`, '']),
    ...(findings.length === 0 ? [] : [...findings.map((text) => `- ${text}`), '']),
    ...section('Figures', 'Median of the replicates [lowest .. highest].', sweepTable(sweep)),
    ...(notes.length === 0 ? [] : [...notes.map((text) => `- ${text}`), '']),
    ...section('Side by side', RATIOS_NOTE, servicesTable(sweep)),
    ...section('CPU per request by role', ROLES_NOTE, roleTable(sweep)),
    ...section('Void runs', '', voidTable(sweep)),
    ...section(
      'Beside published figures',
      'On other machines: an orientation, never a verdict.',
      sweepReferences(sweep),
    ),
    `Where not varied: ${planLine(plan)}.`,
    '',
    ...plan.phases.map((phase) => `- ${phase.name}: ${phaseLine(phase)}`),
    '',
    `${environmentLine(sweep.environment)}.`,
    '',
    ...factLines(environmentFacts(sweep.environment)),
    '## Again',
    '',
    ...codeBlock([sweep.command]),
    '`sweep.json` has everything (schema in `bench/result/compare-json.ts`).',
  ];
  return `${lines.join('\n')}\n`;
}

/** Nothing for a table without rows. */
function section(title: string, note: string, table: TextTable): string[] {
  if (table.rows.length === 0) return [];
  return [`## ${title}`, '', ...(note === '' ? [] : [note, '']), ...tableLines(table), ''];
}

/** `summary.md` of a run, for people who read the repository: verdict first, then every figure as text. */
import {
  availabilityDefinition,
  environmentFacts,
  environmentLine,
  phaseLine,
  planLine,
} from '../figures/describe.ts';
import { errorText, figureRows } from '../figures/figures.ts';
import { formatDuration, formatInstant, formatMs, sentenceOf } from '../figures/format.ts';
import { codeBlock, factLines, markdownTable, tableLines } from '../figures/markdown.ts';
import {
  availabilityTable,
  checkSentence,
  checkTable,
  latencyByOp,
  metricsTable,
  outageTable,
  referenceTable,
  type TextTable,
} from '../figures/run-tables.ts';
import { SERVERS_NOTE, serverTable } from '../figures/server-table.ts';
import { limitSentences, STAGE_NOTE, stageTable } from '../figures/stage-table.ts';
import { runVerdict } from '../figures/verdict.ts';
import type { RunResult } from '../result/run-json.ts';

export function renderRunSummary(run: RunResult): string {
  const rows = figureRows(run).map(({ label, cells }) => [label, ...cells]);
  const lines = [
    `# ${run.plan.name}: ${run.target.name}`,
    '',
    `${sentenceOf(run.plan.description)} Against ${run.target.description}, ${formatInstant(run.startedAt)}. Charts: \`report.html\`.`.trim(),
    '',
    ...verdict(run),
    '## Figures',
    '',
    ...markdownTable(['', ...run.phases.map(({ plan }) => plan.name)], rows),
    '',
    `${planLine(run.plan)}.`,
    '',
    ...run.phases.map(({ plan }) => `- ${plan.name}: ${phaseLine(plan)}`),
    '',
    `${environmentLine(run.environment)}.`,
    '',
    ...factLines(environmentFacts(run.environment)),
    ...tableSection('Each server', SERVERS_NOTE, serverTable(run.phases)),
    ...latencySection(run),
    ...availabilitySection(run),
    ...errorSection(run),
    ...checkSection(run),
    ...stageSection(run),
    ...metricsSection(run),
    ...tableSection(
      'Beside published figures',
      'For the same load on other machines: an orientation, never a verdict.',
      referenceTable(run),
    ),
    '## Again',
    '',
    ...codeBlock([run.command]),
    ...fileSection(),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function verdict(run: RunResult): string[] {
  const { look, title, lines } = runVerdict(run);
  if (look === 'good') return [`**${title}.** ${lines.join(' ')}`, ''];
  return [`**${title}:**`, '', ...lines.map((line) => `- ${line}`), ''];
}

function latencySection({ phases, plan }: RunResult): string[] {
  const table = latencyByOp(phases);
  if (table.rows.length === 0) return [];
  const early = phases.reduce((sum, { eventsBeforeAck }) => sum + eventsBeforeAck, 0);
  const events =
    early === 0
      ? ''
      : ' Events are counted from the acknowledgement of the write; those that came before it count as 0.';
  const slo = plan.sloMs === null ? '' : ` Goodput counts replies within ${formatDuration(plan.sloMs)}.`;
  const text = `Counted from the instant each request was due; \`from sending\` is the same without that correction.${events}${slo}`;
  return ['## Latency by operation', '', text, '', ...tableLines(table), ''];
}

function availabilitySection(run: RunResult): string[] {
  const outages = outageTable(run.availability);
  return [
    '## Availability',
    '',
    availabilityDefinition(run),
    '',
    ...tableLines(availabilityTable(run)),
    '',
    ...(outages.rows.length === 0
      ? []
      : ['Outages, from the start of the run:', '', ...tableLines(outages), '']),
    `Probes were sent at most ${formatMs(run.probeLagMsMax)} ms late.`,
    '',
  ];
}

function errorSection({ phases }: RunResult): string[] {
  const lines = phases
    .filter((phase) => errorText(phase) !== '')
    .map((phase) => `- ${phase.plan.name}: ${errorText(phase)}`);
  return lines.length === 0
    ? []
    : ['## Errors', '', 'By name, replies in the measured time:', '', ...lines, ''];
}

function checkSection({ phases }: RunResult): string[] {
  const checked = phases.flatMap((phase) => {
    if (phase.check === null) return [];
    const broken = phase.check.rules.some(({ violations }) => violations > 0);
    const table = broken ? ['', ...tableLines(checkTable(phase.check))] : [];
    return [`${phase.plan.name}: ${checkSentence(phase.check)}`, ...table, ''];
  });
  return checked.length === 0 ? [] : ['## Check of the history', '', ...checked];
}

function stageSection({ phases }: RunResult): string[] {
  const table = stageTable(phases);
  if (table.rows.length === 0) return [];
  const lines = limitSentences(phases).map((sentence) => `- ${sentence}`);
  return ["## Where the server's time went", '', STAGE_NOTE, '', ...lines, '', ...tableLines(table), ''];
}

/** Some hundred lines: behind a fold. */
function metricsSection(run: RunResult): string[] {
  const table = metricsTable(run.phases);
  if (table.rows.length === 0) return [];
  const title =
    'Server metrics (<code>mntr</code>): growth of counters over the measured time, values at its end';
  return ['<details>', `<summary>${title}</summary>`, '', ...tableLines(table), '', '</details>', ''];
}

function tableSection(title: string, text: string, table: TextTable): string[] {
  return table.rows.length === 0 ? [] : [`## ${title}`, '', text, '', ...tableLines(table), ''];
}

function fileSection(): string[] {
  return [
    '`run.json` has everything (schema in `bench/result/run-json.ts`); `series.csv`, `latency.csv` and `samples.csv` the',
    "curves; `*.hgrm` the percentile distributions in ms; `*.hlog`, if there is one, HdrHistogram's log in microseconds (give",
    'its tools `-outputValueUnitRatio 1000`).',
  ];
}

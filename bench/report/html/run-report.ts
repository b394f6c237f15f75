/**
 * `report.html` of a run: what was measured and whether it may be believed, the figures as a table, then one section
 * per phase with its charts, and the tables behind them.
 */

import {
  availabilityDefinition,
  buildText,
  environmentFacts,
  environmentLine,
  phaseBrief,
  phaseLine,
  planLine,
} from '../../figures/describe.ts';
import { errorText, figureRows } from '../../figures/figures.ts';
import {
  capitalized,
  formatDuration,
  formatInstant,
  formatMicros,
  formatMs,
  MISSING,
  orMissing,
} from '../../figures/format.ts';
import { keyFigures } from '../../figures/key-figures.ts';
import {
  availabilityTable,
  checkSentence,
  checkTable,
  latencyByOp,
  metricsTable,
  REFERENCED_METRICS,
  referencedFigure,
  referenceTable,
} from '../../figures/run-tables.ts';
import { SERVERS_NOTE, serverTable } from '../../figures/server-table.ts';
import { limitSentences, STAGE_NOTE, stageTable } from '../../figures/stage-table.ts';
import {
  availabilityParts,
  availabilityText,
  runVerdict,
  throughputText,
  VERDICT_LOOKS,
  VERDICT_TITLES,
} from '../../figures/verdict.ts';
import { plannedMs } from '../../plan/plan.ts';
import { type PhaseResult, type RunResult, verdictOfPhase } from '../../result/run-json.ts';
import { availabilityChart } from './availability-chart.ts';
import type { Chart } from './chart.ts';
import { latencyChart } from './latency-chart.ts';
import {
  contents,
  factList,
  folded,
  html,
  lead,
  list,
  type Markup,
  NOTHING,
  tableMarkup,
  tiles,
  verdictBox,
} from './markup.ts';
import { ChartSheet, renderPage } from './page.ts';
import { referenceChart } from './reference-chart.ts';
import { rolesChart } from './roles-chart.ts';
import { serverChart } from './server-chart.ts';
import { phaseSpectrum } from './spectrum-chart.ts';
import { type ReferenceMark, throughputChart } from './throughput-chart.ts';
import { phaseEndMs } from './time-axis.ts';

export function renderRunReport(run: RunResult): string {
  const sheet = new ChartSheet();
  const body = html`${header(run)}
${verdict(run)}
<h2 id="figures">Figures</h2>
${overviewTable(run)}
${run.phases.map((phase, index) => phaseSection(run, phase, index, sheet))}
<h2 id="tables">Tables</h2>
${folded('All figures, one column per phase', allFigures(run))}
${serversSection(run)}
${folded('Latency by operation', tableMarkup(latencyByOp(run.phases), 'Counted from the instant each request was due'))}
${folded(
  'Availability by probe class',
  html`${tableMarkup(availabilityTable(run), 'Share of the time in which a class was up, and its probes by outcome')}
<p class="quiet">${availabilityDefinition(run)}</p>`,
)}
${stageSection(run)}
${metricsSection(run)}
${tableMarkup(referenceTable(run), 'Beside published figures for the same load: an orientation, never a verdict')}
${checkSection(run)}
${reproduceSection(run.command, run.startedAt, 'run')}`;
  return renderPage(`${run.plan.name}: ${run.target.name}`, body, sheet);
}

/** Nothing for a service of one. */
function serversSection({ phases }: RunResult): Markup {
  const table = serverTable(phases);
  return table.rows.length === 0 ? NOTHING : folded('Each server', tableMarkup(table, SERVERS_NOTE));
}

function stageSection({ phases }: RunResult): Markup {
  const table = stageTable(phases);
  if (table.rows.length === 0) return NOTHING;
  return html`<h2 id="stages">Where the server's time went</h2>
${list(limitSentences(phases))}
${tableMarkup(table, STAGE_NOTE)}`;
}

/** Some hundred lines: behind a fold. */
function metricsSection(run: RunResult): Markup {
  const table = metricsTable(run.phases);
  if (table.rows.length === 0) return NOTHING;
  return html`<details><summary>What the server says of itself (mntr): ${String(table.rows.length)} figures</summary>${tableMarkup(table, 'Growth of counters over the measured time, values at its end')}</details>`;
}

function header(run: RunResult): Markup {
  const { plan, target, environment } = run;
  const links: [href: string, text: string][] = [
    ['#figures', 'Figures'],
    ...run.phases.map(({ plan: { name } }, index): [string, string] => [
      `#phase-${index + 1}`,
      `Phase ${name}`,
    ]),
    ['#tables', 'Tables'],
    ['#again', 'How to reproduce'],
  ];
  return html`<header>
<p class="kicker">Benchmark run</p>
<h1>${plan.name}: ${target.name}</h1>
${lead(plan)}
${factList([
  ['Target', target.description],
  ['Load', `${planLine(plan)}; ${formatDuration(plannedMs(plan))} in all`],
  ['Machine', environmentLine(environment)],
  ...environmentFacts(environment),
  ['When', `${formatInstant(run.startedAt)}, ${buildText(environment)}`],
])}
${contents(links)}
</header>`;
}

function verdict(run: RunResult): Markup {
  const { look, title, lines } = runVerdict(run);
  return verdictBox(look, title, lines);
}

/** One row per phase: what one looks for first. */
function overviewTable({ phases }: RunResult): Markup {
  const head = [
    'phase',
    'load',
    'throughput',
    'p50, ms',
    'p99, ms',
    'p99.9, ms',
    'availability',
    'server CPU, us/op',
    'verdict',
  ];
  const rows = phases.map((phase) => [
    phase.plan.name,
    phaseBrief(phase.plan),
    throughputText(phase),
    orMissing(phase.latency?.p50Ms, formatMs),
    orMissing(phase.latency?.p99Ms, formatMs),
    orMissing(phase.latency?.p999Ms, formatMs),
    availabilityText(phase.availability),
    orMissing(phase.server?.cpuMicrosPerOp, formatMicros),
    verdictOfPhase(phase),
  ]);
  return tableMarkup(
    { head, rows },
    'Throughput = requests / time; availability = up time / time; latency from the instant each request was due',
  );
}

function allFigures(run: RunResult): Markup {
  const rows = figureRows(run).map(({ label, cells }) => [label, ...cells]);
  return tableMarkup(
    { head: ['', ...run.phases.map(({ plan }) => plan.name)], rows },
    'Of the measured time',
  );
}

function phaseSection(run: RunResult, phase: PhaseResult, index: number, sheet: ChartSheet): Markup {
  const errors = errorText(phase);
  const charts = phaseCharts(run, phase).map((chart) => sheet.place(chart));
  return html`<section>
<h2 id="phase-${String(index + 1)}">Phase ${phase.plan.name}</h2>
<p>${capitalized(phaseLine(phase.plan))}.</p>
${tiles(phaseHeadline(phase).filter(([, text]) => text !== MISSING))}
${
  phase.findings.length === 0
    ? NOTHING
    : verdictBox(
        VERDICT_LOOKS[verdictOfPhase(phase)],
        VERDICT_TITLES[verdictOfPhase(phase)],
        phase.findings.map(({ text }) => text),
      )
}
${errors === '' ? NOTHING : html`<p>Replies with an error: ${errors}.</p>`}
${charts}
</section>`;
}

/** The figures that a phase's section begins with. */
function phaseHeadline(phase: PhaseResult): [name: string, text: string][] {
  const { latency, server } = phase;
  const ms = (value: number | undefined): string => orMissing(value, (known) => `${formatMs(known)} ms`);
  return [
    ...keyFigures(phase),
    ['Throughput', throughputText(phase)],
    ['Latency p50', ms(latency?.p50Ms)],
    ['Latency p99', ms(latency?.p99Ms)],
    ['Latency p99.9', ms(latency?.p999Ms)],
    availabilityParts(phase.availability),
    ['Server CPU / op', orMissing(server?.cpuMicrosPerOp, (micros) => `${formatMicros(micros)} us`)],
  ];
}

function phaseCharts(run: RunResult, phase: PhaseResult): Chart[] {
  const availability = availabilityChart(phase.availability, {
    of: `phase ${phase.plan.name}`,
    endMs: phaseEndMs(phase),
    xName: 'Time since the start of the phase, s',
    group: phase.plan.name,
  });
  const charts = [
    throughputChart(phase, referenceMarks(run, phase)),
    latencyChart(phase),
    availability,
    serverChart(phase),
    rolesChart(phase),
    phaseSpectrum(phase),
    ...referenceCharts(run, phase),
  ];
  return charts.filter((chart) => chart !== null);
}

function referenceMarks({ plan }: RunResult, phase: PhaseResult): ReferenceMark[] {
  return plan.references.filter(
    ({ phase: name, metric }) => name === phase.plan.name && metric === 'throughput',
  );
}

function referenceCharts({ plan, target }: RunResult, phase: PhaseResult): (Chart | null)[] {
  return REFERENCED_METRICS.map((metric) => {
    const value = referencedFigure(phase, metric);
    const own = value === null ? [] : [{ label: target.name, value, color: 'var(--s1)' }];
    return referenceChart(phase.plan.name, metric, own, plan.references);
  });
}

function checkSection({ phases }: RunResult): Markup {
  const checked = phases.filter(({ check }) => check !== null);
  if (checked.length === 0) return NOTHING;
  return html`<h2 id="check">Check of the history</h2>
${list(checked.map(({ plan, check }) => `${plan.name}: ${checkSentence(check!)}`))}
${checked.map(({ plan, check }) => tableMarkup(checkTable(check!), `Rules of phase ${plan.name}`))}`;
}

/** What lies beside the page depends on what it is of. */
const FILES: Readonly<Record<'run' | 'comparison' | 'sweep' | 'search', Markup>> = {
  search: html`<code>tune.json</code> all figures, <code>runs/</code> each single run.`,
  run: html`<code>run.json</code> all figures, <code>*.csv</code> the curves, <code>*.hgrm</code> and <code>*.hlog</code> the latencies for
HdrHistogram's public tools.`,
  comparison: html`<code>compare.json</code> all figures, <code>runs/</code> each single run.`,
  sweep: html`<code>sweep.json</code> all figures, <code>runs/</code> each single run.`,
};

export function reproduceSection(command: string, startedAt: string, of: keyof typeof FILES): Markup {
  return html`<h2 id="again">How to reproduce</h2>
<p>The command that made this result on ${startedAt.slice(0, 10)}:</p>
<pre><code>${command}</code></pre>
<p class="quiet">The files beside this page hold everything that is drawn here: ${FILES[of]}</p>`;
}

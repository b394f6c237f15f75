/** `report.html` of a sweep: what was varied, where throughput ends, and every figure over the swept parameters. */

import { buildText, environmentFacts, environmentLine, planLine } from '../../figures/describe.ts';
import { formatInstant, plural } from '../../figures/format.ts';
import { roleTable } from '../../figures/role-costs.ts';
import {
  kneeSentences,
  phaseNames,
  SWEPT_METRICS,
  searchSentence,
  sizeAxis,
  sweepReferences,
  sweepTable,
  turned,
  variedText,
  voidTable,
} from '../../figures/sweep-figures.ts';
import { servicesNotes, servicesTable } from '../../figures/sweep-services.ts';
import { countVerdicts } from '../../figures/verdict.ts';
import type { SearchOutcome, Sweep } from '../../result/compare-json.ts';
import { verdictOfPhase } from '../../result/run-json.ts';
import type { Chart } from './chart.ts';
import { heatMap } from './heat-map.ts';
import { factList, html, lead, list, type Markup, NOTHING, tableMarkup, verdictBox } from './markup.ts';
import { ChartSheet, renderPage } from './page.ts';
import { reproduceSection } from './run-report.ts';
import { searchChart } from './search-chart.ts';
import { sweepChart } from './sweep-charts.ts';

export function renderSweepReport(sweep: Sweep): string {
  const sheet = new ChartSheet();
  const search = sweep.search === null ? null : searchChart(sweep.search);
  const charts = allCharts(sweep);
  const maps = phaseNames(sweep).flatMap((phase) =>
    HEAT_METRICS.map((metric) => heatMap(sweep, phase, metric)),
  );
  const notes = servicesNotes(sweep);
  const body = html`${header(sweep)}
${verdict(sweep)}
${findings(sweep)}
${search === null ? NOTHING : html`<h2 id="search">Search</h2>${sheet.place(search)}`}
${charts.length === 0 ? NOTHING : html`<h2 id="curves">Curves</h2>${sheet.placeAll(charts)}`}
${maps}
${sweep.points.length === 0 ? NOTHING : html`<h2 id="figures">Figures</h2>`}
${tableMarkup(sweepTable(sweep), 'Each point: median of the replicates [lowest .. highest]')}
${notes.length === 0 ? NOTHING : list(notes)}
${tableMarkup(servicesTable(sweep), 'Side by side: medians of the replicates; bench compare says how far such ratios move')}
${tableMarkup(roleTable(sweep), 'CPU per request by role: of each server that had it all the time, per request that the whole service answered')}
${tableMarkup(voidTable(sweep), 'Void runs')}
${tableMarkup(sweepReferences(sweep), 'Beside published figures: an orientation, never a verdict')}
${reproduceSection(sweep.command, sweep.startedAt, 'sweep')}`;
  return renderPage(`${sweep.plan.name}: sweep of ${sweep.target.name}`, body, sheet);
}

/** Over the first axis; of services one chart per phase, and over their sizes too. */
function allCharts(sweep: Sweep): Chart[] {
  const sizes = sizeAxis(sweep);
  const phases = sizes < 0 ? [undefined] : phaseNames(sweep);
  const views = sizes > 0 ? [sweep, turned(sweep, sizes)] : [sweep];
  return views
    .flatMap((view) =>
      phases.flatMap((phase) => SWEPT_METRICS.map((metric) => sweepChart(view, metric, phase))),
    )
    .filter((chart) => chart !== null);
}

const HEAT_METRICS = ['throughput', 'p99', 'serverCpuPerOp'] as const;

function header(sweep: Sweep): Markup {
  const { plan, target, environment } = sweep;
  return html`<header>
<p class="kicker">${sweep.search === null ? 'Sweep' : 'Rate search'}</p>
<h1>${plan.name}: ${target.name}</h1>
${lead(plan)}
${factList([
  ['Target', target.description],
  ...(sweep.services ?? []).map(({ text, target: service }) => [text, service.description] as const),
  ...(sweep.axes.length === 0 ? [] : [['Varied', variedText(sweep)] as const]),
  ['Base load', planLine(plan)],
  ['Machine', environmentLine(environment)],
  ...environmentFacts(environment),
  ['When', `${formatInstant(sweep.startedAt)}, ${buildText(environment)}`],
])}
</header>`;
}

function verdict(sweep: Sweep): Markup {
  const { points, complete, target, search } = sweep;
  const verdicts = points.flatMap(({ runs }) => runs.flatMap((run) => run.phases.map(verdictOfPhase)));
  const lines: string[] = [];
  if (target.failure !== null) lines.push(`the server failed: ${target.failure}`);
  if (!complete)
    lines.push(search === null ? 'not complete: points are missing' : 'interrupted: the search is not over');
  const odd = countVerdicts(verdicts);
  if (odd !== '') lines.push(`of the measured phases ${odd}; what is void is drawn hollow`);
  if (search !== null) return searchVerdict(search, lines, complete);
  if (lines.length > 0)
    return verdictBox(complete ? 'warn' : 'bad', complete ? 'To be read with care' : 'Partial', lines);
  return verdictBox('good', 'Sound', [`All ${plural(verdicts.length, 'measured phase')} kept all rules.`]);
}

/** A search stands or falls with its probes; it has no points. */
function searchVerdict(search: SearchOutcome, lines: readonly string[], complete: boolean): Markup {
  const look = !complete
    ? 'bad'
    : search.edge === 'none' || search.edge === 'open' || lines.length > 0
      ? 'warn'
      : 'good';
  const title = search.ratePerSecond === null ? 'No rate found' : complete ? 'Rate found' : 'Partial';
  return verdictBox(look, title, [searchSentence(search), ...lines]);
}

function findings(sweep: Sweep): Markup {
  const lines = kneeSentences(sweep);
  return lines.length === 0 ? NOTHING : list(lines);
}

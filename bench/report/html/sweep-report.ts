/** `report.html` of a sweep: what was varied, where throughput ends, and every figure over the swept parameters. */

import { buildText, environmentFacts, environmentLine, planLine } from '../../figures/describe.ts';
import { formatInstant, plural } from '../../figures/format.ts';
import {
  kneeSentences,
  phaseNames,
  SWEPT_METRICS,
  searchSentence,
  sweepReferences,
  sweepTable,
  variedText,
} from '../../figures/sweep-figures.ts';
import type { Sweep } from '../../result/compare-json.ts';
import { heatMap } from './heat-map.ts';
import { factList, html, list, type Markup, NOTHING, tableMarkup, verdictBox } from './markup.ts';
import { ChartSheet, renderPage } from './page.ts';
import { reproduceSection } from './run-report.ts';
import { searchChart } from './search-chart.ts';
import { sweepChart } from './sweep-charts.ts';

export function renderSweepReport(sweep: Sweep): string {
  const sheet = new ChartSheet();
  const search = sweep.search === null ? null : searchChart(sweep.search);
  const charts = SWEPT_METRICS.map((metric) => sweepChart(sweep, metric)).filter((chart) => chart !== null);
  const maps = phaseNames(sweep).flatMap((phase) =>
    HEAT_METRICS.map((metric) => heatMap(sweep, phase, metric)),
  );
  const body = html`${header(sweep)}
${verdict(sweep)}
${findings(sweep)}
${search === null ? NOTHING : html`<h2 id="search">Search</h2>${sheet.place(search)}`}
${charts.length === 0 ? NOTHING : html`<h2 id="curves">Curves</h2>${sheet.placeAll(charts)}`}
${maps}
<h2 id="figures">Figures</h2>
${tableMarkup(sweepTable(sweep), 'Each point: median of the replicates [lowest .. highest]')}
${tableMarkup(sweepReferences(sweep), 'Beside published figures: an orientation, never a verdict')}
${reproduceSection(sweep.command, sweep.startedAt)}`;
  return renderPage(`${sweep.plan.name}: sweep of ${sweep.target.name}`, body, sheet);
}

const HEAT_METRICS = ['throughput', 'p99', 'serverCpuPerOp'] as const;

function header(sweep: Sweep): Markup {
  const { plan, target, environment } = sweep;
  return html`<header>
<p class="kicker">Sweep</p>
<h1>${plan.name}: ${target.name}</h1>
<p class="lead">${plan.description}.</p>
${factList([
  ['Target', target.description],
  ['Varied', variedText(sweep)],
  ['Base load', planLine(plan)],
  ['Machine', environmentLine(environment)],
  ...environmentFacts(environment),
  ['When', `${formatInstant(sweep.startedAt)}, ${buildText(environment)}`],
])}
</header>`;
}

function verdict({ points, complete, target }: Sweep): Markup {
  const phases = points.flatMap(({ runs }) => runs.flatMap((run) => run.phases));
  const invalid = phases.filter(({ valid }) => !valid).length;
  const lines: string[] = [];
  if (target.failure !== null) lines.push(`the server failed: ${target.failure}`);
  if (!complete) lines.push('the sweep was interrupted: points are missing');
  if (invalid > 0)
    lines.push(
      `${invalid} of ${plural(phases.length, 'measured phase')} broke a rule; they are drawn hollow`,
    );
  if (lines.length > 0)
    return verdictBox(complete ? 'warn' : 'bad', complete ? 'To be read with care' : 'Partial', lines);
  return verdictBox('good', 'Valid', [`All ${plural(phases.length, 'measured phase')} kept all rules.`]);
}

function findings(sweep: Sweep): Markup {
  const lines = [...kneeSentences(sweep), ...(sweep.search === null ? [] : [searchSentence(sweep.search)])];
  return lines.length === 0 ? NOTHING : list(lines);
}

/** `report.html` of `bench availability`: the proof, targets beside each other, then each of them over time. */
import type { CampaignHead } from '../campaigns/campaign.ts';
import { environmentLine } from '../figures/describe.ts';
import { formatInstant, plural } from '../figures/format.ts';
import { factList, html, type Markup, tableMarkup, verdictBox } from '../report/html/markup.ts';
import { ChartSheet, renderPage } from '../report/html/page.ts';
import { lagText, proofText } from './availability-text.ts';
import { outageDots, timeCharts } from './fault-charts.ts';
import { classTable, downTable, loadTable, sideBySide } from './fault-tables.ts';
import type { TargetUnderFaults } from './measure-faults.ts';

const TITLE = 'Availability under faults';

export function renderAvailabilityPage(
  head: CampaignHead,
  results: readonly TargetUnderFaults[],
  faultsPerMonth: number,
): string {
  const sheet = new ChartSheet();
  const isKept = results.every(({ missing }) => missing.length === 0);
  const beside = results.length > 1 ? tableMarkup(sideBySide(results), 'Median of a kind (worst)') : '';
  const body = html`<header>
<p class="kicker">Availability</p>
<h1>${TITLE}</h1>
${factList([
  ['Targets', results.map(({ target }) => target).join(', ')],
  ['Machine', environmentLine(head.environment)],
  ['When', formatInstant(head.startedAt)],
  ['Again', head.command],
])}
</header>
${verdictBox(
  isKept ? 'good' : 'bad',
  isKept ? 'Nothing acknowledged was lost' : 'Acknowledged writes were lost',
  results.map((result) => `${result.target}: ${proofText(result)}`),
)}
<h2 id="beside">Fault by fault</h2>
${beside}
${sheet.place(outageDots(results))}
${results.map((result) => targetSection(result, faultsPerMonth, sheet))}`;
  return renderPage(TITLE, body, sheet);
}

function targetSection(result: TargetUnderFaults, faultsPerMonth: number, sheet: ChartSheet): Markup {
  const { target, faults, totalMs } = result;
  return html`<h2>${target}</h2>
<p>${plural(faults.length, 'fault')} in ${(totalMs / 1000).toFixed(0)} s, one after the other. ${lagText(result)}</p>
${sheet.placeAll(timeCharts(result))}
${tableMarkup(classTable(result, faultsPerMonth), 'Up time by class')}
${tableMarkup(downTable(result), 'Down time by fault')}
${tableMarkup(loadTable(result), 'The load, and elections')}`;
}

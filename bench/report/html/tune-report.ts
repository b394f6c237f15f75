/** `report.html` of a search for better settings: the answer, what each value did, how far settings came, the fresh pairs. */
import { buildText, environmentFacts, environmentLine, phaseLine, planLine } from '../../figures/describe.ts';
import { formatInstant } from '../../figures/format.ts';
import {
  candidateTable,
  conclusionText,
  effectTable,
  noiseText,
  orderedEffects,
  tuneRunsText,
} from '../../figures/tune-figures.ts';
import type { Tuning } from '../../result/tune-json.ts';
import { baseOption, type Chart, GRID, xAxis } from './chart.ts';
import { factList, html, lead, type Markup, NOTHING, tableMarkup, verdictBox } from './markup.ts';
import { ChartSheet, renderPage } from './page.ts';
import { forestSeries, ROW_PX, ratiosChart, ratioTicks, rowAxis } from './ratio-charts.ts';
import { reproduceSection } from './run-report.ts';

const TITLES = {
  better: 'Better than the default',
  none: 'No setting beats the default',
  bound: 'No setting keeps the bound',
  unfinished: 'Nothing is known yet',
} as const;
const NAMES_PX = 250;

export function renderTuneReport(tuning: Tuning): string {
  const sheet = new ChartSheet();
  const effects = effectChart(tuning);
  const pairs = pairsChart(tuning);
  const good = tuning.conclusion === 'better';
  const body = html`${header(tuning)}
${verdictBox(good ? 'good' : 'warn', TITLES[tuning.conclusion], [conclusionText(tuning)])}
<p>${noiseText(tuning)} ${tuneRunsText(tuning)}.</p>
${pairs === null ? NOTHING : html`<h2 id="confirmed">Fresh pairs</h2>${sheet.place(pairs)}`}
<h2 id="mattered">What mattered</h2>
${effects === null ? NOTHING : sheet.place(effects)}
${tableMarkup(effectTable(tuning), 'Objective with this value / with the default, all else equal')}
<h2 id="settings">How far settings came</h2>
${tableMarkup(candidateTable(tuning), 'Mean ratio to runs of the default beside them; the best of many is flattered')}
${reproduceSection(tuning.command, tuning.startedAt, 'search')}`;
  return renderPage(title(tuning), body, sheet);
}

function title({ plan, target, objective }: Tuning): string {
  return `${plan.name}: settings of ${target.name} for ${objective}`;
}

function header(tuning: Tuning): Markup {
  const { plan, target, environment, parameters } = tuning;
  return html`<header>
<p class="kicker">Tuning</p>
<h1>${title(tuning)}</h1>
${lead(plan)}
${factList([
  ['Target', target.description],
  ['Load', planLine(plan)],
  ...plan.phases.map((phase): [string, string] => [`Phase ${phase.name}`, phaseLine(phase)]),
  ['Tried', parameters.map(({ key, values }) => `${key} ${values.join(', ')}`).join('; ')],
  ['Machine', environmentLine(environment)],
  ...environmentFacts(environment),
  ['When', `${formatInstant(tuning.startedAt)}, ${buildText(environment)}`],
])}
</header>`;
}

/** Of those that have an interval. */
function effectChart(tuning: Tuning): Chart | null {
  const rows = orderedEffects(tuning).flatMap(({ key, value, ratio, low, high, pairs }) =>
    low === null || high === null
      ? []
      : [{ label: `${key}=${value}`, pairs, estimate: { ratio, low, high } }],
  );
  if (rows.length === 0) return null;
  const ticks = ratioTicks(rows.flatMap(({ estimate }) => [estimate.low, estimate.high]));
  const names = rows.map(({ label }) => label);
  const shown = rows.map(({ label, estimate, pairs }) => [
    label,
    estimate.ratio.toFixed(3),
    `${estimate.low.toFixed(3)} .. ${estimate.high.toFixed(3)}`,
    String(pairs),
  ]);
  const isBetter = ({ low, high }: { low: number; high: number }): boolean | null =>
    low <= 1 && high >= 1 ? null : low > 1;
  return {
    title: 'Effect of each value',
    note: 'Objective with this value / with the default, all else equal, with its 95 % interval; right of 1 is better, hollow where 1 lies within.',
    summary: `Effects on ${tuning.objective}: ${rows.map(({ label, estimate }) => `${label} ${estimate.ratio.toFixed(2)}x`).join(', ')}.`,
    heightPx: GRID.bottom + 16 + rows.length * ROW_PX,
    group: null,
    table: { head: ['value', 'ratio', '95 % interval', 'pairs'], rows: shown },
    option: baseOption({
      tooltip: { show: false },
      grid: { ...GRID, left: NAMES_PX + 14, right: 24, top: 16 },
      xAxis: xAxis({
        name: 'Ratio to the default',
        format: 'ratio',
        min: ticks[0]!,
        max: ticks[ticks.length - 1]!,
        logTicks: ticks,
      }),
      yAxis: rowAxis(names, 'left', NAMES_PX),
      series: forestSeries(
        rows.map(({ estimate }) => ({ estimate, floor: undefined, isBetter: isBetter(estimate) })),
      ),
    }),
    narrow: { grid: { left: 150, right: 16 }, yAxis: { axisLabel: { width: 136, fontSize: 10 } } },
  };
}

function pairsChart({ confirmation, objective }: Tuning): Chart | null {
  const estimate = confirmation?.estimate ?? null;
  return estimate === null ? null : ratiosChart('Objective', estimate, `for ${objective}`, 'tuned / default');
}

/**
 * `report.html` of a comparison: the verdict per phase in words, then per phase the ratios with their intervals, both
 * sides' curves, and what others published.
 */
import { median } from 'simple-statistics';
import {
  comparisonTable,
  pairsSentence,
  runsSentence,
  verdictKind,
  verdictSentence,
  verdictWords,
} from '../../figures/compare-figures.ts';
import { buildText, environmentFacts, environmentLine, phaseLine, planLine } from '../../figures/describe.ts';
import { capitalized, formatInstant } from '../../figures/format.ts';
import { REFERENCED_METRICS, referencedFigure } from '../../figures/run-tables.ts';
import type { Comparison, PhaseComparison } from '../../result/compare-json.ts';
import type { RunResult } from '../../result/run-json.ts';
import type { Chart } from './chart.ts';
import { contents, factList, html, lead, type Markup, NOTHING, tableMarkup, verdictBox } from './markup.ts';
import { ChartSheet, renderPage } from './page.ts';
import { forestChart, pairChart } from './ratio-charts.ts';
import { type OwnFigure, referenceChart } from './reference-chart.ts';
import { reproduceSection } from './run-report.ts';
import { type Side, sidesOf, sidesSpectrum, sidesThroughput } from './side-charts.ts';

/** `runs` in the order of `comparison.runs`; without them the curves of the runs are missing. */
export function renderCompareReport(comparison: Comparison, runs: readonly RunResult[]): string {
  const sheet = new ChartSheet();
  const sides = sidesOf(comparison, runs);
  const body = html`${header(comparison)}
${comparison.phases.map(verdict)}
${runsNote(comparison)}
<h2 id="figures">Figures</h2>
${tableMarkup(comparisonTable(comparison), 'Medians of both sides and the ratio B / A: median over pairs, in brackets how far it may be off')}
${comparison.phases.map((phase, index) => phaseSection(comparison, phase, index, sides, sheet))}
<h2 id="runs">Single runs</h2>
${runTable(comparison)}
${reproduceSection(comparison.command, comparison.startedAt, 'comparison')}`;
  return renderPage(title(comparison), body, sheet);
}

function title({ plan, a, b }: Comparison): string {
  return `${plan.name}: ${a.name} vs ${b.name}`;
}

function header(comparison: Comparison): Markup {
  const { plan, a, b, environment } = comparison;
  return html`<header>
<p class="kicker">Paired comparison</p>
<h1>${title(comparison)}</h1>
${lead(plan)}
${factList([
  ['A', a.description],
  ['B', b.description],
  ['Runs', pairsSentence(comparison)],
  ['Load', planLine(plan)],
  ['Machine', environmentLine(environment)],
  ...environmentFacts(environment),
  ['When', `${formatInstant(comparison.startedAt)}, ${buildText(environment)}`],
])}
${contents([
  ['#figures', 'Figures'],
  ...comparison.phases.map(({ phase }, index): [string, string] => [`#phase-${index + 1}`, `Phase ${phase}`]),
  ['#runs', 'Single runs'],
  ['#again', 'How to reproduce'],
])}
</header>`;
}

function verdict(phase: PhaseComparison): Markup {
  return verdictBox(verdictKind(phase.verdict), `${phase.phase}: ${verdictWords(phase.verdict)}`, [
    verdictSentence(phase),
  ]);
}

function runsNote(comparison: Comparison): Markup {
  const text = runsSentence(comparison);
  return text === null ? NOTHING : html`<p>${text}</p>`;
}

function phaseSection(
  comparison: Comparison,
  phase: PhaseComparison,
  index: number,
  sides: readonly Side[],
  sheet: ChartSheet,
): Markup {
  const plan = comparison.plan.phases.find(({ name }) => name === phase.phase);
  const charts = [
    forestChart(phase),
    sidesThroughput(phase.phase, sides),
    sidesSpectrum(phase.phase, sides),
    ...referenceCharts(comparison, phase, sides),
    pairChart(phase),
  ].filter((chart) => chart !== null);
  return html`<section>
<h2 id="phase-${String(index + 1)}">Phase ${phase.phase}</h2>
<p>${plan === undefined ? '' : `${capitalized(phaseLine(plan))}.`}</p>
${sheet.placeAll(charts)}
</section>`;
}

/** Medians over the runs of each side; none without the runs. */
function referenceCharts(
  { plan }: Comparison,
  { phase: name }: PhaseComparison,
  sides: readonly Side[],
): (Chart | null)[] {
  return REFERENCED_METRICS.map((metric) => {
    const own = sides.flatMap(({ name: label, color, runs }): OwnFigure[] => {
      const values = runs.flatMap(({ phases }) => {
        const phase = phases.find((one) => one.plan.name === name);
        return phase === undefined ? [] : (referencedFigure(phase, metric) ?? []);
      });
      return values.length === 0 ? [] : [{ label, value: median(values), color }];
    });
    return referenceChart(name, metric, own, plan.references);
  });
}

function runTable({ runs }: Comparison): Markup {
  const sides = { a: 'A', b: 'B', floor: 'A/A' } as const;
  const rows = runs.map(({ side, pair, dir, verdict: found }, index) => [
    String(index + 1),
    sides[side],
    String(pair),
    found,
    dir,
  ]);
  return tableMarkup(
    { head: ['run', 'side', 'pair', 'verdict', 'directory'], rows },
    'In the order in which they ran',
  );
}

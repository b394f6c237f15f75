/**
 * The frame of all reports: one HTML file that needs no network and no other file. Charts are collected while the body
 * is made, so that each has a place, an identifier and its data.
 *
 *     style | body with <figure> per chart | charts as JSON | echarts, gzip + base64 (240 KiB) | page-script.ts
 */
import type { Chart } from './chart.ts';
import { echartsLibrary } from './echarts-library.ts';
import { figure, html, type Markup } from './markup.ts';
import { pageScript } from './page-script.ts';
import { STYLE } from './style.ts';

/** The charts of a page, in the order in which they were placed. */
export class ChartSheet {
  private readonly charts: Chart[] = [];

  place(chart: Chart): Markup {
    this.charts.push(chart);
    return figure(chart, `chart-${this.charts.length}`);
  }

  placeAll(charts: readonly Chart[]): Markup[] {
    return charts.map((chart) => this.place(chart));
  }

  /** For the page's script. */
  toJson(): string {
    const entries = this.charts.map(({ option, narrow, group }, index) => ({
      id: `chart-${index + 1}`,
      option,
      narrow,
      group,
    }));
    return JSON.stringify(entries);
  }
}

export function renderPage(title: string, body: Markup, sheet: ChartSheet): string {
  const library = echartsLibrary();
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
${library === null ? html`<p>Charts are missing: this checkout was installed without its development packages (<code>npm ci</code> brings them, <code>ringkeeper bench report</code> then makes this page again). Every figure is in the tables.</p>` : ''}${body}
<footer>Made by ringkeeper's benchmark engine. This file needs no network. Charts: Apache ECharts, Apache License 2.0.</footer>
</main>
<script type="application/json" id="charts">${raw(sheet.toJson().replaceAll('<', '\\u003c'))}</script>
<script type="text/plain" id="echarts">${raw(library ?? '')}</script>
<script>${raw(scriptText(pageScript()))}</script>
</body>
</html>
`;
  return page.html;
}

/** Inside a script element only `</script` and `<!--` end or change anything; the script has them in strings, if at all. */
function scriptText(text: string): string {
  return text.replace(/<(?=\/script|!--)/gi, '\\u003c');
}

function raw(text: string): Markup {
  return { html: text };
}

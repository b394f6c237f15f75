/** Pieces of HTML, escaped. Text comes in as text; only what these functions return is markup. */

import { sentenceOf } from '../../figures/format.ts';
import { isTextColumn, type TextTable } from '../../figures/run-tables.ts';
import type { Chart } from './chart.ts';

/** A piece of markup; a plain string never is one. */
export interface Markup {
  readonly html: string;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Tagged template: strings inside `${}` are escaped, markup and lists of markup are put in as they are. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | Markup | readonly Markup[])[]
): Markup {
  let text = parts[0]!;
  values.forEach((value, index) => {
    text += markupText(value) + parts[index + 1]!;
  });
  return { html: text };
}

export const NOTHING: Markup = { html: '' };

function markupText(value: string | Markup | readonly Markup[]): string {
  if (typeof value === 'string') return escapeHtml(value);
  return 'html' in value ? value.html : value.map(({ html: text }) => text).join('\n');
}

/** Words that say whether something is well, wherever they fill a cell. */
const WORDS: Readonly<Record<string, string>> = {
  sound: 'good',
  unsteady: 'warn',
  void: 'bad',
  faster: 'good',
  slower: 'bad',
  'cannot tell': 'warn',
  unstable: 'warn',
};

/** Nothing where the table has no rows. Wider than the page it scrolls on its own, under its title. */
export function tableMarkup(table: TextTable, title: string): Markup {
  if (table.rows.length === 0) return NOTHING;
  const kinds = table.head.map((_, column) => (isTextColumn(table, column) ? 'text' : 'figure'));
  const head = table.head.map((text, column) => html`<th scope="col" class="${kinds[column]!}">${text}</th>`);
  const rows = table.rows.map((cells) => {
    const parts = cells.map((text, column) =>
      column === 0
        ? html`<th scope="row" class="text">${text}</th>`
        : html`<td class="${kinds[column]!}${text.length > WRAP_LENGTH ? ' wrap' : ''}">${word(text)}</td>`,
    );
    return html`<tr>${parts}</tr>`;
  });
  return html`<p class="table-title">${title}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table>
<thead><tr>${head}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** Longer texts may take several lines. */
const WRAP_LENGTH = 48;

function word(text: string): Markup {
  const kind = WORDS[text];
  return kind === undefined ? html`${text}` : html`<span class="word ${kind}">${text}</span>`;
}

/** What a plan says of itself; a plan that says nothing has no line. */
export function lead({ description }: { readonly description: string }): Markup {
  const text = sentenceOf(description);
  return text === '' ? NOTHING : html`<p class="lead">${text}</p>`;
}

/** Detail that not everybody wants to see: there, but folded. */
export function folded(title: string, content: Markup): Markup {
  return content.html === ''
    ? NOTHING
    : html`<details class="part"><summary>${title}</summary>${content}</details>`;
}

export function factList(facts: readonly (readonly [name: string, text: string])[]): Markup {
  return html`<dl class="facts">${facts.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>`;
}

/** Links to the sections of the page. */
export function contents(links: readonly (readonly [href: string, text: string])[]): Markup {
  const items = links.map(([href, text]) => html`<li><a href="${href}">${text}</a></li>`);
  return html`<nav aria-label="Contents"><ul>${items}</ul></nav>`;
}

export function tiles(figures: readonly (readonly [name: string, text: string])[]): Markup {
  return html`<ul class="tiles">${figures.map(([name, text]) => html`<li><span>${name}</span><b>${text}</b></li>`)}</ul>`;
}

export function list(lines: readonly string[]): Markup {
  return html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

/** A box with the verdict; `lines` say what stands against the figures, or for them. */
export function verdictBox(kind: 'good' | 'warn' | 'bad', title: string, lines: readonly string[]): Markup {
  const text = lines.length === 1 ? html`<p>${lines[0]!}</p>` : verdictLines(lines);
  return html`<section class="verdict ${kind === 'good' ? '' : kind}" aria-label="Verdict"><strong>${title}</strong>${lines.length === 0 ? NOTHING : text}</section>`;
}

/** Many reasons: the first ones, the others behind a fold. */
function verdictLines(lines: readonly string[]): Markup {
  if (lines.length <= VERDICT_LINES_MAX) return list(lines);
  const rest = lines.slice(VERDICT_LINES_MAX);
  return html`${list(lines.slice(0, VERDICT_LINES_MAX))}<details><summary>${String(rest.length)} more</summary>${list(rest)}</details>`;
}

const VERDICT_LINES_MAX = 4;

/** The place of a chart, with its title and the figures behind it as a table. */
export function figure(chart: Chart, id: string): Markup {
  const behind =
    chart.table.rows.length === 0
      ? NOTHING
      : html`<details><summary>Figures of this chart</summary>${tableMarkup(chart.table, chart.summary)}</details>`;
  return html`<figure>
<figcaption><h3 id="${id}-title">${chart.title}</h3><p>${chart.note}</p></figcaption>
<p class="chart-failed" hidden>This browser could not draw the chart; its figures are in the table below.</p>
<div class="chart" id="${id}" role="img" aria-label="${chart.summary}" style="height:${String(chart.heightPx)}px"></div>
${behind}
</figure>`;
}

/**
 * A figure over two swept parameters as a table whose cells are shaded by their value: it is read as figures, by eye
 * and by ear, and needs no key. Shades are by logarithm, because sweeps go by factors.
 */

import {
  axisName,
  METRIC_LABELS,
  metricText,
  SERVICE_AXIS,
  type SweptMetric,
  spreadAt,
} from '../../figures/sweep-figures.ts';
import type { Sweep } from '../../result/compare-json.ts';
import { html, type Markup, NOTHING } from './markup.ts';

const SHADE_MAX = 0.6;

/** Nothing unless exactly two parameters were swept and the figure is known. */
export function heatMap(sweep: Sweep, phase: string, metric: SweptMetric): Markup {
  const [across, down] = sweep.axes;
  if (across === undefined || down === undefined || sweep.axes.length > 2) return NOTHING;
  // Services side by side are curves, and no map.
  if (
    sweep.axes.some(({ path }) => path === SERVICE_AXIS) ||
    sweep.axes.some(({ values }) => values.length < 2)
  ) {
    return NOTHING;
  }
  const cells = down.values.map((row) =>
    across.values.map((column) => {
      const point = sweep.points.find(({ at }) => at[0] === column && at[1] === row);
      return point === undefined ? null : (spreadAt(point, phase, metric)?.median ?? null);
    }),
  );
  const known = cells.flat().filter((value) => value !== null && value > 0) as number[];
  if (known.length === 0) return NOTHING;
  const low = Math.log(Math.min(...known));
  const span = Math.log(Math.max(...known)) - low || 1;
  const cell = (value: number | null): Markup => {
    if (value === null) return html`<td>-</td>`;
    const shade = value > 0 ? 0.06 + (SHADE_MAX - 0.06) * ((Math.log(value) - low) / span) : 0;
    return html`<td style="background:rgba(var(--heat),${shade.toFixed(3)})">${metricText(metric, value)}</td>`;
  };
  const title = `${METRIC_LABELS[metric].split(',')[0]} over ${axisName(across.path)} and ${axisName(down.path)}`;
  return html`<figure><figcaption><h3>${title}</h3>
<p>Median of the replicates; the stronger the shade, the more. Across: ${axisName(across.path)}; down: ${axisName(down.path)}.</p></figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table class="heat">
<thead><tr><th scope="col" class="text">${axisName(down.path)}</th>${across.values.map((value) => html`<th scope="col">${String(value)}</th>`)}</tr></thead>
<tbody>${cells.map((row, index) => html`<tr><th scope="row" class="text">${String(down.values[index])}</th>${row.map(cell)}</tr>`)}</tbody>
</table></div></figure>`;
}

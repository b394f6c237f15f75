/**
 * Up and down over time, one row per probe class. Down is drawn as zero, at the bottom of its row, and the stretch is
 * red; the share of up time stands in the title of the row.
 *
 *     write, up 97.8 %    up   ──────────┐   ┌─────────
 *                         down           └───┘
 */
import { formatMs, formatShare, plural } from '../../figures/format.ts';
import { outageTable } from '../../figures/run-tables.ts';
import type { AvailabilityResult, AvailabilitySummary } from '../../result/run-json.ts';
import {
  band,
  baseOption,
  type Chart,
  GRID,
  type Json,
  type JsonObject,
  line,
  NARROW_GRID,
  NARROW_Y_NAME,
  xAxis,
  yAxis,
} from './chart.ts';

const ROW_PX = 26;
const GAP_PX = 38;

export interface AvailabilityPlan {
  readonly of: string;
  readonly endMs: number;
  readonly xName: string;
  readonly group: string | null;
}

/** Null without probes. */
export function availabilityChart(availability: AvailabilityResult, plan: AvailabilityPlan): Chart | null {
  const classes = Object.entries(availability.classes);
  if (classes.length === 0) return null;
  const { table, outageCount } = outagesAsText(availability, classes);
  return {
    title: 'Availability',
    note: 'Whether probes of each class were answered in time, on sessions apart from the load. Each edge is known to one probe period.',
    summary: `Availability of ${plan.of}: ${formatShare(availability.byTime)}, ${plural(outageCount, 'outage')}.`,
    heightPx: GRID.top + GRID.bottom + classes.length * ROW_PX + (classes.length - 1) * GAP_PX,
    group: plan.group,
    table,
    ...rowsOption(classes, plan),
  };
}

type NamedSummary = readonly [string, AvailabilitySummary];

function rowsOption(
  classes: readonly NamedSummary[],
  plan: AvailabilityPlan,
): { option: JsonObject; narrow: JsonObject } {
  const endS = plan.endMs / 1000;
  const last = classes.length - 1;
  return {
    option: baseOption({
      grid: classes.map((_, index) => ({
        ...GRID,
        bottom: 'auto',
        top: GRID.top + index * (ROW_PX + GAP_PX),
        height: ROW_PX,
      })),
      xAxis: classes.map((_, index) => {
        const axis = xAxis({
          name: index === last ? plan.xName : '',
          format: 'seconds',
          min: 0,
          max: endS,
          gridIndex: index,
        });
        return index === last ? axis : { ...axis, axisLabel: { show: false }, axisTick: { show: false } };
      }),
      yAxis: classes.map(([name, { byTime }], index) => ({
        ...yAxis({
          name: `${name}: up ${formatShare(byTime)}`,
          format: 'upDown',
          min: 0,
          max: 1,
          ticks: [0, 1],
          gridIndex: index,
        }),
        splitLine: { show: false },
      })),
      series: classes.map(([name, summary], index) => rowSeries(name, summary, endS, index)),
      axisPointer: { link: [{ xAxisIndex: 'all' }] },
    }),
    narrow: {
      grid: classes.map(() => ({ ...NARROW_GRID })),
      yAxis: classes.map(() => NARROW_Y_NAME),
      xAxis: classes.map((_, index): JsonObject => (index === last ? { name: 'Time, s' } : {})),
    },
  };
}

function rowSeries(name: string, { outages }: AvailabilitySummary, endS: number, index: number): JsonObject {
  const corners: Json[] = [[0, 1]];
  const areas: Json[] = [];
  for (const { fromMs, toMs } of outages) {
    corners.push([fromMs / 1000, 1], [fromMs / 1000, 0], [toMs / 1000, 0], [toMs / 1000, 1]);
    areas.push(band(fromMs / 1000, toMs / 1000, { color: 'var(--bad)', opacity: 0.28 }));
  }
  corners.push([endS, 1]);
  return line({
    name,
    color: 'var(--good)',
    data: corners,
    format: 'upDown',
    width: 2,
    parts: {
      xAxisIndex: index,
      yAxisIndex: index,
      areaStyle: { color: 'var(--good)', opacity: 0.16 },
      markArea: { silent: true, data: areas },
    },
  });
}

/** Each outage, or each class where there was none. */
function outagesAsText(availability: AvailabilityResult, classes: readonly NamedSummary[]) {
  const outages = outageTable(availability);
  if (outages.rows.length > 0) return { table: outages, outageCount: outages.rows.length };
  const rows = classes.map(([name, { byTime, longestOutageMs }]) => [
    name,
    formatShare(byTime),
    formatMs(longestOutageMs),
  ]);
  return { table: { head: ['class', 'up time / time', 'longest outage, ms'], rows }, outageCount: 0 };
}

/**
 * A chart as data: an echarts option without functions and without colours, so that it is made, checked and saved here
 * and drawn in the page. The page's script (page-script.ts) replaces two kinds of strings in it:
 *
 *     'var(--s1)'       the colour (or font) of that CSS variable, which depends on the reader's colour scheme
 *     '$format:ms'      the function of that name that writes a figure
 *
 * `narrow` holds what differs where the chart is less than 560 px wide: it is laid over `option`, arrays by index.
 */
import type { TextTable } from '../../figures/run-tables.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export interface Chart {
  readonly title: string;
  /** How to read it, as one or two sentences; shown above the chart. */
  readonly note: string;
  /** What it shows, with the main figures, for readers who do not see it. */
  readonly summary: string;
  readonly heightPx: number;
  readonly option: JsonObject;
  readonly narrow: JsonObject;
  /** The drawn figures as text, unfolded on demand. */
  readonly table: TextTable;
  /** Charts of a group share the position of the pointer. */
  readonly group: string | null;
}

/** The figures that a chart's axis or tooltip can show; page-script.ts has the functions. */
export type FormatName =
  | 'count'
  | 'short'
  | 'rate'
  | 'ms'
  | 'seconds'
  | 'percentile'
  | 'percent'
  | 'ratio'
  | 'upDown'
  | 'leads'
  | 'mib'
  | 'plain';

export function format(name: FormatName): string {
  return `$format:${name}`;
}

/** Colours of series, in order; beyond the last one they begin again, and the tooltip and the table tell them apart. */
export function seriesColor(index: number): string {
  return `var(--s${(index % SERIES_COLORS) + 1})`;
}
/** style.ts has as many, all apart from each other and from the paper in both of its schemes. */
export const SERIES_COLORS = 16;

/** The left margin is the same everywhere, so that time axes stand under each other. */
export const GRID = { left: 58, right: 18, top: 34, bottom: 44, outerBoundsMode: 'none' } as const;
export const NARROW_GRID = { left: 46, right: 16 } as const;

export interface AxisPlan {
  /** With its unit: `Latency, ms`. */
  readonly name: string;
  readonly format: FormatName;
  readonly min?: number;
  readonly max?: number;
  /** Logarithmic, with ticks at these values. */
  readonly logTicks?: readonly number[];
  /** Ticks of a linear axis where the usual ones do not fit. */
  readonly ticks?: readonly number[];
  readonly gridIndex?: number;
  /** About how many ticks a linear axis has; 5 where not given. */
  readonly tickCount?: number;
  /** The last label ends at the end of the axis: for long labels. */
  readonly alignLast?: boolean;
}

/** Horizontal: its name below, in the middle. */
export function xAxis(plan: AxisPlan): JsonObject {
  return {
    ...axis(plan),
    nameLocation: 'middle',
    nameGap: 28,
    splitLine: {
      show: plan.logTicks !== undefined,
      lineStyle: { color: 'var(--grid)' },
      ...customTicks(plan),
    },
  };
}

/** Vertical: its name above, flush with the labels, so that it reads without turning the head. */
export function yAxis(plan: AxisPlan): JsonObject {
  return {
    ...axis(plan),
    nameLocation: 'end',
    nameGap: 12,
    nameTextStyle: { color: 'var(--muted)', fontSize: 12, align: 'left', padding: [0, 0, 0, -GRID.left + 8] },
    axisLine: { show: false },
    axisTick: { show: false, ...customTicks(plan) },
    splitLine: { show: true, lineStyle: { color: 'var(--grid)' }, ...customTicks(plan) },
  };
}

/** For `narrow`: the name keeps flush with the labels. */
export const NARROW_Y_NAME: JsonObject = {
  nameTextStyle: { padding: [0, 0, 0, -NARROW_GRID.left + 4] },
};

function axis(plan: AxisPlan): JsonObject {
  const limits: Record<string, Json> = {};
  if (plan.min !== undefined) limits['min'] = plan.min;
  if (plan.max !== undefined) limits['max'] = plan.max;
  if (plan.gridIndex !== undefined) limits['gridIndex'] = plan.gridIndex;
  if (plan.tickCount !== undefined) limits['splitNumber'] = plan.tickCount;
  return {
    type: plan.logTicks === undefined ? 'value' : 'log',
    name: plan.name,
    nameTextStyle: { color: 'var(--muted)', fontSize: 12 },
    axisLabel: {
      color: 'var(--muted)',
      fontSize: 12,
      hideOverlap: true,
      alignMaxLabel: plan.alignLast === true ? 'right' : null,
      formatter: format(plan.format),
      ...customTicks(plan),
    },
    axisLine: { show: true, lineStyle: { color: 'var(--rule)' } },
    axisTick: { show: true, lineStyle: { color: 'var(--rule)' }, ...customTicks(plan) },
    axisPointer: { label: { formatter: format(plan.format) } },
    ...limits,
  };
}

function customTicks({ logTicks, ticks }: AxisPlan): JsonObject {
  const values = logTicks ?? ticks;
  return values === undefined ? {} : { customValues: values };
}

/** Powers of ten, or 1-2-5 steps where there would be few, that enclose the values (all above 0). */
export function logScale(values: readonly number[]): { min: number; max: number; ticks: number[] } {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  if (!(low > 0) || high === 0) return { min: 0.1, max: 10, ticks: [0.1, 1, 10] };
  const fine = Math.log10(high / low) < 2.2;
  const steps = fine ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)) + 1; power++) {
    for (const step of steps) ticks.push(Number((step * 10 ** power).toPrecision(3)));
  }
  const first = Math.max(
    0,
    ticks.findLastIndex((tick) => tick <= low),
  );
  const last = ticks.findIndex((tick) => tick >= high);
  const inside = ticks.slice(first, Math.max(last, first + 1) + 1);
  return { min: inside[0]!, max: inside[inside.length - 1]!, ticks: inside };
}

/** What all charts have: no animation, one font, a tooltip that stays inside. */
export function baseOption(parts: JsonObject): JsonObject {
  return {
    animation: false,
    textStyle: { fontFamily: 'var(--font)', color: 'var(--ink)' },
    tooltip: {
      trigger: 'axis',
      confine: true,
      backgroundColor: 'var(--panel)',
      borderColor: 'var(--rule)',
      borderWidth: 1,
      padding: [6, 10],
      textStyle: { color: 'var(--ink)', fontSize: 12 },
      axisPointer: { type: 'line', lineStyle: { color: 'var(--muted)', width: 1, type: 'solid' } },
    },
    ...parts,
  };
}

/** To the right of the y axis's name; for a few short names. */
export function legend(names: readonly string[], parts: JsonObject = {}): JsonObject {
  return {
    type: 'plain',
    data: [...names],
    top: 3,
    right: 8,
    left: 130,
    align: 'left',
    padding: [2, 0],
    itemWidth: 16,
    itemHeight: 8,
    itemGap: LEGEND_GAP_PX,
    itemStyle: { opacity: 0 },
    textStyle: { color: 'var(--ink)', fontSize: 12 },
    ...parts,
  };
}

const LEGEND_GAP_PX = 14;
const LEGEND_ROW_PX = 22;
/** Of the places where charts stand: the page at its usual width, and on a small screen. */
const WIDE_PX = 1000;
const SMALL_PX = 340;

/** Above the chart in as many rows as the names need, and where the drawing begins below them. */
export function legendRows(names: readonly string[]): { legend: JsonObject; top: number; narrowTop: number } {
  const widths = names.map((name) => 21 + LEGEND_GAP_PX + name.length * 7);
  const topAt = (room: number): number => {
    let rows = 1;
    let used = 0;
    for (const width of widths) {
      if (used > 0 && used + width > room) {
        rows++;
        used = 0;
      }
      used += width;
    }
    return rows * LEGEND_ROW_PX + GRID.top;
  };
  return { legend: legend(names, { left: 0, right: 0 }), top: topAt(WIDE_PX), narrowTop: topAt(SMALL_PX) };
}

export interface LinePlan {
  readonly name: string;
  readonly color: string;
  readonly data: readonly Json[];
  readonly format: FormatName;
  readonly width?: number;
  readonly dash?: 'solid' | 'dashed' | 'dotted';
  readonly parts?: JsonObject;
}

/** A line without dots; null in the data is a gap. */
export function line({
  name,
  color,
  data,
  format: figure,
  width = 1.5,
  dash = 'solid',
  parts = {},
}: LinePlan): JsonObject {
  return {
    type: 'line',
    name,
    data,
    color,
    showSymbol: false,
    symbol: 'circle',
    symbolSize: 5,
    connectNulls: false,
    lineStyle: { color, width, type: dash },
    itemStyle: { color },
    emphasis: { disabled: true },
    tooltip: { valueFormatter: format(figure) },
    ...parts,
  };
}

/** A shaded stretch of the x axis. */
export function band(
  fromX: number,
  toX: number,
  look: { color: string; opacity: number; label?: string },
): Json {
  return [
    {
      xAxis: fromX,
      itemStyle: { color: look.color, opacity: look.opacity },
      label: { show: look.label !== undefined, position: 'insideTop', color: 'var(--muted)', fontSize: 11 },
      ...(look.label === undefined ? {} : { name: look.label }),
    },
    { xAxis: toX },
  ];
}

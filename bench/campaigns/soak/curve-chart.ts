/** Curves over one x axis, as the campaigns draw them: some lines in one plot, with the drawn figures as a table. */
import { formatCount, MISSING } from '../../figures/format.ts';
import {
  baseOption,
  type Chart,
  type FormatName,
  GRID,
  legendRows,
  line,
  logScale,
  NARROW_GRID,
  NARROW_Y_NAME,
  seriesColor,
  xAxis,
  yAxis,
} from '../../report/html/chart.ts';

const TABLE_ROWS_MAX = 60;

export interface Curve {
  readonly name: string;
  /** One per value of `x`; null is a gap. */
  readonly values: readonly (number | null)[];
  readonly dash?: 'solid' | 'dashed';
}

export interface CurvesPlan {
  readonly title: string;
  readonly note: string;
  readonly x: readonly number[];
  readonly xName: string;
  readonly xFormat: FormatName;
  /** With its unit. */
  readonly yName: string;
  readonly yFormat: FormatName;
  readonly logarithmic?: boolean;
  readonly curves: readonly Curve[];
}

/** Null when no curve has a value. */
export function curvesChart(plan: CurvesPlan): Chart | null {
  const { curves, x } = plan;
  const known = curves.flatMap(({ values }) => values.filter((value) => value !== null));
  if (known.length === 0) return null;
  const { legend, top, narrowTop } = legendRows(curves.map(({ name }) => name));
  const scale = plan.logarithmic === true ? logScale(known.filter((value) => value > 0)) : null;
  const limits = scale === null ? { min: 0 } : { min: scale.min, max: scale.max, logTicks: scale.ticks };
  return {
    title: plan.title,
    note: plan.note,
    summary: `${plan.title}: ${curves.map(({ name, values }) => `${name} ${ends(values)}`).join('; ')}.`,
    heightPx: 280,
    group: null,
    table: tableOf(plan),
    option: baseOption({
      grid: { ...GRID, top },
      legend,
      xAxis: xAxis({ name: plan.xName, format: plan.xFormat, min: 0 }),
      yAxis: yAxis({ name: plan.yName, format: plan.yFormat, ...limits }),
      series: curves.map(({ name, values, dash = 'solid' }, index) =>
        line({
          name,
          color: seriesColor(index),
          dash,
          format: plan.yFormat,
          data: values.map((value, at) => [x[at]!, onScale(value, scale?.min ?? null)]),
        }),
      ),
    }),
    narrow: { grid: { ...NARROW_GRID, top: narrowTop }, yAxis: NARROW_Y_NAME },
  };
}

/** A logarithm has no place for zero. */
function onScale(value: number | null, min: number | null): number | null {
  return value === null || min === null ? value : Math.max(value, min);
}

function ends(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? 'unknown' : `${figure(known[0]!)} to ${figure(known[known.length - 1]!)}`;
}

function tableOf({ x, xName, curves }: CurvesPlan): Chart['table'] {
  const every = Math.ceil(x.length / TABLE_ROWS_MAX);
  const rows = x.flatMap((at, index) =>
    index % every === 0
      ? [
          [
            figure(at),
            ...curves.map(({ values }) => (values[index] == null ? MISSING : figure(values[index]))),
          ],
        ]
      : [],
  );
  return { head: [xName, ...curves.map(({ name }) => name)], rows };
}

function figure(value: number): string {
  return Math.abs(value) >= 100 || value === 0 ? formatCount(value) : String(Number(value.toPrecision(3)));
}

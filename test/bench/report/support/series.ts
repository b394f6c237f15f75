/** The series of a chart, and one of them by its name. */
import assert from 'node:assert/strict';
import type { JsonObject } from '../../../../bench/report/html/chart.ts';

export interface Series {
  readonly name?: string;
  readonly data: readonly (readonly [number, number | null])[];
  readonly lineStyle: { readonly color: string; readonly type: string };
  readonly markArea?: { readonly data: readonly (readonly JsonObject[])[] };
  readonly markLine?: { readonly data: readonly JsonObject[] };
}

export function seriesOf(chart: { readonly option: JsonObject } | null): Series[] {
  assert.ok(chart !== null);
  return chart.option['series'] as unknown as Series[];
}

export function named(chart: { readonly option: JsonObject } | null, name: string): Series {
  return seriesOf(chart).find((series) => series.name === name)!;
}

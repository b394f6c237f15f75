/** What a report holds, taken out of its HTML: the charts' data and the markup without scripts. */
import type { JsonObject } from '../../../../bench/report/html/chart.ts';

export interface PageChart {
  readonly id: string;
  readonly option: JsonObject;
  readonly narrow: JsonObject;
  readonly group: string | null;
}

export function chartsOf(page: string): PageChart[] {
  return JSON.parse(scriptOf(page, 'charts')) as PageChart[];
}

export function scriptOf(page: string, id: string): string {
  const match = new RegExp(`<script [^>]*id="${id}">([\\s\\S]*?)</script>`).exec(page);
  if (match === null) throw new Error(`the page has no script ${id}`);
  return match[1]!;
}

/** Everything before the first script. */
export function markupOf(page: string): string {
  return page.slice(0, page.indexOf('<script'));
}

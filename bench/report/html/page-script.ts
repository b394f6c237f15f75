/**
 * What runs in the reader's browser: unpacks echarts, fills in colours and figure formats (chart.ts), draws each chart
 * into its place, and draws again when the colour scheme or the width changes. The functions are put into the page as
 * text (`pageScript`), so they may use nothing but each other.
 *
 *     <script id="echarts" type="text/plain">  gzip, base64
 *     <script id="charts" type="application/json">  [{ id, option, narrow, group }, ...]
 *     <html data-charts="drawn">  when all are there; "failed" where the browser cannot
 */
import type { Json, JsonObject } from './chart.ts';

/** What the script needs of a browser; the engine itself knows no DOM. */
interface PageElement {
  textContent: string | null;
  readonly clientWidth: number;
  readonly dataset: Record<string, string>;
  hidden: boolean;
  appendChild(child: PageElement): void;
}
interface EchartsInstance {
  setOption(option: unknown, notMerge: boolean): void;
  resize(): void;
  group: string;
}
declare const document: {
  readonly documentElement: PageElement;
  readonly head: PageElement;
  getElementById(id: string): PageElement | null;
  createElement(name: string): PageElement;
  querySelectorAll(selector: string): Iterable<PageElement>;
};
declare const window: {
  readonly echarts: {
    init(element: PageElement, theme: null, options: { renderer: 'svg' }): EchartsInstance;
    connect(group: string): void;
  };
  matchMedia(query: string): { addEventListener(name: 'change', listener: () => void): void };
};
declare function getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };
declare const ResizeObserver: new (callback: () => void) => { observe(element: PageElement): void };

interface PageChart {
  readonly id: string;
  readonly option: JsonObject;
  readonly narrow: JsonObject;
  readonly group: string | null;
}

/** Everything below as one script that draws at once, and leaves no names behind. */
export function pageScript(): string {
  const parts = [digits, short, figureFormats, loadEcharts, styles, fillIn, overlay, startChart, drawCharts];
  return `(() => {\n${parts.map(String).join('\n')}\ndrawCharts();\n})();`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return Math.round(value).toLocaleString('en-US');
  return size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3);
}

function short(value: number): string {
  const size = Math.abs(value);
  const trim = (scaled: number): string => String(Number(scaled.toPrecision(3)));
  if (size >= 1e6) return `${trim(value / 1e6)}M`;
  return size >= 1e3 ? `${trim(value / 1e3)}k` : trim(value);
}

function figureFormats(): Record<string, (value: number) => string> {
  return {
    count: (value) => Math.round(value).toLocaleString('en-US'),
    short,
    rate: (value) => `${digits(value)} /s`,
    ms: (value) => `${digits(value)} ms`,
    seconds: (value) => `${Number(value.toFixed(2))} s`,
    percentile: (value) =>
      `${Number((100 - 100 / value).toPrecision(value < 10 ? 3 : 3 + Math.floor(Math.log10(value))))} %`,
    percent: (value) => `${Number((value * 100).toPrecision(3))} %`,
    ratio: (value) => `${Number(value.toPrecision(3))}x`,
    upDown: (value) => (value > 0 ? 'up' : 'down'),
    leads: (value) => (value > 0 ? 'leads' : ''),
    mib: (value) => `${Math.round(value).toLocaleString('en-US')} MiB`,
    plain: (value) => Number(value.toPrecision(6)).toLocaleString('en-US', { maximumSignificantDigits: 6 }),
  };
}

async function loadEcharts(): Promise<void> {
  const packed = Uint8Array.from(atob(document.getElementById('echarts')?.textContent ?? ''), (c) =>
    c.charCodeAt(0),
  );
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.head.appendChild(script);
}

function styles(): (text: string) => unknown {
  const computed = getComputedStyle(document.documentElement);
  return (text) => {
    if (text.startsWith('var(--')) return computed.getPropertyValue(text.slice(4, -1)).trim();
    if (!text.startsWith('$format:')) return text;
    const write = figureFormats()[text.slice(8)] ?? String;
    // Axis labels, tooltips and pointer labels call with a number, a text or an object that holds one of them.
    return (value: unknown): string => {
      const figure =
        typeof value === 'object' && value !== null ? (value as { value: unknown }).value : value;
      const last = Array.isArray(figure) ? figure[figure.length - 1] : figure;
      return last === null || last === undefined || last === '-' || Number.isNaN(Number(last))
        ? '-'
        : write(Number(last));
    };
  };
}

function fillIn(value: Json, resolve: (text: string) => unknown): unknown {
  if (typeof value === 'string') return resolve(value);
  if (Array.isArray(value)) return value.map((item: Json) => fillIn(item, resolve));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillIn(item, resolve)]));
}

function overlay(base: Json | undefined, over: Json): Json {
  if (Array.isArray(base) && Array.isArray(over)) {
    return base.map((item: Json, index) => (index < over.length ? overlay(item, over[index] as Json) : item));
  }
  if (typeof base !== 'object' || typeof over !== 'object' || base === null || over === null) return over;
  if (Array.isArray(base) || Array.isArray(over)) return over;
  const merged: Record<string, Json> = { ...(base as JsonObject) };
  for (const [key, item] of Object.entries(over as JsonObject)) merged[key] = overlay(merged[key], item);
  return merged;
}

function startChart(chart: PageChart, element: PageElement): () => void {
  const NARROW_PX = 560;
  const instance = window.echarts.init(element, null, { renderer: 'svg' });
  if (chart.group !== null) instance.group = chart.group;
  let narrow: boolean | null = null;
  const draw = (): void => {
    narrow = element.clientWidth < NARROW_PX;
    instance.setOption(fillIn(narrow ? overlay(chart.option, chart.narrow) : chart.option, styles()), true);
  };
  new ResizeObserver(() => {
    instance.resize();
    if (narrow !== null && narrow !== element.clientWidth < NARROW_PX) draw();
  }).observe(element);
  draw();
  return draw;
}

async function drawCharts(): Promise<void> {
  const root = document.documentElement;
  try {
    await loadEcharts();
    const charts = JSON.parse(document.getElementById('charts')?.textContent ?? '[]') as PageChart[];
    const redraws = charts.flatMap((chart) => {
      const element = document.getElementById(chart.id);
      return element === null ? [] : [startChart(chart, element)];
    });
    for (const group of new Set(charts.map((chart) => chart.group)))
      if (group !== null) window.echarts.connect(group);
    for (const query of ['(prefers-color-scheme: dark)', 'print']) {
      window.matchMedia(query).addEventListener('change', () => {
        for (const redraw of redraws) redraw();
      });
    }
    root.dataset['charts'] = 'drawn';
  } catch (error) {
    root.dataset['charts'] = 'failed';
    for (const notice of document.querySelectorAll('.chart-failed')) notice.hidden = false;
    throw error;
  }
}

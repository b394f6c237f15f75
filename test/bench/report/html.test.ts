/** The reports as text: nothing from the network, nothing unescaped, colours that can be read, charts that are named. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type Json, type JsonObject, SERIES_COLORS, seriesColor } from '../../../bench/report/html/chart.ts';
import { renderCompareReport } from '../../../bench/report/html/compare-report.ts';
import { PACKED_NAME } from '../../../bench/report/html/echarts-library.ts';
import { pageScript } from '../../../bench/report/html/page-script.ts';
import { renderRunReport } from '../../../bench/report/html/run-report.ts';
import { renderSweepReport } from '../../../bench/report/html/sweep-report.ts';
import { renderTuneReport } from '../../../bench/report/html/tune-report.ts';
import { chartsOf, markupOf, scriptOf } from './support/page.ts';
import { sampleComparison } from './support/sample-comparison.ts';
import { SAMPLE_PLAN, sampleRun } from './support/sample-run.ts';
import { sampleHeatSweep, sampleServicesSweep, sampleSweep } from './support/sample-sweep.ts';
import { sampleTuning } from './support/sample-tuning.ts';
import { tempDir } from './support/temp-dir.ts';

const { comparison, runs } = sampleComparison();
const PAGES: Readonly<Record<string, string>> = {
  run: renderRunReport(sampleRun()),
  'valid run': renderRunReport(sampleRun({ outage: null })),
  comparison: renderCompareReport(comparison, runs),
  sweep: renderSweepReport(sampleSweep()),
  'sweep of two': renderSweepReport(sampleHeatSweep()),
  tuning: renderTuneReport(await sampleTuning()),
  'sweep of services': renderSweepReport(sampleServicesSweep()),
};

for (const [name, page] of Object.entries(PAGES)) {
  test(`${name}: needs nothing from the network or beside it`, () => {
    const markup = markupOf(page);
    assert.doesNotMatch(markup, /\ssrc=|@import|url\(|<link|<iframe/);
    for (const [, href] of markup.matchAll(/href="([^"]*)"/g)) assert.match(href!, /^#/);
    assert.doesNotMatch(scriptOf(page, 'charts'), /https?:/);
  });

  test(`${name}: every chart has a title, named axes with units, and its figures as text`, () => {
    const figures = markupOf(page)
      .split('<figure>')
      .slice(1)
      .filter((part) => part.includes('class="chart"'));
    assert.equal(figures.length, chartsOf(page).length);
    assert.ok(figures.length > 0);
    for (const figure of figures) {
      assert.match(figure, /<h3 id="chart-\d+-title">[^<]+<\/h3><p>[^<]+<\/p>/);
      assert.match(figure, /role="img" aria-label="[^"]{20,}"/);
      assert.match(figure, /<details><summary>Figures of this chart<\/summary>[\s\S]*<td/);
    }
    for (const { option } of chartsOf(page)) {
      const xNames = axesOf(option, 'xAxis').map((axis) => axis['name']);
      assert.ok(typeof xNames.at(-1) === 'string' && xNames.at(-1) !== '');
      for (const axis of axesOf(option, 'yAxis')) {
        if (axis['type'] !== 'category') assert.ok(typeof axis['name'] === 'string' && axis['name'] !== '');
      }
    }
  });

  test(`${name}: every colour and format that a chart names exists`, () => {
    const known = new Set([...page.matchAll(/(--[\w-]+):/g)].map((match) => match[1]!));
    const script = pageScript();
    for (const text of stringsOf(chartsOf(page) as unknown as Json)) {
      if (text.startsWith('var(')) assert.ok(known.has(text.slice(4, -1)), text);
      if (text.startsWith('$format:')) assert.match(script, new RegExp(`\\b${text.slice(8)}\\b[,:]`), text);
    }
  });

  test(`${name}: identifiers are there once, and links lead to one`, () => {
    const markup = markupOf(page);
    const ids = [...markup.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!);
    assert.equal(new Set(ids).size, ids.length);
    for (const [, target] of markup.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(target!), target);
  });
}

function axesOf(option: JsonObject, key: 'xAxis' | 'yAxis'): JsonObject[] {
  const axes = option[key] as JsonObject | JsonObject[];
  return Array.isArray(axes) ? axes : [axes as JsonObject];
}

function stringsOf(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((item) => stringsOf(item as Json));
}

test('the library inside is the package as it is', () => {
  const packed = Buffer.from(scriptOf(PAGES['run']!, 'echarts'), 'base64');
  const file = fileURLToPath(import.meta.resolve('echarts/dist/echarts.common.min'));
  assert.ok(gunzipSync(packed).equals(readFileSync(file)));
});

test('a release brings the library packed, and a place without any says so instead of failing', async (t) => {
  const dir = tempDir(t);
  const source = new URL('../../../bench/report/html/echarts-library.ts', import.meta.url);
  const copyIn = async (name: string): Promise<{ echartsLibrary(): string | null }> => {
    mkdirSync(join(dir, name));
    cpSync(source, join(dir, name, 'library.ts'));
    if (name === 'release') writeFileSync(join(dir, name, PACKED_NAME), 'packed');
    return import(pathToFileURL(join(dir, name, 'library.ts')).href);
  };
  assert.equal((await copyIn('release')).echartsLibrary(), Buffer.from('packed').toString('base64'));
  assert.equal((await copyIn('bare')).echartsLibrary(), null);
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  assert.equal(manifest.dependencies.echarts, undefined);
});

test('a page is small enough to be kept with each result', () => {
  for (const [name, page] of Object.entries(PAGES))
    assert.ok(page.length < 800_000, `${name}: ${page.length}`);
});

test('names cannot break out of their place', () => {
  const evil = '</script><script>alert(1)</script><b title="';
  const base = sampleRun({ plan: { name: evil, description: evil } });
  const phases = base.phases.map((phase) => ({ ...phase, plan: { ...phase.plan, name: evil } }));
  const ops = phases[0]!.ops.map((op) => ({ ...op, label: evil }));
  const page = renderRunReport({ ...base, phases: [{ ...phases[0]!, ops }], command: evil });
  assert.ok(!page.includes('alert(1)</script><b'));
  assert.ok(!markupOf(page).includes('<b title'));
  assert.equal(page.match(/<script/g)!.length - (pageScript().match(/<script/g)?.length ?? 0), 3);
  assert.ok(chartsOf(page).length > 0);
});

test('the verdict is on the page in words, with every reason', () => {
  assert.match(
    PAGES['run']!,
    /Void; the figures[\s\S]*41 requests lost their connection[\s\S]*53 requests were answered/,
  );
  assert.match(PAGES['valid run']!, /<strong>Sound<\/strong>/);
  assert.match(PAGES['comparison']!, /read: B is slower/);
  assert.match(PAGES['sweep']!, /of the measured phases 1 of 24 void; what is void is drawn hollow/);
});

test('a run of a service whose process is not known has no chart of it', () => {
  const base = sampleRun();
  const phases = base.phases.map((phase) => ({ ...phase, samples: [], server: null, metrics: null }));
  const page = renderRunReport({ ...base, phases, plan: { ...SAMPLE_PLAN, references: [] } });
  assert.doesNotMatch(page, /The server’s process/);
  assert.doesNotMatch(page, /Server CPU, us\/op/);
});

test('a comparison without its runs still shows its ratios', () => {
  const page = renderCompareReport(comparison, []);
  assert.match(page, /Ratio B \/ A of each figure/);
  assert.doesNotMatch(page, /over time, both sides/);
});

test('text and curves stand out from the ground in both schemes', () => {
  const [light, dark] = palettes(PAGES['run']!);
  for (const palette of [light!, dark!]) {
    for (const text of ['ink', 'muted', 'accent', 'good', 'bad', 'warn']) {
      for (const ground of ['paper', 'tint', 'panel']) assertContrast(palette, text, ground, 4.5);
    }
    for (let number = 1; number <= SERIES_COLORS; number++) assertContrast(palette, `s${number}`, 'paper', 3);
    assertContrast(palette, 'reference', 'paper', 2.7);
  }
});

test('sixteen series have sixteen colours that can be told apart, in both schemes', () => {
  assert.ok(SERIES_COLORS >= 16);
  const names = Array.from({ length: SERIES_COLORS }, (_, index) => /--(\w+)/.exec(seriesColor(index))![1]!);
  for (const palette of palettes(PAGES['run']!)) {
    const colors = names.map((name) => perceived(palette.get(name)!));
    for (const [at, color] of colors.entries()) {
      for (const [before, other] of colors.slice(0, at).entries()) {
        const apart = Math.hypot(...color.map((value, axis) => value - other[axis]!));
        assert.ok(apart > 0.07, `${names[at]} and ${names[before]}: ${apart.toFixed(3)}`);
      }
    }
  }
});

type Palette = ReadonlyMap<string, string>;

function palettes(page: string): Palette[] {
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
  return [...style.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, block]) =>
      new Map([...block!.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!])),
  );
}

/** WCAG 2: (lighter + 0.05) / (darker + 0.05). */
function assertContrast(palette: Palette, text: string, ground: string, least: number): void {
  const [a, b] = [luminance(palette.get(text)!), luminance(palette.get(ground)!)];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  assert.ok(ratio >= least, `${text} on ${ground}: ${ratio.toFixed(2)}`);
}

function luminance(color: string): number {
  const [r, g, b] = linear(color);
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function linear(color: string): number[] {
  return [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
}

/** Oklab: distances in it are as large as they look. */
function perceived(color: string): number[] {
  const times = (rows: readonly (readonly number[])[], values: readonly number[]): number[] =>
    rows.map((row) => row.reduce((sum, factor, at) => sum + factor * values[at]!, 0));
  const cones = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
  ];
  const axes = [
    [0.2104542553, 0.793617785, -0.0040720468],
    [1.9779984951, -2.428592205, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.808675766],
  ];
  return times(axes, times(cones, linear(color)).map(Math.cbrt));
}

test('a search, which has no points, has no empty section of figures', () => {
  const search = { ...sampleHeatSweep(), axes: [], points: [] };
  const markup = markupOf(renderSweepReport(search));
  assert.match(markup, /<h2 id="search">/);
  assert.doesNotMatch(markup, /<h2 id="figures">/);
  assert.match(markupOf(PAGES['sweep']!), /<h2 id="figures">/);
});

test('a plan that says nothing of itself has no subtitle, and one full stop is enough', () => {
  const run = sampleRun();
  const described = (description: string): string =>
    renderRunReport({ ...run, plan: { ...run.plan, description } });
  assert.doesNotMatch(described(''), /class="lead"/);
  assert.match(described('A mix.'), /<p class="lead">A mix\.<\/p>/);
});

test('what lies beside the page is said of the page', () => {
  assert.match(PAGES['sweep']!, /<code>sweep\.json<\/code> all figures/);
  assert.doesNotMatch(PAGES['sweep']!, /<code>run\.json<\/code>|hlog/);
  assert.match(PAGES['comparison']!, /<code>compare\.json<\/code> all figures/);
});

test('the caption of the ratios says what their lines are, and that one pair has none', () => {
  const caption = (pairs: number): string => {
    const phases = comparison.phases.map((phase) => ({
      ...phase,
      figures: Object.fromEntries(
        Object.entries(phase.figures).map(([figure, estimate]) => [figure, { ...estimate, pairs }]),
      ),
    }));
    const page = markupOf(renderCompareReport({ ...comparison, phases }, runs));
    return /Ratio B \/ A of each figure<\/h3><p>([^<]*)</.exec(page)![1]!;
  };
  assert.match(caption(1), /^Of 1 pair, which makes no interval\. Right of 1, B has more/);
  assert.match(caption(4), /^Median over 4 pairs, with lowest and highest; hollow where 1 lies within\./);
  assert.match(caption(6), /^Median over 6 pairs, with 95 % interval; hollow/);
});

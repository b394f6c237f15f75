/**
 * The reports in a real browser, opened as files: every chart draws its own data, nothing is fetched, nothing is
 * complained about, nothing is wider than the screen; in both colour schemes, on a desk and on a phone.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { renderCompareReport } from '../../../bench/report/html/compare-report.ts';
import { renderRunReport } from '../../../bench/report/html/run-report.ts';
import { renderSweepReport } from '../../../bench/report/html/sweep-report.ts';
import { renderTuneReport } from '../../../bench/report/html/tune-report.ts';
import type { AvailabilityResult } from '../../../bench/result/run-json.ts';
import { CHROMIUM, CHROMIUM_ARGS, needChromium } from './support/chromium.ts';
import { sampleComparison } from './support/sample-comparison.ts';
import { sampleRun } from './support/sample-run.ts';
import { sampleHeatSweep, sampleSweep } from './support/sample-sweep.ts';
import { sampleTuning } from './support/sample-tuning.ts';
import { tempDir } from './support/temp-dir.ts';

const { comparison, runs } = sampleComparison();
const PAGES = {
  run: renderRunReport(sampleRun()),
  comparison: renderCompareReport(comparison, runs),
  sweep: renderSweepReport(sampleSweep()),
  tuning: renderTuneReport(await sampleTuning()),
  search: renderSweepReport(sampleHeatSweep()),
} as const;
const SCHEMES = ['light', 'dark'] as const;
const WIDTHS = [1280, 400];

/** What the page says of one chart. */
interface DrawnChart {
  readonly id: string;
  readonly width: number;
  /** Path elements in the colours of its series. */
  readonly marks: number;
  readonly texts: readonly string[];
  readonly axisNames: readonly string[];
}

interface DrawnPage {
  readonly charts: readonly DrawnChart[];
  readonly clientWidth: number;
  readonly scrollWidth: number;
  readonly paper: string;
}

describe('reports in a browser', { skip: needChromium() }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_ARGS });
  });
  after(() => browser.close());

  for (const [name, html] of Object.entries(PAGES)) {
    it(`${name}: draws in both schemes and at both widths`, async (t) => {
      const file = join(tempDir(t), 'report.html');
      writeFileSync(file, html);
      for (const colorScheme of SCHEMES) {
        for (const width of WIDTHS) {
          const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
          const page = await context.newPage();
          const complaints = listen(page);
          await open(page, file);
          const drawn = await inspect(page);
          const where = `${name}, ${colorScheme}, ${width} px`;
          assertDrawn(drawn, where);
          assert.deepEqual(complaints, [`request ${pathToFileURL(file)}`], where);
          assert.equal(drawn.paper, colorScheme === 'dark' ? 'rgb(20, 24, 28)' : 'rgb(255, 255, 255)', where);
          await context.close();
        }
      }
    });
  }

  for (const [name, html] of Object.entries({ ...PAGES, 'run of more than a minute': minutePage() })) {
    it(`${name}: at 1280 px no table has to be scrolled, folded ones neither, and no tile is cut`, async (t) => {
      const file = join(tempDir(t), 'report.html');
      writeFileSync(file, html);
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      await open(page, file);
      const cut = await page.evaluate<string[]>(`(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
        return [...document.querySelectorAll('.scroll, .tiles b')]
          .filter((one) => one.scrollWidth > one.clientWidth + 1)
          .map((one) => one.getAttribute('aria-label') ?? one.textContent);
      })()`);
      assert.deepEqual(cut, []);
      await page.close();
    });
  }

  it('follows the colour scheme and the width while it is open', async (t) => {
    const file = join(tempDir(t), 'report.html');
    writeFileSync(file, PAGES.run);
    const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1280, height: 900 } });
    await open(page, file);
    const light = await inspect(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await nextFrames(page);
    const dark = await inspect(page);
    assert.notEqual(dark.paper, light.paper);
    assertDrawn(dark, 'switched to dark');
    await page.setViewportSize({ width: 400, height: 900 });
    await page.waitForFunction('document.querySelector(".chart svg").clientWidth < 400');
    await nextFrames(page);
    assertDrawn(await inspect(page), 'made narrow');
    await page.close();
  });

  it('says so where the browser cannot draw, and keeps the figures', async (t) => {
    const file = join(tempDir(t), 'report.html');
    writeFileSync(file, PAGES.sweep);
    const page = await browser.newPage();
    await page.addInitScript('delete globalThis.DecompressionStream');
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('html[data-charts="failed"]');
    assert.ok(await page.locator('.chart-failed').first().isVisible());
    assert.ok(await page.getByText('Figures of this chart').first().isVisible());
    await page.close();
  });
});

/** Availability in windows of a minute too, and shares that need all of their digits. */
function minutePage(): string {
  const run = sampleRun();
  const longer = (availability: AvailabilityResult): AvailabilityResult => ({
    ...availability,
    classes: Object.fromEntries(
      Object.entries(availability.classes).map(([name, summary]) => {
        const shares = ['100', '1000', '10000', '60000'].map((ms) => [ms, 0.98765]);
        return [name, { ...summary, byCount: 0.98765, worstWindow: Object.fromEntries(shares) }];
      }),
    ),
  });
  const phases = run.phases.map((phase) => ({ ...phase, availability: longer(phase.availability) }));
  return renderRunReport({ ...run, phases, availability: longer(run.availability) });
}

/** Everything that should not be, and the requests, which should be one. */
function listen(page: Page): string[] {
  const heard: string[] = [];
  page.on('console', (message) => heard.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => heard.push(`error: ${error.message}`));
  page.on('request', (request) => heard.push(`request ${request.url()}`));
  return heard;
}

async function open(page: Page, file: string): Promise<void> {
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('html[data-charts="drawn"]');
}

/** Charts are drawn in the frame after what changed them. */
async function nextFrames(page: Page): Promise<void> {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
}

function assertDrawn({ charts, clientWidth, scrollWidth }: DrawnPage, where: string): void {
  assert.ok(charts.length > 0, where);
  assert.ok(scrollWidth <= clientWidth, `${where}: ${scrollWidth} of ${clientWidth} px`);
  for (const { id, width, marks, texts, axisNames } of charts) {
    assert.ok(width > 200 && width <= clientWidth, `${where}: ${id} is ${width} px wide`);
    assert.ok(marks > 0, `${where}: ${id} has no mark in a colour of its series`);
    for (const name of axisNames) assert.ok(texts.includes(name), `${where}: ${id} does not name ${name}`);
  }
}

/** Runs in the page: a text, because the engine knows no DOM. */
async function inspect(page: Page): Promise<DrawnPage> {
  return await page.evaluate<DrawnPage>(`(() => {
    const root = document.documentElement;
    const style = getComputedStyle(root);
    const probe = document.body.appendChild(document.createElement('i'));
    const normal = (color) => { probe.style.color = ''; probe.style.color = color; return getComputedStyle(probe).color; };
    const resolved = (token) => normal(style.getPropertyValue(token.slice(4, -1)));
    const colorsOf = (value) => typeof value === 'string' ? (value.startsWith('var(--') ? [value] : [])
      : value && typeof value === 'object' ? Object.values(value).flatMap(colorsOf) : [];
    const list = (value) => Array.isArray(value) ? value : [value];
    const narrow = (chart, key, index) => list((chart.narrow[key] ?? {}))[index] ?? {};
    const entries = JSON.parse(document.getElementById('charts').textContent);
    const charts = entries.map((chart) => {
      const element = document.getElementById(chart.id);
      const small = element.clientWidth < 560;
      const colors = new Set(chart.option.series.flatMap((one) => colorsOf([one.color, one.itemStyle, one.lineStyle, one.data]))
        .filter((token) => token !== 'var(--paper)').map(resolved));
      const marks = [...element.querySelectorAll('svg path')].filter((path) => {
        const box = path.getBBox();
        const painted = [path.getAttribute('stroke'), path.getAttribute('fill')].filter((color) => color && color !== 'none');
        return (box.width > 0 || box.height > 0) && painted.some((color) => colors.has(normal(color)));
      });
      const names = ['xAxis', 'yAxis'].flatMap((key) => list(chart.option[key]).map((axis, index) =>
        (small && narrow(chart, key, index).name) || axis.name)).filter(Boolean);
      return { id: chart.id, width: element.querySelector('svg').getBoundingClientRect().width, marks: marks.length,
        texts: [...element.querySelectorAll('svg text')].map((text) => text.textContent), axisNames: names };
    });
    probe.remove();
    return { charts, clientWidth: root.clientWidth, scrollWidth: root.scrollWidth,
      paper: getComputedStyle(document.body).backgroundColor };
  })()`);
}

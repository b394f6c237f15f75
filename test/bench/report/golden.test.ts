/** Text files of results, compared exactly with `golden/`; UPDATE_GOLDEN=1 writes those anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHistogram, writeHgrm } from '../../../bench/latency/hdr-files.ts';
import { seriesCsv } from '../../../bench/report/csv.ts';
import type { ListedResult } from '../../../bench/report/read-results.ts';
import { renderResultsReadme } from '../../../bench/report/results-readme.ts';
import { renderComparisonSummary } from '../../../bench/report/summary-compare.ts';
import { renderRunSummary } from '../../../bench/report/summary-run.ts';
import { renderSweepSummary } from '../../../bench/report/summary-sweep.ts';
import { renderComparison, renderSweep } from '../../../bench/terminal/terminal-compare.ts';
import { renderRun } from '../../../bench/terminal/terminal-run.ts';
import { assertGolden } from './support/golden.ts';
import { sampleComparison } from './support/sample-comparison.ts';
import { sampleRun } from './support/sample-run.ts';
import { sampleHeatSweep, sampleSweep } from './support/sample-sweep.ts';

const run = sampleRun();
const valid = sampleRun({ outage: null, startedAt: '2026-11-20T08:15:00.000Z' });
const { comparison } = sampleComparison();

test('summary of a run that broke rules, and of one that broke none', () => {
  assertGolden('run-summary.md', renderRunSummary(run));
  assertGolden('run-summary-valid.md', renderRunSummary(valid));
});

test('summaries of a comparison and of sweeps', () => {
  assertGolden('comparison-summary.md', renderComparisonSummary(comparison));
  assertGolden('sweep-summary.md', renderSweepSummary(sampleSweep()));
  assertGolden('search-summary.md', renderSweepSummary(sampleHeatSweep()));
});

test('series.csv', () => assertGolden('series.csv', seriesCsv(run)));

test('percentile distribution', () => {
  assertGolden('mixed.get.hgrm', writeHgrm(decodeHistogram(run.phases[0]!.ops[0]!.histogram)));
});

test('on the terminal', () => {
  const style = { columns: 100, color: false };
  const parts = [
    renderRun(run, style),
    renderComparison(comparison, style),
    renderSweep(sampleSweep(), style),
  ];
  assertGolden('terminal.txt', `${parts.join('\n\n')}\n`);
});

test('README of the results: comparisons first, then sweeps, runs and older results', () => {
  const results: ListedResult[] = [
    {
      dirName: '2026-11-19-101010-old-plan-apache-0000000',
      result: { kind: 'unknown', file: 'run.json', found: 'ringkeeper-bench-run version 1' },
    },
    { dirName: '2026-11-20-073259-sample-mix-embedded-1a2b3c4-void', result: { kind: 'run', run } },
    {
      dirName: '2026-11-20-080000-sample-mix-embedded-vs-apache-1a2b3c4',
      result: { kind: 'comparison', comparison },
    },
    { dirName: '2026-11-20-081500-sample-mix-embedded-1a2b3c4', result: { kind: 'run', run: valid } },
    {
      dirName: '2026-11-20-083000-sample-mix-embedded-1a2b3c4-partial',
      result: { kind: 'run', run: sampleRun({ complete: false }) },
    },
    {
      dirName: '2026-11-20-090000-sample-mix-sweep-embedded-1a2b3c4',
      result: { kind: 'sweep', sweep: sampleSweep() },
    },
    {
      dirName: '2026-11-20-091000-sample-mix-apache-1a2b3c4',
      result: { kind: 'run', run: sampleRun({ targetName: 'apache', outage: null }) },
    },
  ];
  assertGolden('results-readme.md', renderResultsReadme(results));
});

test('README of the results: fewer pairs do not take the place of more', () => {
  const side = (pairs: number) =>
    Array.from({ length: 2 * pairs }, (_, i) => ({
      side: i % 2 === 0 ? ('a' as const) : ('b' as const),
      pair: Math.floor(i / 2),
      dir: `runs/${i}`,
      verdict: 'sound' as const,
    }));
  const of = (dirName: string, pairs: number): ListedResult => ({
    dirName,
    result: { kind: 'comparison', comparison: { ...comparison, runs: side(pairs) } },
  });
  const listed = (...results: ListedResult[]): string[] =>
    [...renderResultsReadme(results).matchAll(/\]\((\w+)\/summary\.md/g)].map((match) => match[1]!);
  assert.deepEqual(new Set(listed(of('thorough', 12), of('quick', 2))), new Set(['thorough']));
  assert.deepEqual(new Set(listed(of('quick', 2), of('thorough', 12))), new Set(['thorough']));
  assert.deepEqual(new Set(listed(of('first', 12), of('again', 12))), new Set(['again']));
});

/** The charts of sweeps: over loads, over words, over the sizes of services; beside published figures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisName, sweepReferences, turned, voidTable } from '../../../bench/figures/sweep-figures.ts';
import { servicesTable, sizeSentences } from '../../../bench/figures/sweep-services.ts';
import type { JsonObject } from '../../../bench/report/html/chart.ts';
import { heatMap } from '../../../bench/report/html/heat-map.ts';
import { sweepChart } from '../../../bench/report/html/sweep-charts.ts';
import { sampleHeatSweep, sampleServicesSweep, sampleSweep } from './support/sample-sweep.ts';
import { named, seriesOf } from './support/series.ts';

test('sweep: median line, range of the replicates, references grey, the knee, invalid runs hollow', () => {
  const sweep = sampleSweep();
  const series = seriesOf(sweepChart(sweep, 'throughput'));
  assert.equal(series[0]!.data.length, 8);
  assert.equal(series[1]!.data.length, 8 * 3);
  const dots = series[2]!.data as unknown as { itemStyle: { color: string } }[];
  assert.equal(dots.filter(({ itemStyle }) => itemStyle.color === 'var(--paper)').length, 1);
  assert.deepEqual(named(sweepChart(sweep, 'throughput'), 'Example service').data, [
    [10, 240_000],
    [50, 610_000],
    [200, 720_000],
  ]);
  assert.equal(series.at(-1)!.markLine!.data[0]!['xAxis'], 50);
  assert.equal(sweepChart({ ...sweep, axes: [] }, 'throughput'), null);
});

test('sweep over words: places in their order', () => {
  const sweep = sampleSweep();
  const words = ['small', 'large'];
  const points = words.map((word, index) => ({ ...sweep.points[index]!, at: [word] }));
  const chart = sweepChart(
    { ...sweep, axes: [{ path: 'phases.0.keys', values: words }], points, knee: [] },
    'p99',
  );
  assert.deepEqual((chart!.option['xAxis'] as JsonObject)['data'], words);
  assert.deepEqual(
    seriesOf(chart)[0]!.data.map(([x]) => x),
    [0, 1],
  );
});

test('sweep over two parameters: one curve per value of the second, and a heat map', () => {
  const sweep = sampleHeatSweep();
  const names = new Set(seriesOf(sweepChart(sweep, 'throughput')).map(({ name }) => name));
  assert.ok(['connections 1', 'connections 10', 'connections 100'].every((name) => names.has(name)));
  const { html } = heatMap(sweep, 'read', 'throughput');
  assert.equal(html.match(/<td style="background:rgba/g)!.length, 9);
  assert.equal(heatMap(sampleSweep(), 'read', 'throughput').html, '');
});

test('sweep: published figures stand beside what was measured at the same place', () => {
  const { rows } = sweepReferences(sampleSweep());
  assert.equal(rows.length, 3);
  assert.deepEqual(rows[0]!.slice(1, 5), ['Throughput', '10', '818,182 /s', '240,000 /s']);
  assert.equal(axisName('phases.mixed.readPercent'), 'readPercent');
  assert.equal(axisName('connections'), 'connections');
});

test('sweep of services: sizes along the axis, a curve per service, a chart per phase, published sizes as one grey curve', () => {
  const sweep = sampleServicesSweep();
  const chart = sweepChart(sweep, 'throughput', 'writes');
  assert.match(chart!.title, /^writes: Throughput over servers$/);
  const names = new Set(seriesOf(chart).map(({ name }) => name));
  assert.ok(['embedded', 'apache', 'Paper'].every((name) => names.has(name)));
  const grey = [
    [3, 21_000],
    [5, 15_000],
    [7, 9_000],
    [9, 3_000],
  ];
  assert.deepEqual(named(chart, 'Paper').data, grey);
  const estimate = sweepChart(sweep, 'coreEach', 'writes');
  assert.deepEqual(named(estimate, 'Paper').data, grey, 'the paper had a machine for each server');
  assert.match(estimate!.note, /Not measured/);
  assert.equal(sweepChart(sampleSweep(), 'coreEach'), null);
  assert.equal(heatMap(sweep, 'writes', 'throughput').html, '');
});

test('sweep of services at several loads: sizes are curves, and published ones of other sizes are left out', () => {
  const sized = sampleServicesSweep();
  const sweep = {
    ...sized,
    axes: [{ path: 'connections', values: [50] }, ...sized.axes],
    points: sized.points.map(({ at, runs }) => ({ at: [50, ...at], runs })),
  };
  const names = new Set(seriesOf(sweepChart(sweep, 'throughput', 'reads')).map(({ name }) => name));
  assert.ok(names.has('3 servers, apache') && names.has('Paper, 7 servers'));
  assert.ok(!names.has('Paper, 9 servers'));
  const over = sweepChart(turned(sweep, 1), 'throughput', 'reads');
  assert.match(over!.title, /over servers$/);
  assert.deepEqual(named(over, 'Paper').data.length, 4);
});

test('sweep of services: throughput by size in a sentence per phase and service', () => {
  const sentences = sizeSentences(sampleServicesSweep());
  assert.equal(sentences.length, 4);
  assert.equal(sentences[0], 'writes, embedded: 1: 360,000 /s; 3: 138,462 /s; 5: 85,714 /s; 7: 62,069 /s');
  assert.deepEqual(sizeSentences(sampleSweep()), []);
});

test('sweep of services: the first one as a multiple of the others, at each size and phase', () => {
  const { head, rows } = servicesTable(sampleServicesSweep());
  assert.deepEqual(head, ['servers', 'phase', 'ratio', 'throughput', 'p99', 'server CPU per request']);
  assert.equal(rows.length, 8);
  assert.deepEqual(rows[0], ['1', 'writes', 'embedded / apache', '4.00x', '1.00x', '1.00x']);
  assert.equal(rows[1]![3], '8.50x');
  assert.equal(servicesTable(sampleSweep()).rows.length, 0);
});

test('a void run says why', () => {
  assert.deepEqual(voidTable(sampleSweep()), {
    head: ['connections', 'phase', 'why it is void'],
    rows: [['200', 'read', 'made up']],
  });
});

test('sweep of services: published figures stand beside each service of that size', () => {
  const { head, rows } = sweepReferences(sampleServicesSweep());
  assert.equal(head[2], 'servers, service');
  assert.equal(rows.length, 12, 'three sizes that were measured, two phases, two services');
  assert.deepEqual(rows.map((row) => row[2]).slice(0, 2), ['3, embedded', '3, apache']);
});

/** What the charts draw, checked as data: zero as zero, what is shaded, scales that hold all values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { referencedFigure } from '../../../bench/figures/run-tables.ts';
import { rolesText, serverTable } from '../../../bench/figures/server-table.ts';
import { availabilityChart } from '../../../bench/report/html/availability-chart.ts';
import { type JsonObject, logScale } from '../../../bench/report/html/chart.ts';
import { latencyChart } from '../../../bench/report/html/latency-chart.ts';
import { forestChart, pairChart } from '../../../bench/report/html/ratio-charts.ts';
import { referenceChart } from '../../../bench/report/html/reference-chart.ts';
import { rolesChart } from '../../../bench/report/html/roles-chart.ts';
import { searchChart } from '../../../bench/report/html/search-chart.ts';
import { serverChart } from '../../../bench/report/html/server-chart.ts';
import { phaseSpectrum } from '../../../bench/report/html/spectrum-chart.ts';
import { throughputChart } from '../../../bench/report/html/throughput-chart.ts';
import { mergedOutages, type TimePoint, thinned } from '../../../bench/report/html/time-axis.ts';
import type { PhaseResult, ServerPart } from '../../../bench/result/run-json.ts';
import { sampleComparison } from './support/sample-comparison.ts';
import { sampleRun } from './support/sample-run.ts';
import { sampleHeatSweep } from './support/sample-sweep.ts';
import { named, type Series, seriesOf } from './support/series.ts';

const run = sampleRun();
const [mixed, read] = [run.phases[0]!, run.phases[1]!];

/** [from, to, colour] of each shaded stretch. */
function bandsOf(series: Series): [number, number, string][] {
  return series.markArea!.data.map(([from, to]) => [
    from!['xAxis'] as number,
    to!['xAxis'] as number,
    (from!['itemStyle'] as JsonObject)['color'] as string,
  ]);
}

test('throughput: an outage is drawn as zero, step by step', () => {
  const { data } = named(throughputChart(mixed, []), 'replies');
  const down = data.filter(([atS]) => atS > 27.4 && atS < 29.1);
  assert.equal(down.length, 17);
  assert.ok(down.every(([, rate]) => rate === 0));
});

test('throughput: warm-up grey up to the cut, outages red, the mean over the measured time only', () => {
  const replies = named(throughputChart(mixed, []), 'replies');
  assert.deepEqual(bandsOf(replies), [
    [0, 5, 'var(--reference)'],
    [27.4, 29.16, 'var(--bad)'],
  ]);
  const [mean] = replies.markLine!.data as unknown as { coord: number[] }[][];
  assert.deepEqual(
    mean!.map(({ coord }) => coord),
    [
      [5, 20_000],
      [60, 20_000],
    ],
  );
});

test('throughput: errors have a row of their own, and none where there are none', () => {
  assert.equal((throughputChart(mixed, []).option['grid'] as unknown[]).length, 2);
  assert.equal(named(throughputChart(mixed, []), 'errors and lost').data[274]![1], 410);
  assert.equal((throughputChart(read, []).option['grid'] as unknown[]).length, 1);
});

test('throughput: what was offered, step by step', () => {
  const steps = [
    { ratePerSecond: 100, forMs: 10_000 },
    { ratePerSecond: 300, forMs: 0 },
  ];
  const { load } = mixed.plan;
  assert.ok(load.kind === 'mix');
  const plan = {
    ...mixed.plan,
    load: {
      ...load,
      arrival: { kind: 'open' as const, gaps: 'constant' as const, late: 'drop' as const, steps },
    },
  };
  assert.deepEqual(named(throughputChart({ ...mixed, plan }, []), 'offered').data, [
    [0, 100],
    [10, 100],
    [10, 300],
    [60, 300],
  ]);
});

test('throughput: a published figure is grey, and left out where it would crush the curve', () => {
  const marks = (value: number): number =>
    named(throughputChart(read, [{ label: 'x', value }]), 'replies').markLine!.data.length;
  assert.equal(marks(90_000), 2);
  assert.equal(marks(900_000_000), 1);
  const mark = named(throughputChart(read, [{ label: 'x', value: 90_000 }]), 'replies').markLine!.data[1]!;
  assert.equal((mark['lineStyle'] as JsonObject)['color'], 'var(--reference)');
});

test('latency: a second without a reply is a gap, not a zero', () => {
  const { data } = named(latencyChart(mixed), 'p99');
  assert.deepEqual(
    data.filter(([, ms]) => ms === null).map(([atS]) => atS),
    [27.5, 28.5],
  );
  assert.equal(latencyChart({ ...mixed, latencySeries: [] }), null);
});

test('availability: down is drawn at zero between its edges, and each class has a row', () => {
  const chart = availabilityChart(mixed.availability, { of: 'x', endMs: 60_000, xName: 's', group: null });
  assert.equal((chart!.option['grid'] as unknown[]).length, 4);
  assert.deepEqual(named(chart, 'write').data, [
    [0, 1],
    [27.4, 1],
    [27.4, 0],
    [29.1, 0],
    [29.1, 1],
    [60, 1],
  ]);
  assert.equal(
    availabilityChart({ byTime: 1, classes: {} }, { of: 'x', endMs: 1, xName: 's', group: null }),
    null,
  );
});

test('outages of several classes are joined where they overlap', () => {
  assert.deepEqual(mergedOutages(mixed), [{ fromMs: 27_400, toMs: 29_160 }]);
});

test('server: only what is known has a row', () => {
  assert.equal(seriesOf(serverChart(mixed)).length, 3);
  assert.equal(seriesOf(serverChart(read)).length, 2);
  const unknown = mixed.samples.map(({ atMs }) => ({
    atMs,
    cpuCores: null,
    rssBytes: null,
    outstanding: null,
  }));
  assert.equal(serverChart({ ...mixed, samples: unknown }), null);
});

test('spectrum: curves rise, end at the maximum, and show what is not corrected where that differs', () => {
  const open = seriesOf(phaseSpectrum(mixed));
  for (const { data } of open) {
    data.forEach(([x, ms], index) => {
      const before = data[index - 1];
      if (before !== undefined) assert.ok(x >= before[0] && ms! >= before[1]!);
    });
  }
  const get = open.filter(({ name }) => name === 'get');
  assert.deepEqual(
    get.map(({ lineStyle }) => lineStyle.type),
    ['solid', 'dashed'],
  );
  assert.equal(get[0]!.data.at(-1)![1], mixed.ops[0]!.latency.maxMs);
  assert.deepEqual(
    seriesOf(phaseSpectrum(read)).map(({ lineStyle }) => lineStyle.type),
    ['solid'],
  );
  assert.equal(phaseSpectrum({ ...read, ops: [] }), null);
});

test('forest: hollow where the interval holds 1, good and bad by the sense of each figure', () => {
  const { comparison } = sampleComparison();
  const points = seriesOf(forestChart(comparison.phases[0]!)).find((one) => 'symbolSize' in one)!;
  const colors = (points.data as unknown as { itemStyle: { color: string } }[]).map(
    ({ itemStyle }) => itemStyle.color,
  );
  const hollow = 'var(--paper)';
  assert.deepEqual(colors, [hollow, 'var(--bad)', hollow, hollow, hollow, hollow]);
  const slower = seriesOf(forestChart(comparison.phases[1]!)).find((one) => 'symbolSize' in one)!;
  assert.ok(
    (slower.data as unknown as { itemStyle: { color: string } }[]).every(
      ({ itemStyle }) => itemStyle.color === 'var(--bad)',
    ),
  );
});

test('ratios: the axis holds every end of every interval, with 1 on it', () => {
  for (const phase of sampleComparison().comparison.phases) {
    const axis = forestChart(phase)!.option['xAxis'] as JsonObject;
    const ends = Object.values(phase.figures).flatMap(({ low, high }) => [low, high]);
    assert.ok((axis['min'] as number) <= Math.min(...ends) && (axis['max'] as number) >= Math.max(...ends));
    assert.ok(((axis['axisLabel'] as JsonObject)['customValues'] as number[]).includes(1));
    assert.ok(pairChart(phase) !== null);
  }
});

test('references are grey bars beside the measured ones, and no chart without one', () => {
  const own = [{ label: 'this', value: 10, color: 'var(--s1)' }];
  const chart = referenceChart('read', 'throughput', own, run.plan.references);
  const bars = seriesOf(chart)[0]!.data as unknown as { itemStyle: { color: string } }[];
  assert.deepEqual(
    bars.map(({ itemStyle }) => itemStyle.color),
    ['var(--s1)', 'var(--reference)'],
  );
  assert.equal(referenceChart('mixed', 'throughput', own, run.plan.references), null);
});

test('search: every probe, the bound and the rate that was found', () => {
  const { search } = sampleHeatSweep();
  const [probes] = seriesOf(searchChart(search!));
  assert.equal(probes!.data.length, 7);
  assert.equal(probes!.markLine!.data.length, 2);
  const none = { ...search!, ratePerSecond: null, low: null, high: null, edge: 'none' as const };
  assert.equal(seriesOf(searchChart(none))[0]!.markLine!.data.length, 1);
});

test('published times of double barriers are compared with the whole of them', () => {
  const plan = { ...read.plan, load: { kind: 'doubleBarrier' as const, barriers: 200 } };
  const all = {
    ...read.ops[0]!,
    label: 'all',
    kind: 'step' as const,
    latency: { ...read.ops[0]!.latency, meanMs: 9100 },
  };
  const phase = { ...read, plan, ops: [...read.ops, all] };
  assert.equal(referencedFigure(phase, 'latencyMeanMs'), 9100);
  assert.equal(referencedFigure(read, 'latencyMeanMs'), read.latency!.meanMs);
});

test('a logarithmic scale holds all values between ticks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 }),
      (values) => {
        const { min, max, ticks } = logScale(values);
        assert.ok(min <= Math.min(...values) && max >= Math.max(...values), `${min} .. ${max}`);
        assert.ok(min < max && ticks[0] === min && ticks.at(-1) === max);
        assert.ok(ticks.length <= 12, `${ticks.length} ticks`);
      },
    ),
  );
  assert.ok(logScale([]).min > 0);
});

test('a long curve keeps its zeros, gaps and peaks', () => {
  const special = fc.record({
    at: fc.integer({ min: 0, max: 49_999 }),
    value: fc.constantFrom(0, null, 1e9),
  });
  fc.assert(
    fc.property(special, ({ at, value }) => {
      const points = Array.from(
        { length: 50_000 },
        (_, i): TimePoint => [i, i === at ? value : 100 + (i % 7)],
      );
      const kept = thinned(points);
      assert.ok(kept.length <= 4_000);
      assert.ok(kept.some(([x, y]) => x === at && y === value));
      assert.ok(kept.every(([x], index) => index === 0 || x > kept[index - 1]![0]));
    }),
    { numRuns: 20 },
  );
});

test('a run of a day is drawn', () => {
  const series = Array.from({ length: 864_000 }, () => 2_000);
  const latencySeries = Array.from({ length: 86_400 }, (_, i) => ({
    atMs: i * 1000 + 500,
    count: 9,
    p50Ms: 1,
    p99Ms: 2,
    maxMs: 3,
  }));
  const day = { ...mixed, series, errorSeries: series.map(() => 0), latencySeries, measuredMs: 86_395_000 };
  assert.ok(named(throughputChart(day, []), 'replies').data.length <= 4_000);
  assert.ok(named(latencyChart(day), 'p99').data.length <= 4_000);
  assert.ok(throughputChart(day, []).table.rows.length <= 61);
});

const part: ServerPart = {
  ...{ name: 'server 1 (apache)', address: '127.0.0.1:1', cpuCores: 0.25, rssBytes: 100 * 1024 ** 2 },
  roles: [
    { fromMs: 0, role: 'follower' },
    { fromMs: 20_000, role: null },
    { fromMs: 30_000, role: 'leader' },
  ],
  ...{ packetsReceived: 5_000, fsyncMeanMs: null, connections: 25, answeredPerSecond: 1_000 },
};
const ensemble: PhaseResult = {
  ...mixed,
  servers: [
    part,
    { ...part, name: 'server 2 (apache)', roles: [{ fromMs: 0, role: 'observer' }], cpuCores: null },
  ],
};

test('roles: up while a server leads, red while it does not answer, said in words in the title of its row', () => {
  const [first, second] = seriesOf(rolesChart(ensemble));
  const at = (series: Series, atS: number): number | null =>
    series.data.filter(([fromS]) => fromS <= atS).at(-1)![1];
  assert.deepEqual([at(first!, 10), at(first!, 25), at(first!, 40)], [0, 0, 1]);
  assert.deepEqual(
    bandsOf(first!).map(([from, to]) => [from, to]),
    [[20, 30]],
  );
  assert.ok(second!.data.every(([, level]) => level === 0));
  assert.deepEqual(bandsOf(second!), []);
  const titles = (rolesChart(ensemble)!.option['yAxis'] as unknown as { name: string }[]).map(
    ({ name }) => name,
  );
  assert.deepEqual(titles, [
    'server 1 (apache): follower; no answer from 20.0 s; leader from 30.0 s',
    'server 2 (apache): observer',
  ]);
  assert.equal(rolesChart(mixed), null, 'a service of one server has no such chart');
});

test('each server of an ensemble is a row; what is not known of it is said to be missing', () => {
  const { head, rows } = serverTable([ensemble, read]);
  assert.equal(rows.length, 2, 'none for the phase without');
  assert.ok(rows.every((row) => row.length === head.length));
  assert.deepEqual(rows[1]!.slice(0, 6), ['mixed', 'server 2 (apache)', 'observer', '25', '1,000 /s', '-']);
  assert.equal(rolesText([]), 'not asked');
});

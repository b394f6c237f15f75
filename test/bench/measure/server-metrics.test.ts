/** From the text of `mntr` to the figures of a phase. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isCounter,
  type MonitorValues,
  mergeMonitors,
  parseMonitor,
  parseServerStatus,
} from '../../../bench/measure/mntr.ts';
import { SampleSeries } from '../../../bench/measure/sample-series.ts';
import { type MonitorSample, summarizeMonitor } from '../../../bench/measure/server-metrics.ts';
import { COUNTERS, DETAILED_SUMMARIES, SUMMARIES } from '../../../src/server/monitor/metrics.ts';

test('numbers are read in every spelling, texts are left out', () => {
  const text =
    'zk_version\t3.8.0--1, built on 2022\nzk_server_state\tstandalone\nzk_avg_latency\t0.4737\n' +
    'zk_packets_received\t12345678901\nzk_small\t5.0E-4\nzk_large 1.5E7\nzk_last_client_response_size\t-1\n';
  assert.deepEqual(Object.fromEntries(parseMonitor(text)), {
    avg_latency: 0.4737,
    packets_received: 12345678901,
    small: 0.0005,
    large: 15_000_000,
    last_client_response_size: -1,
  });
});

test('srvr gives the basic figures where mntr is not allowed', () => {
  const text =
    'Zookeeper version: 3.8.0\nLatency min/avg/max: 0/0.1/3\nReceived: 90\nSent: 80\nConnections: 7\n' +
    'Outstanding: 6\nZxid: 0x5\nMode: standalone\nNode count: 44\n';
  assert.deepEqual(Object.fromEntries(parseServerStatus(text)), {
    packets_received: 90,
    packets_sent: 80,
    num_alive_connections: 7,
    outstanding_requests: 6,
    znode_count: 44,
  });
});

test("counters and gauges are told apart by Apache's names and by ringkeeper's own", () => {
  for (const name of COUNTERS) assert.ok(isCounter(name), name);
  for (const name of [...SUMMARIES, ...DETAILED_SUMMARIES]) {
    for (const part of ['cnt', 'sum']) assert.ok(isCounter(`${part}_${name}`));
    for (const part of ['avg', 'min', 'max', 'p50', 'p999']) assert.ok(!isCounter(`${part}_${name}`));
  }
  const gauges = ['znode_count', 'watch_count', 'ephemerals_count', 'open_file_descriptor_count', 'uptime'];
  for (const name of gauges) assert.ok(!isCounter(name), name);
  for (const end of ['requests', 'fsync_ms', 'queue_full']) assert.ok(isCounter(`ringkeeper_log_${end}`));
  for (const end of ['queue_bytes_now', 'batch_max', 'fsync_ms_p99', 'queue_bytes_capacity']) {
    assert.ok(!isCounter(`ringkeeper_log_${end}`));
  }
});

test('several servers count together, and their gauges are those of the largest', () => {
  const a = new Map([
    ['packets_received', 10],
    ['znode_count', 5],
    ['outstanding_requests', 2],
    ['max_latency', 9],
  ]);
  const b = new Map([
    ['packets_received', 20],
    ['znode_count', 6],
    ['outstanding_requests', 3],
    ['max_latency', 4],
  ]);
  assert.deepEqual(Object.fromEntries(mergeMonitors([a, b])), {
    packets_received: 30,
    znode_count: 6,
    outstanding_requests: 5,
    max_latency: 9,
  });
});

function seriesOf(...samples: readonly (readonly [atMs: number, values: Record<string, number>])[]) {
  const series = new SampleSeries<MonitorSample>(100);
  for (const [atMs, values] of samples) {
    const map: MonitorValues = new Map(Object.entries(values));
    series.add({ atMs, values: map });
  }
  return series;
}

test('growth is taken between the edges of the time, evenly between two readings', () => {
  const series = seriesOf(
    [1_000, { packets_received: 100, znode_count: 7 }],
    [2_000, { packets_received: 300, znode_count: 8 }],
    [3_000, { packets_received: 300, znode_count: 9 }],
    [4_000, { packets_received: 700, znode_count: 10 }],
  );
  const metrics = summarizeMonitor(series, null, 1_500, 3_500)!;
  assert.equal(metrics.packetsReceived, 300, 'from 200 to 500');
  assert.deepEqual(metrics.values, { packets_received: 300, znode_count: 9 }, 'the last gauge in the time');
  assert.equal(summarizeMonitor(series, null, 0, 9_000)!.packetsReceived, 600, 'as far as readings go');
});

test('what the server does not say is null, and a counter that began anew has no growth', () => {
  assert.equal(summarizeMonitor(seriesOf(), null, 0, 1), null);
  const one = summarizeMonitor(seriesOf([5, { packets_received: 10 }]), null, 0, 10)!;
  assert.deepEqual(one, {
    packetsReceived: null,
    fsyncMeanMs: null,
    fsyncMaxMs: null,
    gcPauseMaxMs: null,
    gcPauseTotalMs: null,
    values: {},
  });
  const reset = seriesOf([0, { packets_received: 100 }], [10, { packets_received: 5 }]);
  assert.equal(summarizeMonitor(reset, null, 0, 10)!.packetsReceived, null);
});

test("fsync times are those of the time; a maximum of before is not this time's", () => {
  const before = { cnt_fsynctime: 10, sum_fsynctime: 100, max_fsynctime: 30 };
  const fsyncs = (after: Record<string, number>) => {
    const metrics = summarizeMonitor(seriesOf([0, before], [10, after]), null, 0, 10)!;
    return [metrics.fsyncMeanMs, metrics.fsyncMaxMs];
  };
  assert.deepEqual(fsyncs({ cnt_fsynctime: 14, sum_fsynctime: 180, max_fsynctime: 60 }), [20, 60]);
  assert.deepEqual(fsyncs({ cnt_fsynctime: 14, sum_fsynctime: 180, max_fsynctime: 30 }), [20, null]);
  assert.deepEqual(fsyncs(before), [null, null], 'none happened');
});

test("ringkeeper's own fsync times are finer and come first", () => {
  const own = (count: number, ms: number, max: number) => ({
    cnt_fsynctime: 1,
    sum_fsynctime: 1,
    ringkeeper_log_fsync_count: count,
    ringkeeper_log_fsync_ms: ms,
    ringkeeper_log_fsync_ms_max: max,
  });
  const metrics = summarizeMonitor(seriesOf([0, own(2, 0.5, 0.3)], [10, own(4, 1.5, 0.9)]), null, 0, 10)!;
  assert.equal(metrics.fsyncMeanMs, 0.5);
  assert.equal(metrics.fsyncMaxMs, 0.9);
});

test('collections are those of the log, or of all threads of ringkeeper', () => {
  const thread = (name: string, count: number, ms: number, max: number) => ({
    [`ringkeeper_thread_${name}_gc_count`]: count,
    [`ringkeeper_thread_${name}_gc_ms`]: ms,
    [`ringkeeper_thread_${name}_gc_ms_max`]: max,
  });
  const collections = (a: readonly number[], b: readonly number[]) => {
    const start = { ...thread('core', 5, 20, 8), ...thread('log', 5, 10, 4) };
    const end = { ...thread('core', a[0]!, a[1]!, a[2]!), ...thread('log', b[0]!, b[1]!, b[2]!) };
    const metrics = summarizeMonitor(seriesOf([0, start], [10, end]), null, 0, 10)!;
    return [metrics.gcPauseMaxMs, metrics.gcPauseTotalMs];
  };
  assert.deepEqual(collections([7, 32, 9], [5, 10, 4]), [9, 12]);
  assert.deepEqual(collections([7, 32, 8], [6, 15, 5]), [null, 17], 'core may have had one up to 8 ms');
  assert.deepEqual(collections([5, 20, 8], [6, 15, 5]), [5, 5], 'core had none');
  assert.deepEqual(collections([5, 20, 8], [5, 10, 4]), [0, 0]);
  const logged = summarizeMonitor(seriesOf(), { count: 2, totalMs: 7, maxMs: 5 }, 0, 10)!;
  assert.deepEqual([logged.gcPauseMaxMs, logged.gcPauseTotalMs], [5, 7]);
});

test('a full series keeps its first and newest sample and an even part of the others', () => {
  const series = new SampleSeries<{ atMs: number }>(8);
  for (let atMs = 0; atMs <= 101; atMs++) {
    series.add({ atMs });
    assert.equal(series.firstFrom(-1)!.atMs, 0);
    assert.equal(series.lastUntil(1_000)!.atMs, atMs);
  }
  const kept = Array.from({ length: 101 }, (_, atMs) => series.lastUntil(atMs)!.atMs);
  assert.deepEqual([...new Set(kept)], [0, 16, 32, 48, 64, 80, 96]);
  assert.deepEqual(series.firstFrom(32), { atMs: 32 }, 'a sample of that very instant');
  assert.deepEqual(series.firstFrom(33), { atMs: 48 });
  assert.equal(series.firstFrom(102), null);
  assert.equal(series.lastUntil(-1), null);
});

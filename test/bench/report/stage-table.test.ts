/** Where the server's time went: shares of the measured time, times per request or write, fills of queues, the limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitSentences, stageTable } from '../../../bench/figures/stage-table.ts';
import type { PhaseResult } from '../../../bench/result/run-json.ts';
import { sampleRun } from './support/sample-run.ts';

const SAMPLE = sampleRun().phases[0]!;

function phase(name: string, own: Readonly<Record<string, number>>): PhaseResult {
  const values = Object.fromEntries(Object.entries(own).map(([key, value]) => [`ringkeeper_${key}`, value]));
  return {
    ...SAMPLE,
    plan: { ...SAMPLE.plan, name },
    measuredMs: 10_000,
    metrics: { ...SAMPLE.metrics!, values: { packets_received: 5, ...values } },
  };
}

const READS = phase('reads', {
  thread_io_core_busy_ms: 9_900,
  thread_io_core_cpu_ms: 9_700,
  core_requests: 10_000_000,
  core_request_ms: 6_000,
});
const WRITES = phase('writes', {
  thread_io_core_busy_ms: 4_000,
  thread_io_core_cpu_ms: 3_900,
  thread_log_busy_ms: 6_000,
  thread_log_cpu_ms: 1_000,
  thread_snapshot_busy_ms: 9_800,
  thread_snapshot_cpu_ms: 3_000,
  core_requests: 1_000_000,
  core_request_ms: 2_000,
  core_commits: 1_000_000,
  core_commit_ms: 700,
  log_records: 1_000_000,
  log_batches: 4_000,
  log_append_ms: 800,
  log_write_ms: 900,
  log_fsync_ms: 300,
  snapshot_count: 2,
  snapshot_ms: 700,
  log_queue_bytes_max: 4 * 1024 ** 2,
  log_queue_bytes_capacity: 8 * 1024 ** 2,
  log_queue_full: 3,
  core_in_flight_max: 5_000,
  io_pauses_window: 12,
});

test('threads, stages and queues, one column per phase; rows without a figure are left out', () => {
  const { head, rows } = stageTable([READS, WRITES]);
  assert.deepEqual(head, ['', 'reads', 'writes']);
  assert.deepEqual(rows, [
    ['thread io_core: busy (on a processor)', '99 % (97 %)', '40 % (39 %)'],
    ['thread log: busy (on a processor)', '-', '60 % (10 %)'],
    ['thread snapshot: busy (on a processor)', '-', '98 % (30 %)'],
    ['core: read, answer, propose; us per request', '0.60', '2.00'],
    ['core: commit, reply; us per write', '-', '0.70'],
    ['log: frame, checksum; us per write', '-', '0.80'],
    ['log: write; us per write', '-', '0.90'],
    ['log: fdatasync; us per write', '-', '0.30'],
    ['log: writes per sync', '-', '250.0'],
    ['snapshots ended, time of each', '-', '2 snapshots, 350 ms'],
    ['queue to the log, most of its room', '-', '4 MiB (50 %), full 3 times'],
    ['requests in flight in the core, most', '-', '5,000'],
    ['stopped: window of a connection full', '-', '12'],
  ]);
});

test('the limit is the busiest thread if it has no time left; a snapshot beside is none', () => {
  assert.deepEqual(limitSentences([READS, WRITES]), [
    'reads: the limit was thread io_core, busy 99 % of the time.',
    'writes: no thread was the limit: the busiest, log, had 40 % of its time left.',
  ]);
});

test('nothing for a server that does not tell', () => {
  const apache = phase('reads', {});
  assert.deepEqual(stageTable([apache]).rows, []);
  assert.deepEqual(limitSentences([apache]), []);
  assert.deepEqual(limitSentences([{ ...apache, metrics: null }]), []);
});

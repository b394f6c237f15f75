/** The stages of a write: their sum, what is not measured, and the picture. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PathStage, writePath } from '../../../bench/campaigns/write-path/path.ts';
import { renderPicture } from '../../../bench/campaigns/write-path/picture.ts';

/** 10,000 writes in 2,500 batches of the log; 500 reads. Milliseconds, as `mntr` has them. */
const COUNTERS = {
  ringkeeper_core_requests: 10_500,
  ringkeeper_core_request_batches: 10_500,
  ringkeeper_core_request_ms: 105,
  ringkeeper_core_commits: 10_000,
  ringkeeper_core_commit_ms: 50,
  ringkeeper_core_update_latency_count: 10_000,
  ringkeeper_core_update_latency_ms: 3_300,
  ringkeeper_core_durable_wait_count: 10_000,
  ringkeeper_core_durable_wait_ms: 3_100,
  ringkeeper_core_read_latency_count: 500,
  ringkeeper_core_read_latency_ms: 5,
  ringkeeper_log_records: 10_000,
  ringkeeper_log_batches: 2_500,
  ringkeeper_log_append_ms: 10,
  ringkeeper_log_write_ms: 100,
  ringkeeper_log_fsync_ms: 400,
  ringkeeper_thread_io_core_busy_ms: 355,
};

function microsOf(stages: readonly PathStage[]): Record<string, number | null> {
  return Object.fromEntries(
    stages.map(({ key, micros }) => [key, micros === null ? null : Math.round(micros * 1000) / 1000]),
  );
}

test('stages come from the meters that show them, and add up to what the client sees', () => {
  const path = writePath({ counters: COUNTERS, writeMicros: 420, readMicros: 70 });
  assert.deepEqual(microsOf(path.stages), {
    toAndFro: 60, // 70 less the 10 in the server
    prepare: 10,
    wait: 96, // 310 less 10, 4, 40 and 160
    append: 4,
    write: 40,
    sync: 160,
    commit: 20,
    unexplained: 30, // 420 less 330 and 60
  });
  const sum = path.stages.reduce((total, { micros }) => total + micros!, 0);
  assert.ok(Math.abs(sum - 420) < 1e-6);
  assert.equal(path.serverMicros, 330);
  assert.deepEqual(path.batches, { requests: 1, records: 4 });
});

test('work per write is not latency: it is what a thread spends, whatever the batch', () => {
  const { work } = writePath({ counters: COUNTERS, writeMicros: 420, readMicros: 70 });
  assert.deepEqual(
    work.map(({ microsPerWrite }) => microsPerWrite),
    [20, 10.5, 5, 1, 10, 40],
  );
});

test('without reads, everything outside of the server is one stage that is not told apart', () => {
  const path = writePath({ counters: COUNTERS, writeMicros: 420, readMicros: null });
  const stages = microsOf(path.stages);
  assert.equal(stages['toAndFro'], null);
  assert.equal(stages['unexplained'], 90);
  assert.match(path.stages.at(-1)!.name, /not told apart/);
});

test('what the server does not tell is null, with all that hangs on it, and nothing is guessed', () => {
  const { ringkeeper_log_fsync_ms: _, ...without } = COUNTERS;
  const stages = microsOf(writePath({ counters: without, writeMicros: 420, readMicros: 70 }).stages);
  assert.equal(stages['sync'], null);
  assert.equal(stages['wait'], null);
  assert.equal(stages['prepare'], 10);
  const nothing = writePath({ counters: {}, writeMicros: 420, readMicros: 70 });
  assert.ok(nothing.stages.every(({ micros }) => micros === null));
  assert.ok(nothing.work.every(({ microsPerWrite }) => microsPerWrite === null));
});

test('the picture: segments to scale, a row per stage, no segment for what is unknown or below zero', () => {
  const known = writePath({ counters: COUNTERS, writeMicros: 420, readMicros: 70 });
  const unknown = writePath({ counters: {}, writeMicros: 420, readMicros: null });
  const svg = renderPicture([
    { title: '8 clients & <one> write', path: known },
    { title: 'not told', path: unknown },
  ]);
  assert.match(svg, /^<svg [^>]*role="img"/);
  assert.match(svg, /8 clients &amp; &lt;one&gt; write: 420 µs/);
  assert.match(svg, /prefers-color-scheme:dark/);
  const segments = [...svg.matchAll(/<rect class="(\w+)" [^>]*width="([\d.]+)" height="34"/g)];
  const widths = new Map(segments.slice(0, 8).map(([, key, width]) => [key, Number(width) + 1]));
  assert.ok(Math.abs(widths.get('sync')! / widths.get('write')! - 4) < 0.05);
  const total = [...widths.values()].reduce((sum, width) => sum + width, 0);
  assert.ok(Math.abs(total - 820) < 5, `the bar is as wide as the picture: ${total}`);
  assert.equal(svg.match(/not measured<\/text>/g)?.length, 8, 'all stages of the second load');
  const negative = writePath({ counters: COUNTERS, writeMicros: 350, readMicros: 70 });
  const drawn = renderPicture([{ title: 'over', path: negative }]);
  assert.doesNotMatch(drawn, /<rect class="unexplained"[^>]*height="34"/);
  assert.match(drawn, /-40\.00 µs/);
  const slow = writePath({ counters: COUNTERS, writeMicros: 42_000, readMicros: 70 });
  const thin = renderPicture([{ title: 'thin', path: slow }]);
  assert.match(thin, /&lt; 1 %/);
  assert.doesNotMatch(thin, /<(?![/a-z])/, 'every < begins a tag, or no reader of XML shows the picture');
});

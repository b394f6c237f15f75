/** Which replies count as "during a snapshot", on times that are made up: a worst reply must not slip through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatenessWatch, worstLateness } from '../../../../bench/campaigns/large-tree/lateness-watch.ts';
import {
  AFTER_MS,
  BEFORE_MS,
  type ReplySlice,
  SLICE_MS,
  splitReplies,
  worstMoments,
} from '../../../../bench/campaigns/large-tree/reply-times.ts';
import { LATENCY_BUCKETS, latencyBucket, newHistogram } from '../../../../bench/latency/latency-recorder.ts';

/** Slices of `SLICE_MS` from `START_MS` on; latencies in ms. */
const START_MS = 50_000;

function slice(index: number, readsMs: readonly number[], writesMs: readonly number[]): ReplySlice {
  const [reads, writes] = [readsMs, writesMs].map((latencies) => {
    const histogram = newHistogram();
    for (const ms of latencies) histogram.recordValue(ms * 1000);
    return histogram;
  });
  const fromMs = START_MS + index * SLICE_MS;
  return { fromMs, toMs: fromMs + SLICE_MS, reads: reads!, writes: writes! };
}

/** Twenty quiet slices, some of them with something else in it. */
function quiet(loud: Readonly<Record<number, readonly [reads: number[], writes: number[]]>>): ReplySlice[] {
  return Array.from({ length: 20 }, (_, i) => slice(i, ...(loud[i] ?? [[1], [2]])));
}

function near(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) < 0.002, `${actual} is not ${expected}`);
}

test('a slow reply counts as during where its slice touches the snapshot, else as outside', () => {
  const snapshot = { fromMs: START_MS + 1_000, toMs: START_MS + 1_250 };
  const { during, outside, whole } = splitReplies(
    quiet({ 3: [[70], [5]], 11: [[1], [40]], 12: [[30], [2]], 17: [[1], [90]] }),
    [snapshot],
  );
  near(during.all?.maxMs, 40);
  near(during.reads?.maxMs, 30);
  near(during.writes?.maxMs, 40);
  near(outside.all?.maxMs, 90);
  near(outside.reads?.maxMs, 70);
  near(whole.all?.maxMs, 90);
  assert.equal(
    (during.all?.count ?? 0) + (outside.all?.count ?? 0),
    whole.all?.count,
    'every reply counts once',
  );
  assert.equal(whole.all?.count, 40);
});

test('margins: the moments just before the file is there and just behind its end are of the snapshot', () => {
  const fromMs = START_MS + 1_000;
  const snapshot = { fromMs, toMs: fromMs + 100 };
  const firstDuring = (1_000 - BEFORE_MS) / SLICE_MS;
  const lastDuring = (1_100 + AFTER_MS) / SLICE_MS - 1;
  for (const [index, isDuring] of [
    [firstDuring - 1, false],
    [firstDuring, true],
    [lastDuring, true],
    [lastDuring + 1, false],
  ] as const) {
    const { during, outside } = splitReplies(quiet({ [index]: [[60], [2]] }), [snapshot]);
    near((isDuring ? during : outside).all?.maxMs, 60);
    near((isDuring ? outside : during).all?.maxMs, 2);
  }
});

test('without a snapshot nothing was during one, and no figure is 0', () => {
  const { during, outside } = splitReplies(quiet({}), []);
  assert.deepEqual(during, { all: null, reads: null, writes: null });
  assert.equal(outside.all?.count, 40);
});

test('the worst moments say where in which snapshot they were', () => {
  const snapshots = [
    { fromMs: START_MS + 350, toMs: START_MS + 450 },
    { fromMs: START_MS + 1_320, toMs: START_MS + 1_550 },
  ];
  const [first, second, ...others] = worstMoments(quiet({ 15: [[3], [80]], 9: [[50], [1]] }), snapshots, 2);
  assert.deepEqual(others, []);
  near(first?.writeMs ?? 0, 80);
  assert.equal(first?.atMs, 1_500);
  assert.equal(first.snapshot, 2);
  assert.equal(first.sinceBeginMs, 180);
  assert.equal(first.sinceEndMs, -50);
  near(second?.readMs ?? 0, 50);
  assert.equal(second?.snapshot, null);
  assert.equal(second.sinceBeginMs, null);
});

test('the lateness of the generator is known per stretch of time, from counts that only grow', () => {
  const lag = new Uint32Array(LATENCY_BUCKETS);
  let nowMs = 1_000;
  const watch = new LatenessWatch(lag, () => nowMs);
  const count = (ms: number): void => {
    lag[latencyBucket(ms * 1000)]!++;
  };
  const lookAt = (ms: number): void => {
    nowMs = ms;
    watch.look();
  };
  count(0.5);
  count(12);
  lookAt(1_100);
  count(0.7);
  lookAt(1_200);
  lookAt(1_300); // nothing was handed over
  assert.deepEqual(
    watch.stretches.map(({ fromMs, toMs }) => [fromMs, toMs]),
    [
      [1_000, 1_100],
      [1_100, 1_200],
    ],
  );
  near(worstLateness(watch.stretches, 1_050, 1_060) ?? 0, 12);
  near(worstLateness(watch.stretches, 1_150, 1_250) ?? 0, 0.7);
  near(worstLateness(watch.stretches, 0, 9_000) ?? 0, 12);
  assert.equal(worstLateness(watch.stretches, 1_201, 1_300), null);
});

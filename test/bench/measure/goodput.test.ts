/** Replies within a bound, from counts by bucket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LATENCY_BUCKETS, latencyBucket } from '../../../bench/latency/latency-recorder.ts';
import { goodCount } from '../../../bench/measure/goodput.ts';

function countsOf(latenciesUs: readonly number[]): Uint32Array {
  const counts = new Uint32Array(LATENCY_BUCKETS);
  for (const us of latenciesUs) counts[latencyBucket(us)]!++;
  return counts;
}

test('a reply at the bound is good, one behind it is not', () => {
  assert.equal(goodCount(countsOf([0, 999, 1_000, 1_001]), 1), 3);
  assert.equal(goodCount(countsOf([]), 1), 0);
});

test('goodput is never too high, and too low by the width of one bucket at most', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 10_000_000 }), { maxLength: 50 });
  fc.assert(
    fc.property(latencies, fc.integer({ min: 1, max: 9_000 }), (all, sloMs) => {
      const good = goodCount(countsOf(all), sloMs);
      const within = (us: number): number => all.filter((latency) => latency <= us).length;
      assert.ok(good <= within(sloMs * 1_000));
      assert.ok(good >= within(sloMs * 1_000 * (1 - 1 / 1_024)));
    }),
  );
});

/** Buckets must agree with HdrHistogram's, and merging must not depend on how samples were split over workers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bucketLowUs,
  foldCounts,
  LATENCY_BUCKETS,
  LATENCY_US_MAX,
  latencyBucket,
  newHistogram,
  recordableUs,
  summarizeLatency,
} from '../../bench/latency/latency-recorder.ts';

const microseconds = fc.oneof(fc.nat({ max: 5000 }), fc.nat({ max: LATENCY_US_MAX }));

test('buckets are contiguous: the low end of a bucket is the first value in it', () => {
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    const low = bucketLowUs(bucket);
    assert.equal(latencyBucket(low), bucket);
    if (bucket > 0) assert.equal(latencyBucket(low - 1), bucket - 1);
  }
  assert.equal(latencyBucket(LATENCY_US_MAX), LATENCY_BUCKETS - 1);
});

test('a bucket is at most 0.1 % wide', () => {
  fc.assert(
    fc.property(microseconds, (us) => {
      const low = bucketLowUs(latencyBucket(us));
      assert.ok(us >= low && us - low <= us / 1000);
    }),
  );
});

test('counts split over workers fold into the histogram of direct recording', () => {
  fc.assert(
    fc.property(
      fc.array(microseconds, { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 4 }),
      (all, n) => {
        const direct = newHistogram();
        const workers = Array.from({ length: n }, () => new Uint32Array(LATENCY_BUCKETS));
        all.forEach((us, i) => {
          direct.recordValue(us);
          workers[i % n]![latencyBucket(us)]!++;
        });
        const merged = newHistogram();
        for (const counts of workers) foldCounts(counts, merged);
        assert.deepEqual(summarizeLatency(merged), summarizeLatency(direct));
      },
    ),
    { numRuns: 40 },
  );
});

test('percentiles of known values', () => {
  const counts = new Uint32Array(LATENCY_BUCKETS);
  for (let us = 1; us <= 1000; us++) counts[latencyBucket(us)]!++;
  const histogram = newHistogram();
  foldCounts(counts, histogram);
  assert.deepEqual(summarizeLatency(histogram), {
    count: 1000,
    meanMs: 0.501,
    p50Ms: 0.5,
    p90Ms: 0.9,
    p99Ms: 0.99,
    p999Ms: 0.999,
    p9999Ms: 1,
    maxMs: 1,
  });
});

test('nothing recorded is null, not zero', () => {
  assert.equal(summarizeLatency(newHistogram()), null);
});

test('clock differences become whole microseconds within range', () => {
  assert.equal(recordableUs(-1), 0);
  assert.equal(recordableUs(1.2345), 1234);
  assert.equal(recordableUs(1e9), LATENCY_US_MAX);
});

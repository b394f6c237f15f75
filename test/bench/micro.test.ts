/** The micro-benchmarks run tiny, so that they cannot rot; the numbers mean nothing here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchArena } from '../../bench/micro/arena.ts';
import { benchBell } from '../../bench/micro/bell.ts';
import { benchCounters } from '../../bench/micro/counters.ts';
import type { MicroBench } from '../../bench/micro/harness.ts';
import { benchRing } from '../../bench/micro/ring.ts';

const BENCHES: readonly (readonly [string, MicroBench])[] = [
  ['ring', benchRing],
  ['bell', benchBell],
  ['counters', benchCounters],
  ['arena', benchArena],
];

for (const [name, bench] of BENCHES) {
  test(`micro benchmark ${name}`, async () => {
    const results = await bench(256);
    assert.ok(results.length > 0);
    for (const result of results) assert.ok(result.ns > 0 && Number.isFinite(result.ns), result.name);
  });
}

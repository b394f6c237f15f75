/** The load of the arena campaign: the same seed makes the same steps, every regime comes, and samples are whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzArena } from '../../../bench/campaigns/soak/arena.ts';
import { ArenaFuzz } from '../../../bench/campaigns/soak/arena-fuzz.ts';

const MIB = 1024 * 1024;
const NEVER = new AbortController().signal;

test('the same seed makes the same steps, another one others', () => {
  const trace = (seed: number): string => {
    const fuzz = new ArenaFuzz({ seed, liveBytes: MIB, compacts: false });
    const seen: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      fuzz.step();
      if (i % 1_000 === 0) seen.push(fuzz.liveBytes);
    }
    return seen.join(' ');
  };
  assert.equal(trace(1), trace(1));
  assert.notEqual(trace(1), trace(2));
});

test('a series has a sample per stretch, the worst moment of each regime, and both owners do the same load', async () => {
  const options = { steps: 400_000, liveBytes: MIB, seed: 1 };
  const plain = await fuzzArena('plain', options, NEVER);
  const compacting = await fuzzArena('compacting', options, NEVER);
  assert.deepEqual(
    plain.worst.map(({ regime }) => regime),
    ['drift', 'waves', 'pins', 'doubling'],
  );
  assert.equal(plain.samples.length, 200);
  assert.equal(plain.samples.at(-1)!.step, 400_000);
  assert.deepEqual(
    plain.samples.map(({ liveBytes }) => liveBytes).slice(0, 50),
    compacting.samples.map(({ liveBytes }) => liveBytes).slice(0, 50),
  );
  for (const { liveBytes, usedBytes, pageBytes, heldBytes } of plain.samples) {
    assert.ok(liveBytes <= usedBytes && usedBytes <= pageBytes && pageBytes <= heldBytes);
  }
  assert.ok(compacting.mostPageBytes <= plain.mostPageBytes);
});

test('an abort ends a series with what was seen until then', async () => {
  const abort = new AbortController();
  abort.abort();
  const series = await fuzzArena('plain', { steps: 1e9, liveBytes: MIB, seed: 1 }, abort.signal);
  assert.deepEqual(series.samples, []);
});

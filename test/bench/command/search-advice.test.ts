/** A search that finds nothing says what it tried and what to try. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchAdvice } from '../../../bench/command/search-advice.ts';
import type { SearchOutcome } from '../../../bench/result/compare-json.ts';

const SEARCH = { phase: 'reads', p99MsMax: 2, from: 1_000, to: 100_000, replicates: 3 };

function outcome(probes: SearchOutcome['probes'], ratePerSecond: number | null = null): SearchOutcome {
  return { phase: 'reads', p99MsMax: 2, ratePerSecond, low: null, high: null, edge: 'none', probes };
}

test('the probes with their p99, a lower rate and a looser bound', () => {
  const lines = searchAdvice(
    outcome([
      { ratePerSecond: 2_000, p99Ms: 40, valid: false },
      { ratePerSecond: 1_000, p99Ms: 8.2, valid: true },
    ]),
    SEARCH,
  );
  assert.equal(lines[0], 'Tried: 1,000 /s: p99 8.20 ms; 2,000 /s: p99 40.0 ms (rate not held).');
  assert.match(lines[1]!, /--set search\.from=100\).*--set search\.p99=20ms\)/);
});

test('probes that kept the bound and were not valid: the reason is elsewhere', () => {
  const lines = searchAdvice(outcome([{ ratePerSecond: 1_000, p99Ms: 1, valid: false }]), SEARCH);
  assert.match(lines.join(' '), /1,000 \/s: p99 1\.00 ms \(void\)\. p99 kept the bound/);
});

test('a bound below a millisecond is not rounded to nothing', () => {
  const search = { ...SEARCH, p99MsMax: 0.001 };
  assert.match(searchAdvice(outcome([]), search)[0]!, /about 0\.001 ms at p99/);
});

test('nothing where a rate was found, and no probe is said so', () => {
  assert.deepEqual(searchAdvice(outcome([], 500), SEARCH), []);
  assert.match(searchAdvice(outcome([]), SEARCH)[0]!, /No probe was finished/);
});

/** Up time / time from probe outcomes: the arithmetic of known histories. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  combinedAvailability,
  findOutages,
  type ProbeOutcome,
  type ProbeResult,
  summarizeAvailability,
} from '../../bench/measure/availability.ts';

const LETTERS: Readonly<Record<string, ProbeOutcome>> = { o: 'ok', l: 'late', f: 'failed', u: 'unknown' };

/** One probe every 20 ms from 0: `ooffooo`. */
function history(text: string): ProbeResult[] {
  return [...text].map((letter, i) => ({ dueMs: i * 20, outcome: LETTERS[letter]! }));
}

test('an outage runs from the first failed probe to the first of three successes in a row', () => {
  assert.deepEqual(findOutages(history('oofffooo'), 0, 160), [{ startMs: 40, endMs: 100 }]);
});

test('one or two lucky answers do not end an outage', () => {
  assert.deepEqual(findOutages(history('offofoofooo'), 0, 220), [{ startMs: 20, endMs: 160 }]);
});

test('an outage that does not end lasts to the end of the time', () => {
  assert.deepEqual(findOutages(history('ooff'), 0, 100), [{ startMs: 40, endMs: 100 }]);
});

test('late answers are down time; unknown ones count neither way', () => {
  assert.deepEqual(findOutages(history('olooo'), 0, 100), [{ startMs: 20, endMs: 40 }]);
  assert.deepEqual(findOutages(history('ouuoo'), 0, 100), []);
  assert.deepEqual(findOutages(history('ofouoo'), 0, 120), [{ startMs: 20, endMs: 40 }]);
});

test('summary by time and by count', () => {
  const summary = summarizeAvailability(history('oooofflooo'), 0, 200);
  assert.deepEqual(summary, {
    byTime: 1 - 60 / 200,
    byCount: 7 / 10,
    outcomes: { ok: 7, late: 1, failed: 2, unknown: 0 },
    outageCount: 1,
    downMs: 60,
    longestOutageMs: 60,
  });
  assert.equal(summarizeAvailability([], 0, 200).byCount, null);
});

test('only probes that were due in the time count', () => {
  assert.equal(summarizeAvailability(history('ffooooooff'), 40, 160).byTime, 1);
});

test('classes combine by the union of their outages', () => {
  const outages = [
    { startMs: 10, endMs: 30 },
    { startMs: 20, endMs: 40 },
    { startMs: 25, endMs: 28 },
    { startMs: 90, endMs: 120 },
  ];
  assert.equal(combinedAvailability(outages, 0, 100), 0.6);
  assert.equal(combinedAvailability([], 0, 100), 1);
});

test('up and down time make up the whole, and all failed is zero', () => {
  const outcome = fc.constantFrom<ProbeOutcome>('ok', 'late', 'failed', 'unknown');
  fc.assert(
    fc.property(fc.array(outcome, { minLength: 1 }), (outcomes) => {
      const results = outcomes.map((value, i) => ({ dueMs: i * 20, outcome: value }));
      const endMs = outcomes.length * 20;
      const { byTime, downMs } = summarizeAvailability(results, 0, endMs);
      assert.ok(byTime >= 0 && byTime <= 1);
      assert.ok(Math.abs(byTime * endMs + downMs - endMs) < 1e-6);
    }),
  );
  assert.equal(summarizeAvailability(history('ffff'), 0, 80).byTime, 0);
});

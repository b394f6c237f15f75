/** Up time / time from probe outcomes: the arithmetic of known histories, and of any history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  combineAvailability,
  cutBands,
  findOutages,
  summarizeAvailability,
  worstDownMs,
} from '../../../bench/measure/availability.ts';
import type { ProbeHistory, Verdict } from '../../../bench/measure/probe-track.ts';
import { unionOf } from '../../../bench/result/outage-bands.ts';

const PERIOD_MS = 20;
const LETTERS: Readonly<Record<string, Verdict>> = {
  o: 'ok',
  l: 'late',
  f: 'failed',
  u: 'unknown',
  '.': 'open',
};

function historyOf(verdicts: readonly Verdict[], periodMs = PERIOD_MS): ProbeHistory {
  return {
    count: verdicts.length,
    dueMsAt: (index) => index * periodMs,
    verdictAt: (index) => verdicts[index]!,
  };
}

/** One probe every 20 ms from 0: `ooffooo`. */
function history(text: string): ProbeHistory {
  return historyOf([...text].map((letter) => LETTERS[letter]!));
}

test('an outage runs from the first failed probe to the first of three successes in a row', () => {
  assert.deepEqual(findOutages(history('oofffooo'), 160), [{ fromMs: 40, toMs: 100 }]);
});

test('one or two lucky answers do not end an outage', () => {
  assert.deepEqual(findOutages(history('offofoofooo'), 220), [{ fromMs: 20, toMs: 160 }]);
});

test('an outage that does not end lasts to the end of the time', () => {
  assert.deepEqual(findOutages(history('ooff'), 100), [{ fromMs: 40, toMs: 100 }]);
  assert.deepEqual(findOutages(history('ooffoo'), 120), [{ fromMs: 40, toMs: 120 }]);
});

test('late answers are down time; unknown and open ones count neither way', () => {
  assert.deepEqual(findOutages(history('olooo'), 100), [{ fromMs: 20, toMs: 40 }]);
  assert.deepEqual(findOutages(history('ouuoo'), 100), []);
  assert.deepEqual(findOutages(history('o...'), 100), []);
  assert.deepEqual(findOutages(history('ofouoo'), 120), [{ fromMs: 20, toMs: 40 }]);
});

test('summary by time and by count, bands counted from the beginning of the time', () => {
  const summary = summarizeAvailability(history('oooooofflooouooo'), 40, 240);
  assert.deepEqual(summary, {
    byTime: 1 - 60 / 200,
    byCount: 7 / 10,
    outcomes: { ok: 7, late: 1, failed: 2, unknown: 0 },
    outages: [{ fromMs: 80, toMs: 140 }],
    downMs: 60,
    longestOutageMs: 60,
    worstWindow: { 100: 0.4 },
  });
  assert.equal(summarizeAvailability(history(''), 0, 200).byCount, null);
  assert.equal(summarizeAvailability(history('oouu'), 0, 80).outcomes.unknown, 2);
});

test('an outage goes on over the edge between two times, and ends nowhere but at its end', () => {
  const all = history('offfffooooo');
  assert.deepEqual(summarizeAvailability(all, 0, 60).outages, [{ fromMs: 20, toMs: 60 }]);
  assert.deepEqual(summarizeAvailability(all, 60, 220).outages, [{ fromMs: 0, toMs: 60 }]);
  assert.equal(summarizeAvailability(all, 120, 220).byTime, 1);
});

test('the service is up while no service class is down; a single server of the list does not count', () => {
  const result = combineAvailability(
    new Map([
      ['write', history('offooooooo')],
      ['read', history('oooffooooo')],
      ['session', history('oooooooooo')],
      ['read 10.0.0.1:2181', history('ffffffffff')],
    ]),
    0,
    200,
  );
  assert.equal(result.byTime, 1 - 80 / 200);
  assert.equal(result.classes['read 10.0.0.1:2181']!.byTime, 0);
  assert.equal(result.classes['write']!.downMs, 40);
});

test('bands are united and cut', () => {
  const bands = [
    { fromMs: 20, toMs: 40 },
    { fromMs: 10, toMs: 30 },
    { fromMs: 25, toMs: 28 },
    { fromMs: 40, toMs: 50 },
    { fromMs: 90, toMs: 120 },
  ];
  const union = [
    { fromMs: 10, toMs: 50 },
    { fromMs: 90, toMs: 120 },
  ];
  assert.deepEqual(unionOf(bands), union);
  assert.deepEqual(cutBands(union, 20, 100), [
    { fromMs: 0, toMs: 30 },
    { fromMs: 70, toMs: 80 },
  ]);
});

test('the worst window tells one long outage from many short ones of the same sum', () => {
  const long = summarizeAvailability(history('o'.repeat(50) + 'f'.repeat(10) + 'o'.repeat(50)), 0, 2_200);
  const short = summarizeAvailability(history('ofooo'.repeat(10) + 'ooooo'.repeat(12)), 0, 2_200);
  assert.equal(long.downMs, short.downMs);
  assert.deepEqual(long.worstWindow, { 100: 0, 1000: 0.8 });
  assert.deepEqual(short.worstWindow, { 100: 0.8, 1000: 0.8 });
  assert.ok(!('10000' in long.worstWindow), 'no window is longer than the time');
});

const verdicts = fc.constantFrom<Verdict>('ok', 'late', 'failed', 'unknown', 'open');

test('any history: up and down time make up the whole, and the parts of a time add up to it', () => {
  const histories = fc.record({
    all: fc.array(verdicts, { minLength: 1, maxLength: 60 }),
    cut: fc.nat(60),
  });
  fc.assert(
    fc.property(histories, ({ all, cut }) => {
      const endMs = all.length * PERIOD_MS;
      const cutMs = Math.min(cut * PERIOD_MS, endMs);
      const whole = summarizeAvailability(historyOf(all), 0, endMs);
      assert.ok(whole.byTime >= 0 && whole.byTime <= 1);
      assert.ok(Math.abs(whole.byTime * endMs + whole.downMs - endMs) < 1e-6);
      const parts = [
        summarizeAvailability(historyOf(all), 0, cutMs),
        summarizeAvailability(historyOf(all), cutMs, endMs),
      ];
      assert.equal(parts[0]!.downMs + parts[1]!.downMs, whole.downMs);
      assert.equal(parts[0]!.outcomes.ok + parts[1]!.outcomes.ok, whole.outcomes.ok);
    }),
  );
});

test('any history: more good answers never lower availability by time', () => {
  const histories = fc
    .array(verdicts, { minLength: 1, maxLength: 60 })
    .chain((all) => fc.record({ all: fc.constant(all), at: fc.nat(all.length - 1) }));
  fc.assert(
    fc.property(histories, ({ all, at }) => {
      const better = all.with(at, 'ok');
      const endMs = all.length * PERIOD_MS;
      const byTime = (of: readonly Verdict[]): number =>
        summarizeAvailability(historyOf(of), 0, endMs).byTime;
      assert.ok(byTime(better) >= byTime(all));
    }),
  );
});

test('the worst window is the one that a search of all of them finds', () => {
  const cases = fc.record({
    edges: fc.uniqueArray(fc.nat(60), { maxLength: 12 }),
    lengthMs: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(cases, ({ edges, lengthMs }) => {
      const totalMs = 60;
      const sorted = edges.sort((a, b) => a - b);
      const bands = sorted.flatMap((fromMs, i) =>
        i % 2 === 0 && i + 1 < sorted.length ? [{ fromMs, toMs: sorted[i + 1]! }] : [],
      );
      let most = 0;
      for (let start = 0; start + lengthMs <= totalMs; start++) {
        const inside = cutBands(bands, start, start + lengthMs);
        most = Math.max(
          most,
          inside.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
        );
      }
      assert.equal(worstDownMs(bands, totalMs, lengthMs), most);
    }),
  );
});

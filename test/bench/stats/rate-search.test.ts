/** The search against services whose edge is known: smooth, a cliff, none; with noise, outliers and bad probes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SearchPlan } from '../../../bench/plan/plan.ts';
import type { SearchOutcome } from '../../../bench/result/compare-json.ts';
import { RateSearch } from '../../../bench/stats/rate-search.ts';
import { ConfigFailure } from '../../../src/base/failure.ts';
import { Prng } from '../../../src/base/prng.ts';

const PLAN: SearchPlan = { phase: 'read', p99MsMax: 10, from: 1_000, to: 500_000, replicates: 3 };

/** p99 is a power of the rate and meets the bound of 10 ms at 50,000/s. */
const smooth = (rate: number): number => 10 * (rate / 50_000) ** 2;
/** Fine up to 70,000/s, hopeless beyond. */
const cliff = (rate: number): number => (rate <= 70_000 ? 2 : 900);

type Probed = number | { p99Ms: number; valid: boolean };

function search(
  service: (rate: number, probe: number) => Probed,
  plan: Partial<SearchPlan> = {},
): SearchOutcome {
  const machine = new RateSearch({ ...PLAN, ...plan });
  let probes = 0;
  for (let rate = machine.nextProbe(); rate !== null; rate = machine.nextProbe()) {
    assert.ok(Number.isInteger(rate));
    assert.equal(machine.nextProbe(), rate, 'asking again changes nothing');
    const answer = service(rate, probes++);
    const { p99Ms, valid } = typeof answer === 'number' ? { p99Ms: answer, valid: true } : answer;
    machine.onProbe(rate, p99Ms, valid);
  }
  return machine.outcome();
}

function scatter(seed: number, size: number): () => number {
  const prng = new Prng(seed);
  return () => Math.exp(size * (prng.fraction() + prng.fraction() + prng.fraction() - 1.5) * 2);
}

test('a smooth edge is found where p99 crosses the bound', () => {
  const found = search(smooth);
  assert.equal(found.edge, 'smooth');
  assert.ok(Math.abs(found.ratePerSecond! / 50_000 - 1) < 0.005, String(found.ratePerSecond));
  assert.ok(found.probes.length < 20);
  assert.equal(found.phase, 'read');
  assert.equal(found.p99MsMax, 10);
});

test('a cliff is told from a smooth edge, and lies between two probes that are not 5 % apart', () => {
  const { edge, ratePerSecond, low, high, probes } = search(cliff);
  assert.equal(edge, 'cliff');
  assert.ok(low! <= 70_000 && high! > 70_000 && high! / low! < 1.06);
  assert.equal(ratePerSecond, low);
  // Both sides have their replicates.
  for (const side of [low, high]) {
    assert.equal(probes.filter((probe) => probe.ratePerSecond === side).length, 3);
  }
});

test('the ladder doubles, ends at `to`, and a service that holds every rate is open', () => {
  const found = search(() => 1, { from: 1_000, to: 10_000 });
  assert.deepEqual(
    found.probes.map(({ ratePerSecond }) => ratePerSecond),
    [1_000, 2_000, 4_000, 8_000, 10_000],
  );
  const { edge, ratePerSecond, low, high } = found;
  assert.deepEqual(
    { edge, ratePerSecond, low, high },
    { edge: 'open', ratePerSecond: 10_000, low: 10_000, high: null },
  );
});

test('a service that breaks the bound at once is probed twice, and no rate is given', () => {
  const { edge, ratePerSecond, low, high, probes } = search(() => 99);
  assert.deepEqual(
    { edge, ratePerSecond, low, high },
    { edge: 'none', ratePerSecond: null, low: null, high: 1_000 },
  );
  assert.equal(probes.length, 2);
});

test('one disturbed probe ends neither the ladder nor the search', () => {
  for (const disturbed of [0, 2, 4]) {
    const { edge, ratePerSecond } = search((rate, probe) => (probe === disturbed ? 500 : smooth(rate)));
    assert.equal(edge, 'smooth');
    assert.ok(Math.abs(ratePerSecond! / 50_000 - 1) < 0.03, `probe ${disturbed}: ${ratePerSecond}`);
  }
});

test('a probe that is not valid never shows that a rate is kept', () => {
  const overloaded = search((rate) => ({ p99Ms: 1, valid: rate <= 30_000 }));
  assert.equal(overloaded.edge === 'none' || overloaded.ratePerSecond! <= 30_000, true);
  assert.ok(overloaded.ratePerSecond! > 27_000, String(overloaded.ratePerSecond));
  const once = search((rate, probe) => ({ p99Ms: smooth(rate), valid: probe !== 1 }));
  assert.ok(Math.abs(once.ratePerSecond! / 50_000 - 1) < 0.02);
});

test('with scatter, the edge is near, and within the interval in most searches', () => {
  const rounds = 60;
  let held = 0;
  for (let seed = 1; seed <= rounds; seed++) {
    const noise = scatter(seed, 0.15);
    const { low, high, ratePerSecond, probes } = search((rate) => smooth(rate) * noise());
    assert.ok(Math.abs(ratePerSecond! / 50_000 - 1) < 0.2, `seed ${seed}: ${ratePerSecond}`);
    assert.ok(low! <= ratePerSecond! && ratePerSecond! <= high!);
    assert.ok(probes.length <= 25);
    if (low! <= 50_000 && high! >= 50_000) held++;
  }
  assert.ok(held / rounds >= 0.85, `${held} of ${rounds}`);
});

test('a wide range has larger steps, not more probes', () => {
  const found = search((rate) => (rate / 2_000_000) ** 2 * 10, { from: 1, to: 50_000_000 });
  assert.ok(found.probes.length <= 25);
  assert.ok(Math.abs(found.ratePerSecond! / 2_000_000 - 1) < 0.1, String(found.ratePerSecond));
});

test('never more than 25 probes, whatever the service does', () => {
  const answers = fc.array(fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.boolean()), {
    minLength: 1,
  });
  const range = fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 10_000_000 }));
  fc.assert(
    fc.property(answers, range, fc.integer({ min: 1, max: 100 }), (script, [from, more], replicates) => {
      const found = search(
        (_, probe) => {
          const [p99Ms, valid] = script[probe % script.length]!;
          return { p99Ms, valid };
        },
        { from, to: from + more, replicates },
      );
      assert.ok(found.probes.length >= 1 && found.probes.length <= 25);
      assert.ok(found.probes.every(({ ratePerSecond: rate }) => rate >= from && rate <= from + more));
      const { low, high, ratePerSecond: rate } = found;
      if (rate !== null && low !== null) assert.ok(low <= rate);
      if (rate !== null && high !== null) assert.ok(high >= rate);
    }),
    { numRuns: 60 },
  );
});

test('an interrupted search says what is known', () => {
  const machine = new RateSearch(PLAN);
  assert.equal(machine.outcome().ratePerSecond, null);
  machine.onProbe(machine.nextProbe()!, 1, true);
  machine.onProbe(machine.nextProbe()!, 1, true);
  const { edge, ratePerSecond, high } = machine.outcome();
  assert.deepEqual({ edge, ratePerSecond, high }, { edge: 'open', ratePerSecond: 2_000, high: null });
});

test('ranges and bounds that cannot be searched are named', () => {
  assert.throws(() => new RateSearch({ ...PLAN, from: 0 }), ConfigFailure);
  assert.throws(() => new RateSearch({ ...PLAN, from: 10, to: 9 }), /from 10 to 9/);
  assert.throws(() => new RateSearch({ ...PLAN, p99MsMax: 0 }), /p99 <= 0 ms; needed: above 0/);
});

/**
 * The whole check on histories of a model service: whatever a correct one does under load is accepted, cut anywhere;
 * each fault is found, by the rules that it breaks and by no other.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkHistory } from '../../../bench/check/check.ts';
import { OpKind } from '../../../bench/check/history.ts';
import { type Fault, ModelService } from './support/model-service.ts';
import { brokenRules, examplesOf, Rule, Script } from './support/script.ts';

const STEPS = 1_500;
const AMPLE = 10_000;
const EXACT_CLOCK = { clockSlackUs: 0 };

describe('a correct service', () => {
  it('passes, whether the states before and after are known or not', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), fc.boolean(), (seed, knowsInitial, knowsFinal) => {
        const service = new ModelService(seed, null, AMPLE).run(STEPS);
        const initial = knowsInitial ? service.initial : null;
        const result = checkHistory(service.memories, knowsFinal ? service.final : null, {
          ...EXACT_CLOCK,
          initial,
        });
        assert.deepEqual(examplesOf(result), []);
        assert.equal(result.passed, true);
        assert.equal(result.truncated, false);
      }),
      { numRuns: 150 },
    );
  });

  it('passes wherever the history is cut', () => {
    let truncated = 0;
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 120 }), (seed, capacity) => {
        const service = new ModelService(seed, null, capacity).run(STEPS);
        const { initial, final } = service;
        const result = checkHistory(service.memories, final, { ...EXACT_CLOCK, initial });
        assert.deepEqual(examplesOf(result), []);
        if (result.truncated) truncated++;
      }),
      { numRuns: 200 },
    );
    assert.ok(truncated > 50, `${truncated} truncated`);
  });

  it('passes in a later phase, with watches from before, and values from before that are known or not', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), (seed, knows) => {
        const service = new ModelService(seed, null, AMPLE).run(STEPS);
        service.beginPhase(AMPLE);
        const initial = knows ? new Map(service.final) : null;
        service.run(STEPS);
        const options = { ...EXACT_CLOCK, initial, foreignWrites: !knows, watchesBefore: true };
        assert.deepEqual(examplesOf(checkHistory(service.memories, service.final, options)), []);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a faulty service', () => {
  const faults: Readonly<Record<Fault, { found: string; may: readonly string[] }>> = {
    'stale sync': { found: Rule.linearizable, may: [] },
    'stale server': { found: Rule.reads, may: [Rule.zxids, Rule.linearizable, Rule.eventFirst, Rule.once] },
    'lost write': {
      found: Rule.writeOrder,
      may: [Rule.lost, Rule.linearizable, Rule.reads, Rule.once, Rule.eventFirst],
    },
    'double write': { found: Rule.writeOrder, may: [] },
    'phantom value': { found: Rule.values, may: [Rule.writeOrder, Rule.linearizable] },
    'double event': { found: Rule.once, may: [] },
    'missed event': { found: Rule.once, may: [Rule.eventFirst] },
    'late event': { found: Rule.eventFirst, may: [Rule.once] },
    'forgotten create': { found: Rule.ownZnodes, may: [] },
  };
  for (const [fault, { found, may }] of Object.entries(faults)) {
    it(`is found: ${fault}`, () => {
      let runs = 0;
      for (let seed = 1; seed <= 25; seed++) {
        const service = new ModelService(seed, fault as Fault, AMPLE).run(STEPS);
        const { initial, final } = service;
        const result = checkHistory(service.memories, final, { ...EXACT_CLOCK, initial });
        const broken = brokenRules(result);
        assert.deepEqual(
          broken.filter((rule) => rule !== found && !may.includes(rule)),
          [],
          examplesOf(result).join('\n'),
        );
        if (broken.includes(found)) runs++;
        assert.equal(result.passed, broken.length === 0);
      }
      assert.ok(runs >= 13, `${found}: only in ${runs} of 25 runs`);
    });
  }
});

describe('a result', () => {
  it('names every rule, also those that nothing broke, and counts', () => {
    const script = new Script()
      .write(1, 1, 0, 10, { zxid: 1 })
      .freshRead(2, 1, 11, 20)
      .read(2, 0, 0, 5, { key: 3 })
      .plain(3, OpKind.create, 0, 10, { key: 9, zxid: 1 })
      .event(5, 50, 3, { key: -1 });
    const result = script.check();
    assert.deepEqual(result.rules.map(({ rule }) => rule).sort(), Object.values(Rule).sort());
    assert.deepEqual(
      [result.operations, result.keys],
      [4, 1],
      'events are no operations; key 3 has plain reads only',
    );
    assert.equal(result.truncated, false);
    assert.equal(result.passed, false, 'the event came without a watch');
  });

  it('shows a few examples and counts all violations', () => {
    const script = new Script();
    for (let i = 0; i < 40; i++) script.event(i, i);
    const rule = script.check().rules.find(({ violations }) => violations > 0)!;
    assert.deepEqual([rule.rule, rule.violations, rule.examples.length], [Rule.once, 40, 5]);
  });

  it('of no history at all has nothing to say', () => {
    const result = checkHistory([], null);
    assert.deepEqual([result.passed, result.operations, result.keys, result.truncated], [true, 0, 0, false]);
  });

  it('is the same when the history is checked again', () => {
    const service = new ModelService(11, 'lost write', AMPLE).run(STEPS);
    assert.deepEqual(
      checkHistory(service.memories, service.final),
      checkHistory(service.memories, service.final),
    );
  });

  it('allows for clocks that differ by some microseconds unless told otherwise', () => {
    const memories = new Script().write(1, 1, 0, 10).freshRead(2, 0, 40, 60, { worker: 1 }).record();
    assert.equal(checkHistory(memories, null).passed, true);
    assert.equal(checkHistory(memories, null, { clockSlackUs: 10 }).passed, false);
  });
});

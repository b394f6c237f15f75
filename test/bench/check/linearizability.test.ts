/**
 * The verdict on a register is exact: by hand on the textbook's examples, and against the definition itself (oracle.ts)
 * on thousands of small histories.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Prng } from '../../../src/base/prng.ts';
import { isLinearizable, type RegisterOperation } from './support/oracle.ts';
import { brokenRules, examplesOf, Rule, Script } from './support/script.ts';

/** Rules that together say whether writes and fresh reads are those of a register. */
const REGISTER_RULES: readonly string[] = [Rule.values, Rule.linearizable];

const write = (tag: number, fromUs: number, toUs: number | null): RegisterOperation => ({
  kind: 'write',
  tag,
  fromUs,
  toUs,
});
const read = (tag: number, fromUs: number, toUs: number): RegisterOperation => ({
  kind: 'read',
  tag,
  fromUs,
  toUs,
});

/** Each operation in a session of its own, and nothing that the server says but the values: only time can judge. */
function scriptOf(operations: readonly RegisterOperation[]): Script {
  const script = new Script();
  operations.forEach(({ kind, tag, fromUs, toUs }, session) => {
    if (kind === 'write') script.write(session, tag, fromUs, toUs);
    else script.freshRead(session, tag, fromUs, toUs);
  });
  return script;
}

function accepts(operations: readonly RegisterOperation[]): boolean {
  const broken = brokenRules(scriptOf(operations).check());
  assert.ok(
    broken.every((rule) => REGISTER_RULES.includes(rule)),
    broken.join(),
  );
  return broken.length === 0;
}

function assertVerdict(expected: boolean, operations: readonly RegisterOperation[]): void {
  assert.equal(isLinearizable(operations), expected, 'the definition');
  assert.equal(accepts(operations), expected, 'the checker');
}

describe('textbook histories', () => {
  it('Herlihy and Wing: overlapping writes may take effect in either order, one for all readers', () => {
    const writes = [write(1, 0, 10), write(2, 5, 15)];
    assertVerdict(true, [...writes, read(1, 20, 30), read(1, 40, 50)]);
    assertVerdict(true, [...writes, read(2, 20, 30), read(2, 40, 50)]);
    assertVerdict(false, [...writes, read(1, 20, 30), read(2, 40, 50)]);
  });

  it('a read after a write must see it: the stale read', () => {
    assertVerdict(true, [write(1, 0, 10), read(0, 5, 15)]);
    assertVerdict(true, [write(1, 0, 10), read(0, 10, 15)]);
    assertVerdict(false, [write(1, 0, 10), read(0, 11, 15)]);
    assertVerdict(false, [write(1, 0, 10), write(2, 20, 30), read(1, 40, 50)]);
  });

  it('Lamport: new and then old during one write is regular, not atomic', () => {
    assertVerdict(true, [write(1, 0, 100), read(0, 10, 20), read(1, 30, 40)]);
    assertVerdict(false, [write(1, 0, 100), read(1, 10, 20), read(0, 30, 40)]);
  });

  it('Porcupine, README: two clients put during one slow get', () => {
    assertVerdict(true, [write(100, 0, 100), read(100, 25, 75), read(0, 30, 60)]);
    assertVerdict(false, [write(200, 0, 100), read(200, 10, 30), read(0, 40, 90)]);
  });

  it('Jepsen: a write that timed out may appear late, or never, but not vanish again', () => {
    const lost = write(1, 0, null);
    assertVerdict(true, [lost, read(0, 10, 20), read(0, 30, 40)]);
    assertVerdict(true, [lost, read(0, 10, 20), write(2, 30, 40), read(2, 50, 60), read(1, 70, 80)]);
    assertVerdict(false, [lost, read(1, 10, 20), read(0, 30, 40)]);
    assertVerdict(false, [lost, read(1, 10, 20), write(2, 30, 40), read(1, 50, 60)]);
  });

  it('Gibbons and Korach: zones that overlap, and a zone within another', () => {
    assertVerdict(false, [
      write(1, 0, 10),
      write(2, 0, 20),
      read(1, 30, 40),
      read(2, 50, 60),
      read(1, 70, 80),
    ]);
    assertVerdict(false, [write(1, 0, 10), write(2, 20, 30), read(1, 40, 50)]);
    assertVerdict(true, [write(1, 0, 25), write(2, 20, 30), read(1, 40, 50)]);
    assertVerdict(true, [write(1, 0, 10), write(2, 5, 45), read(1, 40, 50)]);
  });

  it('a value that nobody wrote, or not yet', () => {
    assertVerdict(false, [read(9, 0, 10)]);
    assertVerdict(false, [read(1, 0, 10), write(1, 11, 20)]);
    assertVerdict(true, [read(1, 0, 10), write(1, 10, 20)]);
  });
});

describe('the verdict', () => {
  const instants = fc.nat({ max: 12 });
  const operation = fc.record({
    writes: fc.boolean(),
    fromUs: instants,
    lengthUs: fc.nat({ max: 6 }),
    lost: fc.boolean(),
    reads: fc.nat({ max: 7 }),
  });

  it('is that of the definition on any history of up to seven operations', () => {
    let accepted = 0;
    let rejected = 0;
    const history = fc.array(operation, { minLength: 1, maxLength: 7 }).map((drafts) => {
      const writeCount = drafts.filter(({ writes }) => writes).length;
      let tag = 0;
      return drafts.map(({ writes, fromUs, lengthUs, lost, reads }) => {
        const toUs = fromUs + lengthUs;
        if (writes) return write(++tag, fromUs, lost ? null : toUs);
        return read(reads % (writeCount + 1), fromUs, toUs);
      });
    });
    fc.assert(
      fc.property(history, (operations) => {
        const expected = isLinearizable(operations);
        if (expected) accepted++;
        else rejected++;
        assert.equal(accepts(operations), expected);
      }),
      { numRuns: 4_000 },
    );
    assert.ok(accepted > 200 && rejected > 200, `${accepted} accepted, ${rejected} rejected`);
  });

  it('on a register with random delays is yes, and that of the definition after a mutation', () => {
    let rejected = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = new Prng(seed);
        const operations = registerHistory(prng, 7);
        assert.equal(accepts(operations), true);
        const mutant = mutate(operations, prng);
        const expected = isLinearizable(mutant);
        if (!expected) rejected++;
        assert.equal(accepts(mutant), expected);
      }),
      { numRuns: 1_500 },
    );
    assert.ok(rejected > 100, `${rejected} rejected`);
  });

  it('on long histories of many clients is yes, and no when one read is stale', () => {
    const prng = new Prng(7);
    const operations = registerHistory(prng, 20_000, 64);
    assert.equal(accepts(operations), true);
    const longAfter = operations.at(-1)!.fromUs + 1_000;
    const first = operations.find(({ kind, toUs }) => kind === 'write' && toUs !== null)!;
    assert.equal(accepts([...operations, read(first.tag, longAfter, longAfter + 1)]), false);
  });
});

describe('writes and fresh reads', () => {
  it('of different keys have nothing to do with each other', () => {
    const script = new Script()
      .write(1, 1, 0, 10, { key: 1 })
      .freshRead(2, 0, 20, 30, { key: 2 })
      .write(1, 2, 40, 50, { key: 2 });
    const result = script.check();
    assert.deepEqual(brokenRules(result), []);
    assert.equal(result.keys, 2);
  });

  it('are judged, plain reads are not: they may lag behind other sessions', () => {
    const stale = (kind: 'read' | 'freshRead'): string[] =>
      brokenRules(new Script().write(1, 1, 0, 10)[kind](2, 0, 20, 30).check());
    assert.deepEqual(stale('read'), []);
    assert.deepEqual(stale('freshRead'), [Rule.linearizable]);
  });

  it('may differ by as much as the clocks do', () => {
    const script = new Script().write(1, 1, 0, 10).freshRead(2, 0, 15, 20);
    assert.deepEqual(brokenRules(script.check({ clockSlackUs: 2 })), [Rule.linearizable]);
    assert.deepEqual(brokenRules(script.check({ clockSlackUs: 2.5 })), []);
  });

  it('of others are unknown in time, but their values come once', () => {
    const stranger = { mzxid: 5, version: 5 };
    const script = new Script().freshRead(1, 99, 0, 10, stranger).write(1, 1, 20, 30);
    assert.deepEqual(brokenRules(script.check({ foreignWrites: true })), []);
    script.freshRead(2, 99, 40, 50, stranger);
    assert.deepEqual(brokenRules(script.check({ foreignWrites: true })), [Rule.linearizable]);
  });

  it('start from the state before the run', () => {
    const initial = new Map([[0, { tag: 42, version: 3, mzxid: 3 }]]);
    const script = new Script().write(1, 1, 0, 10).freshRead(2, 42, 20, 30);
    assert.deepEqual(brokenRules(script.check({ initial })), [Rule.linearizable]);
  });

  it('that were refused took no effect', () => {
    const script = new Script().write(1, 1, 0, 10, { error: -103 }).freshRead(2, 0, 20, 30);
    assert.deepEqual(brokenRules(script.check()), []);
  });

  it('that contradict each other are named with session, time and value', () => {
    const script = new Script().write(1, 17, 0, 10).write(2, 18, 2_000, 3_000).freshRead(3, 17, 5_000, 6_000);
    assert.deepEqual(examplesOf(script.check()), [
      'key 0: write of value 17 by session 1 (0.000 .. 0.010 ms, zxid 0x0) had ended when sync + read of value 17 by ' +
        'session 3 (5.000 .. 6.000 ms, zxid 0x0) was called at 5.000 ms; but in between write of value 18 by session 2 ' +
        '(2.000 .. 3.000 ms, zxid 0x0): no order of these is possible',
    ]);
  });
});

/** What a true register answers to operations that take effect one after the other and are called and return around. */
function registerHistory(prng: Prng, count: number, spreadUs = 8): RegisterOperation[] {
  let value = 0;
  let tag = 0;
  return Array.from({ length: count }, (_, effectUs) => {
    const fromUs = effectUs * 2 - prng.below(spreadUs);
    const toUs = effectUs * 2 + prng.below(spreadUs);
    if (prng.chance(0.5)) return read(value, fromUs, toUs);
    const lost = prng.chance(0.2);
    tag++;
    if (!lost || prng.chance(0.5)) value = tag;
    return write(tag, fromUs, lost ? null : toUs);
  });
}

/** Two reads exchange what they saw, a write is forgotten, or an operation comes at another time. */
function mutate(operations: readonly RegisterOperation[], prng: Prng): RegisterOperation[] {
  const index = prng.below(operations.length);
  const victim = operations[index]!;
  if (victim.kind === 'write' && prng.chance(0.5)) return operations.toSpliced(index, 1);
  const other = prng.below(operations.length);
  if (victim.kind === 'read' && operations[other]!.kind === 'read') {
    return operations
      .with(index, { ...victim, tag: operations[other]!.tag })
      .with(other, { ...operations[other]!, tag: victim.tag });
  }
  const shiftUs = prng.below(20) - 10;
  const toUs = victim.toUs === null ? null : victim.toUs + shiftUs;
  return operations.with(index, { ...victim, fromUs: victim.fromUs + shiftUs, toUs });
}

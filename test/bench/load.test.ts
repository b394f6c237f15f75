/** What is decided before requests fly: keys, arrival times, frame tapes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ArrivalSchedule } from '../../bench/load/arrival.ts';
import { createTape, deleteTape, type FrameTape, phaseTape } from '../../bench/load/frame-tape.ts';
import { makeKeyChooser } from '../../bench/load/key-chooser.ts';
import type { KeyChoice, TreePlan } from '../../bench/plan.ts';
import { standaloneQuick } from '../../bench/scenarios/standalone-quick.ts';
import { JuteReader } from '../../src/wire/jute-reader.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { type Request, readRequest, readRequestHeader } from '../../src/wire/request-values.ts';

const tree: TreePlan = { root: '/t', keyCount: 100, valueBytes: 4000, keys: { kind: 'uniform' } };
const mixed = standaloneQuick.phases.find(({ name }) => name === 'mixed')!;

test('choosers stay in range and repeat with the seed', () => {
  const choice = fc.oneof(
    fc.constant<KeyChoice>({ kind: 'uniform' }),
    fc.constant<KeyChoice>({ kind: 'sequential' }),
    fc.record({ kind: fc.constant('zipf' as const), exponent: fc.double({ min: 0.1, max: 3, noNaN: true }) }),
  );
  fc.assert(
    fc.property(choice, fc.integer({ min: 1, max: 500 }), fc.integer(), (kind, keyCount, seed) => {
      const first = makeKeyChooser(kind, keyCount, seed);
      const second = makeKeyChooser(kind, keyCount, seed);
      for (let i = 0; i < 50; i++) {
        const key = first.next();
        assert.ok(Number.isInteger(key) && key >= 0 && key < keyCount);
        assert.equal(second.next(), key);
      }
    }),
  );
});

test('sequential visits every key once a round', () => {
  const chooser = makeKeyChooser({ kind: 'sequential' }, 10, 3);
  assert.equal(new Set(Array.from({ length: 10 }, () => chooser.next())).size, 10);
});

test('zipf gives ranks their share', () => {
  const chooser = makeKeyChooser({ kind: 'zipf', exponent: 1 }, 4, 9);
  const counts = [0, 0, 0, 0];
  const draws = 50_000;
  for (let i = 0; i < draws; i++) counts[chooser.next()]!++;
  const harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4;
  const byRank = counts.sort((a, b) => b - a).map((count) => count / draws);
  byRank.forEach((share, rank) => {
    assert.ok(Math.abs(share - 1 / (rank + 1) / harmonic) < 0.02);
  });
});

test('constant arrivals keep the rate without drift; poisson ones keep it on average', () => {
  const constant = new ArrivalSchedule('constant', 8, 1000, 1);
  for (let i = 1; i <= 100; i++) {
    assert.equal(constant.dueMs, 1000 + i * 125);
    constant.advance();
  }
  const poisson = new ArrivalSchedule('poisson', 1000, 0, 1);
  let last = 0;
  for (let i = 0; i < 20_000; i++) {
    assert.ok(poisson.dueMs >= last);
    last = poisson.dueMs;
    poisson.advance();
  }
  assert.ok(Math.abs(last / 20_000 - 1) < 0.05);
});

/** The frame of a slot, decoded by the server's own codec. */
function decode(tape: FrameTape, slot: number): { xid: number; request: Request } {
  const bytes = tape.bytes.subarray(tape.offsets[slot]!, tape.offsets[slot + 1]!);
  const reader = new JuteReader(bytes);
  assert.equal(reader.readInt(), bytes.length - 4);
  const { xid, op } = readRequestHeader(reader);
  return { xid, request: readRequest(reader, op) };
}

test('a tape holds the mix exactly, xids by slot, and repeats its first frames at the end', () => {
  const lead = 100;
  const tape = phaseTape(mixed, tree, lead, 5);
  let sets = 0;
  for (let slot = 0; slot < tape.slotCount; slot++) {
    const { xid, request } = decode(tape, slot);
    assert.equal(xid, slot + 1);
    if (request.op === OpCode.setData) sets++;
    assert.equal(tape.ops[slot], request.op === OpCode.setData ? 2 : 0);
  }
  assert.equal(sets, tape.slotCount - Math.round(tape.slotCount * 0.7));
  for (let slot = 0; slot < lead; slot++) {
    assert.deepEqual(decode(tape, tape.slotCount + slot), decode(tape, slot));
  }
});

test('set-up creates each key once and tear-down deletes the same', () => {
  const created = createTape(tree, 90, 10);
  const deleted = deleteTape(tree, 90, 10);
  for (let slot = 0; slot < 10; slot++) {
    const path = `/t/00000${90 + slot}`;
    const create = decode(created, slot).request;
    assert.ok(create.op === OpCode.create && create.path === path && create.data?.length === tree.valueBytes);
    const remove = decode(deleted, slot).request;
    assert.ok(remove.op === OpCode.delete && remove.path === path);
  }
});

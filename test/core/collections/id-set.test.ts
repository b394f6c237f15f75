import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdSet } from '../../../src/core/collections/id-set.ts';
import { Ephemerals } from '../../../src/core/tree/ephemerals.ts';

const PART_MAX = 8192;

test('an IdSet is a Set, whatever comes and goes', () => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 1, max: 6000 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const ids = new IdSet();
      const model = new Set<number>();
      for (const [isAdded, first, count] of steps) {
        for (let id = first; id < first + count; id++) {
          if (isAdded) assert.equal(ids.add(id), !model.has(id));
          else assert.equal(ids.delete(id), model.has(id));
          if (isAdded) model.add(id);
          else model.delete(id);
        }
        assert.equal(ids.size, model.size);
        assert.ok(ids.largestPart <= PART_MAX + 1);
      }
      assert.deepEqual([...ids.values()].sort(), [...model].sort());
    }),
    { numRuns: 30 },
  );
});

test('a walk meets what stays, once, however the set grows and shrinks meanwhile', () => {
  for (const size of [5000, 20_000]) {
    const ids = new IdSet();
    for (let id = 1; id <= size; id++) ids.add(id);
    const met: number[] = [];
    let next = size + 1;
    for (const id of ids.values()) {
      if (id > size) continue;
      met.push(id);
      if (id % 2 === 0) ids.delete(id);
      if (next < 4 * size) ids.add(next++);
    }
    assert.deepEqual(
      met,
      Array.from({ length: size }, (_, i) => i + 1).sort((a, b) => a - b),
    );
  }
});

test('a million ephemerals of one session: no addition copies more than some thousand of them', () => {
  const ephemerals = new Ephemerals();
  for (let id = 1; id <= 1_000_000; id++) {
    assert.ok(ephemerals.add(7, id));
    if (id % 100_000 !== 0) continue;
    const owned = ephemerals.of(7);
    assert.ok(owned instanceof IdSet);
    assert.ok(owned.largestPart <= PART_MAX + 1, `${owned.largestPart} in one part`);
  }
  assert.equal(ephemerals.count, 1_000_000);
  for (let id = 1; id <= 1_000_000; id++) ephemerals.remove(7, id);
  assert.equal(ephemerals.sessionCount, 0);
});

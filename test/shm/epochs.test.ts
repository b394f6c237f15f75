import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEpochs, EpochReader, EpochWriter } from '../../src/shm/epochs.ts';

class FreedList {
  readonly offsets: number[] = [];

  free(offset: number): void {
    this.offsets.push(offset);
  }
}

test('with no reader inside a record is freed at once', () => {
  const freed = new FreedList();
  const writer = new EpochWriter(createEpochs(2), freed);
  writer.retire(5);
  assert.deepEqual(freed.offsets, [5]);
  assert.equal(writer.retiredCount, 0);
  assert.equal(writer.reclaim(10), 0);
});

test('a record waits for the readers that were inside, not for later ones, and for the limit', () => {
  const handle = createEpochs(2);
  const freed = new FreedList();
  const writer = new EpochWriter(handle, freed);
  const early = new EpochReader(handle, 0);
  const late = new EpochReader(handle, 1);
  early.enter();
  for (const offset of [1, 2, 3]) writer.retire(offset);
  assert.equal(writer.reclaim(10), 0);
  late.enter();
  writer.retire(4);
  early.leave();
  assert.equal(writer.reclaim(2), 2);
  assert.equal(writer.reclaim(10), 1, 'the last one was retired with the late reader inside');
  late.leave();
  assert.equal(writer.reclaim(10), 1);
  assert.deepEqual(freed.offsets, [1, 2, 3, 4]);
});

test('a reader that stays inside makes the list grow and loses nothing', () => {
  const handle = createEpochs(1);
  const freed = new FreedList();
  const writer = new EpochWriter(handle, freed);
  const reader = new EpochReader(handle, 0);
  const expected: number[] = [];
  reader.enter();
  for (let offset = 1; offset <= 700; offset++) writer.retire(offset);
  reader.leave();
  writer.reclaim(500);
  reader.enter();
  // The list is now in the middle of its block, and grows while it wraps around.
  for (let offset = 701; offset <= 5000; offset++) writer.retire(offset);
  assert.equal(writer.retiredCount, 4500);
  reader.leave();
  assert.equal(writer.reclaim(10_000), 4500);
  for (let offset = 1; offset <= 5000; offset++) expected.push(offset);
  assert.deepEqual(freed.offsets, expected);
});

test('a reader number that does not exist is refused', () => {
  assert.throws(() => new EpochReader(createEpochs(1), 1), /out of range/);
});

test('nothing is freed while a reader that could hold it is inside; everything is in the end', () => {
  const event = fc.oneof(
    fc.record({ type: fc.constant('toggle' as const), reader: fc.nat(2) }),
    fc.record({ type: fc.constant('retire' as const) }),
    fc.record({ type: fc.constant('reclaim' as const), limit: fc.nat(4) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const handle = createEpochs(3);
      /** By reader: the records that existed when it entered. */
      const held: (Set<number> | null)[] = [null, null, null];
      const live = new Set([0]);
      let current = 0;
      const writer = new EpochWriter(handle, {
        free: (offset) => {
          for (const set of held)
            assert.ok(set === null || !set.has(offset), `freed ${offset} under a reader`);
          assert.ok(live.delete(offset), 'freed once');
        },
      });
      const readers = held.map((_, index) => new EpochReader(handle, index));
      for (const step of events) {
        if (step.type === 'reclaim') {
          writer.reclaim(step.limit);
        } else if (step.type === 'retire') {
          const replaced = current++;
          live.add(current);
          for (const set of held) set?.add(current);
          writer.retire(replaced);
        } else if (held[step.reader] === null) {
          readers[step.reader]!.enter();
          held[step.reader] = new Set([current]);
        } else {
          readers[step.reader]!.leave();
          held[step.reader] = null;
        }
      }
      for (const [index, reader] of readers.entries()) {
        reader.leave();
        held[index] = null;
      }
      writer.reclaim(1000);
      assert.deepEqual([...live], [current]);
    }),
  );
});

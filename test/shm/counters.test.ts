import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Counters, createCounters } from '../../src/shm/counters.ts';

test('counters begin at 0, keep to themselves and are seen through every handle', () => {
  const handle = createCounters(['durableZxid', 'syncCount']);
  const writer = new Counters(handle);
  const reader = new Counters(handle);
  assert.deepEqual(reader.names, ['durableZxid', 'syncCount']);
  assert.equal(reader.get(0), 0);
  writer.set(0, 5 * 2 ** 32 + 17);
  writer.add(1, 3);
  writer.add(1, -1);
  assert.equal(reader.get(0), 5 * 2 ** 32 + 17);
  assert.equal(reader.get(1), 2);
});

test('any sequence of safe integers reads back exactly', () => {
  const value = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.constantFrom(2 ** 31, 2 ** 32 - 1, 2 ** 32, -1, -(2 ** 32)),
  );
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const handle = createCounters(['value']);
      const reader = new Counters(handle);
      for (const [index, expected] of values.entries()) {
        // A new writer now and then: the role may move from thread to thread.
        if (index % 3 === 0) new Counters(handle).set(0, 0);
        new Counters(handle).set(0, expected);
        assert.equal(reader.get(0), expected);
      }
    }),
  );
});

test('a writer that takes over finds the value of the one before', () => {
  const handle = createCounters(['value']);
  const first = new Counters(handle);
  const second = new Counters(handle);
  first.set(0, 2 ** 40);
  second.add(0, 1);
  first.add(0, 1);
  assert.equal(new Counters(handle).get(0), 2 ** 40 + 2);
});

test('what is not a safe integer is refused', () => {
  const counters = new Counters(createCounters(['value']));
  assert.throws(() => counters.set(0, 2 ** 53), /safe integer/);
  assert.throws(() => counters.set(0, 0.5), /safe integer/);
});

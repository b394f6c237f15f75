/** The radix sort is a stable sort, whatever the size of the numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstRows, orderedBy } from '../../../bench/check/stable-order.ts';

const values = fc.array(
  fc.oneof(
    fc.nat({ max: 5 }),
    fc.nat({ max: 100_000 }),
    fc.maxSafeNat().map((n) => Math.floor(n / 2)),
    fc.constant(-1),
  ),
  { maxLength: 60 },
);

test('orders by the column and leaves equal rows as they were', () => {
  fc.assert(
    fc.property(values, (numbers) => {
      const column = Float64Array.from(numbers);
      const expected = [...firstRows(column.length)].sort((a, b) => column[a]! - column[b]! || a - b);
      assert.deepEqual([...orderedBy(firstRows(column.length), column)], expected);
    }),
  );
});

test('a second column breaks the ties of the first when it was ordered before', () => {
  const key = Int32Array.of(2, -1, 2, -1);
  const zxid = Float64Array.of(2 ** 40, 7, 5, 2 ** 33);
  assert.deepEqual([...orderedBy(orderedBy(firstRows(4), zxid), key)], [1, 3, 2, 0]);
});

test('orders a part of the rows and does not touch what it was given', () => {
  const rows = Uint32Array.of(3, 1);
  assert.deepEqual([...orderedBy(rows, Float64Array.of(9, 4, 9, 8))], [1, 3]);
  assert.deepEqual([...rows], [3, 1]);
});

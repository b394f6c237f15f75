/** A walk along a ring that changes: against the set of rows that stayed all the time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_MORE_ROWS, RingCursor } from '../../../src/core/collections/ring-cursor.ts';
import { EMPTY_RING, RingLinks } from '../../../src/core/collections/ring-links.ts';

const ROWS = 12;

test('rows that stay are met once, in order, and what is added meanwhile is not', () => {
  const action = fc.record({ kind: fc.constantFrom('take', 'remove', 'add'), row: fc.nat(ROWS - 1) });
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(ROWS - 1)), fc.array(action, { maxLength: 60 }), (start, actions) => {
      const links = new RingLinks();
      links.reserve(ROWS);
      let head = EMPTY_RING;
      for (const row of start) head = links.append(head, row);
      const inRing = new Set(start);
      const stayed = new Set(start);
      const cursor = new RingCursor(links, head);
      const met: number[] = [];
      for (const { kind, row } of actions) {
        if (kind === 'take') {
          met.push(cursor.take());
        } else if (kind === 'remove' && inRing.has(row)) {
          cursor.onRemove(row);
          head = links.remove(head, row);
          inRing.delete(row);
          stayed.delete(row);
        } else if (kind === 'add' && !inRing.has(row)) {
          head = links.append(head, row);
          inRing.add(row);
        }
      }
      for (let row = cursor.take(); row !== NO_MORE_ROWS; row = cursor.take()) met.push(row);
      const rows = met.filter((row) => row !== NO_MORE_ROWS);
      assert.deepEqual(
        rows.filter((row) => stayed.has(row)),
        start.filter((row) => stayed.has(row)),
      );
      assert.deepEqual(
        rows,
        start.filter((row) => rows.includes(row)),
        'only rows of the begin, each once',
      );
    }),
  );
});

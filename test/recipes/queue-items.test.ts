/** Names and bytes of items, of each family of clients. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { unwrapValues, wrapValues } from '../../src/recipes/queue/item-bytes.ts';
import {
  byOrder,
  type Item,
  newItemName,
  parseItem,
  type QueueDialect,
  type QueueOrder,
} from '../../src/recipes/queue/item-names.ts';

const CASES: readonly [QueueDialect, QueueOrder, string, Partial<Item>][] = [
  ['curator', 'plain', 'queue-0000000007', { rank: 0, sequence: 7 }],
  ['curator', 'plain', 'queue--2147483648', { rank: 0, sequence: -2147483648 }],
  ['curator', 'priority', 'queue-1000000AF0000000007', { rank: 0xaf, sequence: 7 }],
  ['curator', 'priority', 'queue-0FFFFFFFE0000000007', { rank: -2, sequence: 7 }],
  ['curator', 'delayed', 'queue-|18F00000000|0000000007', { dueMs: 0x18f00000000, sequence: 7 }],
  ['curator', 'id', 'queue-|a-1|0000000007', { id: 'a-1', sequence: 7 }],
  ['kazoo', 'priority', 'entry-100-0000000007', { rank: 100, sequence: 7 }],
  ['kazoo', 'priority', 'entry-001--2147483647', { rank: 1, sequence: -2147483647 }],
  ['zookeeper', 'plain', 'qn-0000000007', { rank: 0, sequence: 7 }],
];

for (const [dialect, order, name, expected] of CASES) {
  it(`reads ${name}`, () => {
    const item = parseItem(dialect, order, name) as Item;
    assert.deepEqual({ ...item, ...expected }, item);
  });
}

it('makes the names that the others make', () => {
  assert.equal(newItemName('curator', 'plain', {}), 'queue-');
  assert.equal(newItemName('curator', 'priority', { priority: 0xaf }), 'queue-1000000AF');
  assert.equal(newItemName('curator', 'priority', { priority: -2 }), 'queue-0FFFFFFFE');
  assert.equal(newItemName('curator', 'delayed', { atMs: 0x18f00000000 }), 'queue-|18F00000000|');
  assert.equal(newItemName('curator', 'id', { id: 'a/b|c' }), 'queue-|a_b_c|');
  assert.equal(newItemName('kazoo', 'priority', {}), 'entry-100-');
  assert.equal(newItemName('zookeeper', 'plain', {}), 'qn-');
  assert.throws(() => newItemName('kazoo', 'priority', { priority: 1000 }), TypeError);
  assert.throws(() => newItemName('curator', 'plain', { priority: 1 }), TypeError);
  assert.throws(() => newItemName('curator', 'id', {}), TypeError);
  assert.throws(() => newItemName('curator', 'priority', { priority: 2 ** 31 }), TypeError);
  assert.throws(() => newItemName('curator', 'delayed', { atMs: -5 }), TypeError);
});

it('tells items of others from what is no item', () => {
  assert.equal(parseItem('curator', 'plain', 'entry-100-0000000001'), 'kazoo');
  assert.equal(parseItem('kazoo', 'priority', 'qn-0000000001'), 'zookeeper');
  assert.equal(parseItem('curator', 'plain', 'other'), null);
  assert.equal(parseItem('curator', 'plain', 'queue-'), null);
});

it('orders by rank, then as they came', () => {
  const names = ['queue-1000000020000000001', 'queue-1000000010000000003', 'queue-1000000010000000002'];
  const items = names.map((name) => parseItem('curator', 'priority', name) as Item);
  assert.deepEqual(
    items.sort(byOrder).map((item) => item.sequence),
    [2, 3, 1],
  );
});

it('wraps values as Curator does, and refuses what is cut off or something else', () => {
  const wrapped = wrapValues([Buffer.from('ab'), Buffer.alloc(0)]);
  assert.equal(Buffer.from(wrapped).toString('hex'), '00010001010000000261620100000000' + '02');
  assert.deepEqual(
    unwrapValues(wrapped).map((one) => Buffer.from(one).toString()),
    ['ab', ''],
  );
  for (let length = 0; length < wrapped.length; length++)
    assert.throws(() => unwrapValues(wrapped.subarray(0, length)), TypeError, `${length} bytes`);
  assert.throws(() => unwrapValues(Buffer.from('0001000101ffffffff02', 'hex')), TypeError);
});

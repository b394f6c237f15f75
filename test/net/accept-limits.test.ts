import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HashKey } from '../../src/base/keyed-hash.ts';
import { AcceptLimits, createAcceptLimits, REFUSED, REFUSED_IN_ALL } from '../../src/net/accept-limits.ts';
import { clientAddress } from '../../src/net/client-listener.ts';
import { HASH_KEY } from '../core/support/hash.ts';

test('connections in all', () => {
  const limits = new AcceptLimits(createAcceptLimits(2, 0, HASH_KEY));
  const one = limits.admit('10.0.0.1');
  assert.notEqual(one, REFUSED);
  assert.notEqual(limits.admit('10.0.0.2'), REFUSED);
  assert.equal(limits.admit('10.0.0.3'), REFUSED_IN_ALL);
  limits.leave(one);
  assert.ok(limits.admit('10.0.0.3') >= 0);
  assert.equal(limits.connections, 2);
});

test('connections per address, counted over all threads that share the handle', () => {
  const handle = createAcceptLimits(0, 3, HASH_KEY);
  const threads = [new AcceptLimits(handle), new AcceptLimits(handle)];
  const admitted = [0, 1, 2].map((i) => threads[i % 2]!.admit('10.0.0.1'));
  assert.equal(admitted.includes(REFUSED), false);
  assert.equal(threads[0]!.admit('10.0.0.1'), REFUSED);
  assert.equal(threads[1]!.admit('10.0.0.1'), REFUSED);
  assert.notEqual(threads[1]!.admit('fe80::1'), REFUSED);
  threads[1]!.leave(admitted[0]!);
  assert.notEqual(threads[0]!.admit('10.0.0.1'), REFUSED);
  assert.equal(threads[0]!.admit('10.0.0.1'), REFUSED);
});

test('a hundred thousand addresses in turn leave nothing behind', () => {
  const limits = new AcceptLimits(createAcceptLimits(0, 1, HASH_KEY));
  for (let i = 0; i < 100_000; i++) {
    const admission = limits.admit(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    assert.notEqual(admission, REFUSED);
    limits.leave(admission);
  }
  assert.equal(limits.connections, 0);
  assert.notEqual(limits.admit('10.0.0.1'), REFUSED);
  assert.equal(limits.admit('10.0.0.1'), REFUSED);
});

test('a set that is full of other addresses does not refuse a newcomer, and its end takes nobody else away', () => {
  const handle = createAcceptLimits(0, 1, HASH_KEY, 1, 2);
  const limits = new AcceptLimits(handle);
  const first = limits.admit('a');
  limits.admit('b');
  const uncounted = limits.admit('c');
  assert.notEqual(uncounted, REFUSED);
  // There is a cell now, and another connection of the same address is counted in it.
  limits.leave(first);
  const counted = limits.admit('c');
  limits.leave(uncounted);
  assert.equal(limits.admit('c'), REFUSED, 'the counted one is still counted');
  limits.leave(counted);
  assert.notEqual(limits.admit('c'), REFUSED);
  assert.equal(limits.connections, 2);
});

test('who has a whole network cannot look for the address that shares the count of a stranger', () => {
  // Under a hash that anybody can calculate such pairs are found in a second: FNV-1a, which this once was.
  const known = new Map<number, string>();
  const pairs: [string, string][] = [];
  for (let i = 0; pairs.length < 3; i++) {
    const address = `2001:db8::${(i >>> 16).toString(16)}:${(i & 0xffff).toString(16)}`;
    let hash = 0x811c9dc5;
    for (const byte of Buffer.from(address)) hash = Math.imul(hash ^ byte, 0x01000193);
    const other = known.get(hash);
    if (other === undefined) known.set(hash, address);
    else pairs.push([other, address]);
  }
  const admitted = (key: HashKey, [one, other]: [string, string]): boolean => {
    const limits = new AcceptLimits(createAcceptLimits(0, 1, key));
    return limits.admit(one) >= 0 && limits.admit(other) >= 0;
  };
  for (const pair of pairs) assert.equal(admitted(HASH_KEY, pair), true, pair.join(' '));
});

test('the text of an address', () => {
  assert.equal(clientAddress('::ffff:127.0.0.1'), '127.0.0.1');
  assert.equal(clientAddress('10.1.2.3'), '10.1.2.3');
  assert.equal(clientAddress('::1'), '::1');
  assert.equal(clientAddress('::ffff:0:1'), '::ffff:0:1');
});

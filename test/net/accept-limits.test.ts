import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcceptLimits, createAcceptLimits } from '../../src/net/accept-limits.ts';
import { clientAddress } from '../../src/net/client-listener.ts';

test('connections in all', () => {
  const limits = new AcceptLimits(createAcceptLimits(2, 0));
  assert.equal(limits.admit('10.0.0.1'), true);
  assert.equal(limits.admit('10.0.0.2'), true);
  assert.equal(limits.admit('10.0.0.3'), false);
  limits.leave('10.0.0.1');
  assert.equal(limits.admit('10.0.0.3'), true);
  assert.equal(limits.connections, 2);
});

test('connections per address, counted over all threads that share the handle', () => {
  const handle = createAcceptLimits(0, 3);
  const threads = [new AcceptLimits(handle), new AcceptLimits(handle)];
  for (let i = 0; i < 3; i++) assert.equal(threads[i % 2]!.admit('10.0.0.1'), true);
  assert.equal(threads[0]!.admit('10.0.0.1'), false);
  assert.equal(threads[1]!.admit('10.0.0.1'), false);
  assert.equal(threads[1]!.admit('fe80::1'), true);
  threads[1]!.leave('10.0.0.1');
  assert.equal(threads[0]!.admit('10.0.0.1'), true);
  assert.equal(threads[0]!.admit('10.0.0.1'), false);
});

test('a hundred thousand addresses in turn leave nothing behind', () => {
  const limits = new AcceptLimits(createAcceptLimits(0, 1));
  for (let i = 0; i < 100_000; i++) {
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
    assert.equal(limits.admit(address), true);
    limits.leave(address);
  }
  assert.equal(limits.connections, 0);
  assert.equal(limits.admit('10.0.0.1'), true);
  assert.equal(limits.admit('10.0.0.1'), false);
});

test('a set that is full of other addresses does not refuse a newcomer', () => {
  const limits = new AcceptLimits(createAcceptLimits(0, 1));
  for (let i = 0; i < 200_000; i++) assert.equal(limits.admit(`host-${i}`), true);
  assert.equal(limits.connections, 200_000);
});

test('the text of an address', () => {
  assert.equal(clientAddress('::ffff:127.0.0.1'), '127.0.0.1');
  assert.equal(clientAddress('10.1.2.3'), '10.1.2.3');
  assert.equal(clientAddress('::1'), '::1');
  assert.equal(clientAddress('::ffff:0:1'), '::ffff:0:1');
});

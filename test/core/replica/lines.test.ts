/**
 * Very many connections wait for the same thing: what each commit and each large reply tries is counted, not timed. Who has
 * waited longest is served first, and nobody who can go on is left behind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted } from '../support/counted.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import { CLOSE, create, ephemeral, exists, getChildren, multi, setData } from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

const WAITING = 3000;

function connected(h: ReplicaHarness, count = WAITING): Connection[] {
  const all = Array.from({ length: count }, () => h.accept());
  for (const connection of all) connection.handshake();
  h.settle();
  for (const connection of all) connection.takeSession();
  return all;
}

test('room in the log for one: one goes on, the next one finds none, the others are not asked', () => {
  const h = new ReplicaHarness();
  const all = connected(h);
  h.log.room = 0;
  for (const [at, connection] of all.entries()) connection.send(create(`/n${at}`));
  const tried = counted(h.parts.proposer, 'propose');
  for (let at = 0; at < 40; at++) {
    h.log.room = 1;
    h.durable();
    while (h.background());
    h.durable();
    assert.equal(all[at]!.replies().length, 1, 'in the order of arrival');
  }
  assert.ok(tried.calls <= 4 * 40, `${tried.calls} tries for 40 writes`);
  h.log.room = Number.POSITIVE_INFINITY;
  h.settle();
  for (const connection of all.slice(40)) assert.equal(connection.replies().length, 1);
  checkQuiet(h.parts);
});

test('a session of very many ephemerals that ends part by part does not keep others waiting', () => {
  const h = new ReplicaHarness();
  const [owner, other] = [h.connect(), h.connect()];
  for (let from = 0; from < 10_000; from += 500)
    owner.ok(multi(...Array.from({ length: 500 }, (_, i) => ephemeral(`/e${from + i}`))));
  h.log.room = 0;
  owner.send(CLOSE);
  other.send(create('/other'));
  h.log.room = 2;
  h.durable();
  h.durable();
  assert.equal(other.replies().length, 1);
  assert.equal(owner.replies().length, 0);
  h.log.room = Number.POSITIVE_INFINITY;
  h.settle();
  assert.equal(owner.replies().length, 1);
  checkQuiet(h.parts);
});

test('one large reply after the other: each that is made asks two of those that wait', () => {
  const h = new ReplicaHarness();
  const all = connected(h, 300);
  const writer = h.connect();
  writer.ok(create('/p'));
  for (let from = 0; from < 3000; from += 500)
    writer.ok(multi(...Array.from({ length: 500 }, (_, i) => create(`/p/${from + i}`))));
  for (const connection of all) connection.send(getChildren('/p'));
  const tried = counted(h.parts.reads, 'execute');
  h.settle();
  for (const connection of all) assert.equal(connection.replies().length, 1);
  assert.ok(tried.calls <= 4 * all.length, `${tried.calls} tries for ${all.length} lists`);
});

test('reads of very many behind a long transaction: some thousand a turn', () => {
  const h = new ReplicaHarness();
  const all = connected(h, 6000);
  const writer = h.connect();
  writer.send(multi(...Array.from({ length: 12_000 }, (_, i) => create(`/m${i}`))));
  while (h.parts.proposals.length === 0) h.background();
  h.background();
  h.durable();
  assert.equal(h.replica.isPublishing, true);
  for (const connection of all) connection.send(exists('/m0'));
  const answered = counted(h.parts.reads, 'execute');
  let most = 0;
  for (let before = 0; h.background(); before = answered.calls)
    most = Math.max(most, answered.calls - before);
  assert.ok(most > 0 && most < 4500, `${most} in one turn`);
  for (const connection of all) assert.equal(connection.replies().length, 1);
});

test('who reads its replies while it waits stands in the line once', () => {
  const h = new ReplicaHarness();
  const client = h.connect();
  client.ok(create('/a'));
  h.log.room = 0;
  client.send(setData('/a', 'x'));
  for (let n = 0; n < 100; n++) client.drained();
  const tried = counted(h.parts.proposer, 'propose');
  h.durable();
  assert.equal(tried.calls, 1);
  h.log.room = Number.POSITIVE_INFINITY;
  h.settle();
  assert.equal(client.replies().length, 1);
});

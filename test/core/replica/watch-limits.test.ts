/** Bounds on what clients may watch: who exceeds one is not told that the watch is set, but ends. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { WATCH_ROW_BYTES } from '../../../src/core/watch/watch-rows.ts';
import { AddWatchMode, OpCode } from '../../../src/wire/opcodes.ts';
import type { Request } from '../../../src/wire/request-values.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import { create, multi, setData } from '../support/requests.ts';

/** Names of four bytes: room for ten watches a connection, and for fifteen in all. */
const WATCH_BYTES = WATCH_ROW_BYTES + 4;
const LIMITS = { watchBytesPerConnectionMax: 10 * WATCH_BYTES, watchBytesMax: 15 * WATCH_BYTES };
const MANY_CHILDREN = 3000;

const name = (i: number): string => `/n${String(i).padStart(2, '0')}`;
const getData = (path: string): Request => ({ op: OpCode.getData, path, watch: true });
const exists = (path: string): Request => ({ op: OpCode.exists, path, watch: true });

function watchTen(client: Connection, from = 0): void {
  for (let i = from; i < from + 10; i++) client.call(exists(name(i)));
}

function assertEnded(harness: ReplicaHarness, client: Connection): void {
  harness.settle();
  assert.deepEqual(client.replies(), [], 'not told that it is set');
  assert.equal(client.wire.closed, true);
}

suite('one connection', () => {
  const lists = { data: [], exist: [], child: [] };
  const requests: readonly (readonly [string, Request])[] = [
    ['getData', getData('/kept')],
    ['exists of a node that is there', exists('/kept')],
    ['exists of a node that is not', exists('/nowhere')],
    ['getChildren', { op: OpCode.getChildren, path: '/', watch: true }],
    ['getChildren2 of a large list', { op: OpCode.getChildren2, path: '/kept', watch: true }],
    ['addWatch', { op: OpCode.addWatch, path: '/kept', mode: AddWatchMode.persistent }],
    ['addWatch, recursive', { op: OpCode.addWatch, path: '/kept', mode: AddWatchMode.persistentRecursive }],
    ['setWatches, data', { op: OpCode.setWatches, relativeZxid: 1e6, ...lists, data: ['/kept'] }],
    ['setWatches, exist', { op: OpCode.setWatches, relativeZxid: 1e6, ...lists, exist: ['/nowhere'] }],
    ['setWatches, child', { op: OpCode.setWatches, relativeZxid: 1e6, ...lists, child: ['/kept'] }],
    [
      'setWatches2, persistent',
      {
        op: OpCode.setWatches2,
        relativeZxid: 1e6,
        ...lists,
        persistent: ['/kept', '/x'],
        persistentRecursive: ['/y'],
      },
    ],
    [
      'setWatches2, recursive',
      {
        op: OpCode.setWatches2,
        relativeZxid: 1e6,
        ...lists,
        persistent: [],
        persistentRecursive: ['/kept', '/y'],
      },
    ],
  ];
  for (const [what, request] of requests) {
    test(`${what}: the watch that is too many ends the connection, without a reply`, () => {
      const harness = new ReplicaHarness(LIMITS);
      const other = harness.connect();
      other.ok(create('/kept'));
      other.ok(multi(...Array.from({ length: MANY_CHILDREN }, (_, i) => create(`/kept/${i}`))));
      const client = harness.connect();
      watchTen(client);
      client.call(exists(name(3)));
      assert.equal(client.wire.closed, false, 'one that is set already is none too many');
      const { session } = harness.parts.clients.get(client.conn)!;
      client.send(request);
      assertEnded(harness, client);
      const { limitEnds } = harness.parts.clients;
      assert.deepEqual(limitEnds.counts, {
        watchesOfConnection: 1,
        watchesOfAll: 0,
        unreadEvents: 0,
        heldReplies: 0,
        unreadWord: 0,
      });
      assert.equal(limitEnds.lastSession, session);
      assert.equal(harness.parts.watches.watchCount, 0, 'nothing of it stays');
      assert.equal(harness.parts.watches.bytes, 0);
      watchTen(other);
      assert.equal(other.wire.closed, false);
    });
  }

  test('a watch that fired makes room for another', () => {
    const harness = new ReplicaHarness(LIMITS);
    const other = harness.connect();
    other.ok(create(name(0)));
    const client = harness.connect();
    watchTen(client);
    other.ok(setData(name(0), 'x'));
    client.call(exists(name(10)));
    assert.equal(client.wire.closed, false);
    assert.equal(harness.parts.watches.bytes, LIMITS.watchBytesPerConnectionMax);
  });

  test('a long path counts with its length', () => {
    const harness = new ReplicaHarness(LIMITS);
    const client = harness.connect();
    client.send(exists(`/${'x'.repeat(10 * WATCH_BYTES)}`));
    assertEnded(harness, client);
  });

  test('behind an own write of a slow client: the held replies go with the connection', () => {
    const harness = new ReplicaHarness(LIMITS);
    const client = harness.connect();
    watchTen(client);
    client.wire.room = 0;
    client.send(create('/a'), exists('/nowhere'), create('/b'));
    harness.settle();
    assert.equal(client.wire.closed, true);
    assert.equal(harness.replica.parts.clients.limitEnds.counts.watchesOfConnection, 1);
  });
});

test('all together: the connection with the most watches goes, not the one that asks next', () => {
  const harness = new ReplicaHarness(LIMITS);
  const greedy = harness.connect();
  const modest = harness.connect();
  watchTen(greedy);
  for (let i = 20; i < 26; i++) assert.equal(modest.call(exists(name(i))).op, OpCode.exists);
  assert.equal(greedy.wire.closed, true);
  assert.equal(modest.wire.closed, false);
  assert.equal(harness.replica.parts.clients.limitEnds.counts.watchesOfAll, 1);
  assert.deepEqual(harness.parts.watches.summary(), { connections: 1, paths: 6, watches: 6 });
});

test('all together, and the one that asks has the most: it goes', () => {
  const harness = new ReplicaHarness({ ...LIMITS, watchBytesMax: 5 * WATCH_BYTES });
  const modest = harness.connect();
  const greedy = harness.connect();
  modest.call(exists(name(0)));
  for (let i = 1; i < 5; i++) greedy.call(exists(name(i)));
  greedy.send(exists(name(5)));
  assertEnded(harness, greedy);
  assert.equal(harness.parts.watches.watchCount, 1);
});

test('a path that is longer than all may watch together ends who asks for it', () => {
  const harness = new ReplicaHarness({ watchBytesPerConnectionMax: 1000, watchBytesMax: 100 });
  const client = harness.connect();
  client.send(exists(`/${'x'.repeat(500)}`));
  assertEnded(harness, client);
});

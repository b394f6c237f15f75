/** The ordering rules of client-wire.md, section 10. The harness itself fails on a reply out of order. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { Request } from '../../../src/wire/request-values.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import {
  addWatch,
  auth,
  CLOSE,
  create,
  ephemeral,
  exists,
  getChildren,
  getData,
  multi,
  PING,
  remove,
  setData,
  text,
} from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

describe('the order of replies', () => {
  test('a read waits for the own writes before it and for nobody else', () => {
    const h = new ReplicaHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.send(create('/a', 'of a'), getData('/a'), PING);
    b.send(exists('/a'), getChildren('/'));
    assert.deepEqual(a.take(), [], 'nothing is durable yet');
    const [missing, list] = b.replies();
    assert.equal(missing?.err, -101, 'the write of another session is not visible before it is durable');
    assert.deepEqual(list?.response, { op: OpCode.getChildren, children: ['zookeeper'] });
    h.durable();
    const [created, read, ping] = a.replies();
    assert.deepEqual([created?.xid, read?.xid, ping?.xid], [1, 2, -2]);
    assert.deepEqual(read?.response?.op === OpCode.getData && read.response.data, text('of a'));
    assert.equal(read?.zxid, created?.zxid, 'read at the zxid of the write');
  });

  test('each read sees exactly the own writes before it', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(create('/n', '0'));
    const requests: Request[] = [];
    for (let i = 1; i <= 50; i++) requests.push(setData('/n', `${i}`), getData('/n'));
    c.send(...requests);
    // Durable in steps of three: a read must run between two commits of the same call.
    for (let zxid = h.log.lastZxid - 50; zxid <= h.log.lastZxid; zxid += 3) h.durable(zxid);
    h.settle();
    const read = c.replies().filter((reply) => reply.op === OpCode.getData);
    const seen = read.map(({ response }) =>
      new TextDecoder().decode((response as { data: Uint8Array }).data),
    );
    assert.deepEqual(
      seen,
      Array.from({ length: 50 }, (_, i) => `${i + 1}`),
    );
  });

  test('writes of all sessions are applied in the order of their zxids', () => {
    const h = new ReplicaHarness();
    const clients = [h.connect(), h.connect(), h.connect()];
    clients[0]!.ok(create('/n', 'start'));
    for (let round = 0; round < 10; round++) {
      for (const [i, client] of clients.entries()) client.send(setData('/n', `${round}.${i}`));
    }
    h.settle();
    const zxids = clients.flatMap((client) => client.replies().map((reply) => reply.zxid));
    assert.equal(new Set(zxids).size, 30);
    assert.equal(Math.max(...zxids), h.replica.progress.committed);
    const { response } = clients[0]!.call(getData('/n'));
    assert.deepEqual(response?.op === OpCode.getData && response.data, text('9.2'));
  });

  test('a failed write has its zxid and its place like any other', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    const before = h.replica.progress.committed;
    c.send(create('/a'), create('/a'), remove('/b'), setData('/a', 'x', 7), create('/b'));
    h.settle();
    assert.deepEqual(
      c.replies().map(({ err, zxid }) => [err, zxid - before]),
      [
        [0, 1],
        [-110, 2],
        [-101, 3],
        [-103, 4],
        [0, 5],
      ],
    );
  });

  test('auth is answered on receipt and counts for the requests behind it only', () => {
    const h = new ReplicaHarness();
    const owner = h.connect();
    owner.ok(auth('digest', 'alice:secret'));
    owner.ok(create('/private', 'x', 0, [{ perms: 31, scheme: 'auth', id: '' }]));
    const c = h.connect();
    c.send(getData('/private'), create('/slow'), auth('digest', 'alice:secret'), getData('/private'));
    assert.deepEqual(c.transcript(), ['1-102', '3'], 'auth overtakes the write');
    h.settle();
    assert.deepEqual(c.transcript(), ['2', '4']);
  });

  test('what is pipelined behind the connect request is answered behind the connect response', () => {
    const h = new ReplicaHarness();
    const c = h.accept();
    c.handshake();
    c.send(create('/a'), getData('/a'), PING);
    assert.deepEqual(c.transcript(), []);
    h.settle();
    assert.deepEqual(c.transcript(), ['connected', '1', '2', '-2']);
  });

  for (const [what, request, answer] of [
    ['an unknown opcode', { op: 77, path: '/' } as unknown as Request, '1-6'],
    ['createSession', { op: OpCode.createSession, timeoutMs: 1 }, '1-6'],
    ['check outside a multi', { op: OpCode.check, path: '/', version: -1 }, '1-6'],
    ['a bad credential', auth('nosuch', 'x'), '1-115'],
  ] as const) {
    test(`${what} is answered and ends the connection, and harms nobody else`, () => {
      const h = new ReplicaHarness();
      const other = h.connect();
      const c = h.connect();
      c.send(request);
      assert.deepEqual(c.transcript(), [answer]);
      assert.ok(c.wire.closed);
      const parked = h.accept();
      parked.handshake();
      parked.send(request);
      parked.send(PING);
      h.settle();
      assert.deepEqual(parked.transcript(), ['connected', answer], 'the same out of the queue');
      assert.ok(parked.wire.closed);
      assert.equal(other.call(PING).err, 0);
    });
  }
});

describe('events and replies', () => {
  test('the event comes before the reply of the write, and before any read that shows the change', () => {
    const h = new ReplicaHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.ok(create('/n', 'old'));
    a.ok(getData('/n', true));
    b.ok(getData('/n', true));
    a.send(setData('/n', 'new'), getData('/n'));
    b.send(PING);
    h.settle();
    b.send(getData('/n'));
    assert.deepEqual(a.transcript(), ['3:/n', '3', '4']);
    assert.deepEqual(b.transcript(), ['-2', '3:/n', '3']);
    a.send(setData('/n', 'newer'), getData('/n', true));
    h.settle();
    assert.deepEqual(a.transcript(), ['5', '6'], 'the watch was consumed');
  });

  test('the header of an event carries the zxid of its transaction', () => {
    const h = new ReplicaHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.ok(addWatch('/', 1));
    b.ok(create('/n'));
    b.ok(setData('/n', 'x'));
    assert.deepEqual(a.take(), [
      { kind: 'event', zxid: h.replica.progress.committed - 1, type: 1, path: '/n' },
      { kind: 'event', zxid: h.replica.progress.committed, type: 3, path: '/n' },
    ]);
  });

  test('who hears what, and where', () => {
    const h = new ReplicaHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.ok(create('/p'));
    b.ok(getChildren('/p', true));
    assert.equal(b.call(exists('/p/c', true)).err, -101);
    a.send(create('/p/c'), exists('/p/c'));
    b.send(PING, getChildren('/p'));
    h.settle();
    b.send(getChildren('/p'));
    assert.deepEqual(a.transcript(), ['2', '3']);
    assert.deepEqual(b.transcript(), ['-2', '4', '1:/p/c', '4:/p', '5']);
  });

  test('a read and its watch are one: a change is either in the read or in an event, never lost', () => {
    for (let step = 0; step <= 6; step++) {
      const h = new ReplicaHarness();
      const [a, b] = [h.connect(), h.connect()];
      a.ok(create('/n', '0'));
      const base = h.log.lastZxid;
      a.send(...Array.from({ length: 6 }, (_, i) => setData('/n', `${i + 1}`)));
      h.durable(base + step);
      b.send(getData('/n', true));
      h.settle();
      const messages = b.take();
      const read = messages[0];
      assert.ok(read?.kind === 'reply' && read.response?.op === OpCode.getData);
      assert.deepEqual(read.response.data, text(`${step}`));
      const events = messages.slice(1);
      if (step === 6) assert.deepEqual(events, []);
      else assert.deepEqual(events, [{ kind: 'event', zxid: base + step + 1, type: 3, path: '/n' }]);
    }
  });

  test('events of a multi come sub-operation by sub-operation, all with its zxid, before its reply', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(create('/d'));
    c.ok(addWatch('/', 1));
    c.ok(getChildren('/', true));
    const xid = c.send(multi(create('/a'), setData('/a', 'x'), remove('/d'), create('/d'), remove('/a')));
    h.settle();
    const messages = c.take();
    assert.deepEqual(
      messages.map((m) => (m.kind === 'event' ? `${m.type}:${m.path}` : m.kind === 'reply' && m.xid)),
      ['1:/a', '4:/', '3:/a', '2:/d', '1:/d', '2:/a', xid],
    );
    assert.ok(messages.every((m) => m.kind !== 'connected' && m.zxid === h.replica.progress.committed));
  });

  test('closing: events of the own ephemerals, then the reply, then the end', () => {
    const h = new ReplicaHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.send(ephemeral('/e1'), ephemeral('/e2'));
    h.settle();
    a.ok(addWatch('/', 1));
    b.ok(getChildren('/', true));
    const xid = a.send(CLOSE, PING);
    h.settle();
    const heard = a.transcript();
    assert.deepEqual(heard.slice(0, 2).sort(), ['2:/e1', '2:/e2']);
    assert.deepEqual(heard.slice(2), [`${xid - 1}`], 'and nothing behind the reply');
    assert.ok(a.wire.closed);
    assert.deepEqual(b.transcript(), ['4:/']);
    b.send(create('/later'));
    h.settle();
    assert.deepEqual(a.transcript(), [], 'no event for a connection that is being closed');
    checkQuiet(h.parts);
  });

  test('the watches of a connection go with it', () => {
    const h = new ReplicaHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.call(exists('/n', true));
    a.ok(addWatch('/', 1));
    a.disconnect();
    assert.equal(h.parts.watches.watchCount, 0);
    b.ok(create('/n'));
    assert.deepEqual(a.transcript(), []);
  });
});

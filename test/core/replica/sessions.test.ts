/** How sessions begin, move, expire and end, as clients see it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { readTxn } from '../../support/wire/txn-values.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import {
  CLOSE,
  create,
  ephemeral,
  exists,
  getChildren,
  getData,
  PING,
  remove,
  setData,
} from '../support/requests.ts';
import { checkQuiet, dumpSessions, dumpTree } from '../support/tree-dump.ts';

const REFUSAL = {
  protocolVersion: 0,
  timeoutMs: 0,
  sessionId: 0n,
  password: new Uint8Array(16),
  readOnly: false,
};

describe('the handshake', () => {
  test('the timeout is clamped; the readOnly byte comes back only if it was sent', () => {
    const h = new ReplicaHarness();
    for (const [asked, agreed] of [
      [0, 4000],
      [-1, 4000],
      [3999, 4000],
      [4001, 4001],
      [40_000, 40_000],
      [2 ** 31 - 1, 40_000],
    ] as const) {
      const c = h.accept();
      c.handshake({ timeoutMs: asked, readOnly: asked === 0 ? null : false });
      h.settle();
      const [message] = c.take();
      assert.ok(message?.kind === 'connected');
      const { timeoutMs, readOnly, password, sessionId, protocolVersion } = message.response;
      assert.deepEqual(
        { timeoutMs, readOnly, protocolVersion },
        { timeoutMs: agreed, readOnly: asked === 0 ? null : false, protocolVersion: 0 },
      );
      assert.equal(sessionId >> 56n, 1n, 'the server id is the top byte');
      assert.equal(password.length, 16);
    }
    assert.equal(h.parts.sessions.size, 6);
  });

  test('a password of any length, or none, does for a new session', () => {
    const h = new ReplicaHarness();
    for (const password of [null, new Uint8Array(0), new Uint8Array(40)]) {
      assert.notEqual(h.connect({ password }).sessionId, 0n);
    }
  });

  test('a client that has seen more than this server is turned away without a word', () => {
    const h = new ReplicaHarness();
    const zxid = h.connect().call(create('/a')).zxid;
    const ahead = h.accept();
    ahead.handshake({ lastZxidSeen: zxid + 1 });
    h.settle();
    assert.deepEqual(ahead.take(), []);
    assert.ok(ahead.wire.closed);
    assert.equal(h.connect({ lastZxidSeen: zxid }).timeoutMs, 30_000);
    assert.equal(h.parts.sessions.size, 2);
  });

  for (const [what, bytes] of [
    ['an empty frame', new Uint8Array(0)],
    ['half a request', new Uint8Array(27)],
    ['a password longer than the frame', new Uint8Array(44).fill(0x7f, 24, 28)],
  ] as const) {
    test(`${what} is turned away without a word`, () => {
      const h = new ReplicaHarness();
      const c = h.accept();
      c.frame(bytes);
      h.settle();
      assert.equal(c.wire.bytes, 0);
      assert.ok(c.wire.closed);
      assert.equal(h.parts.sessions.size, 0);
      c.disconnect();
      assert.ok(c.wire.released);
    });
  }

  test('nothing is said before the session is durable', () => {
    const h = new ReplicaHarness();
    const c = h.accept();
    c.handshake();
    h.background();
    assert.deepEqual(c.take(), []);
    h.durable();
    assert.equal(c.take().length, 1);
    const { body } = readTxn(h.log.txns[0]!.payload);
    assert.deepEqual(body, { type: OpCode.createSession, timeoutMs: 30_000 });
  });
});

describe('reconnect', () => {
  test('with id and password it goes on, with another timeout, and the older connection goes', () => {
    const h = new ReplicaHarness();
    const old = h.connect();
    old.ok(ephemeral('/e'));
    const { sessionId, password } = old;
    const again = h.connect({ sessionId, password, timeoutMs: 5000 });
    assert.deepEqual([again.sessionId, again.timeoutMs], [sessionId, 5000]);
    assert.deepEqual(again.password, password);
    assert.ok(old.wire.closed);
    old.disconnect();
    assert.ok(old.wire.released);
    assert.equal(again.call(exists('/e')).err, 0);
    h.pass(9000);
    h.settle();
    assert.deepEqual(dumpSessions(h.parts), new Map(), 'the newer timeout counts');
    assert.equal(again.wire.closed, true);
  });

  test('a wrong password or id is refused in the form that clients know, and then closed', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    const { sessionId } = c;
    const wrong = c.password.map((byte, i) => (i === 15 ? byte ^ 1 : byte));
    for (const fields of [
      { sessionId, password: wrong },
      { sessionId, password: c.password.slice(0, 15) },
      { sessionId, password: null },
      { sessionId: sessionId + 1n, password: c.password },
    ]) {
      const other = h.accept();
      other.handshake(fields);
      h.settle();
      assert.deepEqual(other.take(), [{ kind: 'connected', response: REFUSAL }]);
      assert.ok(other.wire.closed);
    }
    assert.equal(h.parts.sessions.size, 1, 'the session itself is not harmed');
  });

  test('a new connection reads behind the writes that an older one had in flight', () => {
    const h = new ReplicaHarness();
    const old = h.connect();
    old.send(create('/in-flight'));
    const again = h.accept();
    again.handshake({ sessionId: old.sessionId, password: old.password });
    assert.equal(again.take().length, 1, 'a known session is welcomed at once');
    again.send(exists('/in-flight'));
    assert.deepEqual(again.take(), []);
    h.settle();
    assert.deepEqual(again.transcript(), ['1']);
    assert.deepEqual(old.take(), []);
  });

  test('a session that is closing is gone', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.send(CLOSE);
    const again = h.accept();
    again.handshake({ sessionId: c.sessionId, password: c.password });
    assert.deepEqual(again.take(), [{ kind: 'connected', response: REFUSAL }]);
    h.settle();
    assert.equal(h.parts.sessions.size, 0);
  });
});

describe('disconnect', () => {
  test('at any point with proposals in flight: released exactly once, later', () => {
    for (let durable = 0; durable <= 3; durable++) {
      const h = new ReplicaHarness();
      const c = h.connect();
      const base = h.log.lastZxid;
      c.send(create('/a'), getData('/a'), create('/b'), PING, create('/c'));
      if (durable > 0) h.durable(base + durable);
      c.disconnect();
      assert.equal(c.wire.released, durable === 3);
      h.settle();
      assert.equal(c.wire.released, true);
      assert.deepEqual(
        [...dumpTree(h.parts).keys()].slice(1, 4),
        ['/a', '/b', '/c'],
        'what was proposed is done',
      );
      assert.equal(h.parts.clients.count, 0);
      checkQuiet(h.parts);
    }
  });

  test('during the handshake', () => {
    const h = new ReplicaHarness();
    const c = h.accept();
    c.handshake();
    c.disconnect();
    assert.equal(c.wire.released, false);
    h.settle();
    assert.equal(c.wire.released, true);
    assert.equal(h.parts.sessions.size, 1);
    h.pass(40_000);
    h.settle();
    assert.equal(h.parts.sessions.size, 0);
  });

  test('the session and its ephemerals live on until the timeout', () => {
    const h = new ReplicaHarness();
    const [c, other] = [h.connect({ timeoutMs: 6000 }), h.connect()];
    c.ok(ephemeral('/e'));
    c.disconnect();
    h.pass(5000);
    h.settle();
    assert.equal(other.call(exists('/e', true)).err, 0);
    h.pass(4000);
    h.settle();
    assert.deepEqual(other.transcript(), ['2:/e']);
    checkQuiet(h.parts);
  });

  test('while its close request waits for room in the log', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(ephemeral('/e'));
    h.log.room = 0;
    c.send(CLOSE);
    c.disconnect();
    h.log.room = Number.POSITIVE_INFINITY;
    h.settle();
    assert.equal(h.parts.sessions.size, 0, 'the wish to close is not forgotten');
    assert.ok(!dumpTree(h.parts).has('/e'));
    assert.ok(c.wire.released);
  });
});

describe('expiry', () => {
  test('only silence expires: any request is a sign of life', () => {
    const h = new ReplicaHarness();
    const [lively, silent] = [h.connect({ timeoutMs: 4000 }), h.connect({ timeoutMs: 4000 })];
    silent.ok(ephemeral('/silent'));
    for (let i = 0; i < 5; i++) {
      h.pass(2000);
      lively.call(PING);
    }
    assert.equal(silent.wire.closed, true);
    assert.equal(lively.wire.closed, false);
    assert.ok(!dumpTree(h.parts).has('/silent'));
    assert.equal(h.parts.statistics.expiredSessions, 1);
    checkQuiet(h.parts);
  });

  test('between the proposal and the commit of its end a session is refused new writes', () => {
    const h = new ReplicaHarness();
    const c = h.connect({ timeoutMs: 4000 });
    c.ok(ephemeral('/e'));
    h.pass(7000);
    c.send(create('/late'), exists('/e'));
    h.settle();
    assert.deepEqual(c.transcript(), [], 'it hears nothing any more');
    assert.ok(c.wire.closed);
    assert.deepEqual([...dumpTree(h.parts).keys()].slice(1), [
      '/zookeeper',
      '/zookeeper/config',
      '/zookeeper/quota',
    ]);
  });

  test('after a restart every session has its full timeout again', () => {
    const h = new ReplicaHarness();
    h.connect({ timeoutMs: 6000 });
    h.pass(3000);
    h.turn(() => h.replica.lifecycle.start());
    h.pass(5000);
    assert.equal(h.parts.statistics.expiredSessions, 0);
    h.pass(4000);
    assert.equal(h.parts.statistics.expiredSessions, 1);
  });
});

describe('close', () => {
  test('the transaction lists the ephemerals, those still in flight too, and not those in flight to go', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(ephemeral('/stays'));
    c.ok(ephemeral('/goes'));
    c.send(ephemeral('/new'), remove('/goes'), CLOSE, create('/late'));
    h.settle();
    const closing = h.log.txns
      .map(({ payload }) => readTxn(payload))
      .find((txn) => txn.body.type === OpCode.closeSession);
    assert.ok(closing?.body.type === OpCode.closeSession);
    assert.deepEqual(closing.body.paths?.toSorted(), ['/new', '/stays']);
    assert.deepEqual([...dumpTree(h.parts).keys()].slice(1), [
      '/zookeeper',
      '/zookeeper/config',
      '/zookeeper/quota',
    ]);
    const refused = readTxn(h.log.txns.at(-1)!.payload);
    assert.deepEqual(refused.body, { type: OpCode.error, err: -112 });
    checkQuiet(h.parts);
  });

  test('closeSessionTxnEnabled = false: the transaction lists nothing and does the same', () => {
    const h = new ReplicaHarness({ closeSessionTxnEnabled: false });
    const c = h.connect();
    c.ok(ephemeral('/e'));
    c.call(CLOSE);
    const { body } = readTxn(h.log.txns.at(-1)!.payload);
    assert.deepEqual(body, { type: OpCode.closeSession, paths: null });
    assert.ok(!dumpTree(h.parts).has('/e'));
  });

  test('20,000 ephemerals go in several transactions of bounded size, each seen by watchers', () => {
    const h = new ReplicaHarness();
    const [c, other] = [h.connect(), h.connect()];
    const count = 20_000;
    const name = 'x'.repeat(100);
    for (let i = 0; i < count; i++) c.send(ephemeral(`/${name}${i}`));
    h.settle();
    const before = h.log.txns.length;
    other.ok(getChildren('/', true));
    // Room for one record at a time: the end of the session goes on where it stopped.
    h.log.room = 1;
    c.send(CLOSE);
    for (let i = 0; i < 20; i++) {
      h.log.room = 1;
      h.settle();
    }
    const ends = h.log.txns.slice(before);
    assert.ok(ends.length > 3, `${ends.length} transactions`);
    assert.ok(ends.every(({ payload }) => payload.length < 1024 * 1024));
    assert.equal(readTxn(ends.at(-1)!.payload).body.type, OpCode.closeSession);
    assert.equal(h.parts.tree.nodeCount, 4);
    assert.equal(h.parts.sessions.size, 1);
    assert.ok(c.wire.closed);
    assert.deepEqual(other.transcript(), ['4:/']);
    checkQuiet(h.parts);
  });

  test('an ephemeral that somebody else deleted and made anew is not taken along', () => {
    const h = new ReplicaHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.ok(ephemeral('/e'));
    b.ok(remove('/e'));
    b.ok(ephemeral('/e', 'of b'));
    a.call(CLOSE);
    assert.equal(b.call(getData('/e')).err, 0);
    b.send(remove('/e'));
    b.send(create('/e', 'for ever'));
    b.send(CLOSE);
    h.settle();
    assert.ok(dumpTree(h.parts).has('/e'));
    checkQuiet(h.parts);
  });

  test('session slots and connections are used again without a trace of who had them', () => {
    const h = new ReplicaHarness();
    for (let i = 0; i < 50; i++) {
      const c = h.connect();
      c.ok(ephemeral('/e', `${i}`));
      c.ok(setData('/e', `${i}!`));
      c.call(CLOSE);
      c.disconnect();
      assert.ok(c.wire.released);
    }
    assert.equal(h.parts.sessions.slotEnd, 2, 'the first stands for visitors');
    assert.equal(h.parts.clients.count, 0);
    assert.equal(h.parts.ephemerals.count, 0);
    checkQuiet(h.parts);
  });
});

/**
 * Sessions that are one server's alone (`localSessionsEnabled`): on a learner and on the leader they cost no transaction, write like any
 * other, end without one, and become sessions of all servers when they are to own an ephemeral.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { beginSnapshot } from '../../../src/core/snapshot.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { TxnReader } from '../../../src/wire/txn-records.ts';
import { LearnerHarness } from '../support/learner-harness.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { CLOSE, create, ephemeral, exists, getData, multi, setData } from '../support/requests.ts';

const LOCAL = { localSessionsEnabled: true };
const UPGRADING = { ...LOCAL, localSessionsUpgradingEnabled: true };

/** Servers whose clients have local sessions, and what one has logged. */
const SERVERS = [
  ['a learner', (options: typeof LOCAL) => new LearnerHarness(options)],
  [
    'the leader',
    (options: typeof LOCAL) => {
      const h = new ReplicaHarness({ ...options, serverId: 2 });
      h.incarnations.surroundings.role.join('leader');
      h.turn(() => h.replica.leadership.begin(makeZxid(3, 0), null));
      h.incarnations.surroundings.role.lead(makeZxid(3, 0));
      h.incarnations.surroundings.role.isAlone = true;
      return h;
    },
  ],
] as const;

function logged(h: ReplicaHarness): string[] {
  return h.log.txns.map(({ payload }) => {
    const txn = new TxnReader();
    assert.ok(txn.wrap(payload, new DataView(payload.buffer, payload.byteOffset), 0, payload.length));
    const id = (BigInt(txn.clientIdHigh) << 32n) | BigInt(txn.clientIdLow >>> 0);
    return `${id} ${txn.type === OpCode.error ? `error ${txn.err}` : txn.type}`;
  });
}

for (const [where, make] of SERVERS)
  describe(`local sessions on ${where}`, () => {
    test('begin, read, write and end without a transaction of their own', () => {
      const h = make(LOCAL);
      const c = h.connect();
      assert.equal(c.sessionId >> 56n, 2n);
      assert.deepEqual(logged(h), []);
      assert.equal(h.parts.sessions.localCount, 1);
      c.ok(create('/a', 'x'));
      c.ok(multi(setData('/a', 'y'), create('/b')));
      assert.equal(c.ok(getData('/a')).op, OpCode.getData);
      c.send(create('/c'), exists('/c'), CLOSE);
      h.settle();
      assert.deepEqual(c.transcript(), ['4', '5', '6']);
      assert.ok(c.wire.closed);
      const id = c.sessionId;
      const { create: plain, multi: all } = OpCode;
      assert.deepEqual(logged(h), [`${id} ${plain}`, `${id} ${all}`, `${id} ${plain}`]);
      assert.equal(h.parts.sessions.size, 0);
    });

    test('are no part of a snapshot, and expire here alone', () => {
      const h = make(LOCAL);
      const silent = h.connect({ timeoutMs: 4000 });
      const alive = h.connect({ timeoutMs: 8000 });
      const { sessions } = beginSnapshot(h.parts);
      h.replica.endSnapshot();
      assert.deepEqual([...sessions], [0, 0, 0, 0]);
      h.pass(7000);
      assert.ok(silent.wire.closed && !alive.wire.closed);
      assert.deepEqual(logged(h), []);
      const { sessionId, password } = alive;
      const again = h.connect({ sessionId, password });
      assert.equal(again.sessionId, sessionId);
      assert.ok(alive.wire.closed);
      assert.equal(h.connect({ sessionId: silent.sessionId, password: silent.password }).sessionId, 0n);
    });

    test('an ephemeral is refused in its place, unless the session may become one of all servers', () => {
      const h = make(LOCAL);
      const c = h.connect();
      c.send(create('/a'), ephemeral('/e'), exists('/a'), multi(create('/b'), ephemeral('/e')), exists('/b'));
      h.settle();
      const refused = ErrorCode.ephemeralOnLocalSession;
      assert.deepEqual(c.transcript(), ['1', `2${refused}`, '3', `4${refused}`, `5${ErrorCode.noNode}`]);
      assert.equal(logged(h).length, 1);
    });

    for (const [what, request] of [
      ['create', ephemeral('/e')],
      ['multi', multi(create('/b'), ephemeral('/e'))],
    ] as const)
      test(`${what} of an ephemeral makes it a session of all servers first, in the order of its requests`, () => {
        const h = make(UPGRADING);
        const c = h.connect();
        c.send(create('/a'), request, exists('/e'), ephemeral('/f'));
        h.settle();
        assert.deepEqual(c.transcript(), ['1', '2', '3', '4']);
        const id = c.sessionId;
        const { create: plain, createSession } = OpCode;
        assert.deepEqual(logged(h), [
          `${id} ${plain}`,
          `${id} ${createSession}`,
          `${id} ${request.op}`,
          `${id} ${plain}`,
        ]);
        assert.equal(h.parts.sessions.localCount, 0);
        assert.equal(h.parts.ephemerals.count, 2);
        const { sessions } = beginSnapshot(h.parts);
        h.replica.endSnapshot();
        assert.equal(new DataView(sessions.buffer, sessions.byteOffset).getBigInt64(4), id);
        assert.equal(c.call(CLOSE).err, ErrorCode.ok);
        assert.equal(h.parts.ephemerals.count, 0);
        assert.equal(h.parts.sessions.size, 0);
        assert.equal(logged(h).at(-1), `${id} ${OpCode.closeSession}`);
      });

    test('nothing is made behind the end of one, an upgrade least of all', () => {
      const h = make(UPGRADING);
      const c = h.connect();
      c.send(create('/a'), CLOSE, ephemeral('/e'), exists('/a'));
      h.settle();
      assert.deepEqual(c.transcript(), ['1', '2']);
      assert.ok(c.wire.closed);
      assert.equal(logged(h).length, 1);
      assert.equal(h.parts.sessions.size, 0);
    });

    test('a full log holds the upgrade up, and nothing is lost or done twice', () => {
      const h = make(UPGRADING);
      const c = h.connect();
      h.log.room = 0;
      c.send(ephemeral('/e'), exists('/e'));
      h.turn(() => {});
      h.log.room = Number.POSITIVE_INFINITY;
      h.turn(() => h.replica.onTick());
      h.settle();
      assert.deepEqual(c.transcript(), ['1', '2']);
      assert.deepEqual(logged(h), [
        `${c.sessionId} ${OpCode.createSession}`,
        `${c.sessionId} ${OpCode.create}`,
      ]);
    });
  });

describe('between servers', () => {
  test('the leader hears of a local session by its writes only, and of an upgraded one by its touches', () => {
    const h = new LearnerHarness(UPGRADING);
    const local = h.connect();
    h.pass(1000);
    assert.equal(h.replica.learner.touches()[0]!.length, 0);
    local.ok(create('/a'));
    assert.equal(h.leader.parts.sessions.size, 0);
    local.ok(ephemeral('/e'));
    assert.equal(h.leader.parts.sessions.size, 1);
    assert.notEqual(h.replica.learner.touches()[0]!.length, 0);
  });

  test('an upgrade that the leader takes with it ends the connection; what is committed of it counts', () => {
    for (const isProposed of [false, true]) {
      const h = new LearnerHarness(UPGRADING);
      const c = h.connect();
      c.send(ephemeral('/e'));
      if (isProposed) {
        h.take(1);
        h.deliver();
      }
      h.turn(() => h.replica.learner.endTerm(0));
      assert.ok(c.wire.closed);
      c.disconnect();
      assert.equal(h.parts.sessions.size, isProposed ? 1 : 0);
      if (isProposed) h.turn(() => h.replica.onDecided(h.leader.log.lastZxid));
      assert.equal(h.parts.sessions.localCount, 0);
      assert.equal(h.parts.ephemerals.count, 0);
    }
  });

  test('local sessions outlive the term', () => {
    const h = new LearnerHarness(LOCAL);
    const c = h.connect();
    h.turn(() => h.replica.learner.endTerm(0));
    assert.ok(c.wire.closed);
    c.disconnect();
    h.replica.learner.beginTerm(0);
    const { sessionId, password } = c;
    assert.equal(h.connect({ sessionId, password }).sessionId, sessionId);
  });
});

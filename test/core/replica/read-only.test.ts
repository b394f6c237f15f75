/** What a server that has found no leader for long gives to clients: reads, in sessions of its own, to those that have asked for it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beginSnapshot } from '../../../src/core/snapshot.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { Request } from '../../../src/wire/request-values.ts';
import { LearnerHarness } from '../support/learner-harness.ts';
import { CLOSE, create, exists, getData, multi, PING, remove, setData } from '../support/requests.ts';

const SYNC = { op: OpCode.sync, path: '/' } as const;
const READ_ONLY = { readOnly: true } as const;

/** A learner with a znode and a session of the ensemble, whose leader is gone. */
function withoutLeader() {
  const h = new LearnerHarness();
  const known = h.connect();
  known.ok(create('/kept'));
  h.turn(() => h.replica.learner.endTerm(0));
  known.disconnect();
  const { role } = h.incarnations.surroundings;
  role.isInStep = false;
  role.leader = null;
  role.isReadOnly = true;
  return { h, known, role };
}

describe('a read-only server', () => {
  test('reads are answered, writes and syncs are refused, in their order; nothing is forwarded or logged', () => {
    const { h } = withoutLeader();
    const logged = h.log.lastZxid;
    const c = h.connect(READ_ONLY);
    const requests: Request[] = [
      getData('/kept'),
      create('/new'),
      exists('/new'),
      setData('/kept', 'x'),
      SYNC,
      PING,
      remove('/kept'),
      multi(create('/new')),
      getData('/kept'),
    ];
    c.send(...requests);
    h.settle();
    const { ok, notReadOnly, noNode } = ErrorCode;
    assert.deepEqual(
      c.replies().map(({ err }) => err),
      [ok, notReadOnly, noNode, notReadOnly, notReadOnly, ok, notReadOnly, notReadOnly, ok],
    );
    assert.equal(h.log.lastZxid, logged);
    assert.deepEqual(h.asked, []);
  });

  test('the answer to a handshake says so; who has not asked for it is turned away without a word', () => {
    const { h } = withoutLeader();
    for (const readOnly of [false, null]) {
      const refused = h.accept();
      refused.handshake({ readOnly });
      h.settle();
      assert.deepEqual(refused.take(), []);
      assert.ok(refused.wire.closed);
    }
    const c = h.accept();
    c.handshake(READ_ONLY);
    h.settle();
    const [message] = c.take();
    assert.ok(message?.kind === 'connected' && message.response.readOnly === true);
  });

  test('a slow reader gets its refusals in their place', () => {
    const { h } = withoutLeader();
    const c = h.connect(READ_ONLY);
    c.wire.room = 0;
    c.send(getData('/kept'), create('/new'), SYNC, CLOSE);
    h.settle();
    assert.deepEqual(c.take(), []);
    c.drained();
    h.settle();
    assert.deepEqual(c.transcript(), ['1', '2-119', '3-119', '4']);
    assert.ok(c.wire.closed);
    assert.equal(h.parts.sessions.localCount, 0);
  });

  test('its sessions are no part of the state, and nobody else hears of them', () => {
    const { h, known } = withoutLeader();
    h.pass(1000);
    h.replica.learner.touches();
    assert.notEqual(h.connect(READ_ONLY).sessionId, 0n);
    const { sessions } = beginSnapshot(h.parts);
    h.replica.endSnapshot();
    const view = new DataView(sessions.buffer, sessions.byteOffset, sessions.byteLength);
    assert.deepEqual([view.getInt32(0), view.getBigInt64(4)], [1, known.sessionId]);
    assert.equal(h.replica.learner.touches()[0]!.length, 0);
  });

  test('a session goes on at a new connection, and ends when it is asked to or silent for too long', () => {
    const { h } = withoutLeader();
    const c = h.connect({ ...READ_ONLY, timeoutMs: 4000 });
    const { sessionId, password } = c;
    const again = h.connect({ ...READ_ONLY, sessionId, password, timeoutMs: 6000 });
    assert.ok(c.wire.closed);
    assert.deepEqual([again.sessionId, again.timeoutMs], [sessionId, 6000]);
    const wrong = h.connect({ ...READ_ONLY, sessionId, password: new Uint8Array(16) });
    assert.equal(wrong.sessionId, 0n);
    const last = h.connect({ ...READ_ONLY, sessionId, password, timeoutMs: 4000 });
    h.pass(3000);
    assert.equal(last.ok(getData('/kept')).op, OpCode.getData);
    h.pass(3000);
    assert.ok(!last.wire.closed, 'it has been heard of');
    h.pass(4000);
    assert.ok(last.wire.closed);
    assert.equal(h.reports.lines.length, 1);
    assert.equal(h.connect({ ...READ_ONLY, sessionId, password }).sessionId, 0n, 'it has expired');
    const closing = h.connect(READ_ONLY);
    assert.equal(closing.call(CLOSE).err, ErrorCode.ok);
    assert.ok(closing.wire.closed);
    assert.equal(h.parts.sessions.localCount, 0);
  });

  test('a session that others know, or may know, is told nothing: it may live', () => {
    const { h, known } = withoutLeader();
    const { sessionId, password } = known;
    const c = h.accept();
    c.handshake({ ...READ_ONLY, sessionId, password });
    h.settle();
    assert.deepEqual(c.take(), []);
    assert.ok(c.wire.closed);
    const elsewhere = new LearnerHarness({}, { serverId: 3 }).leader.connect();
    const other = h.accept();
    other.handshake({ ...READ_ONLY, sessionId: elsewhere.sessionId, password: elsewhere.password });
    h.settle();
    assert.deepEqual(other.take(), []);
    assert.ok(other.wire.closed);
  });

  test('when it is over its sessions are, and the ensemble is what it was', () => {
    const { h, known, role } = withoutLeader();
    const c = h.connect(READ_ONLY);
    role.isReadOnly = false;
    h.turn(() => h.parts.locals.endAll());
    assert.ok(c.wire.closed);
    c.disconnect();
    assert.equal(h.parts.sessions.localCount, 0);
    role.isInStep = true;
    role.leader = h;
    h.replica.learner.beginTerm(0);
    const { sessionId, password } = known;
    const back = h.connect({ sessionId, password });
    assert.equal(back.sessionId, sessionId);
    assert.equal(back.call(create('/new')).err, ErrorCode.ok);
    const gone = h.connect({ sessionId: c.sessionId, password: c.password });
    assert.equal(gone.sessionId, 0n);
  });
});

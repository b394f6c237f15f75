/**
 * Clients of a learner: what they are told is what they would be told by the leader, in their order, whatever comes when. The
 * harness itself fails on a reply out of order.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { highOf, joinHalves, lowOf } from '../../../src/base/int64.ts';
import { writeSessionPassword } from '../../../src/core/session/session-password.ts';
import { PASSWORD_BYTES } from '../../../src/wire/connect.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { TOUCH_BYTES } from '../../../src/wire/quorum/payloads.ts';
import { beginSubTxn, endSubTxn, writeErrorTxn, writeMultiTxn } from '../../../src/wire/txn-writers.ts';
import { LearnerHarness } from '../support/learner-harness.ts';
import {
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

const SMALL_STORE_BYTES = 256 * 1024 * 1024;
const SYNC = { op: OpCode.sync, path: '/' } as const;

function passwordOf(sessionId: bigint): Uint8Array {
  const password = new Uint8Array(PASSWORD_BYTES);
  writeSessionPassword(highOf(sessionId), lowOf(sessionId), password, 0);
  return password;
}

/** Of the sessions that the leader is told of in this moment: id and timeout. */
function touched(h: LearnerHarness): [bigint, number][] {
  const told: [bigint, number][] = [];
  h.turn(() => {
    for (const list of h.replica.learner.touches()) {
      const view = new DataView(list.buffer);
      for (let at = 0; at < list.length; at += TOUCH_BYTES)
        told.push([view.getBigInt64(at), view.getInt32(at + 8)]);
    }
  });
  return told;
}

function create2(path: string) {
  return { ...create(path), op: OpCode.create2 } as const;
}

describe('requests of a learner’s clients', () => {
  test('reads are answered here, behind the own writes before them and behind nobody else’s', () => {
    const h = new LearnerHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.send(create('/a', 'of a'), getData('/a'), PING);
    b.send(exists('/a'), getChildren('/'));
    assert.deepEqual(
      b.replies().map(({ err }) => err),
      [ErrorCode.noNode, 0],
    );
    assert.deepEqual(a.take(), []);
    h.take();
    h.deliver();
    assert.deepEqual(a.take(), [], 'proposed is not decided');
    h.decide();
    h.deliver();
    const [created, read, ping] = a.replies();
    assert.deepEqual([created?.xid, read?.xid, ping?.xid], [1, 2, -2]);
    assert.deepEqual(read?.response?.op === OpCode.getData && read.response.data, text('of a'));
  });

  test('they go with session, cxid and everything that the connection has proved to be', () => {
    const h = new LearnerHarness();
    const c = h.connect();
    c.send(auth('digest', 'alice:secret'), create('/a'));
    const { high, low, cxid, op, ids } = h.asked[0]!;
    assert.deepEqual([joinHalves(high, low), cxid, op], [c.sessionId, 2, OpCode.create]);
    assert.deepEqual(ids, ['ip:127.0.0.1', 'digest:alice:aYXlLOpEooaV1cRAvUL1fp9Qt7E=']);
    assert.equal((c.sessionId >> 56n) & 0xffn, 2n, 'the upper byte is this server’s');
  });

  test('whatever the leader finds wrong is told with its code, a failed multi with one for each operation', () => {
    const h = new LearnerHarness();
    const c = h.connect();
    c.ok(create('/n'));
    assert.equal(c.call(create('/n')).err, ErrorCode.nodeExists);
    assert.equal(c.call(remove('/n', 7)).err, ErrorCode.badVersion);
    assert.equal(c.call({ op: OpCode.deleteContainer, path: '/n' }).err, ErrorCode.badArguments);
    assert.equal(c.call(exists('/n')).err, 0);
    const { response } = c.call(multi(create('/x'), create('/n'), create('/y')));
    assert.deepEqual(response?.op === OpCode.multi && response.results.map((r) => 'err' in r && r.err), [
      0,
      ErrorCode.nodeExists,
      ErrorCode.runtimeInconsistency,
    ]);
  });

  test('create2 in a multi is answered with a Stat although the leader logs it as create', () => {
    const h = new LearnerHarness();
    const c = h.connect();
    const { results } = c.ok(multi(create('/x'), create2('/y'), create('/z'), create2('/z/a')));
    assert.deepEqual(
      results.map(({ op }) => op),
      [OpCode.create, OpCode.create2, OpCode.create, OpCode.create2],
    );
  });

  test('a sync goes at once, and is answered in its place behind what it was sent behind', () => {
    const h = new LearnerHarness();
    const [a, far] = [h.connect(), h.leader.connect()];
    far.ok(create('/n', '0'));
    a.send(getData('/n'));
    assert.equal(a.replies()[0]?.err, ErrorCode.noNode, 'not delivered yet');
    a.send(SYNC, getData('/n'), create('/m'), SYNC, PING);
    assert.equal(h.asked.filter(({ op }) => op === OpCode.sync).length, 2);
    assert.deepEqual(a.take(), []);
    h.take(1);
    h.deliver();
    const [sync, read] = a.replies();
    assert.deepEqual([sync?.op, sync?.err, read?.err], [OpCode.sync, 0, 0]);
    h.take();
    h.deliver();
    assert.deepEqual(a.take(), [], 'the second waits for the write before it');
    h.decide();
    h.deliver();
    assert.deepEqual(
      a.replies().map(({ op }) => op),
      [OpCode.create, OpCode.sync, OpCode.ping],
    );
  });

  test('a leader that commits a later write before it answers a sync changes nothing for the client', () => {
    const h = new LearnerHarness();
    const c = h.connect();
    c.send(SYNC, create('/a'), SYNC);
    h.take();
    h.decide();
    const syncs = h.said.filter(({ kind }) => kind === 'sync');
    h.said.splice(0, Number.POSITIVE_INFINITY, ...h.said.filter(({ kind }) => kind !== 'sync'), ...syncs);
    h.deliver(2);
    assert.deepEqual(
      c.replies().map(({ op }) => op),
      [OpCode.sync, OpCode.create],
    );
    h.settle();
    assert.deepEqual(
      c.replies().map(({ op }) => op),
      [OpCode.sync],
    );
  });

  test('a sync is answered when everything decided before it can be seen, and not earlier', () => {
    const h = new LearnerHarness();
    const [c, far] = [h.connect(), h.leader.connect()];
    far.ok(create('/n'));
    c.send(SYNC, exists('/n'));
    h.take();
    h.sinks[0]!.congested = true;
    h.deliver();
    assert.deepEqual(
      h.said.map(({ kind }) => kind),
      ['sync'],
    );
    h.sinks[0]!.congested = false;
    assert.equal(h.background(), false);
    h.deliver();
    assert.deepEqual(
      c.replies().map(({ err }) => err),
      [0, 0],
    );
  });

  test('what another server has written with the same numbers is not taken for its own', () => {
    const h = new LearnerHarness();
    const [a, far] = [h.connect(), h.leader.connect()];
    far.send(create('/far-1'), create('/far-2'));
    a.send(create('/a-1'), create('/a-2'));
    h.settle();
    assert.deepEqual(
      a.replies().map(({ response }) => response?.op === OpCode.create && response.path),
      ['/a-1', '/a-2'],
    );
  });

  test('too many of them wait in their connections, and none is lost', () => {
    const h = new LearnerHarness();
    const c = h.connect();
    c.ok(create('/n'));
    const big = new Uint8Array(900_000);
    for (let n = 0; n < 40; n++) c.send(setData('/n', big));
    assert.ok(h.asked.length < 40, 'the bound on bytes');
    assert.equal(c.call(getData('/n')).err, 0);
    assert.equal(c.unanswered, 0);
    assert.equal(h.parts.forwarder.count, 0);
  });
});

test('a leader may have more in flight than this server would allow itself', () => {
  const h = new LearnerHarness({ storeBytesMax: SMALL_STORE_BYTES }, {});
  const far = h.leader.connect();
  const data = new Uint8Array(900_000);
  for (let n = 0; n < 60; n++) far.send(create(`/n-${n}`, data));
  h.decide(h.leader.log.txns[0]!.zxid);
  h.deliver();
  assert.equal(h.said.length, 0);
  assert.ok(h.parts.proposals.isFull);
  h.settle();
  assert.equal(h.parts.tree.nodeCount, h.leader.parts.tree.nodeCount);
});

test('a write that does not fit into the tree here has happened elsewhere: its connection ends without a word', () => {
  for (const request of [setData('/n', 'x'), multi(setData('/n', 'x'))]) {
    const h = new LearnerHarness();
    const [c, far] = [h.connect(), h.leader.connect()];
    far.ok(create('/n'));
    h.decide();
    for (const said of h.said) {
      if (said.kind !== 'proposal') continue;
      // What the leader calls /n is /m here.
      const at = Buffer.from(said.payload).indexOf('/n');
      if (at >= 0) said.payload[at + 1] = 'm'.charCodeAt(0);
    }
    h.deliver();
    c.send(request);
    h.settle();
    assert.deepEqual(c.take(), []);
    assert.equal(c.wire.closed, true);
    assert.ok(h.parts.statistics.foreignDigestMismatches > 0);
  }
});

describe('sessions of a learner’s clients', () => {
  test('they begin when their transaction is committed, and end as the leader says', () => {
    const h = new LearnerHarness();
    const c = h.accept();
    c.handshake({ timeoutMs: 5000 });
    assert.deepEqual(c.take(), []);
    assert.deepEqual(h.asked[0]?.ids, null);
    h.settle();
    c.takeSession();
    assert.equal(c.timeoutMs, 5000);
    c.ok(ephemeral('/e'));
    assert.equal(h.replica.isExpiryDue, false);
    const { sessions, proposer } = h.leader.parts;
    const slot = sessions.find(highOf(c.sessionId), lowOf(c.sessionId));
    h.leader.turn(() => proposer.proposeCloseSession(slot, null, 0));
    // The client’s own request to end it comes too late, and makes a transaction all the same.
    c.send(CLOSE);
    h.settle();
    assert.equal(c.wire.closed, true);
    assert.equal(h.parts.sessions.size, 0);
    assert.equal(h.parts.ephemerals.count, 0);
    checkQuiet(h.parts);
  });

  test('the end that the leader makes of a session is not taken for a write that a client has numbered 0', () => {
    const h = new LearnerHarness();
    const c = h.connect();
    c['nextXid'] = 0;
    c.send(create('/a'));
    const { sessions, proposer } = h.leader.parts;
    const slot = sessions.find(highOf(c.sessionId), lowOf(c.sessionId));
    h.leader.turn(() => proposer.proposeCloseSession(slot, null, 0));
    h.settle();
    assert.deepEqual(c.take(), []);
    assert.equal(c.wire.closed, true);
    assert.equal(h.parts.forwarder.count, 0);
  });

  test('a reconnect asks the leader; a wrong password does not come so far', () => {
    const h = new LearnerHarness();
    const c = h.connect();
    const { sessionId, password } = c;
    const wrong = h.accept();
    wrong.handshake({ sessionId, password: new Uint8Array(16) });
    assert.equal(h.revalidations.length, 0);
    assert.equal(wrong.wire.closed, true);
    const next = h.accept();
    next.handshake({ sessionId, password, timeoutMs: 8000 });
    assert.equal(c.wire.closed, true, 'the older connection goes first, as in Apache');
    next.send(PING);
    assert.deepEqual(next.take(), []);
    h.settle();
    next.takeSession();
    assert.deepEqual([next.sessionId, next.timeoutMs], [sessionId, 8000]);
    const gone = h.accept();
    gone.handshake({ sessionId: 0x0123456789n, password: passwordOf(0x0123456789n) });
    h.settle();
    const [refused] = gone.take();
    assert.equal(refused?.kind === 'connected' && refused.response.timeoutMs, 0);
  });

  test('a session of another server comes here when this server has heard of it', () => {
    const h = new LearnerHarness();
    const far = h.leader.connect();
    const { sessionId, password } = far;
    const here = h.accept();
    here.handshake({ sessionId, password });
    h.settle();
    here.takeSession();
    assert.equal(here.sessionId, sessionId);
  });

  test('who is served elsewhere by now is hung up on, without a reply', () => {
    for (const isMulti of [false, true]) {
      const h = new LearnerHarness();
      const c = h.connect();
      c.send(isMulti ? multi(create('/a')) : create('/a'));
      const { high, low } = h.asked.shift()!;
      const { sessions, writer } = h.leader.parts;
      h.leader.turn(() => {
        const { replica } = h.leader;
        const zxid = replica.progress.nextZxid();
        const slot = sessions.find(high, low);
        const at = writer.claim(64);
        const body = writer.header(at, slot, 1, zxid, isMulti ? OpCode.multi : OpCode.error);
        const { view } = writer.log;
        if (isMulti) {
          const record = beginSubTxn(view, writeMultiTxn(view, body, 1), OpCode.error);
          const end = endSubTxn(view, record, writeErrorTxn(view, record, ErrorCode.sessionMoved));
          writer.log.commit(zxid, end - at);
        } else {
          writer.log.commit(zxid, writeErrorTxn(view, body, ErrorCode.sessionMoved) - at);
        }
        writer.push(zxid, OpCode.error, null, 1, ErrorCode.sessionMoved);
      });
      h.settle();
      assert.deepEqual(c.take(), []);
      assert.equal(c.wire.closed, true);
    }
  });

  test('the leader is told who was heard of since it asked last', () => {
    const h = new LearnerHarness();
    const [a, b] = [h.connect({ timeoutMs: 6000 }), h.connect({ timeoutMs: 7000 })];
    h.nowMs += 100;
    h.turn(() => h.replica.learner.touches());
    h.nowMs += 100;
    assert.deepEqual(touched(h), []);
    a.send(PING);
    h.nowMs += 100;
    assert.deepEqual(touched(h), [[a.sessionId, 6000]]);
    b.send(getData('/'));
    b.disconnect();
    assert.deepEqual(touched(h), [[b.sessionId, 7000]]);
  });

  test('with the leader every connection goes, and nothing is answered that may not have happened', () => {
    const h = new LearnerHarness();
    const c = h.connect();
    const waiting = h.accept();
    waiting.handshake({ sessionId: c.sessionId + 1n, password: passwordOf(c.sessionId + 1n) });
    c.send(create('/lost'), SYNC, create('/staged'));
    h.take(1);
    h.deliver();
    c.send(create('/unsent'));
    h.turn(() => {
      h.replica.learner.endTerm(0);
      // What is logged is what this server knows, whoever will decide about it.
      h.replica.onDecided(h.log.lastZxid);
    });
    assert.deepEqual([c.take(), waiting.take()], [[], []]);
    assert.deepEqual([c.wire.closed, waiting.wire.closed], [true, true]);
    for (const connection of [c, waiting]) {
      connection.disconnect();
      assert.equal(connection.wire.released, true);
    }
    assert.equal(h.parts.forwarder.count, 0);
    // In the next term another connection waits for nothing of this one.
    const next = h.accept();
    next.handshake({ sessionId: c.sessionId, password: c.password });
    h.asked.length = 0;
    h.answerRevalidations();
    h.deliver();
    next.takeSession();
    next.send(exists('/lost'));
    assert.equal(next.replies()[0]?.err, 0);
  });
});

/**
 * A leader's side of forwarding: each request of a learner becomes exactly one transaction with its session and cxid, in the order of
 * that learner, whatever room there is; what may not be is a transaction too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { TakenRequest } from '../../../src/core/leading/forwarded-requests.ts';
import type { ReplicaOptions } from '../../../src/core/replica-parts.ts';
import { writeSessionPassword } from '../../../src/core/session/session-password.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { JuteWriter } from '../../../src/wire/jute-writer.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { writeRequestHead } from '../../../src/wire/quorum/payloads.ts';
import { PACKET_BYTES_MIN, QuorumPacket, writePacketHead } from '../../../src/wire/quorum/quorum-packet.ts';
import { type Request, writeRequest } from '../../../src/wire/request-values.ts';
import { TxnReader } from '../../../src/wire/txn-records.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { create, ephemeral, exists, multi, setData } from '../support/requests.ts';

const A = 1;
const B = 2;
const NO_BODY = new Uint8Array(0);

function bodyOf(request: Request): Uint8Array {
  const writer = new JuteWriter();
  writeRequest(writer, request);
  return writer.toBytes();
}

/** A REQUEST packet; `ids` of scheme ip. */
function packet(
  low: number,
  cxid: number,
  op: number,
  body: Uint8Array,
  ids: readonly string[],
): QuorumPacket {
  const writer = new JuteWriter();
  writer.writeInt(ids.length);
  for (const id of ids) {
    writer.writeString('ip');
    writer.writeString(id);
  }
  const auth = writer.toBytes();
  const bytes = new Uint8Array(PACKET_BYTES_MIN - 4 + 16 + body.length + auth.length);
  const view = new DataView(bytes.buffer);
  const head = writePacketHead(view, 0, PacketType.request, -1, 16 + body.length);
  const at = writeRequestHead(view, head, 1, low, cxid, op);
  bytes.set(body, at);
  bytes.set(auth, at + body.length);
  const result = new QuorumPacket();
  result.wrap(bytes, view, 0, bytes.length);
  return result;
}

/** A leader whose learners are A and B, and sessions 1 and 2 at them. */
function leader(options: Partial<ReplicaOptions> = {}) {
  const h = new ReplicaHarness(options);
  const { leadership } = h.replica;
  h.turn(() => leadership.begin(makeZxid(3, 0), null));
  const send = (
    link: number,
    low: number,
    cxid: number,
    op: number,
    body: Uint8Array = NO_BODY,
    ids: string[] = [],
  ) =>
    h.turn(() =>
      assert.equal(leadership.requests.take(link, packet(low, cxid, op, body, ids)), TakenRequest.ok),
    );
  const forward = (link: number, low: number, cxid: number, request: Request, ids: string[] = []): void =>
    send(link, low, cxid, request.op, bodyOf(request), ids);
  const begin = (link: number, low: number): void =>
    send(link, low, 0, OpCode.createSession, Uint8Array.of(0, 0, 0x75, 0x30));
  begin(A, 1);
  begin(B, 2);
  h.settle();
  h.log.txns.length = 0;
  return { h, leadership, send, forward, begin };
}

/** What has been proposed: session, cxid, type, and the error of one that failed. */
function proposed(h: ReplicaHarness): string[] {
  return h.log.txns.map(({ payload }) => {
    const txn = new TxnReader();
    assert.ok(txn.wrap(payload, new DataView(payload.buffer, payload.byteOffset), 0, payload.length));
    const what = txn.type === OpCode.error ? `error ${txn.err}` : `${txn.type}`;
    return `${txn.clientIdLow} #${txn.cxid} ${what}`;
  });
}

test('each becomes one transaction of its session and cxid, those that fail too', () => {
  const { h, forward, send } = leader();
  forward(A, 1, 7, create('/a', 'x'));
  forward(A, 1, 8, create('/a', 'x'));
  forward(B, 2, 9, ephemeral('/e'));
  send(A, 1, 10, OpCode.create, Uint8Array.of(1, 2));
  send(A, 1, 11, 9999);
  send(A, 5, 12, OpCode.setData);
  send(B, 2, 13, OpCode.createSession, Uint8Array.of(1));
  assert.deepEqual(proposed(h), [
    `1 #7 ${OpCode.create}`,
    `1 #8 error ${ErrorCode.nodeExists}`,
    `2 #9 ${OpCode.create}`,
    `1 #10 error ${ErrorCode.marshallingError}`,
    `1 #11 error ${ErrorCode.badArguments}`,
    `5 #12 error ${ErrorCode.sessionExpired}`,
    `2 #13 error ${ErrorCode.marshallingError}`,
  ]);
  h.settle();
  assert.equal(h.parts.ephemerals.count, 1);
});

test('it is checked with the ids that came with it, which may change from one to the next', () => {
  const { h, forward } = leader();
  forward(A, 1, 1, { ...create('/closed'), acl: [{ perms: 31, scheme: 'ip', id: '10.0.0.7' }] } as Request);
  forward(A, 1, 2, create('/closed/a'), ['10.0.0.8']);
  forward(A, 1, 3, create('/closed/a'), ['10.0.0.8', '10.0.0.7']);
  forward(A, 1, 4, create('/closed/b'), []);
  assert.deepEqual(proposed(h).slice(1), [
    `1 #2 error ${ErrorCode.noAuth}`,
    `1 #3 ${OpCode.create}`,
    `1 #4 error ${ErrorCode.noAuth}`,
  ]);
});

test('a session that has moved is its new server’s: what the old one sends late fails', () => {
  const { h, leadership, forward } = leader();
  forward(A, 1, 1, create('/a'));
  h.turn(() => assert.ok(leadership.sessions.revalidate(B, 1, 1, 30_000)));
  forward(A, 1, 2, create('/late'));
  forward(B, 1, 3, create('/b'));
  assert.deepEqual(proposed(h).slice(1), [`1 #2 error ${ErrorCode.sessionMoved}`, `1 #3 ${OpCode.create}`]);
  assert.equal(leadership.sessions.revalidate(B, 1, 99, 30_000), false);
});

test('a session is closed once; whoever asks again is told, and what it owned goes', () => {
  const { h, forward, send } = leader();
  forward(A, 1, 1, ephemeral('/e'));
  send(A, 1, 2, OpCode.closeSession);
  send(A, 1, 3, OpCode.closeSession);
  forward(A, 1, 4, create('/after'));
  send(A, 77, 5, OpCode.closeSession);
  assert.deepEqual(proposed(h).slice(1), [
    `1 #2 ${OpCode.closeSession}`,
    `1 #3 error ${ErrorCode.sessionExpired}`,
    `1 #4 error ${ErrorCode.sessionExpired}`,
    `77 #5 error ${ErrorCode.sessionExpired}`,
  ]);
  h.settle();
  assert.equal(h.connect().call(exists('/e')).err, ErrorCode.noNode);
});

test('sessions that are a learner’s alone write where that is configured, but own nothing; this server’s own have ended', () => {
  for (const localSessionsEnabled of [false, true]) {
    const { h, forward, send, leadership } = leader({ localSessionsEnabled });
    forward(A, 50, 1, create('/a'));
    forward(B, 51, 1, multi(setData('/a', 'x'), create('/b')));
    forward(A, 50, 2, ephemeral('/e'));
    forward(A, 50, 3, multi(create('/c'), ephemeral('/e')));
    send(A, 50, 4, OpCode.closeSession);
    const expired = `error ${ErrorCode.sessionExpired}`;
    const { create: plain, multi: all } = OpCode;
    assert.deepEqual(
      proposed(h),
      localSessionsEnabled
        ? [`50 #1 ${plain}`, `51 #1 ${all}`, `50 #2 ${expired}`, `50 #3 ${all}`, `50 #4 ${expired}`]
        : [
            `50 #1 ${expired}`,
            `51 #1 ${expired}`,
            `50 #2 ${expired}`,
            `50 #3 ${expired}`,
            `50 #4 ${expired}`,
          ],
    );
    h.settle();
    assert.equal(h.parts.ephemerals.count, 0);
    assert.equal(h.connect().call(exists('/c')).err, ErrorCode.noNode);
    assert.equal(leadership.sessions.revalidate(A, 1, 50, 30_000), false);
  }
  const { h, forward } = leader({ localSessionsEnabled: true, serverId: 0 });
  forward(A, 50, 1, create('/a'));
  assert.deepEqual(proposed(h), [`50 #1 error ${ErrorCode.sessionExpired}`]);
});

test('what comes late of a session that has ended, by way of the server that it has left, is of nobody', () => {
  const { h, leadership, forward, send } = leader({ localSessionsEnabled: true });
  h.turn(() => assert.ok(leadership.sessions.revalidate(B, 1, 1, 30_000)));
  send(B, 1, 1, OpCode.closeSession);
  h.settle();
  forward(A, 1, 2, create('/late'));
  assert.equal(proposed(h).at(-1), `1 #2 error ${ErrorCode.sessionExpired}`);
});

test('one such session does not take the place of another whose long multi is being staged', () => {
  const { h, leadership, forward } = leader({ localSessionsEnabled: true });
  const many = Array.from({ length: 2000 }, (_, n) => create(`/n${n}`));
  forward(A, 50, 1, multi(...many));
  forward(B, 51, 1, create('/b'));
  assert.deepEqual(proposed(h), []);
  while (h.background());
  h.settle();
  h.turn(() => leadership.requests.retry());
  assert.deepEqual(proposed(h), [`50 #1 ${OpCode.multi}`, `51 #1 ${OpCode.create}`]);
});

test('a local session of the leader is nobody else’s', () => {
  const { h, leadership, forward } = leader({ localSessionsEnabled: true });
  const c = h.connect();
  const high = Number(c.sessionId >> 32n);
  const low = Number(BigInt.asIntN(32, c.sessionId));
  assert.equal(leadership.sessions.revalidate(A, high, low, 30_000), false);
  assert.ok(!c.wire.closed);
  forward(A, 1, 1, create('/a'));
  h.settle();
  assert.equal(c.call(exists('/a')).err, ErrorCode.ok);
});

test('without room they wait in the order of each learner, a sync among them; a learner that goes is forgotten', () => {
  const { h, leadership, forward, send } = leader();
  const synced: string[] = [];
  leadership.requests.onSync = (link) => synced.push(`${link} behind ${h.log.txns.length}`);
  h.log.room = 0;
  for (let cxid = 1; cxid <= 3; cxid++) forward(A, 1, cxid, setData('/', `${cxid}`));
  send(A, 1, 4, OpCode.sync);
  forward(A, 1, 5, setData('/', 'x'));
  forward(B, 2, 1, setData('/', 'x'));
  const C = 3;
  send(C, 2, 99, OpCode.setData);
  leadership.requests.forget(C);
  assert.deepEqual(proposed(h), []);
  assert.deepEqual(synced, []);
  h.log.room = Number.POSITIVE_INFINITY;
  h.turn(() => leadership.requests.retry());
  const all = proposed(h);
  const ofA = all.filter((txn) => txn.startsWith('1 '));
  assert.deepEqual(
    ofA,
    [1, 2, 3, 5].map((cxid) => `1 #${cxid} ${OpCode.setData}`),
  );
  assert.equal(all.length, 5);
  assert.match(synced[0]!, /^1 behind [34]$/);
});

test('touches keep a session alive, of a learner as of a client; without them it expires', () => {
  const { h, leadership } = leader();
  const touch = new Uint8Array(12);
  const view = new DataView(touch.buffer);
  view.setInt32(0, 1);
  view.setInt32(4, 1);
  view.setInt32(8, 30_000);
  for (let n = 0; n < 6; n++) {
    h.pass(10_000);
    h.turn(() => leadership.sessions.touch(view, 0, 12));
    h.settle();
  }
  assert.ok(h.parts.sessions.find(1, 1) >= 0, 'heard of');
  assert.ok(h.parts.sessions.find(1, 2) < 0, 'silent');
});

test('when it leads no more, what waits is forgotten and what had begun goes on', () => {
  const { h, leadership, forward, begin } = leader();
  forward(A, 1, 1, create('/a'));
  h.log.room = 0;
  begin(A, 8);
  forward(A, 1, 2, create('/b'));
  h.log.room = Number.POSITIVE_INFINITY;
  h.turn(() => leadership.end());
  h.turn(() => leadership.requests.retry());
  assert.deepEqual(proposed(h), [`1 #1 ${OpCode.create}`]);
  assert.ok(h.parts.sessions.find(1, 8) < 0, 'never proposed, never been');
  assert.equal(h.replica.progress.proposed, makeZxid(3, 3));
});

test('a session that comes to its leader reads behind what another server has sent for it before', () => {
  const { h, forward } = leader();
  const { role } = h.incarnations.surroundings;
  role.join('leader');
  role.lead(makeZxid(3, 0));
  forward(A, 1, 1, create('/a'));
  const password = new Uint8Array(16);
  writeSessionPassword(1, 1, password, 0);
  const moved = h.accept();
  moved.handshake({ sessionId: (1n << 32n) | 1n, password });
  moved.takeSession();
  moved.send(exists('/a'));
  assert.equal(moved.unanswered, 1);
  h.durable();
  assert.deepEqual(moved.take(), [], 'not before that is committed');
  h.turn(() => h.replica.onDecided(h.log.lastZxid));
  assert.deepEqual(
    moved.replies().map(({ err }) => err),
    [ErrorCode.ok],
  );
});

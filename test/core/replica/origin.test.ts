/**
 * Writes that another server forwards: checked and owned by the session and the ids that came with them, answered by
 * nobody here, and no reason to wait for any connection of this server.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ForwardedWrite } from '../../../src/core/client/write-request.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { JuteWriter } from '../../../src/wire/jute-writer.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { type Request, writeRequest } from '../../../src/wire/request-values.ts';
import { TxnReader } from '../../../src/wire/txn-records.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import { create, ephemeral, exists, getData, multi, remove, setData } from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

/** What a peer link will do: a request as it came in a REQUEST packet. */
function forward(
  h: ReplicaHarness,
  from: Connection,
  cxid: number,
  request: Request,
  ids: readonly string[],
) {
  const writer = new JuteWriter();
  writer.writeInt(cxid);
  writer.writeInt(request.op);
  writeRequest(writer, request);
  const bytes = writer.toBytes();
  const write = new ForwardedWrite();
  write.moveTo(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length, h.nowMs);
  const session = h.parts.clients.get(from.conn)!.session;
  write.origin = { session, authIds: ids.map((id) => ({ scheme: 'ip', id })) };
  h.turn(() => assert.ok(h.parts.proposer.propose(write)));
}

function lastTxn(h: ReplicaHarness): TxnReader {
  const { payload } = h.log.txns.at(-1)!;
  const txn = new TxnReader();
  assert.ok(txn.wrap(payload, new DataView(payload.buffer), 0, payload.length));
  return txn;
}

test('the transaction carries the session and the cxid it came with, and nobody here is answered', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  forward(h, c, 77, create('/n', 'x'), []);
  const txn = lastTxn(h);
  assert.equal(txn.cxid, 77);
  assert.equal((BigInt(txn.clientIdHigh) << 32n) | BigInt(txn.clientIdLow >>> 0), c.sessionId);
  h.settle();
  assert.deepEqual(c.take(), []);
  assert.equal(c.call(exists('/n')).err, 0);
});

test('it is checked with the ids that came with it, not with those of a connection', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  c.ok({ ...create('/closed'), acl: [{ perms: 31, scheme: 'ip', id: '10.0.0.7' }] });
  assert.equal(c.call(create('/closed/a')).err, ErrorCode.noAuth);
  forward(h, c, 1, create('/closed/a'), ['10.0.0.7']);
  forward(h, c, 2, create('/closed/b'), ['10.0.0.8']);
  assert.equal(lastTxn(h).type, OpCode.error);
  forward(h, c, 3, multi(create('/closed/c'), create('/closed/d')), ['10.0.0.7']);
  h.settle();
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => c.call(exists(`/closed/${name}`)).err),
    [0, ErrorCode.noNode, 0, 0],
  );
});

test('its ephemerals are the session’s', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  forward(h, c, 1, ephemeral('/e'), []);
  h.settle();
  assert.equal(h.parts.ephemerals.count, 1);
  const other = h.connect();
  h.pass(60_000);
  h.settle();
  assert.equal(other.wire.closed || other.call(exists('/e')).err === ErrorCode.noNode, true);
  assert.equal(h.parts.ephemerals.count, 0);
});

test('connections wait for their own writes only, in whatever order others come between', () => {
  const h = new ReplicaHarness();
  const [c, far] = [h.connect(), h.connect()];
  c.ok(create('/n', '0'));
  forward(h, far, 1, setData('/n', 'forwarded'), []);
  assert.equal(c.send(getData('/n')) > 0, true);
  assert.equal(c.replies().length, 1, 'nothing of its own is on the way');
  c.send(setData('/n', '1'), getData('/n'), setData('/n', '2'), getData('/n'));
  forward(h, far, 2, create('/m'), []);
  forward(h, far, 3, remove('/m'), []);
  assert.equal(c.replies().length, 0);
  h.durable(h.log.lastZxid - 3);
  assert.equal(c.replies().length, 2, 'its first write and the read behind it');
  h.settle();
  const replies = c.replies();
  assert.deepEqual(
    replies.map(({ err }) => err),
    [0, 0],
  );
  checkQuiet(h.parts);
});

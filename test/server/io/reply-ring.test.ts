import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIoLink } from '../../../src/server/io/io-link.ts';
import { ReplyRingReader, ReplyRingSink } from '../../../src/server/io/reply-ring.ts';
import { createBell } from '../../../src/shm/bell.ts';
import { NetHarness, until } from '../../net/support/net-harness.ts';
import { TestSocket } from '../../net/support/test-socket.ts';

const KIB = 1024;

function put(sink: ReplyRingSink, conn: number, length: number, fill: number): void {
  const offset = sink.claim(conn, length + 10); // a claim may be larger than what is kept
  sink.bytes.fill(fill, offset, offset + length);
  sink.commit(length, false);
}

test('a sink takes what does not fit, is congested, sleeps until io has drained, and loses no order', async (t) => {
  const harness = await NetHarness.start();
  t.after(() => harness.stop());
  const client = await TestSocket.open(harness.port);
  await until(() => harness.count('connect') === 1);
  const link = createIoLink({
    io: 0,
    slotCount: 4,
    requestRingBytes: 256 * KIB,
    replyRingBytes: 256 * KIB,
    coreBell: createBell(),
  });
  const sink = new ReplyRingSink(link, 100 * KIB);
  const reader = new ReplyRingReader(link, harness.table, () => undefined);
  const expected: Buffer[] = [];
  for (let i = 0; i < 200; i++) {
    const length = 1 + ((i * 7919) % (60 * KIB));
    put(sink, 0, length, i);
    expected.push(Buffer.alloc(length, i));
  }
  sink.close(0);
  assert.equal(sink.congested, true);
  sink.flush();
  assert.equal(sink.congested, true);
  assert.equal(sink.roomCame, false, 'nothing drained yet: a flush would be in vain');
  let rounds = 0;
  while (sink.congested || !reader.isEmpty) {
    assert.ok(reader.poll(1000) > 0);
    harness.table.flush();
    assert.equal(sink.roomCame, sink.congested);
    sink.flush();
    rounds++;
  }
  assert.ok(rounds > 5);
  assert.ok((await client.all()).equals(Buffer.concat(expected)));
});

test('room is what the backlog limit leaves, counting bytes wherever they are', async (t) => {
  const harness = await NetHarness.start();
  t.after(() => harness.stop());
  await TestSocket.open(harness.port);
  await until(() => harness.count('connect') === 1);
  const link = createIoLink({
    io: 0,
    slotCount: 4,
    requestRingBytes: 256 * KIB,
    replyRingBytes: 256 * KIB,
    coreBell: createBell(),
  });
  const sink = new ReplyRingSink(link, 10_000);
  put(sink, 0, 4000, 0);
  assert.equal(sink.room(0), 6000);
  assert.equal(sink.room(1), 10_000);
  put(sink, 0, 6000, 0);
  assert.equal(sink.room(0), 0);
  const drained: number[] = [];
  const reader = new ReplyRingReader(link, harness.table, (conn) => drained.push(conn));
  reader.onSettled(0, 4000);
  assert.equal(sink.room(0), 4000);
  assert.deepEqual(drained, [0]);
  reader.onSettled(0, 6000);
  assert.equal(sink.room(0), 10_000);
  assert.deepEqual(drained, [0], 'told once');
});

/** What all clients leave unread is bounded, over all threads; the greediest that does not read goes first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReplyMemory, ReplyMemory } from '../../src/net/reply-memory.ts';
import { SLAB_BYTES } from '../../src/net/reply-slab.ts';
import { type NetHarness, turns, until } from './support/net-harness.ts';
import { openSession, start } from './support/session.ts';
import type { TestSocket } from './support/test-socket.ts';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 7);

async function sendMib(harness: NetHarness, conn: number, mib: number): Promise<void> {
  for (let sent = 0; sent < mib * MIB; sent += PIECE.length) {
    if (harness.table.isClosing(conn)) return;
    harness.send(conn, PIECE, false);
    if (sent % MIB === 0) {
      harness.table.flush();
      await turns(1);
    }
  }
  harness.table.flush();
}

/** Sweeps twice: whoever does not read is known then. */
function sweepTwice(harness: NetHarness): void {
  harness.table.sweep(0);
  harness.table.sweep(1);
}

test('the greediest of those that do not read goes first, and only as many as must', async (t) => {
  const harness = await start(t, { memory: createReplyMemory(48 * MIB, 1) });
  harness.releases = false;
  const deaf: TestSocket[] = [];
  for (let i = 0; i < 4; i++) deaf.push(await openSession(harness, false));
  const reader = await openSession(harness, false);
  let read = 0;
  reader.socket.on('data', (chunk: Buffer) => {
    read += chunk.length;
  });
  // Besides what their kernels take.
  for (const [conn, mib] of [12, 20, 14, 12].entries()) await sendMib(harness, conn, mib);
  sweepTwice(harness);
  assert.equal(harness.table.counters.greedy, 0);
  await sendMib(harness, 4, 100);
  assert.equal(harness.table.isClosing(4), false, 'whoever reads stays');
  await until(() => read === 9 + 100 * MIB);
  await sendMib(harness, 3, 20);
  assert.ok(harness.table.counters.greedy >= 1);
  assert.equal(harness.reported.length, harness.table.counters.greedy);
  assert.equal(harness.reported[0], 'unread true');
  assert.equal(harness.table.isClosing(0), false);
  assert.equal(harness.table.isClosing(2), harness.table.counters.greedy > 2);
  assert.ok(harness.table.slabs.inUse * 128 * 1024 <= 49 * MIB);
  await until(() => harness.count('disconnect') === harness.table.counters.greedy);
  for (const client of deaf) client.destroy();
});

test('many connections with a reply each in one turn: it is sent, nobody is closed', async (t) => {
  const harness = await start(t, { memory: createReplyMemory(2 * MIB, 1) });
  const clients: TestSocket[] = [];
  for (let i = 0; i < 60; i++) clients.push(await openSession(harness));
  for (let conn = 0; conn < 60; conn++) harness.send(conn, Buffer.from('event'), false);
  harness.table.flush();
  for (const client of clients) assert.equal((await client.bytes(14)).length, 14);
  assert.equal(harness.table.counters.greedy, 0);
  assert.equal(harness.table.slabs.inUse, 0);
});

test('the greediest may be on another thread, which ends it; far above the bound nobody waits for that', async (t) => {
  const memory = createReplyMemory(32 * MIB, 2);
  const [idle, busy] = [await start(t, { memory, io: 0 }), await start(t, { memory, io: 1 })];
  for (const harness of [idle, busy]) harness.releases = false;
  const greedy = await openSession(idle, false);
  const other = await openSession(busy, false);
  await sendMib(idle, 0, 30);
  sweepTwice(idle);
  await sendMib(busy, 0, 14);
  assert.equal(busy.table.counters.greedy, 0);
  assert.equal(idle.table.counters.greedy, 0, 'not before it looks');
  idle.table.sweep(2);
  assert.equal(idle.table.counters.greedy, 1);
  await until(() => idle.count('disconnect') === 1);
  sweepTwice(busy);
  await sendMib(busy, 0, 60);
  assert.equal(busy.table.counters.greedy, 1);
  greedy.destroy();
  other.destroy();
});

test('who does not read goes before a greedier one who does, also when they are on two threads', () => {
  const handle = createReplyMemory(100 * SLAB_BYTES, 2);
  const [one, other] = [new ReplyMemory(handle, 0), new ReplyMemory(handle, 1)];
  one.publish(70);
  other.publish(40);
  one.publishGreediest(60, false);
  assert.equal(other.mustEnd(20, true), true, 'it does not read');
  assert.equal(one.mustEnd(60, false), false, 'it reads; the other thread has one that does not');
  other.publishGreediest(0, false);
  assert.equal(one.mustEnd(60, false), true, 'nobody else is left');
  other.publishGreediest(20, true);
  one.publish(90);
  assert.equal(one.mustEnd(60, false), true, 'far above the bound nobody is waited for');
});

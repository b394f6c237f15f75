/** How connections end: what was committed arrives, however slowly it is read; nothing is waited for that does not move. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LINGER_MS, STALL_MS } from '../../src/net/client-connection.ts';
import { type NetHarness, turns, until } from './support/net-harness.ts';
import { openSession, start } from './support/session.ts';
import { framed, TestSocket } from './support/test-socket.ts';

test('after the core has closed, what was committed arrives, input is dropped, and the linger time ends it', async (t) => {
  const harness = await start(t);
  const client = await openSession(harness);
  harness.send(0, Buffer.from('goodbye'), false);
  harness.table.shutdown(0);
  client.write(framed('too late'));
  assert.equal((await client.all()).toString('latin1'), `${framed('hello').toString('latin1')}goodbye`);
  await turns(20);
  assert.equal(harness.count('frame'), 1);
  assert.equal(harness.count('disconnect'), 0);
  harness.table.sweep(LINGER_MS - 1);
  await turns(5);
  assert.equal(harness.count('disconnect'), 0);
  harness.table.sweep(LINGER_MS);
  await until(() => harness.count('disconnect') === 1);
});

/** Commits `bytes` of replies in pieces of 64 KiB, each of its own number. */
function sendPieces(harness: NetHarness, pieces: number): Buffer {
  const all = Array.from({ length: pieces }, (_, i) => Buffer.alloc(64 * 1024, i));
  for (const piece of all) harness.send(0, piece, false);
  return Buffer.concat(all);
}

/** Reads two megabytes, then most of `STALL_MS` passes; again and again, until `bytes` are here or it ends. */
async function readSlowly(harness: NetHarness, client: TestSocket, bytes: number): Promise<void> {
  const CHUNK = 2 * 1024 * 1024;
  for (let nowMs = 0; client.received.length < bytes && !client.ended; nowMs += STALL_MS - 1000) {
    client.read();
    await client.bytes(Math.min(client.received.length + CHUNK, bytes));
    client.stopReading();
    harness.table.sweep(nowMs);
  }
}

test('a closed connection ends for want of progress, never of time: its last replies arrive at a slow client', async (t) => {
  const harness = await start(t);
  const client = await openSession(harness, false);
  const sent = sendPieces(harness, 200);
  harness.table.shutdown(0);
  await readSlowly(harness, client, 9 + sent.length);
  assert.ok(client.received.subarray(9).equals(sent));
  assert.equal(harness.table.counters.slow, 0);
});

test('the answer to a word likewise, and the core takes its time for it', async (t) => {
  const harness = await start(t);
  harness.holdsWords = true;
  const client = await TestSocket.open(harness.port, false);
  client.socket.end('wchc');
  await until(() => harness.count('word') === 1);
  for (let nowMs = 0; nowMs < 10 * STALL_MS; nowMs += STALL_MS / 2) harness.table.sweep(nowMs);
  const sent = sendPieces(harness, 100);
  harness.table.flush();
  await readSlowly(harness, client, sent.length);
  const more = sendPieces(harness, 100);
  harness.table.shutdown(0);
  await readSlowly(harness, client, sent.length + more.length);
  assert.ok(client.received.equals(Buffer.concat([sent, more])));
});

test('a closed connection whose client reads nothing ends, and so does one that is sent to without end', async (t) => {
  const harness = await start(t);
  const client = await openSession(harness, false);
  sendPieces(harness, 400);
  harness.table.shutdown(0);
  await turns(5);
  harness.table.sweep(0);
  for (let nowMs = 0; nowMs < STALL_MS; nowMs += 1000) {
    client.write(framed(Buffer.alloc(200_000)));
    await turns(5);
    harness.table.sweep(nowMs);
  }
  await turns(5);
  harness.table.sweep(2 * STALL_MS);
  await until(() => harness.count('disconnect') === 1);
  assert.equal(harness.table.counters.slow, 1);
  client.destroy();
});

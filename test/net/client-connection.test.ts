import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FourLetterWord } from '../../src/wire/four-letter.ts';
import { TEST_LIMITS, turns, until } from './support/net-harness.ts';
import { openSession, start } from './support/session.ts';
import { framed, TestSocket } from './support/test-socket.ts';

test('pipelined frames are answered in order, whatever the segments', async (t) => {
  const harness = await start(t);
  const frames = Array.from({ length: 300 }, (_, i) => framed(`request ${i}`.padEnd((i * 37) % 900)));
  const stream = Buffer.concat(frames);
  for (const step of [stream.length, 1000, 7]) {
    const client = await TestSocket.open(harness.port);
    for (let at = 0; at < stream.length; at += step) client.write(stream.subarray(at, at + step));
    assert.deepEqual(await client.bytes(stream.length), stream);
    client.destroy();
  }
});

test('a frame that comes byte by byte, an empty one and one of exactly the limit are taken', async (t) => {
  const harness = await start(t, { limits: { frameBytesMax: 1000 } });
  const client = await openSession(harness);
  for (const byte of framed('slow')) {
    client.write(Buffer.of(byte));
    await turns(2);
  }
  client.write(Buffer.concat([framed(''), framed(Buffer.alloc(1000, 1))]));
  const expected = Buffer.concat([
    framed('hello'),
    framed('slow'),
    framed(''),
    framed(Buffer.alloc(1000, 1)),
  ]);
  assert.deepEqual(await client.bytes(expected.length), expected);
});

test('a length below 0 or above the limit closes the connection without a reply, and no other', async (t) => {
  const harness = await start(t, { limits: { frameBytesMax: 1000 } });
  const bystander = await openSession(harness);
  for (const length of [-1, -0x80000000, 1001, 0x7fffffff]) {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(length);
    const fresh = await TestSocket.open(harness.port);
    fresh.write(prefix);
    assert.equal((await fresh.all()).length, 0);
    const client = await openSession(harness);
    client.write(Buffer.concat([framed('before'), prefix, framed('after')]));
    assert.deepEqual(await client.all(), Buffer.concat([framed('hello'), framed('before')]));
    fresh.destroy();
    client.destroy();
  }
  await until(() => harness.count('disconnect') === 8);
  assert.equal(harness.table.counters.malformed, 8);
  assert.deepEqual(
    harness.reported.filter((_, i) => i % 2 === 0),
    ['length -1', 'length -2147483648', 'length 1001', 'length 2147483647'],
  );
  bystander.write(framed('still here'));
  await bystander.bytes(9 + 14);
});

test('frames behind the first wait until that is answered', async (t) => {
  const harness = await start(t, { reply: 'hold' });
  const client = await TestSocket.open(harness.port);
  client.write(Buffer.concat([framed('connect'), framed('one'), framed('two')]));
  await until(() => harness.held.length === 1);
  await turns(5);
  assert.equal(harness.count('frame'), 1);
  harness.answerHeld(1);
  await until(() => harness.held.length === 2);
  harness.answerHeld(2);
  const expected = Buffer.concat([framed('connect'), framed('one'), framed('two')]);
  assert.deepEqual(await client.bytes(expected.length), expected);
});

test('the window bounds what is in flight, by count and by bytes', async (t) => {
  for (const limits of [{ windowRequests: 10 }, { windowBytes: 10_000 }]) {
    const harness = await start(t, { reply: 'hold', limits });
    const client = await openSession(harness);
    const frames = Array.from({ length: 200 }, (_, i) => framed(`${i}`.padEnd(1000)));
    client.write(Buffer.concat(frames));
    let most = 0;
    for (let answered = 0; answered < 200; ) {
      await until(() => harness.held.length > 0);
      await turns(3);
      most = Math.max(most, harness.held.length);
      answered += harness.held.length;
      harness.answerHeld(harness.held.length);
    }
    assert.equal(most, 10);
    const expected = Buffer.concat([framed('hello'), ...frames]);
    assert.deepEqual(await client.bytes(expected.length), expected);
  }
});

test('a client that sends and never reads is paused, costs bounded memory, and gets everything once it reads', async (t) => {
  const limits = { windowRequests: 20, replyBacklogBytesMax: 256 * 1024 };
  const harness = await start(t, { reply: 'hold', limits });
  const client = await openSession(harness, false);
  const COUNT = 3000;
  const payload = Buffer.alloc(20_000, 3);
  for (let i = 0; i < COUNT; i++) client.write(framed(payload));
  // The core's side of the contract: no answer while there is no room.
  const serve = (): void => {
    while (harness.held.length > 0 && harness.table.backlogBytes(0) < limits.replyBacklogBytesMax) {
      harness.answerHeld(1);
    }
  };
  await until(() => {
    serve();
    return harness.held.length === limits.windowRequests;
  });
  for (let i = 0; i < 50; i++) {
    serve();
    await turns(1);
  }
  assert.ok(harness.table.backlogBytes(0) <= limits.replyBacklogBytesMax + payload.length + 4);
  assert.equal(harness.held.length, limits.windowRequests);
  assert.ok(client.socket.writableLength > COUNT * payload.length * 0.2, 'the rest waits on the client side');
  let received = 0;
  client.socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await until(() => {
    serve();
    return received === 9 + COUNT * (payload.length + 4);
  });
});

test('above the outstanding limit only connections with nothing in flight are read', async (t) => {
  const harness = await start(t, { reply: 'hold', limits: { outstandingMax: 5 } });
  const busy = await openSession(harness);
  const calm = await openSession(harness);
  // What has been read is still taken, even above the limit.
  busy.write(Buffer.concat(Array.from({ length: 20 }, (_, i) => framed(`busy ${i}`))));
  await until(() => harness.held.length === 20);
  busy.write(framed('not read'));
  await turns(5);
  assert.equal(harness.held.length, 20);
  calm.write(framed('calm 0'));
  await until(() => harness.held.length === 21);
  calm.write(framed('not read either'));
  await turns(5);
  assert.equal(harness.held.length, 21);
  harness.answerHeld(21);
  await until(() => harness.held.length === 2);
  harness.answerHeld(2);
  assert.equal(harness.table.outstanding, 0);
});

test('a refused frame is offered again once there is room', async (t) => {
  const harness = await start(t);
  const client = await openSession(harness);
  harness.refusing = true;
  client.write(Buffer.concat([framed('one'), framed('two')]));
  await turns(20);
  assert.equal(harness.count('frame'), 1);
  assert.equal(harness.table.outstanding, 0);
  harness.refusing = false;
  harness.table.onRequestRoom();
  harness.table.continueStopped();
  assert.deepEqual(
    await client.bytes(9 + 14),
    Buffer.concat([framed('hello'), framed('one'), framed('two')]),
  );
});

test('a four-letter word is recognised in any segments, answered and closed', async (t) => {
  const harness = await start(t);
  for (const parts of [['ruok'], ['r', 'uok'], ['ru', 'ok'], ['r', 'u', 'o', 'k'], ['ruok\r\n']]) {
    const client = await TestSocket.open(harness.port);
    for (const part of parts) {
      client.write(Buffer.from(part));
      await turns(3);
    }
    assert.equal((await client.all()).toString(), 'imok');
    client.destroy();
  }
  assert.equal(harness.count('word'), 5);
  assert.match(harness.log.find((line) => line.startsWith('word'))!, new RegExp(` ${FourLetterWord.ruok}$`));
});

test('a client that closes its side behind the word still gets the answer', async (t) => {
  const harness = await start(t);
  const client = await TestSocket.open(harness.port);
  client.socket.end('ruok');
  assert.equal((await client.all()).toString(), 'imok');
  await until(() => harness.count('disconnect') === 1);
});

test('stmk waits for its argument', async (t) => {
  const harness = await start(t);
  const client = await TestSocket.open(harness.port);
  client.write(Buffer.from('stmk'));
  await turns(5);
  client.write(Buffer.of(0, 0, 0));
  await turns(5);
  assert.equal(harness.count('word'), 0);
  client.write(Buffer.of(0, 0, 0, 1, 50));
  await client.all();
  assert.equal(harness.log.at(1), `word 0 ${FourLetterWord.stmk} 306`);
});

test('after the first frame a word is a length', async (t) => {
  const harness = await start(t);
  const client = await openSession(harness);
  client.write(Buffer.from('ruok'));
  assert.deepEqual(await client.all(), framed('hello'));
  assert.equal(harness.count('word'), 0);
});

test('an unknown word is a length too', async (t) => {
  const harness = await start(t);
  const client = await TestSocket.open(harness.port);
  client.write(Buffer.from('lead'));
  assert.equal((await client.all()).length, 0);
});

test('a client that lets replies pile up beyond the hard limit is closed', async (t) => {
  const harness = await start(t, { limits: { replyBacklogBytesHardMax: 1024 * 1024 } });
  const client = await openSession(harness, false);
  const piece = Buffer.alloc(64 * 1024);
  for (let i = 0; harness.table.counters.slow === 0; i++) {
    assert.ok(i < 1000, 'never closed');
    harness.send(0, piece, false);
    harness.table.flush();
    await turns(1);
  }
  await until(() => harness.count('disconnect') === 1);
  assert.equal(harness.table.counters.slow, 1);
  assert.equal(
    harness.settled.reduce((sum, bytes) => sum + bytes, 0) % piece.length,
    framed('hello').length,
    'every committed byte settles',
  );
  client.destroy();
});

test('a reply larger than any slab leaves in pieces, in order', async (t) => {
  const harness = await start(t);
  const client = await openSession(harness);
  const pieces: Buffer[] = [];
  for (let i = 0; i < 200; i++) pieces.push(Buffer.alloc(64 * 1024 - i, i));
  for (const piece of pieces) harness.send(0, piece, false);
  harness.table.flush();
  const expected = Buffer.concat([framed('hello'), ...pieces]);
  assert.ok((await client.bytes(expected.length)).equals(expected));
});

test('a connection without a session is closed between one and two timeouts after it came', async (t) => {
  const harness = await start(t);
  const silent = await TestSocket.open(harness.port);
  const partial = await TestSocket.open(harness.port);
  partial.write(Buffer.of(0, 0));
  const served = await openSession(harness);
  await until(() => harness.count('connect') === 3);
  harness.table.sweep(TEST_LIMITS.sessionlessTimeoutMs);
  await turns(5);
  assert.equal(harness.table.counters.open, 3);
  harness.table.sweep(2 * TEST_LIMITS.sessionlessTimeoutMs);
  await silent.all();
  await partial.all();
  await until(() => harness.count('disconnect') === 2);
  assert.equal(harness.table.counters.sessionless, 2);
  served.write(framed('still here'));
  await served.bytes(9 + 14);
});

test('a slot is not used again before the core has released it; replies meanwhile reach nobody', async (t) => {
  const harness = await start(t);
  harness.releases = false;
  const first = await openSession(harness);
  first.socket.resetAndDestroy();
  await until(() => harness.count('disconnect') === 1);
  const second = await openSession(harness);
  assert.equal(harness.log.at(-2), 'connect 1');
  harness.send(0, Buffer.from('late'), false);
  harness.table.flush();
  harness.table.release(0);
  const third = await openSession(harness);
  assert.equal(harness.log.at(-2), 'connect 0');
  assert.deepEqual(await third.bytes(9), framed('hello'));
  assert.deepEqual(second.received, framed('hello'));
  harness.releases = true;
});

test('a client that vanishes with requests in flight frees what they counted for', async (t) => {
  const harness = await start(t, { reply: 'hold', limits: { outstandingMax: 4 } });
  const doomed = await openSession(harness);
  const waiting = await openSession(harness);
  doomed.write(Buffer.concat([framed('d0'), framed('d1'), framed('d2')]));
  await until(() => harness.held.length === 3);
  waiting.write(framed('w0'));
  await until(() => harness.held.length === 4);
  waiting.write(framed('w1'));
  await turns(10);
  assert.equal(harness.held.length, 4);
  doomed.socket.resetAndDestroy();
  await until(() => harness.count('disconnect') === 1);
  await until(() => harness.held.length === 5);
  assert.equal(harness.table.outstanding, 2);
});

test('while quiescing no frame is taken, and what is in flight is answered', async (t) => {
  const harness = await start(t, { reply: 'hold' });
  const client = await openSession(harness);
  client.write(framed('taken'));
  await until(() => harness.held.length === 1);
  harness.table.quiesce();
  client.write(framed('not taken'));
  await turns(10);
  assert.equal(harness.held.length, 1);
  harness.answerHeld(1);
  harness.table.shutdownAll();
  assert.deepEqual(await client.all(), Buffer.concat([framed('hello'), framed('taken')]));
});

/** Before a session is taken for silent, requests are waited for that the server keeps waiting, and no others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './support/net-harness.ts';
import { openSession, start } from './support/session.ts';
import { framed } from './support/test-socket.ts';

const PIECE = Buffer.alloc(64 * 1024, 7);

test('a connection whose window is full is held back, until it is answered', async (t) => {
  const harness = await start(t, { reply: 'hold', limits: { windowRequests: 1 } });
  const client = await openSession(harness);
  assert.equal(harness.table.isHoldingBack, false);
  client.write(framed('one'));
  client.write(framed('two'));
  await until(() => harness.table.isHoldingBack);
  harness.answerHeld(1);
  await until(() => harness.held.length === 1);
  harness.answerHeld(1);
  await until(() => !harness.table.isHoldingBack);
  client.destroy();
});

test('a client that does not read what it has been sent is not waited for', async (t) => {
  const harness = await start(t, { reply: 'hold', limits: { windowRequests: 1 } });
  const client = await openSession(harness, false);
  client.write(framed('one'));
  client.write(framed('two'));
  await until(() => harness.table.isHoldingBack);
  for (let i = 0; i < 500; i++) harness.send(0, PIECE, false);
  harness.table.flush();
  assert.equal(harness.table.isHoldingBack, false);
  client.destroy();
});

/** A socket that is paused is counted by what has stopped it: its own window, all connections together, the ring. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IoTotal } from '../../../src/server/monitor/io-meter.ts';
import { ECHO, LATER } from './support/fake-core.ts';
import { type IoServer, startDirect, startRing } from './support/io-server.ts';
import { expectedReplies, play, type Script } from './support/script.ts';

const KIB = 1024;
const STEPS = 60;

function script(kind: typeof ECHO | typeof LATER, length: number): Script {
  return {
    steps: Array.from({ length: STEPS }, () => ({ kind, length })),
    segmentBytes: 30_000,
    lazy: false,
  };
}

interface Pauses {
  readonly window: number;
  readonly outstanding: number;
  readonly ring: number;
}

/** Plays the script, and reads what the io side has counted. */
async function pausesOf(server: IoServer, played: Script, clients: number): Promise<Pauses> {
  try {
    const received = await Promise.all(Array.from({ length: clients }, () => play(server.port, played)));
    for (const bytes of received) assert.ok(bytes.equals(expectedReplies(played)));
    const { meter } = server.agent;
    meter.publish(true);
    return {
      window: meter.totals.get(IoTotal.pausesWindow),
      outstanding: meter.totals.get(IoTotal.pausesOutstanding),
      ring: meter.totals.get(IoTotal.pausesRing),
    };
  } finally {
    await server.stop();
  }
}

test('a full window', async () => {
  const server = await startDirect({ windowRequests: 4 });
  const { window, outstanding, ring } = await pausesOf(server, script(LATER, 100), 1);
  assert.ok(window > 0);
  assert.deepEqual([outstanding, ring], [0, 0]);
});

test('the limit of all connections together', async () => {
  const server = await startDirect({ outstandingMax: 2 });
  const { window, outstanding, ring } = await pausesOf(server, script(LATER, 100), 3);
  assert.ok(outstanding > 0);
  // Before the first reply a connection may have one request in flight only.
  assert.ok(window <= 3);
  assert.equal(ring, 0);
});

test('a full ring to the core', async () => {
  const limits = { frameBytesMax: 8 * KIB };
  const rings = { requestRingBytes: 64 * KIB, replyRingBytes: 512 * KIB, pollLimit: 3 };
  const server = await startRing({ limits, ...rings });
  const { ring } = await pausesOf(server, script(ECHO, 8 * KIB - 1), 4);
  assert.ok(ring > 0);
});

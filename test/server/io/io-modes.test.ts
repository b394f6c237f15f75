/** The same clients, the same core: one thread or rings between, nobody can tell by what comes back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { FourLetterWord } from '../../../src/wire/four-letter.ts';
import { turns, until } from '../../net/support/net-harness.ts';
import { framed, TestSocket } from '../../net/support/test-socket.ts';
import { ECHO, LARGE, LATER } from './support/fake-core.ts';
import { type IoServer, startDirect, startRing } from './support/io-server.ts';
import { expectedReplies, play, type Script } from './support/script.ts';

const KIB = 1024;
const LIMITS = { frameBytesMax: 8 * KIB, windowRequests: 100, replyBacklogBytesMax: 96 * KIB } as const;

// The smallest rings that are allowed: everything fills up all the time.
const TIGHT = {
  limits: LIMITS,
  requestRingBytes: 64 * KIB,
  replyRingBytes: 512 * KIB,
  pollLimit: 3,
} as const;
const ROOMY = {
  limits: LIMITS,
  requestRingBytes: KIB * KIB,
  replyRingBytes: 4 * KIB * KIB,
  pollLimit: 256,
} as const;

const MODES: readonly (readonly [string, () => Promise<IoServer>])[] = [
  ['direct', () => startDirect(LIMITS)],
  ['ring', () => startRing(ROOMY)],
  ['ring, tight', () => startRing(TIGHT)],
];

const scripts: fc.Arbitrary<Script> = fc.record({
  steps: fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constantFrom<typeof ECHO | typeof LATER>(ECHO, LATER),
          length: fc.nat(8 * KIB - 1),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant(LARGE), length: fc.integer({ min: 1, max: 400 * KIB }) }),
      },
    ),
    { maxLength: 40 },
  ),
  segmentBytes: fc.integer({ min: 50, max: 20_000 }),
  lazy: fc.boolean(),
});

for (const [name, start] of MODES) {
  describe(name, () => {
    let server: IoServer;
    before(async () => {
      server = await start();
    });
    after(() => server.stop());

    test('random clients get exactly the replies of their requests, in order', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(scripts, { minLength: 1, maxLength: 6 }), async (clients) => {
          const received = await Promise.all(clients.map((script) => play(server.port, script)));
          received.forEach((bytes, i) => {
            assert.ok(bytes.equals(expectedReplies(clients[i]!)), `client ${i} got something else`);
          });
        }),
        { numRuns: 25 },
      );
      await until(() => server.agent.counters.open === 0);
      assert.equal(server.agent.table.outstanding, 0);
    });

    test('connects, disconnects and words reach the core, in order', async () => {
      const from = server.core.log.length;
      const client = await TestSocket.open(server.port);
      client.write(Buffer.from('stmk\0\0\0\0\0\0\x01\x32', 'latin1'));
      assert.equal((await client.all()).toString(), 'word 306');
      client.socket.end();
      await until(() => server.core.log.length === from + 3);
      const [connect, word, disconnect] = server.core.log.slice(from);
      assert.match(connect!, /^connect \d+ 127\.0\.0\.1 true$/);
      assert.match(word!, new RegExp(`^word \\d+ ${FourLetterWord.stmk} 306$`));
      assert.match(disconnect!, /^disconnect \d+$/);
    });

    test('clients that vanish in the middle harm nobody, and their slots come back', async () => {
      const steady = play(server.port, {
        steps: Array.from({ length: 60 }, () => ({ kind: LATER, length: 5000 })),
        segmentBytes: 700,
        lazy: false,
      });
      for (let round = 0; round < 20; round++) {
        const doomed = await Promise.all(
          Array.from({ length: 5 }, () => TestSocket.open(server.port, false)),
        );
        for (const client of doomed) {
          client.write(
            Buffer.concat([framed(Buffer.of(ECHO)), ...Array(30).fill(framed(Buffer.alloc(4000, ECHO)))]),
          );
          client.write(Buffer.of(0, 0));
        }
        await turns(round % 4);
        for (const client of doomed) client.socket.resetAndDestroy();
      }
      assert.equal((await steady).length, 5 + 60 * 5005 + 5);
      await until(() => server.agent.counters.open === 0);
      await until(
        () =>
          server.core.log.filter((line) => line.startsWith('connect')).length ===
          server.core.log.filter((line) => line.startsWith('disconnect')).length,
      );
      assert.equal(server.agent.table.outstanding, 0);
    });
  });
}

test('tight rings do fill up and congest', async (t) => {
  const server = await startRing({ ...TIGHT, limits: { ...LIMITS, replyBacklogBytesMax: KIB * KIB } });
  t.after(() => server.stop());
  const script: Script = {
    steps: Array.from({ length: 20 }, () => ({ kind: LARGE, length: 900 * KIB })),
    segmentBytes: 4096,
    lazy: true,
  };
  const received = await Promise.all([play(server.port, script), play(server.port, script)]);
  for (const bytes of received) assert.ok(bytes.equals(expectedReplies(script)));
  assert.ok(server.polled.congestedTurns > 0);
});

test('everything the core has left in the ring when it ends still reaches the client', async () => {
  const server = await startRing(ROOMY);
  const client = await TestSocket.open(server.port);
  client.write(framed(Buffer.of(ECHO)));
  const before = (await client.bytes(5)).length;
  const conn = Number(server.core.log[0]!.split(' ')[1]);
  const sink = server.polled.sinks[0]!;
  const replies = 20_000; // more than the io side takes in one turn
  for (let i = 0; i < replies; i++) {
    const offset = sink.claim(conn, 4);
    sink.view.setInt32(offset, i);
    sink.commit(4, false);
  }
  sink.flush();
  assert.equal(sink.congested, false);
  const stopped = server.stop();
  const received = await client.all();
  assert.equal(received.length, before + 4 * replies);
  for (let i = 0; i < replies; i++) assert.equal(received.readInt32BE(before + 4 * i), i);
  client.socket.end();
  await stopped;
});

/** Real threads: several io workers on one port, the core here. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { CONN_IO_SHIFT } from '../../../src/core/ports/ports.ts';
import { createAcceptLimits } from '../../../src/net/accept-limits.ts';
import { createReplyMemory } from '../../../src/net/reply-memory.ts';
import { createIoLink, type IoLinkHandle } from '../../../src/server/io/io-link.ts';
import type { IoWorkerMessage, IoWorkerSetup } from '../../../src/server/io/io-thread.ts';
import { createBell } from '../../../src/shm/bell.ts';
import { HASH_KEY } from '../../core/support/hash.ts';
import { TEST_LIMITS } from '../../net/support/net-harness.ts';
import { framed, TestSocket } from '../../net/support/test-socket.ts';
import { ECHO, LARGE, LATER } from './support/fake-core.ts';
import { LISTEN, PolledCore } from './support/io-server.ts';
import { expectedReplies, play, type Script } from './support/script.ts';

const ENTRY = new URL('../../../src/server/io/io-worker.ts', import.meta.url);
const KIB = 1024;

function startWorker(setup: IoWorkerSetup): Worker {
  return new Worker(ENTRY, { workerData: setup });
}

async function firstMessage(worker: Worker): Promise<IoWorkerMessage> {
  const [message] = (await once(worker, 'message')) as [IoWorkerMessage];
  return message;
}

async function stopWorker(worker: Worker): Promise<number> {
  const exit = once(worker, 'exit') as Promise<[number]>;
  worker.postMessage('close');
  return (await exit)[0];
}

test('two io workers share a port and serve the same core', async (t) => {
  const coreBell = createBell();
  const link = (io: number): IoLinkHandle =>
    createIoLink({ io, slotCount: 256, requestRingBytes: 4096 * KIB, replyRingBytes: 1024 * KIB, coreBell });
  const links = [link(0), link(1)];
  const polled = new PolledCore(links, TEST_LIMITS.replyBacklogBytesMax, 256);
  const options = {
    limits: TEST_LIMITS,
    accept: createAcceptLimits(0, 12, HASH_KEY),
    memory: createReplyMemory(2 ** 30, 2),
  };
  const listen = { ...LISTEN, reusePort: true };
  const first = startWorker({ link: links[0]!, options, listen, logLevel: 'silent' });
  const listening = await firstMessage(first);
  assert.ok(listening.type === 'listening');
  const { port } = listening;
  const second = startWorker({ link: links[1]!, options, listen: { ...listen, port }, logLevel: 'silent' });
  assert.deepEqual(await firstMessage(second), { type: 'listening', port });
  t.after(() => polled.stop());

  const script = (seed: number): Script => ({
    steps: Array.from({ length: 200 }, (_, i) => ({
      kind: [ECHO, LATER, LARGE][(seed + i) % 3] as Script['steps'][number]['kind'],
      length: ((seed * 7919 + i * 104_729) % 3000) + 1,
    })),
    segmentBytes: 3000,
    lazy: seed % 2 === 0,
  });
  for (let round = 0; round < 4; round++) {
    const seeds = Array.from({ length: 10 }, (_, i) => round * 10 + i);
    const received = await Promise.all(seeds.map((seed) => play(port, script(seed))));
    received.forEach((bytes, i) => {
      assert.ok(bytes.equals(expectedReplies(script(seeds[i]!))));
    });
  }
  const connects = polled.core.log.filter((line) => line.startsWith('connect'));
  const used = new Set(connects.map((line) => Number(line.split(' ')[1]) >> CONN_IO_SHIFT));
  assert.deepEqual([...used].sort(), [0, 1], 'both threads got connections');

  // The limit per address counts both threads together.
  const clients = await Promise.all(Array.from({ length: 12 }, () => TestSocket.open(port)));
  for (const client of clients) client.write(framed(Buffer.of(ECHO)));
  await Promise.all(clients.map((client) => client.bytes(5)));
  const refused = await TestSocket.open(port);
  assert.equal((await refused.all()).length, 0);

  assert.equal(await stopWorker(first), 0);
  assert.equal(await stopWorker(second), 0);
  await Promise.all(clients.map((client) => client.all()));
});

test('a worker that cannot listen says why and ends with the exit status', async () => {
  const coreBell = createBell();
  const link = createIoLink({
    io: 0,
    slotCount: 4,
    requestRingBytes: 4096 * KIB,
    replyRingBytes: 512 * KIB,
    coreBell,
  });
  const worker = startWorker({
    link,
    options: {
      limits: TEST_LIMITS,
      accept: createAcceptLimits(0, 0, HASH_KEY),
      memory: createReplyMemory(2 ** 30, 1),
    },
    listen: { ...LISTEN, address: '192.0.2.1' },
    logLevel: 'silent',
  });
  const exit = once(worker, 'exit');
  const message = await firstMessage(worker);
  assert.ok(message.type === 'failed');
  assert.equal(message.code, 'RK_BIND');
  assert.equal(message.role, 'io-0');
  assert.match(message.message, /192\.0\.2\.1/);
  assert.deepEqual(await exit, [1]);
});

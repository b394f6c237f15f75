/**
 * Clients that read slowly or never: their sockets are paused, their memory is bounded, what they are owed comes in
 * order once they read, and nobody else notices.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { RawClient } from '../support/raw-client.ts';
import { multi } from '../support/request-bodies.ts';
import { until } from '../support/until.ts';
import { DeafClient } from './support/deaf-client.ts';
import {
  create,
  exists,
  getData,
  ok,
  okAll,
  PING,
  type Request,
  setData,
  watchBelow,
} from './support/requests.ts';
import type { Server } from './support/server.ts';
import { Workspace } from './support/workspace.ts';

const MEGABYTE = new Uint8Array(1_000_000);
const UNKNOWN: Request = { op: 77, body: new Uint8Array(0) };
/** Looks at the memory of a server this often. */
const SAMPLE_MS = 20;

let workspace: Workspace;
const deaf: DeafClient[] = [];

beforeEach(() => {
  workspace = new Workspace();
});

afterEach(async () => {
  for (const client of deaf.splice(0)) client.destroy();
  await workspace.dispose();
});

async function openDeaf(server: Server, count: number): Promise<DeafClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => DeafClient.open(server.port)));
  deaf.push(...clients);
  return clients;
}

function times(count: number, request: Request): Request[] {
  return new Array<Request>(count).fill(request);
}

/** The highest resident memory while `work` runs, in MiB beyond the start. */
async function growthMib(server: Server, work: () => Promise<void>): Promise<number> {
  const before = server.residentMib();
  let highest = before;
  const timer = setInterval(() => {
    highest = Math.max(highest, server.residentMib());
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(highest, server.residentMib()) - before;
}

/** Another client does a bit of everything, and each of its requests is answered. */
async function othersAreServed(server: Server, rounds = 20): Promise<void> {
  const other = await RawClient.open(server.port);
  for (let i = 0; i < rounds; i++) {
    await ok(other, getData('/big'));
    await ok(other, setData('/small', new Uint8Array(i)));
    await ok(other, exists('/small'));
  }
  other.destroy();
}

/** A server with a node of 1 MB, one of nothing, and a client. */
async function startWithNodes(options: Parameters<Workspace['start']>[0]): Promise<[Server, RawClient]> {
  const server = await workspace.start(options);
  const client = await RawClient.open(server.port);
  await ok(client, create('/big', MEGABYTE));
  await ok(client, create('/small'));
  return [server, client];
}

for (const threading of ['shared', 'dedicated'] as const) {
  describe(`clients that never read, ${threading}`, () => {
    test('reads of 8 GB: each connection costs little, others are served', async () => {
      const [server] = await startWithNodes({ threading });
      await othersAreServed(server);
      const grown = await growthMib(server, async () => {
        for (const client of await openDeaf(server, 8)) client.send(times(1000, getData('/big')));
        await othersAreServed(server);
      });
      assert.ok(grown < 200, `${grown} MiB`);
      assert.ok(deaf.every((client) => !client.closed));
    });

    test('writes behind their reads: replies that have to be made do not pile up', async () => {
      const [server] = await startWithNodes({ threading });
      await othersAreServed(server);
      const script = [setData('/small', MEGABYTE.subarray(0, 9)), ...times(400, getData('/big'))];
      const grown = await growthMib(server, async () => {
        for (const client of await openDeaf(server, 4)) client.send([...script, ...script]);
        await othersAreServed(server);
      });
      assert.ok(grown < 300, `${grown} MiB`);
    });

    test('replies of 30 MB that nobody reads, on 20 connections: all together are bounded, the greediest go', async () => {
      const MIB = 1024 * 1024;
      const settings = { 'ringkeeper.unreadBytesMax': 64 * MIB };
      const [server] = await startWithNodes({ threading, settings });
      await othersAreServed(server);
      const large = { op: OpCode.multiRead, body: multi(times(30, getData('/big'))) };
      const grown = await growthMib(server, async () => {
        // One after the other: each is answered while those before it do not read.
        for (const client of await openDeaf(server, 20)) {
          client.send([large]);
          await othersAreServed(server, 2);
        }
        await othersAreServed(server);
      });
      assert.ok(grown < 400, `${grown} MiB`);
      assert.ok((await server.metric('ringkeeper_io_closed_greedy')) > 10);
      assert.ok((await server.metric('ringkeeper_io_unread_bytes_now')) <= 80 * MIB);
    });

    test('events of a busy tree: the connection ends before they fill the memory', async () => {
      const [server, writer] = await startWithNodes({ threading });
      const long = `/${'x'.repeat(2000)}`;
      await ok(writer, create(long));
      await othersAreServed(server);
      const grown = await growthMib(server, async () => {
        // Half of them have nothing but events to read, half also a reply that is held back.
        const clients = await openDeaf(server, 8);
        for (const client of clients) client.send([watchBelow('/')]);
        for (const client of clients.slice(4)) {
          client.send([setData('/small', new Uint8Array(1)), ...times(9, getData('/big'))]);
          client.send([setData('/small', new Uint8Array(2))]);
        }
        await okAll(writer, times(40_000, setData(long, new Uint8Array(0))), 900);
      });
      assert.ok(grown < 350, `${grown} MiB`);
      // Each was owed 80 MB.
      await until(async () => (await server.metric('ringkeeper_core_closed_unread_events')) === 8);
      // Who reads after all gets what was there, and then the end. (Who never does: test/net/closing.test.ts.)
      await Promise.all(deaf.map((client) => client.listen(Number.POSITIVE_INFINITY)));
      await until(async () => (await server.metric('num_alive_connections')) <= 2);
      await othersAreServed(server);
    });
  });
}

describe('slow clients', () => {
  test('1,000 requests in flight each, far above globalOutstandingLimit: all answered in order, others go on', async () => {
    const [server, client] = await startWithNodes({ settings: { globalOutstandingLimit: 1000 } });
    await ok(client, create('/some', new Uint8Array(10_000)));
    const requests = [...times(500, getData('/some')), ...times(500, setData('/small', new Uint8Array(5)))];
    const slow = await openDeaf(server, 20);
    for (const one of slow) one.send(requests);
    await othersAreServed(server);
    const answers = await Promise.all(slow.map((one) => one.listen(requests.length)));
    for (const heads of answers) {
      assert.deepEqual(
        heads,
        requests.map((_, i) => ({ xid: i + 1, err: 0 })),
      );
    }
  });

  test('an unknown request among replies that wait is answered in its place, and ends the connection', async () => {
    const [server, client] = await startWithNodes({});
    const [slow] = await openDeaf(server, 1);
    const first = [setData('/small', new Uint8Array(1)), ...times(12, getData('/big')), UNKNOWN, PING];
    slow!.send([...first, setData('/small', new Uint8Array(2))]);
    // The last write has been made: the reads before it are held.
    await until(async () => (await ok(client, getData('/small'))).body.buffer()!.length === 2);
    const heads = await slow!.listen(100);
    assert.deepEqual(
      heads.map(({ xid, err }) => [xid, err]),
      [...Array.from({ length: 13 }, (_, i) => [i + 1, 0]), [14, -6]],
    );
  });

  test('a client that comes back reads everything, in order', async () => {
    const [server] = await startWithNodes({});
    const [slow] = await openDeaf(server, 1);
    slow!.send(times(100, getData('/big')));
    await othersAreServed(server);
    const heads = await slow!.listen(100);
    assert.deepEqual(
      heads.map(({ xid }) => xid),
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  });
});

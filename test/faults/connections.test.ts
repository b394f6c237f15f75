/**
 * Very many connections: idle ones are cheap, storms of short ones leave nothing behind, and a server that has no
 * descriptors left for clients keeps enough for itself.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { frame, RawClient, RawConnection } from '../support/raw-client.ts';
import { connectRequest } from '../support/request-bodies.ts';
import { until } from '../support/until.ts';
import { connectionsPossible, crowd } from './support/crowd.ts';
import { CLOSE, create, EPHEMERAL, exists, getData, ok } from './support/requests.ts';
import { Workspace } from './support/workspace.ts';

const IDLE = 10_000;
/** One thread for everything, and two for sockets alone. */
const MODES = ['shared', 'dedicated'] as const;

let workspace: Workspace;

beforeEach(() => {
  workspace = new Workspace();
});

afterEach(() => workspace.dispose());

test('10,000 idle connections: the memory of each, and a request still answered', async (t) => {
  const count = Math.min(IDLE, connectionsPossible());
  if (count < IDLE)
    t.diagnostic(`only ${count} connections: the limit of open files (ulimit -n) allows no more`);
  const server = await workspace.start();
  const first = await RawClient.open(server.port);
  await ok(first, create('/n', new Uint8Array(10)));
  const before = server.residentMib();
  const idle = await crowd(count, () => RawClient.open(server.port, { timeoutMs: 40_000 }));
  const grown = server.residentMib() - before;
  t.diagnostic(`${count} connections: ${grown} MiB, ${((grown * 1024) / count).toFixed(1)} KiB each`);
  assert.ok(grown * 1024 < count * 40, `${grown} MiB`);
  assert.equal(await server.metric('num_alive_connections'), count + 2);
  await ok(first, getData('/n'));
  await Promise.all([0, Math.floor(count / 2), count - 1].map((i) => ok(idle[i]!, getData('/n'))));
  for (const client of idle) client.destroy();
  await until(async () => (await server.metric('num_alive_connections')) === 2);
  await ok(first, getData('/n'));
});

/** Connections that come, do a little or nothing, and go, each in another way. */
const VISITS: readonly ((port: number, i: number) => Promise<void>)[] = [
  async (port, i) => {
    const client = await RawClient.open(port, { timeoutMs: 10_000 });
    await ok(client, create(`/e-${i}-${performance.now()}`, undefined, EPHEMERAL));
    await ok(client, CLOSE);
    await client.connection.serverClose();
  },
  async (port) => {
    const client = await RawClient.open(port, { timeoutMs: 400 });
    client.send(OpCode.exists, exists('/').body);
    client.destroy();
  },
  async (port) => {
    const connection = await RawConnection.open(port);
    connection.write(frame(connectRequest({ timeoutMs: 400 })).subarray(0, 20));
    connection.destroy();
  },
  async (port) => (await RawConnection.open(port)).destroy(),
  async (port) => void (await fourLetterWord(port, 'ruok')),
];

for (const threading of MODES) {
  test(`1,000 connections coming and going at once, again and again, leave nothing (${threading})`, async () => {
    const server = await workspace.start({ threading, settings: { tickTime: 500 } });
    await server.metric('uptime');
    const filesBefore = server.openFiles();
    for (let round = 0; round < 2; round++) {
      await Promise.all(Array.from({ length: 1000 }, (_, i) => VISITS[i % VISITS.length]!(server.port, i)));
    }
    // The sessions of those that left without a word expire.
    await until(async () => {
      const metrics = await server.metrics();
      const left = ['global_sessions', 'ephemerals_count', 'watch_count', 'outstanding_requests'];
      return metrics.get('num_alive_connections') === '1' && left.every((key) => metrics.get(key) === '0');
    });
    await until(async () => (await fourLetterWord(server.port, 'cons')).trim().split('\n').length === 1);
    assert.ok(
      server.openFiles() <= filesBefore + LOG_FILES,
      `${server.openFiles()} files, ${filesBefore} before`,
    );
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
  });
}

/** Opened with the first write and the first snapshot. */
const LOG_FILES = 8;

describe('more connections than descriptors', () => {
  for (const threading of MODES) {
    test(`those too many are closed, log and snapshots go on (${threading})`, async () => {
      const settings = { snapCount: 20, preAllocSize: 64 };
      const server = await workspace.start({ threading, settings, openFilesMax: 300 });
      const client = await RawClient.open(server.port);
      const all = await crowd(500, () => RawConnection.open(server.port));
      await until(async () => all.filter((one) => one.closed).length > 200);
      // Each roll of the log and each snapshot needs a descriptor.
      for (let i = 0; i < 200; i++) await ok(client, create(`/n${i}`));
      await server.logged(/snapshot snapshot\.[1-9a-f][0-9a-f]* written/);
      for (const one of all) one.destroy();
      // While there are too many connections, the one that asks is among those closed, maybe by a reset.
      await until(async () => {
        const metrics = await server.metrics().catch(() => null);
        return metrics?.get('num_alive_connections') === '2';
      });
      await ok(await RawClient.open(server.port), exists('/n199'));
      assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
    });
  }
});

/** Whole servers, in each threading mode: what they promise about durability, and how they end. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { RawClient } from '../support/raw-client.ts';
import { create, OPEN_ACL, path, pathAndBool, pathAndInt } from '../support/request-bodies.ts';
import { until } from '../support/until.ts';
import { ServerProcess } from './support/server-process.ts';

const MODES = [
  ['--threading', 'shared'],
  ['--threading', 'pipeline'],
  ['--threading', 'dedicated', '--io-threads', '2'],
] as const;

const MOUNT = 'mount';
const UNMOUNT = 'umount';

let directory: string;
let servers: ServerProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringkeeper-test-'));
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function serve(...flags: readonly string[]): ServerProcess {
  const server = new ServerProcess(join(directory, 'data'), flags);
  servers.push(server);
  return server;
}

function node(name: string): Uint8Array {
  return create({ path: name, data: new Uint8Array(100), acls: OPEN_ACL, flags: 0 });
}

/** The last path component of every child of the root. */
async function children(client: RawClient): Promise<Set<string | null>> {
  const { err, body } = await client.request(OpCode.getChildren, pathAndBool('/', false));
  assert.equal(err, 0);
  return new Set(body.strings());
}

function newestLog(): string {
  const data = join(directory, 'data', 'version-2');
  const logs = readdirSync(data).filter((name) => name.startsWith('log.'));
  const zxid = (name: string): number => Number.parseInt(name.slice(4), 16);
  return join(data, logs.sort((x, y) => zxid(x) - zxid(y)).at(-1)!);
}

/** Keeps creating `/<prefix><n>`, many in flight, until the server goes away; calls `onReply` for each that succeeded. */
async function createUntilClosed(
  client: RawClient,
  prefix: string,
  onReply: (name: string) => void,
): Promise<void> {
  const inFlight: string[] = [];
  let next = 0;
  const send = (): void => {
    const name = `${prefix}${next++}`;
    client.send(OpCode.create, node(`/${name}`));
    inFlight.push(name);
  };
  for (let i = 0; i < 64; i++) send();
  try {
    for (;;) {
      const { err } = await client.reply();
      assert.equal(err, 0);
      onReply(inFlight.shift()!);
      send();
    }
  } catch (error) {
    if (client.connection.closed) return;
    throw error;
  }
}

for (const mode of MODES) {
  describe(mode.join(' '), () => {
    test('serves, answers words, stops with status 0, and has everything again', async () => {
      const first = serve(...mode);
      const port = await first.ready();
      assert.match(first.stdout, new RegExp(`^ready port=${port} .* threading=${mode[1]} `));
      const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.open(port)));
      await Promise.all(clients.map((client, i) => client.request(OpCode.create, node(`/n${i}`))));
      assert.equal(await fourLetterWord(port, 'ruok'), 'imok');
      assert.match(await fourLetterWord(port, 'srvr'), /^Zxid: 0x8\nMode: standalone\nNode count: 9$/m);
      // The connection of the word before is counted until the server has seen its end.
      await until(async () => /^zk_num_alive_connections\t5$/m.test(await fourLetterWord(port, 'mntr')));
      const { sessionId, password } = clients[0]!.session;
      assert.equal(await first.stop(), 0, first.stderr);

      const second = serve(...mode);
      const again = await RawClient.open(await second.ready(), { timeoutMs: 10_000, sessionId, password });
      assert.equal(again.session.sessionId, sessionId, 'sessions survive');
      assert.deepEqual(await children(again), new Set(['zookeeper', 'n0', 'n1', 'n2', 'n3']));
      assert.equal((await again.request(OpCode.closeSession)).err, 0);
      await again.connection.serverClose();
      assert.equal(await second.stop(), 0, second.stderr);
    });

    test('SIGTERM under load: every acknowledged write is there; a corrupt log: file and offset', async () => {
      const server = serve(...mode);
      const port = await server.ready();
      const acknowledged: string[] = [];
      const enough = Promise.withResolvers<void>();
      const load = [0, 1, 2].map(async (i) => {
        await createUntilClosed(await RawClient.open(port), `w${i}-`, (name) => {
          if (acknowledged.push(name) === 300) enough.resolve();
        });
      });
      await enough.promise;
      assert.equal(await server.stop(), 0, server.stderr);
      await Promise.all(load);
      const second = serve(...mode);
      const client = await RawClient.open(await second.ready());
      const after = await children(client);
      assert.deepEqual(
        acknowledged.filter((name) => !after.has(name)),
        [],
      );
      for (let i = 0; i < 20; i++) client.send(OpCode.create, node(`/n${i}`));
      for (let i = 0; i < 20; i++) await client.reply();
      assert.equal(await second.stop(), 0);

      const log = newestLog();
      const bytes = readFileSync(log);
      bytes[500]! ^= 1;
      writeFileSync(log, bytes);
      await serve(...mode).failsWith(10, /version-2\/log\.\w+ is corrupt at offset \d+: /);
      assert.deepEqual(readFileSync(log), bytes, 'the file is left alone');
    });
  });
}

test('kill -9 in the middle, five times: nothing that was acknowledged is lost', async () => {
  const acknowledged: string[] = [];
  for (let round = 0; round < 5; round++) {
    const flags = [...MODES[round % 3]!, '--set', 'snapCount=150', '--set', 'preAllocSize=64'];
    const server = serve(...flags);
    const client = await RawClient.open(await server.ready());
    const present = await children(client);
    assert.deepEqual(
      acknowledged.filter((name) => !present.has(name)),
      [],
      `before round ${round}`,
    );
    const goal = acknowledged.length + 100 + 37 * round;
    await createUntilClosed(client, `r${round}-`, (name) => {
      if (acknowledged.push(name) === goal) server.kill('SIGKILL');
    });
    assert.equal((await server.ended).signal, 'SIGKILL');
  }
  const present = await children(await RawClient.open(await serve().ready()));
  assert.deepEqual(
    acknowledged.filter((name) => !present.has(name)),
    [],
  );
});

test('snapshots are taken on the way, and a start needs only the newest and the log behind it', async () => {
  const server = serve('--set', 'snapCount=50', '--set', 'preAllocSize=64');
  const client = await RawClient.open(await server.ready());
  for (let i = 0; i < 400; i += 20) {
    for (let n = i; n < i + 20; n++) client.send(OpCode.create, node(`/n${n}`));
    for (let n = 0; n < 20; n++) assert.equal((await client.reply()).err, 0);
  }
  await server.logged(/snapshot snapshot\.[1-9a-f][0-9a-f]* written/);
  assert.equal(await server.stop(), 0, server.stderr);
  const data = join(directory, 'data', 'version-2');
  const logs = readdirSync(data).filter((name) => name.startsWith('log.'));
  assert.ok(logs.length >= 4, logs.join());
  rmSync(join(data, 'log.1'));
  const again = await RawClient.open(await serve().ready());
  assert.equal((await again.request(OpCode.getAllChildrenNumber, path('/'))).body.int(), 403);
});

describe('what ends a server', () => {
  test('a second one on the same directory is refused, and the first not disturbed', async () => {
    const first = serve('--threading', 'pipeline');
    const port = await first.ready();
    await serve('--threading', 'pipeline').failsWith(3, /^ringkeeper: .*data/);
    assert.equal((await (await RawClient.open(port)).request(OpCode.exists, pathAndBool('/', false))).err, 0);
    assert.equal(await first.stop(), 0);
  });

  test('a bad configuration: status 2 and one line', async () => {
    const server = serve('--set', 'tickTime=abc');
    await server.failsWith(2, /^ringkeeper: --set: tickTime=abc: /);
    assert.equal(server.stdout, '');
  });

  for (const mode of MODES) {
    test(`a log directory that vanishes: the process ends with one line (${mode[1]})`, async () => {
      const server = serve(...mode, '--set', 'snapCount=10', '--set', 'preAllocSize=64');
      const client = await RawClient.open(await server.ready());
      await client.request(OpCode.create, node('/n'));
      rmSync(join(directory, 'data', 'version-2'), { recursive: true });
      await createUntilClosed(client, 'n', () => {});
      await server.failsWith(10, /fatal in (log|snapshot): .*version-2/);
    });
  }

  test('a full disk: what was acknowledged is there when there is room again', async (t) => {
    const disk = join(directory, 'disk');
    mkdirSync(disk);
    const mount = spawnSync(MOUNT, ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', disk]);
    if (mount.status !== 0) {
      t.skip('needs the right to mount a tmpfs: run as root with CAP_SYS_ADMIN');
      return;
    }
    try {
      const flags = ['--set', 'preAllocSize=64', '--set', 'snapCount=1000000'];
      const server = new ServerProcess(join(disk, 'data'), flags);
      servers.push(server);
      const client = await RawClient.open(await server.ready());
      const acknowledged: string[] = [];
      await createUntilClosed(client, 'n', (name) => void acknowledged.push(name));
      await server.failsWith(10, /fatal in log: .*ENOSPC/);
      assert.ok(acknowledged.length > 100);
      spawnSync(MOUNT, ['-o', 'remount,size=10m', disk]);
      const again = new ServerProcess(join(disk, 'data'), flags);
      servers.push(again);
      const present = await children(await RawClient.open(await again.ready()));
      assert.deepEqual(
        acknowledged.filter((name) => !present.has(name)),
        [],
      );
      assert.equal(await again.stop(), 0);
    } finally {
      for (const server of servers) await server.stop('SIGKILL');
      spawnSync(UNMOUNT, ['-l', disk]);
    }
  });
});

test('bad input of one client is its own trouble', async () => {
  const port = await serve().ready();
  const good = await RawClient.open(port);
  const bad = await RawClient.open(port);
  bad.connection.write(new Uint8Array([0x7f, 0xff, 0xff, 0xff]));
  await bad.connection.serverClose();
  const odd = await RawClient.open(port);
  assert.equal((await odd.request(77)).err, -6);
  await odd.connection.serverClose();
  assert.equal((await good.request(OpCode.delete, pathAndInt('/none', -1))).err, -101);
});

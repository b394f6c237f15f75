/**
 * Small requests that ask for far more than themselves: memory, log records, replies. Each is refused or bounded; before
 * it was, each of these ended or stalled the whole server.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { fourLetterWord } from '../support/four-letter-word.ts';
import { RawClient } from '../support/raw-client.ts';
import { auth, create as createBody, multi, pathAndBool } from '../support/request-bodies.ts';
import { until } from '../support/until.ts';
import {
  CLOSE,
  childrenOf,
  create,
  EPHEMERAL,
  exists,
  getData,
  ok,
  okAll,
  remove,
} from './support/requests.ts';
import type { Server } from './support/server.ts';
import { Workspace } from './support/workspace.ts';

const MEGABYTE = new Uint8Array(1_000_000);
const FRAME_BYTES_LIMIT = 60 * 1024 * 1024;
const STAT_CVERSION = 36;
const STAT_DATA_LENGTH = 52;
const MARSHALLING_ERROR = -5;
const NO_NODE = -101;
const AUTH_FAILED = -115;
const INVALID_ACL = -114;
const OF_ALL_MY_IDS = { scheme: 'auth', id: '' };

let workspace: Workspace;
let server: Server;
let client: RawClient;
let other: RawClient;

/** One server meets all of them, unless it needs settings or memory of its own. */
before(async () => {
  workspace = new Workspace();
  server = await workspace.start();
  await ok(await RawClient.open(server.port), create('/kept'));
});

/** What is on disk can be read again after all of them. */
after(async () => {
  await comesAgain(workspace, server);
  await workspace.dispose();
});

beforeEach(async () => {
  client = await RawClient.open(server.port);
  other = await RawClient.open(server.port);
});

/** The process is the same, and others are served. */
async function serverIsWell(): Promise<void> {
  await ok(other, exists('/kept'));
}

async function comesAgain(place: Workspace, running: Server): Promise<void> {
  assert.deepEqual(await running.stop(), { status: 0, signal: null }, running.stderr);
  const next = await place.start();
  await ok(await RawClient.open(next.port), exists('/kept'));
}

async function prove(user: string): Promise<number> {
  return (await client.request(OpCode.auth, auth('digest', new TextEncoder().encode(`${user}:x`)))).err;
}

describe('log records', () => {
  test('an ephemeral with a path of 900 KB, and the end of its session', async () => {
    const path = `/${'x'.repeat(900_000)}`;
    await ok(client, create(path, undefined, EPHEMERAL));
    await ok(client, CLOSE);
    assert.equal((await other.request(OpCode.exists, exists(path).body)).err, NO_NODE);
    await serverIsWell();
  });

  test('an ACL that stands for all ids of the connection, in each operation of a multi', async () => {
    for (let i = 0; i < 200; i++) assert.equal(await prove(`user-${i}`), 0);
    const acls = [{ perms: 31, ...OF_ALL_MY_IDS }];
    const creates = Array.from({ length: 15_000 }, (_, i) => ({
      op: OpCode.create,
      body: createBody({ path: `/m${i}`, data: null, acls, flags: 0 }),
    }));
    const { err, body } = await client.request(OpCode.multi, multi(creates));
    assert.equal(err, 0, 'a failed multi says so in its results');
    assert.deepEqual(body.int(), -1);
    assert.deepEqual(await childrenOf(other, '/'), ['zookeeper', 'kept'].sort().reverse());
    const few = await client.request(OpCode.multi, multi(creates.slice(0, 10)));
    assert.equal(few.body.int(), OpCode.create);
    await serverIsWell();
  });

  test('an ACL of thousands of entries, each for a long id', async () => {
    assert.equal(await prove('u'.repeat(500_000)), 0);
    const acls = Array.from({ length: 5000 }, (_, i) => ({ perms: i, ...OF_ALL_MY_IDS }));
    const body = createBody({ path: '/wide', data: null, acls, flags: 0 });
    assert.equal((await client.request(OpCode.create, body)).err, INVALID_ACL);
    await serverIsWell();
  });
});

test('ids without end: refused like a wrong password, before they fill the memory', async () => {
  let err = 0;
  for (let i = 0; i < 2000 && err === 0; i++) err = await prove(`${'u'.repeat(10_000)}${i}`);
  assert.equal(err, AUTH_FAILED);
  await client.connection.serverClose();
  await serverIsWell();
});

test('the same large node in every operation of a multiRead: 40 GB in one reply', async () => {
  await ok(client, create('/big', MEGABYTE));
  const reads = new Array(40_000).fill(getData('/big'));
  const { err } = await client.request(OpCode.multiRead, multi(reads));
  assert.equal(err, MARSHALLING_ERROR);
  const few = await ok(client, { op: OpCode.multiRead, body: multi(reads.slice(0, 20)) });
  assert.equal(few.body.bytes.length > 20 * MEGABYTE.length, true);
  await serverIsWell();
});

test('watches without end: the connection ends, with a count and one line, and is not told that they are set', async (t) => {
  const settings = {
    'ringkeeper.watchBytesPerConnectionMax': 4 * 1024 * 1024,
    '4lw.commands.whitelist': '*',
  };
  const own = new Workspace();
  t.after(() => own.dispose());
  const server = await own.start({ settings });
  const greedy = await RawClient.open(server.port);
  await ok(greedy, create('/kept'));
  const watch = (i: number) =>
    greedy.request(OpCode.exists, pathAndBool(`/${i}${'w'.repeat(900_000)}`, true));
  for (let i = 0; i < 4; i++) assert.equal((await watch(i)).err, NO_NODE);
  await assert.rejects(watch(4), /closed|ended|reset/i);
  const counts = await fourLetterWord(server.port, 'mntr');
  assert.match(counts, /^zk_ringkeeper_core_closed_watches_of_connection\t1$/m);
  await until(async () => server.stderr.includes('ringkeeper.watchBytesPerConnectionMax=4194304'));
  assert.equal(server.stderr.match(/closed at a limit/g)?.length, 1, server.stderr);
  await comesAgain(own, server);
});

describe('children of a node with 1 MB of data', () => {
  const names = Array.from({ length: 3000 }, (_, i) => `/big/${i}`);
  let own: Workspace;
  let server: Server;

  before(async () => {
    own = new Workspace();
    server = await own.start();
    await ok(await RawClient.open(server.port), create('/kept'));
  });
  after(async () => {
    await comesAgain(own, server);
    await own.dispose();
  });
  beforeEach(async () => {
    client = await RawClient.open(server.port);
    other = await RawClient.open(server.port);
  });

  test('all made, and all deleted, by one multi: the data is not copied for each of them', async () => {
    await ok(client, create('/big', MEGABYTE));
    const before = server.residentMib();
    for (const step of [create, remove]) {
      const reply = await ok(client, { op: OpCode.multi, body: multi(names.map((name) => step(name))) });
      assert.equal(reply.body.int(), step(names[0]!).op);
    }
    const stat = (await ok(client, exists('/big'))).body.bytes;
    assert.equal(new DataView(stat.buffer).getInt32(16 + STAT_CVERSION), 2 * names.length);
    const grown = server.residentMib() - before;
    assert.ok(grown < 200, `${grown} MiB`);
    await ok(client, remove('/big'));
    await serverIsWell();
  });

  test('made one by one, 900 in flight: the copies that are in flight are bounded', async () => {
    await ok(client, create('/big', MEGABYTE));
    const before = server.residentMib();
    await okAll(
      client,
      names.slice(0, 1500).map((name) => create(name)),
      900,
    );
    const grown = server.residentMib() - before;
    assert.ok(grown < 400, `${grown} MiB`);
    assert.equal((await childrenOf(other, '/big')).length, 1500);
    await serverIsWell();
  });
});

test('a frame as large as can be served, where more was configured', async (t) => {
  const settings = { 'jute.maxbuffer': 173_159_500 };
  const own = new Workspace();
  t.after(() => own.dispose());
  let server = await own.start({ settings });
  assert.match(
    server.stderr,
    /jute\.maxbuffer=173159500 is more than one request can bring: 62914560 is used/,
  );
  const data = new Uint8Array(FRAME_BYTES_LIMIT - 100);
  await ok(await RawClient.open(server.port), create('/huge', data));
  assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
  server = await own.start({ settings });
  const stat = (await ok(await RawClient.open(server.port), exists('/huge'))).body.bytes;
  assert.equal(new DataView(stat.buffer).getInt32(16 + STAT_DATA_LENGTH), data.length);
});

/**
 * More znodes than ringkeeper.storeBytesMax has room for. Writes that would need more are refused while reads, smaller
 * data and deletions go on; a start that cannot fit ends the process with one line, and loses nothing. Every kind of
 * write at random: test/core/replica/store-full.test.ts.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { OpCode } from '../../src/wire/opcodes.ts';
import { RawClient } from '../support/raw-client.ts';
import { multi } from '../support/request-bodies.ts';
import {
  CLOSE,
  childrenOf,
  create,
  EPHEMERAL,
  getData,
  ok,
  okAll,
  remove,
  setData,
} from './support/requests.ts';
import { Workspace } from './support/workspace.ts';

const MIB = 1024 * 1024;
const MEGABYTE = new Uint8Array(1_000_000);
/** The smallest there is. */
const SMALL = { 'ringkeeper.storeBytesMax': 64 * MIB };
const LARGE = { 'ringkeeper.storeBytesMax': 512 * MIB };
const QUOTA_EXCEEDED = -125;
const NO_NODE = -101;
const NODE_EXISTS = -110;
const UNEXPECTED_STATUS = 1;
const OUT_OF_MEMORY = /need more memory than ringkeeper\.storeBytesMax allows; raise it and start again/;

let workspace: Workspace;

beforeEach(() => {
  workspace = new Workspace();
});

afterEach(() => workspace.dispose());

function nodes(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `/n${i}`);
}

test('a multi that needs a copy of everything is refused', async () => {
  const server = await workspace.start({ settings: SMALL });
  const client = await RawClient.open(server.port);
  for (const path of nodes(30)) await ok(client, create(path, MEGABYTE));
  // A new child is noted in its parent's record, which is copied with its data.
  const children = nodes(30).map((path) => create(`${path}/child`));
  assert.equal((await client.request(OpCode.multi, multi(children))).body.int(), -1);
  assert.deepEqual(await childrenOf(client, '/n0'), [], 'nothing of it');
  const few = await client.request(OpCode.multi, multi(children.slice(0, 3)));
  assert.equal(few.body.int(), OpCode.create);
  for (const { op, body } of children.slice(3)) assert.equal((await client.request(op, body)).err, 0);
});

test('a full store refuses what needs room, and takes it again when there is some', async () => {
  let server = await workspace.start({ settings: SMALL });
  const client = await RawClient.open(server.port);
  let count = 0;
  let err = 0;
  for (; err === 0; count++) {
    const { op, body } = create(`/n${count}`, MEGABYTE);
    err = (await client.request(op, body)).err;
  }
  count--;
  assert.equal(err, QUOTA_EXCEEDED);
  assert.ok(count > 40, `${count} nodes of 1 MB in 64 MiB`);
  await server.logged(/the znode store is nearly full/);
  const grow = setData('/', MEGABYTE);
  assert.equal((await client.request(grow.op, grow.body)).err, QUOTA_EXCEEDED);
  const both = multi([remove('/n0'), create('/x', MEGABYTE)]);
  assert.equal((await client.request(OpCode.multi, both)).body.int(), -1);
  await ok(client, setData('/n0', new Uint8Array(10)));
  await ok(client, getData('/n1'));
  await ok(client, remove('/n1'));
  await ok(client, remove('/n2'));
  await ok(client, create('/n1', MEGABYTE));
  assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
  // The same room is enough for the same znodes.
  server = await workspace.start({ settings: SMALL });
  assert.equal((await childrenOf(await RawClient.open(server.port), '/')).length, count);
  assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
});

test('every kind of write at a full store while snapshots come and go: refused or done, and the server lives', async () => {
  const server = await workspace.start({ settings: { ...SMALL, snapCount: 40 } });
  const client = await RawClient.open(server.port);
  let count = 0;
  for (let err = 0; err === 0; count++) {
    const { op, body } = create(`/n${count}`, MEGABYTE);
    err = (await client.request(op, body)).err;
  }
  let refused = 0;
  for (let round = 0; round < 250; round++) {
    const path = `/n${round % (count - 1)}`;
    const writes = [
      setData(path, MEGABYTE),
      setData(path, new Uint8Array(MEGABYTE.length - round)),
      create(`${path}/child`),
      create(`/e-${round}`, undefined, EPHEMERAL),
      remove(`${path}/child`),
    ];
    const { op, body } = writes[round % writes.length]!;
    const { err } = await client.request(op, body);
    assert.ok([0, QUOTA_EXCEEDED, NO_NODE, NODE_EXISTS].includes(err), `${err}`);
    if (err === QUOTA_EXCEEDED) refused++;
  }
  assert.ok(refused > 0, 'it was full');
  await ok(client, CLOSE);
  const other = await RawClient.open(server.port);
  await ok(other, getData('/n1'));
  assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
});

test('a start with less room than the znodes need ends with one line, and loses nothing', async () => {
  const first = await workspace.start({ settings: LARGE });
  await okAll(
    await RawClient.open(first.port),
    nodes(80).map((path) => create(path, MEGABYTE)),
    4,
  );
  assert.deepEqual(await first.stop(), { status: 0, signal: null }, first.stderr);
  for (const threading of ['shared', 'dedicated'] as const) {
    const second = workspace.launch({ threading, settings: SMALL });
    await second.failsWith(UNEXPECTED_STATUS, OUT_OF_MEMORY);
    assert.equal(second.stdout, '', 'it was never ready');
    const third = await workspace.start({ threading, settings: LARGE });
    assert.equal((await childrenOf(await RawClient.open(third.port), '/')).length, 81);
    assert.deepEqual(await third.stop(), { status: 0, signal: null }, third.stderr);
  }
});

describe('the end of a session whose ephemerals all have parents of 1 MB', () => {
  for (const threading of ['shared', 'dedicated'] as const) {
    test(`goes in parts that fit (${threading})`, async () => {
      const server = await workspace.start({ threading, settings: SMALL });
      const client = await RawClient.open(server.port);
      const other = await RawClient.open(server.port);
      // A child that comes or goes is noted in its parent's record, which is copied with its data.
      for (const path of nodes(45)) {
        await ok(client, create(path, MEGABYTE));
        await ok(client, create(`${path}/child`, undefined, EPHEMERAL));
      }
      await ok(client, CLOSE);
      for (const path of nodes(45)) assert.deepEqual(await childrenOf(other, path), []);
      assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
    });
  }
});

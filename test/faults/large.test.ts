/** Large things: values at the limit of a frame, lists of 100,000 names, the end of a session with 100,000 ephemerals. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { RawClient } from '../support/raw-client.ts';
import type { DiskFault } from './support/disk-fault.ts';
import {
  CLOSE,
  childrenOf,
  create,
  EPHEMERAL,
  exists,
  getData,
  ok,
  okAll,
  PING,
  setData,
} from './support/requests.ts';
import { Workspace } from './support/workspace.ts';

const FRAME_BYTES_MAX = 1_048_575;
const REQUEST_HEADER_BYTES = 8;

describe('a value of 1 MB', () => {
  let workspace: Workspace;

  beforeEach(() => {
    workspace = new Workspace();
  });
  afterEach(() => workspace.dispose());

  /** Data that makes the whole frame of `request(data)` exactly `frameBytes` long. */
  function filling(frameBytes: number, request: typeof setData): Uint8Array {
    const rest = REQUEST_HEADER_BYTES + request('/n', new Uint8Array(0)).body.length;
    return new Uint8Array(frameBytes - rest).fill(7);
  }

  for (const request of [create, setData] as const) {
    test(`${request.name}: a frame of jute.maxbuffer is taken, kept and given back, one byte more ends the connection`, async () => {
      let server = await workspace.start();
      const client = await RawClient.open(server.port);
      if (request === setData) await ok(client, create('/n'));
      const data = filling(FRAME_BYTES_MAX, request);
      await ok(client, request('/n', data));
      const tooLong = request('/n', filling(FRAME_BYTES_MAX + 1, request));
      client.send(tooLong.op, tooLong.body);
      await client.connection.serverClose();
      assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
      server = await workspace.start();
      const stored = (await ok(await RawClient.open(server.port), getData('/n'))).body.buffer();
      assert.deepEqual(stored, data);
    });
  }
});

describe('100,000 ephemerals of one session', () => {
  const COUNT = 100_000;
  /** Long names: the paths of all make 11 MB, many times what one record of the log may be. */
  const PARENT = '/ephemerals-of-a-session-with-a-long-name-that-makes-paths-long-enough-for-many-records';
  const OWNER_OFFSET = 16 + 44;
  let origin: Workspace;
  let session: { readonly sessionId: bigint; readonly password: Uint8Array };

  before(async () => {
    origin = new Workspace();
    // One log file: each is synced once at a start, and faults count syncs.
    const server = await origin.start({ settings: { snapCount: 1_000_000 } });
    const client = await RawClient.open(server.port, { timeoutMs: 40_000 });
    session = client.session;
    await ok(client, create(PARENT));
    const names = Array.from({ length: COUNT }, (_, i) => `${PARENT}/${i}`);
    await okAll(
      client,
      names.map((name) => create(name, undefined, EPHEMERAL)),
      900,
    );
    assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
  });

  after(() => origin.dispose());

  /** A workspace with a copy of those files. */
  function copy(): Workspace {
    const workspace = new Workspace();
    cpSync(origin.dataDir, workspace.dataDir, { recursive: true });
    return workspace;
  }

  test('getChildren gives all names, to several at once, while others are served', async () => {
    const workspace = copy();
    const server = await workspace.start();
    const readers = await Promise.all([0, 1, 2].map(() => RawClient.open(server.port)));
    const lists = Promise.all(readers.map((reader) => childrenOf(reader, PARENT)));
    const other = await RawClient.open(server.port);
    for (let i = 0; i < 50; i++) {
      await ok(other, PING);
      await ok(other, create(`/other-${i}`));
    }
    for (const names of await lists) assert.equal(new Set(names).size, COUNT);
    await workspace.dispose();
  });

  test('closing it removes all; no record of the log is longer than readers accept; a restart agrees', async () => {
    const workspace = copy();
    let server = await workspace.start();
    const client = await RawClient.open(server.port, { timeoutMs: 40_000, ...session });
    const filesBefore = new Set(readdirSync(workspace.files));
    await ok(client, CLOSE);
    const other = await RawClient.open(server.port);
    assert.deepEqual(await childrenOf(other, PARENT), []);
    server.kill();
    await server.ended;
    for (const bytes of recordLengths(workspace.files, filesBefore)) assert.ok(bytes < 2 * FRAME_BYTES_MAX);
    server = await workspace.start();
    assert.deepEqual(await childrenOf(await RawClient.open(server.port), PARENT), []);
    assert.equal(await isAlive(server.port), false);
    await workspace.dispose();
  });

  const moments: readonly DiskFault[] = [
    { call: 'writeSync', path: '/log\\.', nth: 2, effect: 'killHalfWay' },
    { call: 'fdatasyncSync', path: '/log\\.', nth: 2, effect: 'killAfter' },
    { call: 'writeSync', path: '/log\\.', nth: 3, effect: 'killHalfWay' },
  ];
  for (const fault of moments) {
    test(`killed while it closes (${fault.effect} ${fault.call} ${fault.nth}): what is left belongs to the session, and goes with it`, async () => {
      const workspace = copy();
      const dying = await workspace.start({ faults: [fault] });
      const client = await RawClient.open(dying.port, { timeoutMs: 40_000, ...session });
      // A close that needs fewer writes than that is over before.
      await client.request(CLOSE.op, CLOSE.body).catch(() => {});
      dying.kill();
      assert.equal((await dying.ended).signal, 'SIGKILL', dying.stderr);
      const server = await workspace.start();
      const other = await RawClient.open(server.port);
      const left = await childrenOf(other, PARENT);
      if (await isAlive(server.port)) {
        const stat = (await ok(other, exists(`${PARENT}/${left.at(-1)}`))).body.bytes;
        assert.equal(new DataView(stat.buffer).getBigInt64(OWNER_OFFSET), session.sessionId);
        await ok(await RawClient.open(server.port, { timeoutMs: 40_000, ...session }), CLOSE);
        assert.deepEqual(await childrenOf(other, PARENT), []);
      } else {
        assert.equal(left.length, 0);
      }
      assert.deepEqual(await server.stop(), { status: 0, signal: null }, server.stderr);
      await workspace.dispose();
    });
  }

  async function isAlive(port: number): Promise<boolean> {
    const client = await RawClient.open(port, { timeoutMs: 40_000, ...session });
    const { sessionId } = client.session;
    client.destroy();
    return sessionId === session.sessionId;
  }
});

/** Lengths of the payloads in the logs of `directory` that are not among `known`. */
function* recordLengths(directory: string, known: ReadonlySet<string>): Generator<number> {
  for (const name of readdirSync(directory)) {
    if (!name.startsWith('log.') || known.has(name)) continue;
    const bytes = readFileSync(join(directory, name));
    for (let at = 16; at + 12 < bytes.length; ) {
      const length = bytes.readInt32BE(at + 8);
      if (length === 0) break;
      yield length;
      at += 13 + length;
    }
  }
}

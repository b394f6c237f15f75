/**
 * Bytes that no client should send: frames cut anywhere, lengths that lie, garbage as the body of every request, the
 * wrong thing at the wrong time. Only the connection that sent them ends; the server, everybody else and the memory
 * stay as they were. (Random records in place of handshakes and requests: test/fuzz/server.test.ts.)
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { Prng } from '../../src/base/prng.ts';
import { OpCode } from '../../src/wire/opcodes.ts';
import { frame, RawClient, RawConnection, requestFrame } from '../support/raw-client.ts';
import { connectRequest, multi } from '../support/request-bodies.ts';
import { create, exists, getData, ok, PING, setData } from './support/requests.ts';
import type { Server } from './support/server.ts';
import { Workspace } from './support/workspace.ts';

const KEPT = new TextEncoder().encode('kept');
const CONNECT = frame(connectRequest({ timeoutMs: 6000, readOnly: false }));
const FRAME_BYTES_MAX = 0xfffff;
/** Each run looks elsewhere, and says where; `RINGKEEPER_SEED` looks there again. */
const SEED = Number(process.env['RINGKEEPER_SEED'] ?? Date.now() % 2 ** 31);

let workspace: Workspace;
let server: Server;
let witness: RawClient;

before(async () => {
  workspace = new Workspace();
  server = await workspace.start({ settings: { extendedTypesEnabled: 'true' } });
  witness = await RawClient.open(server.port);
  await ok(witness, create('/witness', KEPT));
});

after(() => workspace.dispose());

/** Another client, which has been there all the time, gets its answer, and the right one. */
async function witnessIsServed(): Promise<void> {
  assert.deepEqual((await ok(witness, getData('/witness'))).body.buffer(), KEPT);
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A conversation as one stream of bytes, with something of everything. */
function conversation(): Uint8Array {
  const requests = [
    create('/witness', KEPT),
    setData('/none', KEPT),
    exists('/witness'),
    getData('/witness'),
    { op: OpCode.multi, body: multi([create('/witness/x')]) },
    PING,
  ];
  return concat(CONNECT, ...requests.map(({ op, body }, i) => requestFrame(i + 1, op, body)));
}

describe('frames', () => {
  test('a conversation cut at any byte harms nobody', async () => {
    const stream = conversation();
    for (let end = 0; end < stream.length; end += 3) {
      const connection = await RawConnection.open(server.port);
      connection.write(stream.subarray(0, end));
      connection.destroy();
      if (end % 30 === 0) await witnessIsServed();
    }
    await witnessIsServed();
  });

  test('a conversation in any pieces is understood', async () => {
    const stream = conversation();
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const connection = await RawConnection.open(server.port);
        let from = 0;
        for (const to of [...places.sort((a, b) => a - b), stream.length]) {
          connection.write(stream.subarray(from, to));
          from = to;
          await new Promise(setImmediate);
        }
        // The handshake, five answers, a ping.
        for (let i = 0; i < 7; i++) assert.ok((await connection.nextFrame()) !== undefined);
        connection.destroy();
      }),
      { numRuns: 40, seed: SEED },
    );
  });

  const lengths = [-1, -2, -0x80000000, 0x7fffffff, FRAME_BYTES_MAX + 1, 0x41414141];
  for (const length of lengths) {
    test(`a length of ${length} ends the connection, at the beginning and in the middle`, async () => {
      const stranger = await RawConnection.open(server.port);
      stranger.write(concat(int32(length), KEPT));
      await stranger.serverClose();
      const client = await RawClient.open(server.port);
      client.send(OpCode.exists, exists('/witness').body);
      client.connection.write(concat(int32(length), KEPT));
      assert.equal((await client.reply()).err, 0, 'what came before is answered');
      await client.connection.serverClose();
      await witnessIsServed();
    });
  }

  test('the session of a connection that ended this way goes on through another one', async () => {
    const first = await RawClient.open(server.port);
    first.connection.write(int32(-7));
    await first.connection.serverClose();
    const { sessionId, password } = first.session;
    const second = await RawClient.open(server.port, { timeoutMs: 6000, sessionId, password });
    assert.equal(second.session.sessionId, sessionId);
    await ok(second, exists('/witness'));
    second.destroy();
  });
});

describe('out of order', () => {
  for (const request of [create('/early', KEPT), getData('/witness'), PING]) {
    test(`opcode ${request.op} before the handshake`, async () => {
      const connection = await RawConnection.open(server.port);
      connection.write(requestFrame(1, request.op, request.body));
      await connection.serverClose();
      assert.equal((await witness.request(OpCode.exists, exists('/early').body)).err, -101);
    });
  }

  test('a second handshake is no request that the server knows: -6 and the end', async () => {
    const client = await RawClient.open(server.port);
    client.connection.write(CONNECT);
    assert.equal((await client.reply()).err, -6);
    await client.connection.serverClose();
    await witnessIsServed();
  });

  test('xids may come in any order and twice; they come back as they were sent', async () => {
    const client = await RawClient.open(server.port);
    const xids = [5, 3, 3, 0, 0x7fffffff, -100, 1];
    const { op, body } = exists('/witness');
    client.connection.write(concat(...xids.map((xid) => requestFrame(xid, op, body))));
    for (const xid of xids) assert.equal((await client.reply()).xid, xid);
    client.destroy();
  });

  test('a frame too short for a request header ends its connection', async () => {
    for (let length = 0; length < 8; length++) {
      const client = await RawClient.open(server.port);
      client.connection.write(frame(new Uint8Array(length)));
      await client.connection.serverClose();
    }
    await witnessIsServed();
  });
});

test('garbage as the body of every opcode: an error or the end, for this connection only', async (context) => {
  context.diagnostic(`RINGKEEPER_SEED=${SEED}`);
  const random = new Prng(SEED);
  for (const op of Object.values(OpCode)) {
    for (let round = 0; round < 8; round++) {
      const body = Uint8Array.from({ length: random.below(200) }, () => random.below(256));
      const client = await RawClient.open(server.port);
      client.send(op, body);
      client.send(PING.op);
      // Whatever it says to this, it says something or closes.
      await client.connection.nextFrame();
      client.destroy();
    }
    await witnessIsServed();
  }
});

test('a gigabyte of frames that never end leaves nothing behind', async (t) => {
  const beginning = concat(int32(FRAME_BYTES_MAX), new Uint8Array(FRAME_BYTES_MAX - 1));
  const round = async (): Promise<void> => {
    const connections = await Promise.all(Array.from({ length: 50 }, () => RawConnection.open(server.port)));
    for (const connection of connections) connection.write(beginning);
    // Each turn of the server's event loop reads 64 KiB of each of them, and answers one of these.
    for (let turn = 0; turn < 20; turn++) await witnessIsServed();
    for (const connection of connections) connection.destroy();
  };
  await round();
  await round();
  const before = server.residentMib();
  for (let i = 0; i < 20; i++) await round();
  const grown = server.residentMib() - before;
  t.diagnostic(`${grown} MiB`);
  assert.ok(grown < 150, `${grown} MiB`);
});

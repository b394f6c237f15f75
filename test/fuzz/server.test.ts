/**
 * A live server and hostile bytes: whatever one connection sends, the server answers or hangs up, goes on serving
 * others, and keeps what it knows. One server for all runs, so that nothing builds up unseen.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { OpCode } from '../../src/wire/opcodes.ts';
import { frame, RawClient, RawConnection, requestFrame } from '../support/raw-client.ts';
import { connectRequest, create, OPEN_ACL, pathAndBool } from '../support/request-bodies.ts';
import { RingkeeperServer } from '../support/ringkeeper.ts';

const OPS = [...Object.values(OpCode), -100, 10, 23, 99, 127, 2147483647];
const PING_XID = -2;
const KEPT = new TextEncoder().encode('kept');

let server: RingkeeperServer;
let witness: RawClient;

before(async () => {
  server = new RingkeeperServer({ config: { extendedTypesEnabled: 'true' } });
  await server.start();
  witness = await RawClient.open(server.port);
  const body = create({ path: '/witness', data: KEPT, acls: OPEN_ACL, flags: 0 });
  assert.equal((await witness.request(OpCode.create, body)).err, 0);
});

after(() => server.dispose());

/** Another client still gets its answer, and the right one. */
async function witnessIsServed(): Promise<void> {
  const reply = await witness.request(OpCode.getData, pathAndBool('/witness', false));
  assert.equal(reply.err, 0);
  assert.deepEqual(reply.body.buffer(), KEPT);
}

/** Lengths, counts and flags that decoders trip over, between arbitrary bytes. */
const nasty = fc.oneof(
  fc.constantFrom(-1, 0, 1, 2, 5, 16, 0x7fffffff, -0x80000000, 0xfffff, 0x100000).map((n) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, n);
    return bytes;
  }),
  fc.constantFrom('/', '/a', '/a/b', '//', '/zookeeper/quota', '/\u0000').map((text) => {
    const bytes = new TextEncoder().encode(text);
    const field = new Uint8Array(4 + bytes.length);
    new DataView(field.buffer).setInt32(0, bytes.length);
    field.set(bytes, 4);
    return field;
  }),
  fc.uint8Array({ maxLength: 24 }),
);
const body = fc.array(nasty, { maxLength: 8 }).map((parts) => new Uint8Array(Buffer.concat(parts)));

test('no bytes in place of a handshake harm the server', async () => {
  const raw = fc.oneof(fc.uint8Array({ maxLength: 300 }), body, body.map(frame));
  await fc.assert(
    fc.asyncProperty(fc.array(raw, { minLength: 1, maxLength: 3 }), async (chunks) => {
      const connection = await RawConnection.open(server.port);
      for (const chunk of chunks) connection.write(chunk);
      await witnessIsServed();
      connection.destroy();
    }),
    { numRuns: 150 },
  );
});

function pingsIn(requests: readonly { readonly op: number }[]): number {
  return requests.filter(({ op }) => op === OpCode.ping).length;
}

function overtakes(op: number): boolean {
  return op === OpCode.auth || op === OpCode.sasl;
}

test('no request record harms the server, and replies stay in order', async () => {
  const request = fc.record({ op: fc.constantFrom(...OPS), body });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), async (requests) => {
      const connection = await RawConnection.open(server.port);
      connection.write(frame(connectRequest({ timeoutMs: 6000, readOnly: false })));
      assert.ok((await connection.nextFrame()) !== undefined);
      connection.write(Buffer.concat(requests.map(({ op, body }, i) => requestFrame(i + 1, op, body))));
      connection.write(requestFrame(requests.length + 1, OpCode.ping));
      // Replies come in the order of the requests, auth and sasl aside, until the last ping's or the end.
      let last = 0;
      for (let pings = pingsIn(requests) + 1; pings > 0; ) {
        const reply = await connection.nextFrame();
        if (reply === undefined) break;
        const xid = new DataView(reply.buffer).getInt32(0);
        if (xid === PING_XID) pings--;
        if (xid <= 0 || overtakes(requests[xid - 1]!.op)) continue;
        assert.ok(xid > last, `reply ${xid} after ${last}`);
        last = xid;
      }
      await witnessIsServed();
      connection.destroy();
    }),
    { numRuns: 150 },
  );
});

/** Who dials whom, which connection stays, and what travels on it: the rules of Apache's connection manager, on real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { MeshPeer } from '../../src/net/election-peers.ts';
import { until } from '../support/until.ts';
import {
  ended,
  frameFor,
  greetingOf,
  HOST,
  MeshNode,
  membersOf,
  meshOf,
  stranger,
} from './support/mesh-harness.ts';

/** Somebody who listens where server `sid` should, and keeps what comes. */
async function impostor(
  t: TestContext,
  member: MeshPeer,
): Promise<{ sockets: Socket[]; bytes: Buffer[]; close(): void }> {
  const sockets: Socket[] = [];
  const bytes: Buffer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    bytes.push(Buffer.alloc(0));
    const at = bytes.length - 1;
    socket.on('data', (chunk: Buffer) => {
      bytes[at] = Buffer.concat([bytes[at]!, chunk]);
    });
    socket.on('error', () => undefined);
  });
  server.listen(member.addresses[0]!.port, HOST);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { sockets, bytes, close: () => void server.close() };
}

describe('the election mesh', () => {
  it('carries messages both ways whoever speaks first, over one connection dialled by the larger sid', async (t) => {
    const members = await membersOf(1, 2);
    const [one, two] = await Promise.all([meshOf(t, 1, members), meshOf(t, 2, members)]);
    one.mesh.send(2, frameFor(11));
    await two.hears(1, 11);
    two.mesh.send(1, frameFor(22));
    await one.hears(2, 22);
    one.mesh.send(2, frameFor(12));
    await two.hears(1, 12);
    assert.deepEqual([one.mesh.linkedSids, two.mesh.linkedSids], [[2], [1]]);
    assert.equal(two.mesh.counters.callBacks, 1);
    assert.deepEqual([one.mesh.counters.links, two.mesh.counters.links], [1, 1]);
    assert.deepEqual([...one.refusals, ...two.refusals], []);
  });

  it('finds one connection when both dial at once', async (t) => {
    const members = await membersOf(1, 2, 3);
    const nodes = await Promise.all([1, 2, 3].map((sid) => meshOf(t, sid, members)));
    for (const [i, node] of nodes.entries())
      for (const other of [1, 2, 3]) if (other !== i + 1) node.mesh.send(other, frameFor(10 + i));
    for (const [i, node] of nodes.entries())
      for (const other of [0, 1, 2]) if (other !== i) await node.hears(other + 1, 10 + other);
    for (const node of nodes) assert.equal(node.mesh.linkedSids.length, 2);
  });

  it('keeps only the newest message for a server that is down, and says it when that one comes', async (t) => {
    const members = await membersOf(1, 2);
    const two = await meshOf(t, 2, members);
    for (const leader of [5, 6, 7]) two.mesh.send(1, frameFor(leader));
    await until(async () => two.unreachable.length > 0);
    assert.equal(two.unreachable[0]!.why, 'nobody listens there');
    assert.equal(two.mesh.wasDelivered, false);
    const one = await meshOf(t, 1, members);
    two.mesh.connectAll();
    await one.hears(2, 7);
    assert.deepEqual(
      one.heard.map(({ notification }) => notification.leader),
      [7],
    );
    assert.equal(two.mesh.wasDelivered, true);
  });

  it('repeats on a new connection what it said last', async (t) => {
    const members = await membersOf(1, 2);
    const one = await meshOf(t, 1, members);
    const two = new MeshNode(2, members);
    await two.mesh.listen();
    one.mesh.send(2, frameFor(9));
    await two.hears(1, 9);
    two.mesh.close();
    await until(async () => one.mesh.linkedSids.length === 0);
    const again = await meshOf(t, 2, members);
    again.mesh.send(1, frameFor(8));
    await one.hears(2, 8);
    await again.hears(1, 9);
  });

  it('says whose link has ended, and dials it when it is asked to: nobody is there', async (t) => {
    const members = await membersOf(1, 2);
    const one = await meshOf(t, 1, members);
    const two = new MeshNode(2, members);
    await two.mesh.listen();
    one.mesh.send(2, frameFor(9));
    await two.hears(1, 9);
    two.mesh.close();
    await until(async () => one.lost.length > 0);
    assert.deepEqual([one.lost, two.lost, one.mesh.linkedSids], [[2], [], []]);
    one.mesh.connect(2);
    await until(async () => one.unreachable.length > 0);
    assert.deepEqual(one.unreachable, [{ sid: 2, why: 'nobody listens there' }]);
  });

  it('asks a larger server to call back, and does not call one that hangs again and again', async (t) => {
    const members = await membersOf(1, 2);
    const { sockets, bytes } = await impostor(t, members[1]!);
    const one = await meshOf(t, 1, members);
    for (let i = 0; i < 20; i++) {
      one.mesh.send(2, frameFor(i));
      one.mesh.connectAll();
      await until(async () => bytes.length > 0 && bytes[0]!.length > 0);
    }
    assert.equal(one.mesh.counters.dials, 1);
    assert.deepEqual(bytes[0], Buffer.from(greetingOf(1, one.port)), 'the initial message and nothing else');
    await ended(sockets[0]!);
    // It is gone: the next that is to be said dials it again.
    sockets[0]!.destroy();
    await until(async () => {
      one.mesh.send(2, frameFor(99));
      return sockets.length === 2;
    });
  });

  it('dials a smaller server, whose connection it keeps', async (t) => {
    const members = await membersOf(1, 2);
    const { bytes } = await impostor(t, members[0]!);
    const two = await meshOf(t, 2, members);
    const expected = Buffer.concat([greetingOf(2, two.port), frameFor(2)]);
    two.mesh.send(1, frameFor(2));
    await until(async () => bytes[0]?.length === expected.length);
    assert.deepEqual(bytes[0], expected);
    assert.deepEqual(two.mesh.linkedSids, [1]);
  });

  it('calls back at the address it was told, which the configuration need not know', async (t) => {
    const [own, moved] = await membersOf(2, 1);
    const nowhere = { sid: 1, addresses: [{ host: HOST, port: 1 }] };
    const two = await meshOf(t, 2, [own!, nowhere]);
    const { bytes } = await impostor(t, moved!);
    await ended(await stranger(t, two.port, greetingOf(1, moved!.addresses[0]!.port)));
    await until(async () => (bytes[0]?.length ?? 0) > 0);
    assert.deepEqual(two.mesh.linkedSids, [1]);
  });

  it('lets a newer connection of a larger server take the place of the older', async (t) => {
    const members = await membersOf(1, 2);
    const one = await meshOf(t, 1, members);
    const port = members[1]!.addresses[0]!.port;
    const first = await stranger(t, one.port, greetingOf(2, port), frameFor(1));
    await one.hears(2, 1);
    await stranger(t, one.port, greetingOf(2, port), frameFor(2));
    await one.hears(2, 2);
    await ended(first);
    assert.deepEqual(one.refusals, []);
  });

  it('takes any pieces, and messages that come with the initial one', async (t) => {
    const members = await membersOf(1, 2);
    const one = await meshOf(t, 1, members);
    const bytes = Buffer.concat([greetingOf(2, 1), frameFor(3), frameFor(4, 2000)]);
    const socket = await stranger(t, one.port);
    socket.setNoDelay(true);
    for (const byte of bytes.subarray(0, 60)) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write(bytes.subarray(60));
    await one.hears(2, 3);
    await one.hears(2, 4);
  });

  it('resolves a name anew at each attempt, and tries the other addresses of a server', async (t) => {
    const [own, other] = await membersOf(2, 1);
    const { port } = other!.addresses[0]!;
    const several = {
      sid: 1,
      addresses: [
        { host: 'no-such-host.invalid', port },
        { host: HOST, port },
      ],
    };
    const two = await meshOf(t, 2, [own!, several], { multiAddress: true });
    two.mesh.send(1, frameFor(1));
    await until(async () => two.unreachable.length >= 2);
    assert.deepEqual(two.unreachable.map(({ why }) => why).slice(0, 2), [
      'the name does not resolve',
      'nobody listens there',
    ]);
    const one = await meshOf(t, 1, [own!, other!]);
    await until(async () => {
      two.mesh.connectAll();
      return one.heard.length > 0;
    });
    assert.deepEqual(two.mesh.linkedSids, [1]);
  });

  it('makes all links anew when the membership changes, and knows whom it names no more', async (t) => {
    const members = await membersOf(1, 2);
    const [one, two] = await Promise.all([meshOf(t, 1, members), meshOf(t, 2, members)]);
    two.mesh.send(1, frameFor(1));
    await one.hears(2, 1);
    two.mesh.setMembers([members[1]!], [members[1]!]);
    two.mesh.dropLinks();
    await until(async () => one.mesh.linkedSids.length === 0);
    two.mesh.send(1, frameFor(2));
    assert.deepEqual(two.mesh.linkedSids, []);
    // It comes by itself, as servers do that were removed, and is answered.
    one.mesh.send(2, frameFor(3));
    await two.hears(1, 3);
  });

  it('says which port cannot be had, after as many attempts as it was told', async (t) => {
    const members = await membersOf(1, 2);
    await impostor(t, members[0]!);
    const one = new MeshNode(1, members, { bindAttempts: 1 });
    t.after(() => one.mesh.close());
    await assert.rejects(one.mesh.listen(), {
      message: /cannot listen for elections on .*: the port is in use/,
      exitStatus: 14,
    });
    assert.deepEqual(one.listenLater, []);
  });

  it('tries a port that is in use, or a name that does not resolve, again, and says so', async (t) => {
    const members = await membersOf(1, 2);
    const owner = await impostor(t, members[0]!);
    const one = new MeshNode(1, members, { bindAttempts: 0 });
    t.after(() => one.mesh.close());
    const listening = one.mesh.listen();
    await until(async () => one.listenLater.length > 0);
    assert.match(one.listenLater[0]!, /^cannot listen for elections on .*: the port is in use;/);
    owner.close();
    await listening;
  });
});

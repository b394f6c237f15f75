/**
 * Whatever is said to the election port by whoever reaches it: that connection is closed with a counted reason, and the two
 * servers that are linked there go on telling each other.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { Refusal } from '../../src/net/election-connection.ts';
import type { MeshPeer } from '../../src/net/election-peers.ts';
import { until } from '../support/until.ts';
import {
  ended,
  frameFor,
  greetingOf,
  type MeshNode,
  membersOf,
  meshOf,
  stranger,
} from './support/mesh-harness.ts';

/** Servers 1 and 3, linked; 2 is a member that is down. */
async function linked(
  t: TestContext,
  greetingTimeoutMs = 60_000,
): Promise<Readonly<{ one: MeshNode; three: MeshNode; members: MeshPeer[] }>> {
  const members = await membersOf(1, 2, 3);
  const [one, three] = await Promise.all([
    meshOf(t, 1, members, { greetingTimeoutMs }),
    meshOf(t, 3, members),
  ]);
  three!.mesh.send(1, frameFor(30));
  await one!.hears(3, 30);
  return { one: one!, three: three!, members };
}

async function undisturbed({ one, three }: { one: MeshNode; three: MeshNode }): Promise<void> {
  three.mesh.send(1, frameFor(77));
  one.mesh.send(3, frameFor(78));
  await one.hears(3, 77);
  await three.hears(1, 78);
  assert.equal(three.mesh.counters.links, 1, 'the link between the two is the one they had');
}

/** Of an initial message: version, sid, length of the address, address. */
function greeting(version: bigint, sid: bigint, length: number, address: string): Buffer {
  const head = Buffer.alloc(20);
  head.writeBigInt64BE(version, 0);
  head.writeBigInt64BE(sid, 8);
  head.writeInt32BE(length, 16);
  return Buffer.concat([head, Buffer.from(address)]);
}

function lengthOnly(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  return bytes;
}

const V1 = -65_536n;
const GREETINGS: readonly (readonly [string, Refusal, Uint8Array])[] = [
  ['an HTTP request', 'garbage', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
  [
    'a connect request of a client',
    'stranger',
    Buffer.concat([lengthOnly(0), lengthOnly(45), Buffer.alloc(41)]),
  ],
  ['a TLS hello', 'TLS', Buffer.from('16030100a5010000a10303'.padEnd(340, '7'), 'hex')],
  ['a newer protocol', 'newer protocol', greeting(-65_534n, 2n, 11, '127.0.0.1:1')],
  ['an unknown older protocol', 'garbage', greeting(-65_537n, 2n, 11, '127.0.0.1:1')],
  ['a sid that nobody can have', 'garbage', greeting(V1, -5n, 11, '127.0.0.1:1')],
  ['a sid beyond 2^53', 'garbage', greeting(V1, 1n << 60n, 11, '127.0.0.1:1')],
  ['our own sid', 'own sid', greeting(V1, 1n, 11, '127.0.0.1:1')],
  ['an anonymous observer', 'stranger', greeting(V1, (1n << 63n) - 1n, 11, '127.0.0.1:1')],
  ['an address of length 0', 'malformed address', greeting(V1, 2n, 0, '')],
  ['an address of length -1', 'malformed address', greeting(V1, 2n, -1, '')],
  ['an address of 2 GiB', 'malformed address', greeting(V1, 2n, 0x7fffffff, 'x'.repeat(3000))],
  ['an address without a port', 'malformed address', greeting(V1, 2n, 9, '127.0.0.1')],
  ['an address with a port too large', 'malformed address', greeting(V1, 2n, 15, '127.0.0.1:65536')],
];

const FRAMES: readonly (readonly [string, Refusal, Uint8Array])[] = [
  ['a message of length 0', 'frame length', lengthOnly(0)],
  ['a message of length -1', 'frame length', lengthOnly(-1)],
  ['a message over 512 KiB', 'frame length', lengthOnly(512 * 1024 + 1)],
  ['text instead of messages', 'frame length', Buffer.from('hello, is anybody there?')],
];

describe('the election port closes with a counted reason', () => {
  for (const [name, reason, bytes] of GREETINGS) {
    it(name, async (t) => {
      const nodes = await linked(t);
      const socket = await stranger(t, nodes.one.port, bytes);
      await ended(socket);
      await nodes.one.refused(reason);
      assert.deepEqual(
        nodes.one.refusals.map((refusal) => refusal.reason),
        [reason],
      );
      await undisturbed(nodes);
    });
  }

  for (const [name, reason, bytes] of FRAMES) {
    it(`${name}, of a server that said who it is`, async (t) => {
      const nodes = await linked(t);
      const socket = await stranger(t, nodes.one.port, greetingOf(2, 1), frameFor(5), bytes);
      await ended(socket);
      await nodes.one.refused(reason);
      await nodes.one.hears(2, 5);
      await undisturbed(nodes);
    });
  }

  it('half an initial message, and one that never comes', async (t) => {
    const nodes = await linked(t, 300);
    const half = await stranger(t, nodes.one.port, greetingOf(2, 1).subarray(0, 12));
    const silent = await stranger(t, nodes.one.port);
    await Promise.all([ended(half), ended(silent)]);
    await nodes.one.refused('idle', 2);
    (await stranger(t, nodes.one.port, greetingOf(2, 1).subarray(0, 12))).end();
    await nodes.one.refused('cut off');
    await undisturbed(nodes);
  });

  it('half a message and then nothing more', async (t) => {
    const nodes = await linked(t);
    (await stranger(t, nodes.one.port, greetingOf(2, 1), frameFor(5).subarray(0, 30))).end();
    await nodes.one.refused('cut off');
    await undisturbed(nodes);
  });

  it('a thousand connections that say nothing: 64 are kept, and a server gets in between', async (t) => {
    const nodes = await linked(t);
    const sockets: Socket[] = [];
    for (let i = 0; i < 1000; i++) sockets.push(await stranger(t, nodes.one.port));
    await nodes.one.refused('crowded', 1000 - 64);
    await stranger(t, nodes.one.port, greetingOf(2, 1), frameFor(6));
    await nodes.one.hears(2, 6);
    assert.deepEqual([...new Set(nodes.one.refusals.map(({ reason }) => reason))], ['crowded']);
    await undisturbed(nodes);
    for (const socket of sockets) socket.destroy();
  });

  it('servers that no configuration names: eight are answered, more are not', async (t) => {
    const nodes = await linked(t);
    for (let sid = 100; sid < 108; sid++) {
      await stranger(t, nodes.one.port, greetingOf(sid, sid), frameFor(sid));
      await nodes.one.hears(sid, sid);
    }
    const ninth = await stranger(t, nodes.one.port, greetingOf(200, 200));
    await ended(ninth);
    await nodes.one.refused('stranger');
    await undisturbed(nodes);
  });

  it('two servers with one id from different places: the link changes hands once in 10 s', async (t) => {
    const nodes = await linked(t);
    await stranger(t, nodes.one.port, greetingOf(2, 1111), frameFor(1));
    await nodes.one.hears(2, 1);
    await stranger(t, nodes.one.port, greetingOf(2, 2222), frameFor(2));
    await nodes.one.hears(2, 2);
    const third = await stranger(t, nodes.one.port, greetingOf(2, 1111), frameFor(3));
    await ended(third);
    await nodes.one.refused('same sid');
    assert.equal(nodes.one.refusals[0]!.sid, 2);
    nodes.one.laterMs = 10_001;
    await stranger(t, nodes.one.port, greetingOf(2, 1111), frameFor(4));
    await nodes.one.hears(2, 4);
    await undisturbed(nodes);
  });

  it('somebody who takes the name of a smaller server does not end its link', async (t) => {
    const nodes = await linked(t);
    const { one, three, members } = nodes;
    const liar = await stranger(t, three.port, greetingOf(1, members[1]!.addresses[0]!.port));
    await ended(liar);
    // Nobody answers where it says it is; the server itself does, at its own address, and keeps being heard.
    await until(async () => three.mesh.counters.failedDials > 0);
    await until(async () => three.mesh.counters.links === 2);
    three.mesh.send(1, frameFor(77));
    one.mesh.send(3, frameFor(78));
    await one.hears(3, 77);
    await three.hears(1, 78);
  });

  it('a server that reads nothing any more', async (t) => {
    const nodes = await linked(t);
    const socket = await stranger(t, nodes.one.port, greetingOf(2, 1), frameFor(5));
    socket.pause();
    await nodes.one.hears(2, 5);
    // More than kernels take: one is being written and one waits, the others are replaced.
    let sent = -1;
    await until(async () => {
      const before = sent;
      sent = nodes.one.mesh.counters.sent;
      nodes.one.mesh.send(2, frameFor(6, 500_000));
      return sent === before;
    });
    nodes.one.laterMs += 31_000;
    await nodes.one.refused('not reading');
    await undisturbed(nodes);
  });

  it('messages without end of one server: they are read, or dropped, and nobody waits', async (t) => {
    const nodes = await linked(t);
    const flood = Buffer.concat(Array.from({ length: 5000 }, () => frameFor(5)));
    await stranger(t, nodes.one.port, greetingOf(2, 1), flood);
    await until(async () => nodes.one.mesh.counters.received > 5000);
    const { received, dropped } = nodes.one.mesh.counters;
    await until(async () => nodes.one.heard.length === received - dropped);
    await undisturbed(nodes);
  });

  it('messages in good frames that say nothing are counted and skipped', async (t) => {
    const nodes = await linked(t);
    const short = Buffer.concat([lengthOnly(7), Buffer.alloc(7)]);
    await stranger(t, nodes.one.port, greetingOf(2, 1), short, frameFor(5));
    await nodes.one.hears(2, 5);
    assert.equal(nodes.one.mesh.counters.malformed, 1);
    await undisturbed(nodes);
  });
});

it('random bytes never do more', async (t) => {
  const nodes = await linked(t, 500);
  const said: string[] = [];
  for (let i = 0; i < 60; i++) {
    const bytes = randomBytes(1 + (i % 48));
    said.push(bytes.toString('hex'));
    const socket = await stranger(t, nodes.one.port, i % 2 === 0 ? bytes : greetingOf(2, 1), bytes);
    socket.end();
    await ended(socket);
  }
  await undisturbed(nodes).catch((error) => assert.fail(`${error}: ${said.join(' ')}`));
});

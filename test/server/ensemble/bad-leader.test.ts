/**
 * A leader that breaks every rule: our follower leaves it with a reason, keeps what it had, and is there for the next one. The
 * leader is a socket; that it was elected is real.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import { until } from '../../support/until.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';
import { ElectionNode } from './election-node.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

const EPOCH = makeZxid(1, 0);
const LEADER_INFO = packetBytes(PacketType.leaderInfo, EPOCH, new Uint8Array([0, 1, 0, 0]));
const DIFF = packetBytes(PacketType.diff, 0);
const SNAP = packetBytes(PacketType.snap, 5);

/** What it says once the follower has introduced itself, and why it is left. */
const CASES: readonly (readonly [what: string, bytes: readonly Uint8Array[], reason: RegExp])[] = [
  ['garbage', [Buffer.from('GET / HTTP/1.0\r\n\r\n')], /packet of impossible length/],
  [
    'a packet of two gigabytes',
    [Buffer.from('0000001100000001000000007fffffff', 'hex')],
    /impossible length/,
  ],
  ['half a packet and an end', [LEADER_INFO.subarray(0, 7)], /closed the connection/],
  [
    'an epoch beyond all',
    [packetBytes(PacketType.leaderInfo, 0x7fff_ffff * 2 ** 32)],
    /says to lead epoch 2147483647/,
  ],
  ['no plan', [LEADER_INFO, packetBytes(PacketType.upToDate, -1)], /where DIFF, SNAP or TRUNC belongs/],
  [
    'NEWLEADER of another epoch',
    [LEADER_INFO, DIFF, packetBytes(PacketType.newLeader, makeZxid(9, 0))],
    /NEWLEADER is of 0x900000000/,
  ],
  [
    'a proposal that is no transaction',
    [LEADER_INFO, DIFF, packetBytes(PacketType.proposal, makeZxid(1, 1), new Uint8Array(9))],
    /proposes what is no transaction/,
  ],
  [
    'a commit of nothing',
    [LEADER_INFO, DIFF, packetBytes(PacketType.commit, makeZxid(1, 1))],
    /commits 0x100000001 where nothing is next/,
  ],
  [
    'a tree that cannot be',
    [LEADER_INFO, SNAP, Buffer.from('ffffffff', 'hex')],
    /the tree that the leader sends is corrupt/,
  ],
  ['half a tree', [LEADER_INFO, SNAP, Buffer.from('0000000000000000', 'hex')], /closed the connection/],
];

/** Servers 1 and 3 of an ensemble of two: ours, and a socket that server 3 would listen on. */
async function ensemble(t: TestContext) {
  const ports = await freePorts(4);
  const servers = { 1: `127.0.0.1:${ports[0]}:${ports[1]}`, 3: `127.0.0.1:${ports[2]}:${ports[3]}` };
  const ours = new RingkeeperMember({ sid: 1, servers });
  t.after(() => ours.dispose());
  const elected = new ElectionNode(3, servers);
  t.after(() => elected.agent.close());
  await elected.agent.listen();
  const socket = createServer().listen(ports[2]!, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { ours, elected, socket };
}

describe('a leader that breaks the rules', () => {
  it('is left with a reason, each time, and nothing is lost', async (t) => {
    const { ours, elected, socket } = await ensemble(t);
    await ours.start();
    let left = 0;
    for (const [what, bytes, reason] of CASES) {
      elected.agent.startLooking({ zxid: 0, currentEpoch: 0 });
      const [follower] = (await once(socket, 'connection')) as [Socket];
      follower.on('error', () => {});
      await once(follower, 'data');
      for (const piece of bytes) follower.write(piece);
      follower.end();
      left++;
      await until(async () => (ours.log.match(/no longer with this leader: /g) ?? []).length >= left);
      assert.match(ours.log.split('no longer with this leader: ').at(-1)!, reason, what);
      follower.destroy();
      assert.equal(await fourLetterWord(ours.port, 'ruok', 1000), 'imok', what);
    }

    assert.equal(ours.running, true);
  });
});

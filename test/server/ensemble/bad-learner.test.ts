/**
 * The quorum port of a leader, and whoever reaches it: what is no learner, or breaks the rules, ends its own connection with a counted
 * reason; the leader and its followers go on.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { connect } from '../../../src/client/index.ts';
import { PacketSplitter } from '../../../src/wire/quorum/packet-splitter.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { LEARNER_INFO_BYTES, writeLearnerInfo } from '../../../src/wire/quorum/payloads.ts';
import { fourLetterWord } from '../../support/four-letter-word.ts';
import { freePorts } from '../../support/free-ports.ts';
import { until } from '../../support/until.ts';
import { viewOf } from '../../wire/bytes.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';
import { RingkeeperMember } from './ringkeeper-member.ts';

function info(sid: number, promised = 0, configVersion = 0): Uint8Array {
  const data = new Uint8Array(LEARNER_INFO_BYTES);
  writeLearnerInfo(viewOf(data), 0, sid, configVersion);
  return packetBytes(PacketType.followerInfo, makeZxid(promised, 0), data);
}

function observerInfo(sid: number): Uint8Array {
  const bytes = info(sid);
  viewOf(bytes).setInt32(0, PacketType.observerInfo);
  return bytes;
}

const ACK_EPOCH = packetBytes(PacketType.ackEpoch, 0, new Uint8Array([0, 0, 0, 0]));
const ACK_NEW_LEADER = packetBytes(PacketType.ack, makeZxid(1, 0));

/** A member that follows, so far. */
const FOLLOWS: readonly Piece[] = [
  info(7),
  [PacketType.leaderInfo, ACK_EPOCH],
  [PacketType.newLeader, ACK_NEW_LEADER],
];

/** Bytes, perhaps behind a packet of the leader. */
type Piece = Uint8Array | readonly [behind: number, bytes: Uint8Array];

/** What is sent, and as what it is counted. Server 7 is none of the ensemble, and may follow all the same. */
const CASES: readonly (readonly [what: string, fault: string, pieces: readonly Piece[]])[] = [
  ['a TLS hello', 'TLS', [Buffer.from('16030100e9010000e5', 'hex')]],
  ['garbage', 'garbage', [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]],
  ['a packet of two gigabytes', 'garbage', [Buffer.from('0000000b00000001000000007fffffff', 'hex')]],
  ['half a packet and an end', 'cut off', [info(7).subarray(0, 21)]],
  ['another packet first', 'protocol', [packetBytes(PacketType.ping, 0)]],
  ['an epoch beyond all', 'protocol', [packetBytes(PacketType.followerInfo, 2 ** 62, new Uint8Array(20))]],
  ['a newer configuration', 'newer configuration', [info(7, 0, 5)]],
  ['the leader itself', 'own sid', [info(3)]],
  ['no answer to LEADERINFO', 'protocol', [info(7), [PacketType.leaderInfo, ACK_NEW_LEADER]]],
  [
    'an acknowledgement of what never was',
    'protocol',
    [...FOLLOWS, [PacketType.upToDate, packetBytes(PacketType.ack, makeZxid(1, 999_999))]],
  ],
  [
    'a REQUEST too short to be one',
    'protocol',
    [...FOLLOWS, [PacketType.upToDate, packetBytes(PacketType.request, -1, new Uint8Array(15))]],
  ],
];

/** Sends the pieces, each when it is its turn; resolves when all are sent. */
function say(socket: Socket, pieces: readonly Piece[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let at = 0;
  const go = (heard: number): void => {
    for (let piece = pieces[at]; piece !== undefined; piece = pieces[++at]) {
      if (piece instanceof Uint8Array) socket.write(piece);
      else if (piece[0] === heard) socket.write(piece[1]);
      else return;
      heard = -1;
    }
    resolve();
  };
  const splitter = new PacketSplitter(1 << 20, {
    onPacket: ({ type }) => {
      go(type);
      return true;
    },
    onRaw: () => 0,
  });
  socket.on('data', (bytes: Buffer) => splitter.push(bytes));
  go(-1);
  return promise;
}

async function leading(t: TestContext) {
  const ports = await freePorts(6);
  const servers = Object.fromEntries(
    [1, 2, 3].map((sid, i) => [sid, `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`]),
  );
  const leader = new RingkeeperMember({ sid: 3, servers });
  const follower = new RingkeeperMember({ sid: 1, servers });
  t.after(() => Promise.all([leader, follower].map((member) => member.dispose())));
  await Promise.all([leader.start(), follower.start()]);
  await until(async () => /leader/.test(await fourLetterWord(leader.port, 'srvr', 1000).catch(() => '')));
  return { leader, follower, quorumPort: ports[4]! };
}

async function open(port: number): Promise<Socket> {
  const socket = dial(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.resume();
  return socket;
}

async function counted(leader: RingkeeperMember, fault: string): Promise<number> {
  const name = `zk_ringkeeper_quorum_refused_${fault.replaceAll(' ', '_').toLowerCase()}`;
  const figures = await fourLetterWord(leader.port, 'mntr', 5000);
  return Number(new RegExp(`^${name}\\t(\\d+)$`, 'm').exec(figures)?.[1] ?? Number.NaN);
}

describe('the quorum port', () => {
  it('ends what is no learner with a counted reason, and the ensemble goes on', async (t) => {
    const { leader, follower, quorumPort } = await leading(t);
    await using zk = await connect(leader.address, { sessionTimeoutMs: 20_000 });
    for (const [what, fault, pieces] of CASES) {
      const before = await counted(leader, fault);
      const socket = await open(quorumPort);
      void say(socket, pieces);
      if (fault === 'cut off') socket.end();
      await once(socket, 'close');
      await until(async () => (await counted(leader, fault)) > before);
      await zk.setData('/', what);
    }

    // An observer that takes nothing of what it is sent.
    const deaf = await open(quorumPort);
    await say(deaf, [observerInfo(8), ...FOLLOWS.slice(1), [PacketType.upToDate, new Uint8Array(0)]]);
    deaf.pause();
    for (let n = 0; n < 25; n++) await zk.setData('/', Buffer.alloc(900_000, n));
    // Whichever is noticed first: that it takes nothing, or that it says nothing.
    await until(async () => (await counted(leader, 'not reading')) + (await counted(leader, 'late')) === 1);
    deaf.destroy();

    // A thousand that say nothing: 64 are kept.
    const before = await counted(leader, 'crowded');
    const idle = await Promise.all(Array.from({ length: 1000 }, () => open(quorumPort)));
    await until(async () => (await counted(leader, 'crowded')) >= before + 1000 - 64);
    await zk.setData('/', 'idle');
    for (const socket of idle) socket.destroy();

    assert.equal(leader.running && follower.running, true);
    assert.doesNotMatch(leader.log, /no longer with this leader/);
  });
});

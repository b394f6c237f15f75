/** learner.ts: what Apache's leader was seen to say, and what Apache's learner was seen to answer. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { epochOf, makeZxid } from '../../../src/base/zxid.ts';
import type { LearnerOptions } from '../../../src/core/zab/learner.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { QuorumPacket } from '../../../src/wire/quorum/quorum-packet.ts';
import { viewOf } from '../../wire/bytes.ts';
import { type CapturedPacket, learnerStreams } from '../../wire/quorum/captured.ts';
import { packetBytes } from '../../wire/quorum/packets.ts';
import { RecordingPort } from './recording-port.ts';

function parsed(packet: CapturedPacket): QuorumPacket {
  const found = new QuorumPacket();
  found.wrap(packet.bytes, viewOf(packet.bytes), 0, packet.bytes.length);
  return found;
}

const isRaw = (packet: CapturedPacket): boolean => packet.note.startsWith('raw');
const ofType = (packets: readonly CapturedPacket[], type: number): CapturedPacket[] =>
  packets.filter((packet) => !isRaw(packet) && parsed(packet).type === type);

/** A learner as the one that was captured, before its first packet. */
function likeCaptured(packets: readonly CapturedPacket[]): RecordingPort {
  const first = parsed(packets.find((packet) => packet.isFromLearner)!);
  const ackEpoch = parsed(ofType(packets, PacketType.ackEpoch)[0]!);
  const epoch = ackEpoch.view.getInt32(ackEpoch.dataStart);
  const acceptedEpoch = epochOf(first.zxid);
  return new RecordingPort({
    isObserver: first.type === PacketType.observerInfo,
    acceptedEpoch,
    currentEpoch: epoch === -1 ? acceptedEpoch : epoch,
    lastZxid: ackEpoch.zxid,
  });
}

/** What the captured learner sent of its own accord, in the words of RecordingPort; not what its clients asked for. */
function answers(packets: readonly CapturedPacket[], ackedFrom: number): string[] {
  return packets
    .filter((packet) => packet.isFromLearner)
    .map(parsed)
    .filter(({ type }) => type !== PacketType.request && type !== PacketType.revalidate)
    .filter(({ type, zxid }) => type !== PacketType.ack || zxid % 2 ** 32 === 0 || zxid > ackedFrom)
    .map((packet) => {
      const words = `${NAME[packet.type]} ${packet.zxid.toString(16)}`;
      return packet.type === PacketType.ackEpoch
        ? `${words} ${packet.view.getInt32(packet.dataStart)}`
        : words;
    });
}
const NAME: Record<number, string> = {
  [PacketType.followerInfo]: 'FOLLOWERINFO',
  [PacketType.observerInfo]: 'OBSERVERINFO',
  [PacketType.ackEpoch]: 'ACKEPOCH',
  [PacketType.ack]: 'ACK',
  [PacketType.ping]: 'PING',
};

/** The last commit of the synchronisation: Apache 3.8.0 acknowledges those transactions too, late; no leader counts that. */
function lastCommitOfSync(packets: readonly CapturedPacket[]): number {
  const end = packets.findIndex((packet) => ofType([packet], PacketType.newLeader).length > 0);
  return Math.max(
    0,
    ...ofType(packets.slice(0, end), PacketType.commit).map((packet) => parsed(packet).zxid),
  );
}

suite('with the leader that was captured', () => {
  for (const { name, packets } of learnerStreams()) {
    test(`${name}: the same answers as Apache's learner`, () => {
      const port = likeCaptured(packets);
      for (const packet of packets) if (!packet.isFromLearner) port.receive(packet.bytes);
      assert.equal(port.left, null);
      const expected = answers(packets, lastCommitOfSync(packets));
      // The capture may have ended before the last answers.
      assert.deepEqual(port.sent.slice(0, expected.length), expected);
      assert.ok(port.sent.length - expected.length <= 2, port.sent.slice(expected.length).join());
    });
  }
});

function asked(prefix: string): string[] {
  const { packets } = learnerStreams().find(({ name }) => name.startsWith(prefix))!;
  const port = likeCaptured(packets);
  for (const packet of packets) if (!packet.isFromLearner) port.receive(packet.bytes);
  return port.asked;
}

suite('what is asked of the server', () => {
  const config = 'config of 5 lines, version=0';

  test('DIFF: pairs, all durable before the epoch is saved, then clients', () => {
    assert.deepEqual(asked('04'), [
      ...['propose 100000012', 'commit 100000012', 'propose 100000013', 'commit 100000013'],
      ...['propose 100000014', 'commit 100000014', 'propose 100000015', 'commit 100000015'],
      ...['propose 100000016', 'commit 100000016'],
      ...[config, 'persist', 'save current epoch 1', 'serve in epoch 1'],
    ]);
  });

  test('SNAP: the tree, a snapshot of it before the epoch; an observer decides with each INFORM', () => {
    assert.deepEqual(asked('03').slice(0, 8), [
      ...[
        'save accepted epoch 1',
        'load 100000000',
        config,
        'persist with a snapshot',
        'save current epoch 1',
      ],
      ...['serve in epoch 1', 'propose 100000001', 'commit 100000001'],
    ]);
  });

  test('TRUNC: the log is cut, and a snapshot says so', () => {
    assert.deepEqual(asked('06'), [
      ...[
        'truncate 100000016',
        config,
        'persist with a snapshot',
        'save current epoch 1',
        'serve in epoch 1',
      ],
    ]);
  });

  test('answers to sync and of sessions, in their order', () => {
    const told = (prefix: string): string[] =>
      asked(prefix).filter((order) => /^(synced|session)/.test(order));
    assert.deepEqual(told('02'), ['session 0x100000fe24b0000 is valid', 'session 0x311111111111111 is gone']);
    assert.deepEqual(told('01'), ['synced']);
  });

  test('a configuration in force, and who is to lead it', () => {
    const told = (prefix: string): string[] => asked(prefix).filter((order) => order.startsWith('activate'));
    const activations = [
      'activate 100000002 led by 3',
      'activate 100000003 led by 3',
      'activate 100000006 led by 1',
    ];
    assert.deepEqual(told('10'), activations, 'a follower');
    assert.deepEqual(told('11'), ['activate 100000002 led by 3'], 'an observer that is removed');
  });
});

const EPOCH = 5;
const at = (counter: number, epoch = EPOCH): number => makeZxid(epoch, counter);

/** A follower with history up to 4:9, connected to whoever leads epoch 5. */
function follower(change: Partial<LearnerOptions> = {}): RecordingPort {
  return new RecordingPort({
    isObserver: false,
    acceptedEpoch: 4,
    currentEpoch: 4,
    lastZxid: at(9, 4),
    ...change,
  });
}

function send(
  port: RecordingPort,
  ...packets: readonly (readonly [type: number, zxid: number, data?: Uint8Array])[]
) {
  for (const [type, zxid, data] of packets) port.receive(packetBytes(type, zxid, data ?? null));
}

const LEADER_INFO = [PacketType.leaderInfo, at(0), new Uint8Array([0, 1, 0, 0])] as const;
const NEW_LEADER = [PacketType.newLeader, at(0)] as const;
const UP_TO_DATE = [PacketType.upToDate, -1] as const;
const DIFF = [PacketType.diff, at(9, 4)] as const;
const proposal = (counter: number) => [PacketType.proposal, at(counter), new Uint8Array(40)] as const;
const commit = (counter: number) => [PacketType.commit, at(counter)] as const;
const designated = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 2]);

suite('what is durable comes before what is said', () => {
  test('the promise of an epoch, its transactions, the epoch, proposals: each waits for the disk', () => {
    const port = follower();
    for (const kind of ['epoch', 'persist', 'log'] as const) port.waits.add(kind);
    send(port, LEADER_INFO, DIFF);
    assert.deepEqual(port.sent, ['FOLLOWERINFO 400000000']);
    assert.deepEqual(port.asked, ['save accepted epoch 5']);
    port.answer();
    assert.deepEqual(port.sent.slice(1), ['ACKEPOCH 400000009 4']);
    send(port, proposal(1), NEW_LEADER, proposal(2), UP_TO_DATE, commit(1));
    assert.deepEqual(port.asked.slice(1), ['propose 500000001', 'persist'], 'nothing behind NEWLEADER yet');
    port.answer(); // 5:1 is durable: but the epoch is not
    assert.equal(port.sent.length, 2);
    port.answer();
    assert.deepEqual(port.asked.slice(3), ['save current epoch 5']);
    assert.equal(port.sent.length, 2);
    port.answer();
    assert.deepEqual(port.sent.slice(2), ['ACK 500000000', 'ACK 500000001', 'ACK 500000000']);
    assert.deepEqual(port.asked.slice(4), ['propose 500000002', 'serve in epoch 5', 'commit 500000001']);
    port.answer();
    assert.deepEqual(port.sent.slice(5), ['ACK 500000002']);
  });

  test('promised before: nothing is saved, and its history is not told twice', () => {
    const port = follower({ acceptedEpoch: EPOCH });
    send(port, LEADER_INFO);
    assert.deepEqual([port.sent, port.asked], [['FOLLOWERINFO 500000000', 'ACKEPOCH 400000009 -1'], []]);
  });

  test('one sync of the log for several proposals: an ACK for each, in order', () => {
    const port = follower();
    send(port, LEADER_INFO, DIFF, NEW_LEADER, UP_TO_DATE);
    port.waits.add('log');
    send(port, proposal(1), proposal(2), proposal(3));
    port.learner.onDurable(at(2));
    assert.deepEqual(port.sent.slice(-3), ['ACK 500000000', 'ACK 500000001', 'ACK 500000002']);
    port.learner.onDurable(at(3));
    assert.equal(port.sent.at(-1), 'ACK 500000003');
  });

  test('no room in the log: the stream stops, and goes on where it stopped', () => {
    const port = follower();
    send(port, LEADER_INFO, DIFF, NEW_LEADER, UP_TO_DATE);
    port.roomForProposals = 1;
    send(port, proposal(1), proposal(2), commit(1));
    assert.deepEqual(port.asked.slice(-1), ['propose 500000001']);
    port.roomForProposals = 5;
    send(port, commit(2));
    assert.deepEqual(port.asked.slice(-4), [
      ...['propose 500000001', 'propose 500000002', 'commit 500000001', 'commit 500000002'],
    ]);
  });
});

suite('a master that breaks the rules is left', () => {
  const joined = [LEADER_INFO, DIFF, NEW_LEADER, UP_TO_DATE] as const;
  for (const [rule, reason, packets] of [
    ['LEADERINFO first', /begins with NEWLEADER instead of LEADERINFO/, [NEW_LEADER]],
    [
      'an epoch that is not over',
      /leads epoch 3, and this server has promised epoch 4/,
      [[PacketType.leaderInfo, at(0, 3)]],
    ],
    [
      'an epoch that does not exist',
      /says to lead epoch 2147483647/,
      [[PacketType.leaderInfo, 0x7fff_ffff * 2 ** 32]],
    ],
    ['a plan', /sends PROPOSAL where DIFF, SNAP or TRUNC belongs/, [LEADER_INFO, proposal(1)]],
    [
      'NEWLEADER of its epoch',
      /NEWLEADER is of 0x400000000/,
      [LEADER_INFO, DIFF, [PacketType.newLeader, at(0, 4)]],
    ],
    [
      'proposals go up',
      /proposes 0x500000001 behind 0x500000001 in epoch 5/,
      [...joined, proposal(1), proposal(1)],
    ],
    ['and are of its epoch', /proposes 0x600000001/, [...joined, [PacketType.proposal, at(1, 6)]]],
    [
      'commits are in order',
      /commits 0x500000002 where 0x500000001 is next/,
      [...joined, proposal(1), proposal(2), commit(2)],
    ],
    ['and of what was proposed', /commits 0x500000007 where nothing is next/, [...joined, commit(7)]],
    [
      'no half REVALIDATE',
      /REVALIDATE is too short/,
      [...joined, [PacketType.revalidate, -1, new Uint8Array(8)]],
    ],
    [
      'a leader to follow',
      /names no leader/,
      [...joined, proposal(1), [PacketType.commitAndActivate, at(1)]],
    ],
  ] as const) {
    test(rule, () => {
      const port = follower();
      send(port, ...packets);
      assert.match(String(port.left), reason);
      const before = [...port.sent, ...port.asked];
      send(port, proposal(9), commit(9), UP_TO_DATE);
      port.learner.onDurable(at(9));
      assert.deepEqual([...port.sent, ...port.asked], before, 'nothing more of it counts');
    });
  }

  test('what says nothing here is passed over: early PINGs, repeated commits, unknown packets', () => {
    const port = follower();
    send(
      port,
      LEADER_INFO,
      DIFF,
      proposal(1),
      commit(1),
      NEW_LEADER,
      [PacketType.ping, at(1)],
      commit(1),
      [99, -1],
    );
    send(port, UP_TO_DATE, [PacketType.upToDate, -1], [99, -1], commit(1), proposal(2));
    send(port, [PacketType.commitAndActivate, at(2), designated]);
    assert.equal(port.left, null);
    assert.equal(port.asked.at(-1), 'activate 500000002 led by 2');
    assert.ok(!port.sent.some((packet) => packet.startsWith('PING')));
    assert.ok(port.learner.isFollowing);
  });

  test('the connection ends while the disk works: its answers change nothing', () => {
    const port = follower();
    port.waits.add('epoch');
    send(port, LEADER_INFO);
    port.learner.end();
    port.answer();
    assert.deepEqual(port.sent, ['FOLLOWERINFO 400000000']);
  });
});

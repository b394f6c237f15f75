/** leader.ts, electors.ts and learner-stream.ts while the members change: whose votes count, what learners are told, who leads then. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { LAST, LeadingPort, members } from './leading-port.ts';

const EPOCH = makeZxid(5, 0);

/** Server 1 leads; `followers` follow, and those of `observers` observe, each on the link of its id. */
function leading(
  options: ConstructorParameters<typeof LeadingPort>[0] = {},
  observers: number[] = [],
  followers = [2, 3],
) {
  const port = new LeadingPort(options);
  const { leader } = port;
  for (const sid of followers) port.info(sid, sid, 4);
  leader.onEpochSaved('accepted');
  for (const sid of followers) port.ackEpoch(sid, 4, LAST);
  leader.onEpochSaved('current');
  for (const sid of followers) {
    leader.onSynced(sid, LAST);
    port.packet(sid, PacketType.ack, EPOCH);
  }
  for (const sid of observers) {
    port.info(sid, sid, 4, PacketType.observerInfo);
    port.ackEpoch(sid, 4, LAST);
    leader.onSynced(sid, LAST);
    port.packet(sid, PacketType.ack, EPOCH);
  }
  port.taken();
  return port;
}

/** The change of members is the next proposal. */
function change(
  port: LeadingPort,
  counter: number,
  voters: readonly number[],
  observers: readonly number[] = [],
): void {
  port.leader.electors.propose(members(voters, observers, EPOCH + counter));
  port.propose(counter);
}

function acks(port: LeadingPort, counter: number, ...sids: readonly number[]): string[] {
  for (const sid of sids) {
    if (sid === 1) port.leader.onDurable(EPOCH + counter);
    else port.packet(sid, PacketType.ack, EPOCH + counter);
  }
  port.leader.endTurn();
  return port.taken().filter((text) => !text.endsWith('stream'));
}

suite('a change of members', () => {
  test('is decided by a quorum of the old and one of the new, and what follows by the new alone', () => {
    const five = members([1, 2, 3, 4, 5]);
    const port = leading({ committed: five, lastSeen: five }, [], [2, 3, 4, 5]);
    port.propose(1);
    change(port, 2, [1, 2]);
    port.propose(3);
    assert.deepEqual(acks(port, 3, 1, 3, 4), ['decide 500000001'], 'a quorum of the old');
    assert.deepEqual(acks(port, 2, 2), ['decide 500000002', 'activate']);
    assert.deepEqual(acks(port, 3, 5), [], 'it votes no more');
    assert.deepEqual(acks(port, 3, 2), ['decide 500000003']);
  });

  test('is told in its place: behind the COMMITs before it, in front of those behind it', () => {
    const port = leading({}, [4]);
    port.propose(1);
    change(port, 2, [1, 2, 3], [4, 5]);
    port.propose(3);
    acks(port, 3, 1, 2);
    const told = ['COMMIT 500000001', 'COMMITANDACTIVATE 500000002', 'COMMIT 500000003'];
    assert.deepEqual(
      port.stream(2).filter((text) => text.startsWith('COMMIT')),
      told,
    );
    assert.deepEqual(port.stream(4), ['INFORM 500000001', 'INFORMANDACTIVATE 500000002', 'INFORM 500000003']);
  });

  test('is told in little room too', () => {
    const port = leading({}, [4]);
    change(port, 1, [1, 2, 3], [4]);
    acks(port, 1, 1, 2);
    for (const link of [2, 4]) {
      const told: string[] = [];
      for (let room = 20; room < 60; room++) told.push(...port.stream(link, room));
      assert.deepEqual(
        told.map((text) => text.split(' ')[0]),
        link === 2 ? ['PROPOSAL', 'COMMITANDACTIVATE'] : ['INFORMANDACTIVATE'],
      );
    }
  });

  test('to ours one COMMIT stands for what lies before it, and one for what lies behind', () => {
    const port = new LeadingPort();
    port.infoOfOurs(2, 2, 4);
    port.info(3, 3, 4);
    port.leader.onEpochSaved('accepted');
    for (const sid of [2, 3]) port.ackEpoch(sid, 4, LAST);
    port.leader.onEpochSaved('current');
    for (const sid of [2, 3]) {
      port.leader.onSynced(sid, LAST);
      port.packet(sid, PacketType.ack, EPOCH);
    }
    for (const counter of [1, 2]) port.propose(counter);
    change(port, 3, [1, 2, 3]);
    for (const counter of [4, 5]) port.propose(counter);
    acks(port, 5, 1, 3);
    assert.deepEqual(
      port.stream(2).filter((text) => text.startsWith('COMMIT')),
      ['COMMIT 500000002', 'COMMITANDACTIVATE 500000003', 'COMMIT 500000005'],
    );
  });

  test('without its leader: nothing more is decided, the most advanced follower is named, and leads once all know', () => {
    const port = leading();
    change(port, 1, [2, 3]);
    port.propose(2);
    port.propose(3);
    assert.deepEqual(acks(port, 2, 1, 2), []);
    assert.deepEqual(acks(port, 3, 3), ['decide 500000001', 'activate']);
    assert.deepEqual(acks(port, 3, 1, 2, 3), [], 'that is for the next leader to decide');
    assert.deepEqual(port.designated(2), 3);
    port.leader.onHalfTick();
    port.leader.onHalfTick();
    assert.deepEqual(
      port.taken().filter((text) => text.startsWith('resign')),
      ['resign: server 3 is to lead the changed ensemble, to 3'],
    );
  });

  test('without its leader: who is told leaves, and the last one ends the leadership', () => {
    const port = leading();
    change(port, 1, [2, 3]);
    acks(port, 1, 1, 2, 3);
    port.leader.onDisconnect(2);
    port.leader.onDisconnect(3);
    assert.equal(port.taken().at(-1), 'resign: server 2 is to lead the changed ensemble, to 2');
  });

  test('that an earlier leader proposed: NEWLEADER needs a quorum of both, and then it is in force', () => {
    const lastSeen = members([1, 4, 5], [], 9);
    const port = new LeadingPort({ lastSeen });
    for (const sid of [2, 4]) port.info(sid, sid, 4);
    port.leader.onEpochSaved('accepted');
    for (const sid of [2, 4]) port.ackEpoch(sid, 4, LAST);
    port.leader.onEpochSaved('current');
    for (const sid of [2, 4]) port.leader.onSynced(sid, LAST);
    port.taken();
    port.packet(2, PacketType.ack, EPOCH);
    assert.deepEqual(port.taken(), []);
    port.packet(4, PacketType.ack, EPOCH);
    assert.equal(port.taken()[0], 'lead 500000000');
    port.propose(1);
    assert.deepEqual(acks(port, 1, 1, 2), []);
    assert.deepEqual(acks(port, 1, 4), ['decide 500000001']);
  });

  test('a quorum of both has to stay in step', () => {
    const port = leading();
    change(port, 1, [1, 4, 5]);
    for (let half = 0; half < 2; half++) port.leader.onHalfTick();
    assert.deepEqual(port.taken().at(-1), 'resign: a quorum is no longer in step');
  });

  test('who knows a newer membership than the leader is refused', () => {
    const port = leading();
    port.info(4, 4, 4, PacketType.followerInfo, EPOCH + 1);
    assert.match(port.taken().at(-1)!, /^4 close: it knows configuration 500000001, newer/);
    change(port, 1, [1, 2, 3]);
    acks(port, 1, 1, 2);
    port.info(4, 4, 4, PacketType.followerInfo, EPOCH + 1);
    assert.match(port.taken().at(-1)!, /^4 LEADERINFO/);
  });
});

/** leader.ts and learner-stream.ts: each rule of the protocol by hand; that all of them together keep history: test/sim/zab. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { PacketType } from '../../../src/wire/quorum/packet-types.ts';
import { LAST, LeadingPort, members } from './leading-port.ts';

const FIVE = members([1, 2, 3, 4, 5]);

suite('discovery', () => {
  test('the epoch is greater than all that a quorum had accepted, and saved before anybody hears of it', () => {
    const port = new LeadingPort();
    assert.deepEqual(port.taken(), []);
    port.info(2, 2, 8);
    assert.deepEqual(port.taken(), ['save accepted 9']);
    port.leader.onEpochSaved('accepted');
    assert.deepEqual(port.taken(), ['2 LEADERINFO 900000000']);
  });

  test('an observer makes no quorum', () => {
    const port = new LeadingPort();
    port.info(9, 9, 4, PacketType.observerInfo);
    assert.deepEqual(port.taken(), []);
  });

  test('a voter with a newer history ends nothing but its own connection, and counts for nothing', () => {
    const port = new LeadingPort();
    port.info(2, 2, 4);
    port.leader.onEpochSaved('accepted');
    port.taken();
    port.ackEpoch(2, 4, LAST + 1);
    assert.match(
      port.taken().join(),
      /^2 close: its history \(epoch 4, 0x400000008\) is newer than the leader's$/,
    );
  });

  test('one that had promised this epoch before is taken, and its history counts for nothing', () => {
    const port = new LeadingPort();
    port.info(2, 2, 5);
    port.leader.onEpochSaved('accepted');
    port.taken();
    port.ackEpoch(2, -1, LAST);
    assert.deepEqual(port.taken(), []);
  });

  test('an epoch that does not exist ends that connection', () => {
    const port = new LeadingPort();
    for (const [link, zxid] of [
      [2, -1],
      [3, 0x7fff_ffff * 2 ** 32],
    ] as const) {
      port.leader.onConnect(link);
      port.packet(link, PacketType.followerInfo, zxid, new Uint8Array(20));
    }
    assert.deepEqual(port.taken(), [
      '2 close: it says to have promised epoch -1',
      '3 close: it says to have promised epoch 2147483647',
    ]);
  });

  test('a server that knows a newer configuration is refused', () => {
    const port = new LeadingPort();
    port.info(2, 2, 4, PacketType.followerInfo, 0x300000001);
    assert.match(port.taken().join(), /newer than the leader's/);
  });

  test('this server itself is refused, and so is whatever begins otherwise', () => {
    const port = new LeadingPort();
    port.info(2, 1, 4);
    assert.match(port.taken().join(), /server 1, which is this one/);
    port.leader.onConnect(3);
    port.packet(3, PacketType.ack, 1);
    assert.match(port.taken().join(), /^3 close: it begins with ACK$/);
  });

  test('a server that connects again replaces its older connection', () => {
    const port = new LeadingPort();
    port.info(2, 2, 4);
    port.taken();
    port.info(5, 2, 4);
    assert.deepEqual(port.taken(), ['2 close: server 2 has connected again']);
  });

  test('no quorum in time ends the leadership', () => {
    const port = new LeadingPort();
    for (let half = 0; half < 22; half++) port.leader.onHalfTick();
    assert.deepEqual(port.taken(), ['resign: no quorum within 10 ticks']);
  });
});

suite('synchronisation', () => {
  test('each step waits for its quorum and its disk', () => {
    const port = new LeadingPort();
    port.info(2, 2, 4);
    port.leader.onEpochSaved('accepted');
    port.taken();
    port.ackEpoch(2, 4, LAST);
    assert.deepEqual(port.taken(), ['save current 5']);
    port.leader.onEpochSaved('current');
    assert.deepEqual(port.taken(), ['2 synchronise 400000007 diff']);
    port.leader.onSynced(2, LAST);
    assert.deepEqual(port.taken(), ['2 NEWLEADER 500000000']);
    port.packet(2, PacketType.ack, makeZxid(5, 0));
    assert.deepEqual(port.taken(), ['lead 500000000', '2 UPTODATE -1']);
  });

  test('who has acknowledged and left does not count: it may follow another by now', () => {
    const port = new LeadingPort({ committed: FIVE, lastSeen: FIVE });
    for (const sid of [2, 3]) port.info(sid, sid, 4);
    port.leader.onEpochSaved('accepted');
    for (const sid of [2, 3]) port.ackEpoch(sid, 4, LAST);
    port.leader.onEpochSaved('current');
    for (const sid of [2, 3]) port.leader.onSynced(sid, LAST);
    port.packet(2, PacketType.ack, makeZxid(5, 0));
    port.leader.onDisconnect(2);
    port.packet(3, PacketType.ack, makeZxid(5, 0));
    assert.equal(port.taken().includes('lead 500000000'), false);
  });

  test('a voter that comes later is brought to what is committed by then', () => {
    const port = new LeadingPort();
    port.reachLeading();
    port.propose(1);
    port.leader.onDurable(makeZxid(5, 1));
    port.packet(2, PacketType.ack, makeZxid(5, 1));
    port.leader.endTurn();
    port.taken();
    port.info(3, 3, 4);
    assert.deepEqual(port.taken(), ['3 LEADERINFO 500000000']);
    port.ackEpoch(3, 4, LAST);
    assert.deepEqual(port.taken(), ['3 synchronise 400000007 diff']);
    port.leader.onSynced(3, makeZxid(5, 1));
    port.propose(2);
    port.packet(3, PacketType.ack, makeZxid(5, 0));
    assert.deepEqual(port.taken(), ['3 NEWLEADER 500000000', '3 UPTODATE -1']);
    assert.deepEqual(port.stream(3), ['PROPOSAL 500000002']);
  });

  test('a voter that promised a later epoch cannot join this one: there is another election, once', () => {
    const port = new LeadingPort();
    port.reachLeading();
    port.taken();
    port.info(3, 3, 8);
    assert.deepEqual(port.taken(), ['resign: server 3 has promised epoch 8 and cannot join epoch 5']);
  });

  test('but not for a number that nobody can have promised, nor for an observer', () => {
    const port = new LeadingPort();
    port.reachLeading();
    port.taken();
    port.info(3, 3, 2_000_000);
    port.info(9, 9, 8, PacketType.observerInfo);
    assert.deepEqual(port.taken(), ['3 LEADERINFO 500000000', '9 LEADERINFO 500000000']);
  });
});

suite('broadcast', () => {
  function leading(): LeadingPort {
    const port = new LeadingPort();
    port.reachLeading();
    port.taken();
    return port;
  }

  test('a quorum decides: this disk and one more, in any order', () => {
    const port = leading();
    port.propose(1);
    port.propose(2);
    port.leader.onDurable(makeZxid(5, 2));
    port.leader.endTurn();
    assert.deepEqual(port.taken(), ['2 stream']);
    port.packet(2, PacketType.ack, makeZxid(5, 1));
    port.leader.endTurn();
    assert.deepEqual(port.taken(), ['decide 500000001', '2 stream']);
  });

  test('a follower gets proposals, then commits; an observer what is decided', () => {
    const port = leading();
    port.info(9, 9, 4, PacketType.observerInfo);
    port.ackEpoch(9, 4, LAST);
    port.leader.onSynced(9, LAST);
    port.packet(9, PacketType.ack, makeZxid(5, 0));
    port.propose(1);
    port.propose(2);
    assert.deepEqual(port.stream(2), ['PROPOSAL 500000001', 'PROPOSAL 500000002']);
    assert.deepEqual(port.stream(9), []);
    port.leader.onDurable(makeZxid(5, 2));
    port.packet(2, PacketType.ack, makeZxid(5, 1));
    port.leader.endTurn();
    assert.deepEqual(port.stream(2), ['COMMIT 500000001']);
    assert.deepEqual(port.stream(9), ['INFORM 500000001']);
  });

  test('SYNC stands behind the commit of all that was proposed when it was asked for, and before the next', () => {
    const port = leading();
    port.propose(1);
    port.leader.onSyncRequest(2);
    port.propose(2);
    assert.deepEqual(port.stream(2), ['PROPOSAL 500000001', 'PROPOSAL 500000002']);
    port.leader.onDurable(makeZxid(5, 2));
    port.packet(2, PacketType.ack, makeZxid(5, 2));
    port.leader.endTurn();
    assert.deepEqual(port.stream(2), ['COMMIT 500000001', 'SYNC 0', 'COMMIT 500000002']);
    port.leader.onSyncRequest(2);
    assert.deepEqual(port.stream(2), ['SYNC 0']);
  });

  test('what does not fit waits; nothing is lost or doubled', () => {
    const port = leading();
    for (let n = 1; n <= 20; n++) port.propose(n);
    const found: string[] = [];
    for (let more = port.stream(2, 100); more.length > 0; more = port.stream(2, 100)) found.push(...more);
    assert.deepEqual(
      found,
      Array.from({ length: 20 }, (_, i) => `PROPOSAL ${(0x500000001 + i).toString(16)}`),
    );
  });

  test('who falls behind the proposal log is told so', () => {
    const port = leading();
    for (let n = 1; n <= 300; n++) port.propose(n);
    assert.deepEqual(port.stream(2), ['behind']);
  });

  test('an acknowledgement of what was never proposed ends the connection', () => {
    const port = leading();
    port.packet(2, PacketType.ack, makeZxid(5, 1));
    assert.deepEqual(port.taken(), [
      '2 gone',
      '2 close: it acknowledges 0x500000001, which was never proposed',
    ]);
  });

  test('a request for which there is no room stops that stream', () => {
    const port = leading();
    port.roomForRequests = false;
    assert.equal(port.packet(2, PacketType.request, -1, new Uint8Array(16)), false);
    port.roomForRequests = true;
    assert.equal(port.packet(2, PacketType.request, -1, new Uint8Array(16)), true);
  });

  for (const [type, bytes] of [
    [PacketType.request, 15],
    [PacketType.revalidate, 11],
  ] as const) {
    test(`${bytes} bytes of type ${type} end the connection`, () => {
      const port = leading();
      port.packet(2, type, -1, new Uint8Array(bytes));
      assert.match(port.taken().join(), /2 close: its .* is too short/);
    });
  }

  test('a follower that is silent is closed; without a quorum in step the leadership ends', () => {
    const port = leading();
    for (let half = 0; half < 32; half++) port.leader.onHalfTick();
    const asked = port.taken().filter((line) => !line.includes('PING'));
    assert.deepEqual(asked, [
      '2 gone',
      '2 close: it has not been heard of in time',
      'resign: a quorum is no longer in step',
    ]);
  });

  test('a follower that answers PINGs and acknowledges nothing is closed too', () => {
    const port = leading();
    port.propose(1);
    port.stream(2);
    for (let half = 0; half < 20; half++) {
      port.leader.onHalfTick();
      port.packet(2, PacketType.ping, 0, new Uint8Array(0));
    }
    assert.match(port.taken().join(), /2 close: it has not acknowledged 0x500000001 in time/);
  });
});

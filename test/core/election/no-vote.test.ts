/** A server that goes into an election with zxid -1 has no vote, not even by what others say of a round before its restart. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FastLeaderElection } from '../../../src/core/election/fast-leader-election.ts';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { NOTIFICATION_VERSION, ServerState } from '../../../src/wire/election-notification.ts';

const CONFIG = parseQuorumConfig('server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nversion=0');

/** Server 3 begins to look, in its round 1, in which two others say that they follow it. */
function stateWith(zxid: number): ServerState {
  const options = {
    sid: 3,
    minNotificationIntervalMs: 200,
    maxNotificationIntervalMs: 1000,
    reconfigEnabled: false,
  };
  const standing = { zxid, currentEpoch: 1 };
  const machine = new FastLeaderElection(options, CONFIG, CONFIG, standing);
  machine.startLooking(standing, 0);
  const notification = {
    ...{ state: ServerState.following, leader: 3, zxid: 5, electionEpoch: 1, peerEpoch: 1 },
    ...{ version: NOTIFICATION_VERSION, config: CONFIG.bytes },
  };
  for (const sid of [1, 2]) machine.onNotification(sid, notification, 1);
  return machine.state;
}

describe('an election in which this server has no vote', () => {
  it('does not make it the leader, whoever follows it', () => {
    assert.equal(stateWith(5), ServerState.leading);
    assert.equal(stateWith(-1), ServerState.looking);
  });
});

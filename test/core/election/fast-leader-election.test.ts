/** The machine by itself, in what a run of whole elections (test/sim/election) does not show alone: who is answered, what is waited for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ElectionStep } from '../../../src/core/election/election-step.ts';
import { FastLeaderElection } from '../../../src/core/election/fast-leader-election.ts';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { type ElectionNotification, ServerState } from '../../../src/wire/election-notification.ts';

const { following, looking } = ServerState;
const VOTERS = [1, 2, 3, 4, 5];
const WAIT_MS = 200;

function machineOf(sid: number): FastLeaderElection {
  const config = parseQuorumConfig(VOTERS.map((one) => `server.${one}=h${one}:1:2:participant`).join('\n'));
  const intervals = { minNotificationIntervalMs: 200, maxNotificationIntervalMs: 2000 };
  const standing = { zxid: 7, currentEpoch: 1 };
  return new FastLeaderElection({ sid, reconfigEnabled: false, ...intervals }, config, config, standing);
}

function searching(sid: number): FastLeaderElection {
  const machine = machineOf(sid);
  machine.startLooking({ zxid: 7, currentEpoch: 1 }, 0);
  return machine;
}

function voteFor(leader: number, electionEpoch = 1): ElectionNotification {
  return {
    ...{ state: looking, leader, zxid: 7, electionEpoch, peerEpoch: 1, version: 2 },
    config: new Uint8Array(),
  };
}

/** Whom a step tells what. */
function told(step: ElectionStep): [number, number][] {
  return step.send.flatMap(({ to, notification }) =>
    to.map((sid): [number, number] => [sid, notification.leader]),
  );
}

describe('the wait for a better vote', () => {
  it('ends when it was to end, however often the same is said meanwhile', () => {
    const machine = searching(3);
    machine.onNotification(1, voteFor(3), 10);
    assert.equal(machine.onNotification(2, voteFor(3), 20).timerAtMs, 20 + WAIT_MS);
    for (let atMs = 60; atMs <= 200; atMs += 40)
      assert.equal(machine.onNotification(1, voteFor(3), atMs).timerAtMs, 20 + WAIT_MS);
    assert.equal(machine.onTimer(20 + WAIT_MS, true).decided?.vote.leader, 3);
  });

  it('begins anew with a better vote', () => {
    const machine = searching(3);
    machine.onNotification(1, voteFor(3), 10);
    machine.onNotification(2, voteFor(3), 20);
    assert.deepEqual(machine.onNotification(4, voteFor(4), 100).decided, null);
    machine.onNotification(1, voteFor(4), 110);
    assert.equal(machine.onNotification(2, voteFor(4), 120).timerAtMs, 110 + WAIT_MS);
  });
});

describe('a voter that did not look yet when it was told the vote', () => {
  it('is told again when it looks, once', () => {
    const machine = searching(3);
    assert.deepEqual(told(machine.onNotification(1, { ...voteFor(5), state: following }, 10)), []);
    assert.deepEqual(told(machine.onNotification(1, voteFor(1), 20)), [[1, 3]]);
    assert.deepEqual(told(machine.onNotification(1, voteFor(1), 30)), []);
  });

  it('is not, when all have been told another vote meanwhile', () => {
    const machine = searching(3);
    machine.onNotification(1, { ...voteFor(5), state: following }, 10);
    machine.onNotification(2, voteFor(4), 20);
    assert.deepEqual(told(machine.onNotification(1, voteFor(1), 30)), []);
  });
});

describe('a connection that is lost', () => {
  it('is made again while this server looks, a few times for each vote it has told, less and less often', () => {
    const machine = searching(3);
    const pauses = (): (number | null)[] =>
      [1, 2, 3, 4, 5, 6].map(() => machine.onLinkLost(5, 10).redial?.pauseMs ?? null);
    const expected = [0, 5, 10, 20, 40, null];
    assert.deepEqual(pauses(), expected);
    machine.onNotification(4, voteFor(4), 30);
    assert.deepEqual(pauses(), expected);
  });

  it('is left alone when nothing is waited for on it', () => {
    assert.equal(machineOf(3).onLinkLost(5, 10).redial, null, 'nobody looks');
    assert.equal(searching(3).onLinkLost(9, 10).redial, null, 'a stranger');
    const machine = searching(3);
    machine.stop();
    assert.equal(machine.onLinkLost(5, 10).redial, null);
  });
});

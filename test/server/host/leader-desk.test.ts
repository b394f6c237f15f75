/** LeaderDesk over a real replica and a log that the test drives: what ensembles of real servers do not bring about on demand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COUNTER_MAX, makeZxid, type Zxid, ZxidCell, zxidHex } from '../../../src/base/zxid.ts';
import { Incarnations } from '../../../src/core/incarnations.ts';
import { parseQuorumConfig } from '../../../src/core/quorum/quorum-config.ts';
import { LeaderDesk, type Leading } from '../../../src/server/host/leader-desk.ts';
import { createLogLink, LogCounter } from '../../../src/server/log/log-link.ts';
import { TappedLogPort } from '../../../src/server/log/tapped-log-port.ts';
import { createBell } from '../../../src/shm/bell.ts';
import { Counters } from '../../../src/shm/counters.ts';
import { ADMIN, FakeReports, SHA1 } from '../../core/support/fake-ports.ts';
import { HASH_KEY } from '../../core/support/hash.ts';
import { createEmpty, OPTIONS } from '../../core/support/replica-harness.ts';

const EPOCH = makeZxid(4, 0);
const CONFIG = parseQuorumConfig('server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2');
const MEMBERSHIP = {
  committed: CONFIG,
  lastSeen: CONFIG,
  standaloneEnabled: true,
  isQuorumSynced: () => false,
  onProposed: () => {},
};

function desk() {
  const link = createLogLink({ proposalRingBytes: 1 << 16, coreBell: createBell(), lastZxid: 0 });
  const logPort = new TappedLogPort(link);
  const counters = new Counters(link.counters);
  const reports = new FakeReports();
  const incarnations = new Incarnations(OPTIONS, {
    log: logPort,
    crypto: SHA1,
    admin: ADMIN,
    reports,
    hashKey: HASH_KEY,
  });
  const { replica } = incarnations;
  createEmpty(replica);
  replica.start(0, 1000, 1000);
  const host = {
    incarnations,
    logPort,
    historyFloor: new ZxidCell(),
    enter: () => {},
    hearThrough: () => {},
  };
  const said: string[] = [];
  const leading: Leading = {
    onProposed: (zxid) => said.push(`proposed ${zxidHex(zxid)}`),
    turns: { ask: () => {}, isDone: true },
    onDurable: () => {},
    onRound: () => {},
    onSync: () => {},
    onEpochUsedUp: () => said.push('used up'),
  };
  let session = 0;
  /** A session of a learner's client; false: no room. */
  const propose = (): boolean => replica.lifecycle.createForwarded(1, ++session, 10_000, 0, 1);
  const durable = (zxid: Zxid): void => {
    counters.set(LogCounter.durableZxid, zxid);
    replica.onDurable(zxid);
  };
  return { desk: new LeaderDesk(host as never), leading, said, propose, replica, durable };
}

describe('LeaderDesk', () => {
  it('shows each proposal once, while it leads, and decides none by its own log', () => {
    const { desk: leader, leading, said, propose, replica, durable } = desk();
    leader.begin(leading);
    leader.lead(EPOCH, MEMBERSHIP);
    assert.ok(propose() && propose());
    assert.deepEqual(said, ['proposed 400000001', 'proposed 400000002']);
    durable(EPOCH + 2);
    leader.poll();
    assert.equal(replica.progress.committed, 0);
    leader.decide(EPOCH + 1);
    assert.equal(replica.progress.committed, EPOCH + 1);
  });

  it('has nothing proposed behind the last zxid of its epoch, and says so once', () => {
    const { desk: leader, leading, said, propose, replica } = desk();
    leader.begin(leading);
    leader.lead(EPOCH, MEMBERSHIP);
    replica.progress.onProposed(makeZxid(4, COUNTER_MAX - 1));
    assert.ok(propose());
    assert.equal(propose(), false, "in the same turn: the next epoch is not this leader's to begin");
    leader.poll();
    leader.poll();
    assert.deepEqual(said, ['proposed 4fffffffe', 'used up']);
    assert.equal(propose(), false);
    assert.equal(replica.progress.proposed, makeZxid(4, COUNTER_MAX));
  });

  it('decides what is logged when its term is over, once that is durable', () => {
    const { desk: leader, leading, said, propose, replica, durable } = desk();
    leader.begin(leading);
    leader.lead(EPOCH, MEMBERSHIP);
    assert.ok(propose());
    leader.settle(() => said.push('over'));
    leader.poll();
    assert.deepEqual([said.includes('over'), replica.progress.committed], [false, 0]);
    durable(EPOCH + 1);
    leader.poll();
    assert.deepEqual([said.includes('over'), replica.progress.committed], [true, EPOCH + 1]);
    assert.equal(leader.lastZxid, EPOCH + 1);
  });

  it('has led an epoch in which nothing was proposed: its last transaction is the one before', () => {
    const { desk: leader, leading, said, replica } = desk();
    replica.progress.restart(makeZxid(3, 9));
    leader.begin(leading);
    leader.lead(EPOCH, MEMBERSHIP);
    assert.equal(leader.lastZxid, EPOCH);
    leader.settle(() => said.push('over'));
    leader.poll();
    assert.deepEqual([said, leader.lastZxid], [['over'], makeZxid(3, 9)]);
  });
});

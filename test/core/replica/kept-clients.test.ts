/**
 * Clients that a learner keeps while it has no leader: nothing that may not stand is told, and what they had asked is answered
 * once, in its order, by whatever the next leader's history has of it. The harness itself fails on a reply out of order or unasked.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeZxid } from '../../../src/base/zxid.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { EventType } from '../../../src/wire/watch-event.ts';
import { LearnerHarness } from '../support/learner-harness.ts';
import { auth, CLOSE, create, exists, getData, PING, setData, text } from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

const SYNC = { op: OpCode.sync, path: '/' } as const;
/** Of epoch 0, whose beginning would mean that there was no leader. */
const FIRST_EPOCH = makeZxid(0, 1);
const NEXT_EPOCH = makeZxid(1, 0);

class KeptHarness extends LearnerHarness {
  constructor() {
    super({ keepClientsOnLeaderChange: true });
  }

  /** The leader is gone, with what it had not taken yet; what is logged here is published, to whomever. */
  lose(): void {
    this.asked.length = 0;
    this.role.isInStep = false;
    this.role.leader = null;
    this.turn(() => {
      this.replica.learner.endTerm(FIRST_EPOCH);
      this.replica.onDecided(this.log.lastZxid);
    });
  }

  /** In step with another leader, whose history is what the old one had proposed. */
  join(epochZxid = NEXT_EPOCH): void {
    this.synchronise();
    this.role.isInStep = true;
    this.role.leader = this;
    this.turn(() => this.replica.learner.beginTerm(epochZxid));
  }

  /** What the leader's history has beyond this server's. */
  synchronise(): void {
    this.decide();
    this.deliver();
  }

  private get role() {
    return this.incarnations.surroundings.role;
  }
}

describe('a learner without a leader', () => {
  test('held writes: logged here, in the next history, in none; each is done once and answered in its place', () => {
    const h = new KeptHarness();
    const c = h.connect();
    c.send(
      create('/logged'),
      getData('/logged'),
      create('/known'),
      create('/lost'),
      SYNC,
      create('/lost/child'),
    );
    h.take(1);
    h.deliver();
    h.take(1);
    h.lose();
    c.send(getData('/lost/child'), setData('/known', 'new'), CLOSE);
    assert.deepEqual(c.take(), [], 'it is not known yet what stands');
    h.synchronise();
    assert.deepEqual(c.take(), [], 'nor before this server is in step');
    h.join();
    assert.deepEqual(
      c.replies().map(({ xid, err }) => [xid, err]),
      [
        [1, 0],
        [2, 0],
        [3, 0],
      ],
    );
    assert.deepEqual(
      h.asked.map(({ cxid }) => cxid),
      [4, 5],
    );
    h.settle();
    assert.deepEqual(
      c.replies().map(({ xid, err }) => [xid, err]),
      [4, 5, 6, 7, 8, 9].map((xid) => [xid, 0]),
    );
    assert.equal(c.wire.closed, true, 'as it has asked');
    checkQuiet(h.parts);
  });

  test('reads that wait behind held writes are made behind them', () => {
    const h = new KeptHarness();
    const [a, b] = [h.connect(), h.connect()];
    a.send(
      create('/n', '1'),
      getData('/n'),
      setData('/n', '2'),
      getData('/n'),
      setData('/n', '3'),
      getData('/n'),
    );
    b.send(create('/of-b'), exists('/of-b'));
    h.take(2);
    h.deliver();
    h.lose();
    h.join();
    h.settle();
    const read = a
      .replies()
      .flatMap(({ response }) => (response?.op === OpCode.getData ? [response.data] : []));
    assert.deepEqual(read, [text('1'), text('2'), text('3')]);
    assert.deepEqual(
      b.replies().map(({ err }) => err),
      [0, 0],
    );
    checkQuiet(h.parts);
  });

  test('pings are answered past everything that waits, with no more than the client may have been shown', () => {
    const h = new KeptHarness();
    const c = h.connect();
    c.ok(create('/shown'));
    const shown = h.replica.progress.committed;
    c.send(create('/logged'));
    h.take();
    h.deliver();
    h.lose();
    assert.ok(h.replica.progress.committed > shown);
    c.send(PING);
    assert.deepEqual(
      c.replies().map(({ op, zxid }) => [op, zxid]),
      [[OpCode.ping, shown]],
    );
    h.join();
    assert.equal(c.replies().length, 1);
  });

  test('so are those of a client whose leader has stopped, and counts as one for a while', () => {
    const h = new KeptHarness();
    const c = h.connect();
    c.ok(create('/shown'));
    c.send(create('/forwarded'), getData('/shown'), PING);
    assert.deepEqual(
      c.replies().map(({ op, zxid }) => [op, zxid]),
      [[OpCode.ping, h.replica.progress.committed]],
    );
    h.settle();
    assert.equal(c.replies().length, 2);
  });

  test('events of what is not known to stand are held, and come before the replies that show it', () => {
    const h = new KeptHarness();
    const [watcher, writer] = [h.connect(), h.connect()];
    writer.ok(create('/n'));
    watcher.ok(getData('/n', true));
    writer.send(setData('/n', 'x'));
    h.take();
    h.deliver();
    h.lose();
    watcher.send(getData('/n'));
    assert.deepEqual(watcher.take(), []);
    h.join();
    assert.deepEqual(watcher.transcript(), [`${EventType.nodeDataChanged}:/n`, '2']);
  });

  test('what the connection proved meanwhile counts for what it asks behind it', () => {
    const h = new KeptHarness();
    const c = h.connect();
    h.lose();
    c.send(auth('digest', 'alice:secret'), create('/a'));
    h.join();
    assert.equal(h.asked[0]?.ids?.length, 2);
    h.settle();
    assert.equal(c.replies().length, 2);
  });

  test('who is on the way to a session gets one: what the next history has, or another; who comes meanwhile as well', () => {
    const h = new KeptHarness();
    const [known, logged, proposed, lost, back] = [
      h.connect(),
      h.accept(),
      h.accept(),
      h.accept(),
      h.accept(),
    ];
    logged.handshake();
    h.take();
    h.deliver();
    proposed.handshake();
    h.take();
    lost.handshake();
    back.handshake({ sessionId: known.sessionId, password: known.password });
    known.disconnect();
    h.lose();
    const late = h.accept();
    late.handshake();
    assert.deepEqual(
      [logged, proposed, lost, back, late].flatMap((connection) => connection.take()),
      [],
    );
    h.join();
    for (const connection of [logged, proposed]) connection.takeSession();
    h.settle();
    for (const connection of [lost, back, late]) connection.takeSession();
    assert.equal(back.sessionId, known.sessionId);
    const all = [logged, proposed, lost, back, late];
    assert.equal(new Set(all.map(({ sessionId }) => sessionId)).size, all.length);
    for (const [n, connection] of all.entries()) connection.ok(create(`/of-${n}`));
    assert.equal(h.parts.sessions.size, all.length);
  });

  test('the server may be the next leader itself', () => {
    const h = new KeptHarness();
    const c = h.connect();
    c.send(create('/logged'), create('/lost'), SYNC, getData('/lost'));
    h.take(1);
    h.deliver();
    h.lose();
    c.send(create('/new'));
    const { role } = h.incarnations.surroundings;
    h.turn(() => {
      h.replica.leadership.begin(NEXT_EPOCH, null);
      role.lead(NEXT_EPOCH);
      h.replica.learner.goOn(NEXT_EPOCH);
    });
    assert.deepEqual(
      c.replies().map(({ xid }) => xid),
      [1],
    );
    for (let n = 0; n < 3; n++)
      h.turn(() => {
        h.replica.onDecided(h.log.lastZxid);
        h.replica.doBackgroundWork();
      });
    assert.deepEqual(
      c.replies().map(({ xid, err }) => [xid, err]),
      [2, 3, 4, 5].map((xid) => [xid, 0]),
    );
    assert.equal(h.asked.length, 0);
  });

  test('the next leader hears of clients that have been heard of meanwhile', () => {
    const h = new KeptHarness();
    const c = h.connect();
    h.turn(() => h.replica.learner.touches());
    h.lose();
    h.nowMs += 100;
    c.send(PING);
    h.nowMs += 100;
    h.join();
    assert.equal(h.replica.learner.touches()[0]?.length, 12);
  });
});

describe('clients are closed as without the switch', () => {
  test('when it takes longer than a third of their timeout: others stay', () => {
    const h = new KeptHarness();
    const [short, long] = [h.connect({ timeoutMs: 6000 }), h.connect({ timeoutMs: 30_000 })];
    long.send(create('/a'));
    h.lose();
    h.pass(3000);
    assert.deepEqual([short.wire.closed, long.wire.closed], [true, false]);
    short.disconnect();
    h.join();
    h.settle();
    assert.equal(long.replies()[0]?.err, 0);
  });

  test('when it is the same leader again, which may still propose what it was sent', () => {
    const h = new KeptHarness();
    const c = h.connect();
    c.send(create('/a'));
    h.take();
    h.lose();
    h.join(FIRST_EPOCH);
    assert.equal(c.wire.closed, true);
    assert.deepEqual(c.take(), []);
    assert.deepEqual([h.asked.length, h.parts.forwarder.count], [0, 0]);
  });

  test('when another state takes the place of this one', () => {
    const h = new KeptHarness();
    const c = h.connect();
    c.send(create('/a'));
    h.take();
    h.deliver();
    h.lose();
    h.renew();
    assert.equal(c.wire.closed, true);
    assert.deepEqual(c.take(), []);
  });

  test('when the history shows that the session has gone on elsewhere', () => {
    const h = new KeptHarness();
    const c = h.connect();
    c.send(create('/here'));
    h.lose();
    // Another of its connections has got through to the leader.
    h.leader.turn(() => {
      const { sessions, proposer } = h.leader.parts;
      const slot = sessions.find(Number(c.sessionId >> 32n), Number(BigInt.asIntN(32, c.sessionId)));
      assert.ok(proposer.proposeCloseSession(slot, null, 77));
    });
    h.synchronise();
    assert.equal(c.wire.closed, true);
    h.join();
    assert.equal(h.asked.length, 0);
  });

  test('those that are behind with what they have been sent, and who comes without a leader for long', () => {
    const h = new KeptHarness();
    const [slow, quick] = [h.connect(), h.connect()];
    slow.wire.room = 0;
    slow.send(create('/n'), getData('/n'), create('/m'));
    h.take();
    h.decide();
    h.deliver();
    h.lose();
    const [early, late] = [h.accept(), h.accept()];
    early.handshake();
    h.pass(1001);
    late.handshake();
    assert.deepEqual(
      [slow, quick, early, late].map(({ wire }) => wire.closed),
      [true, false, true, true],
    );
  });
});

/**
 * What a leader has made of a long multi, or of the end of a session with very many ephemerals, is staged here in slices,
 * counted in operations: clients are served meanwhile, what is behind it waits, and the tree comes out as the leader's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Work } from '../../../src/core/progress/turn-work.ts';
import type { MultiSubRequest } from '../../../src/wire/request-values.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import {
  CLOSE,
  check,
  create,
  ephemeral,
  exists,
  getData,
  multi,
  PING,
  remove,
  setData,
} from '../support/requests.ts';
import { checkQuiet, dumpSessions, dumpTree } from '../support/tree-dump.ts';

const COUNT = 5000;
const OPS_PER_SLICE = 512;
/** A turn may end one transaction and begin the next. */
const OPS_MAX = 2 * OPS_PER_SLICE;

function creates(prefix: string, count = COUNT): MultiSubRequest[] {
  return Array.from({ length: count }, (_, i) => create(`${prefix}${i}`));
}

/** False: no room. The packet's bytes are spoiled afterwards. */
function stage(h: ReplicaHarness, payload: Uint8Array): boolean | null {
  const bytes = new Uint8Array(payload.length + 5);
  bytes.set(payload, 3);
  let staged: boolean | null = null;
  h.turn(() => {
    staged = h.replica.onProposal(bytes, new DataView(bytes.buffer), 3, 3 + payload.length);
    bytes.fill(0xee);
  });
  return staged;
}

/** As `deepEqual`, without the attempt to show the difference of two large trees. */
function assertTree(h: ReplicaHarness, wanted: ReturnType<typeof dumpTree>): void {
  const tree = dumpTree(h.parts);
  const differing = [...wanted.keys()].filter((path) => !isDeepStrictEqual(tree.get(path), wanted.get(path)));
  assert.deepEqual([tree.size, differing.slice(0, 3)], [wanted.size, []]);
}

function assertSame(h: ReplicaHarness, leader: ReplicaHarness): void {
  assertTree(h, dumpTree(leader.parts));
  assert.deepEqual(dumpSessions(h.parts), dumpSessions(leader.parts));
  const { foreignDigestMismatches, foreignMisfits } = h.parts.statistics;
  assert.deepEqual([foreignDigestMismatches, foreignMisfits], [0, 0]);
  checkQuiet(h.parts);
}

/** Each proposal as soon as there is room for it, decided when it is there; returns the turns. */
function follow(h: ReplicaHarness, payloads: readonly Uint8Array[], each: () => void = () => {}): number {
  let turns = 0;
  for (const payload of payloads) {
    for (; stage(h, payload) === false; turns++) {
      each();
      h.background();
    }
    h.durable();
  }
  for (; !h.replica.isQuiet; turns++) {
    each();
    h.durable();
    h.background();
  }
  h.settle();
  const ops = h.parts.work.worst()[Work.operations]!;
  assert.ok(ops > 0 && ops <= OPS_MAX, `${ops} operations in one turn`);
  return turns;
}

const scenes: Record<string, (leader: ReplicaHarness) => void> = {
  'a multi of every kind of operation'(leader) {
    const c = leader.connect();
    c.ok(create('/p'));
    c.ok(multi(...creates('/p/a')));
    const mixed = Array.from({ length: COUNT }, (_, i): MultiSubRequest => {
      if (i % 3 === 0) return remove(`/p/a${i}`);
      return i % 3 === 1 ? setData(`/p/a${i}`, 'x') : check(`/p/a${i}`);
    });
    c.send(setData('/p', '1'), multi(...mixed, ...creates('/p/b')), setData('/p', '2'));
    leader.settle();
  },
  'large values'(leader) {
    const c = leader.connect();
    const value = 'x'.repeat(100_000);
    c.send(multi(...Array.from({ length: 80 }, (_, i) => create(`/v${i}`, value))), create('/behind'));
    leader.settle();
  },
  'the end of a session with very many ephemerals'(leader) {
    const [c, other] = [leader.connect(), leader.connect()];
    const mine = Array.from({ length: 3500 }, (_, i) => ephemeral(`/e${i}`));
    c.ok(multi(...mine));
    c.send(CLOSE);
    leader.settle();
    other.ok(create('/behind'));
  },
};

for (const [name, play] of Object.entries(scenes)) {
  for (const closeSessionTxnEnabled of [true, false]) {
    test(`${name}, ${closeSessionTxnEnabled ? '' : 'not '}named in the transaction`, () => {
      const leader = new ReplicaHarness({ closeSessionTxnEnabled });
      const h = new ReplicaHarness();
      play(leader);
      const payloads = leader.log.txns.map(({ payload }) => payload);
      const turns = follow(h, payloads);
      assert.ok(turns >= 2, `in ${turns} turns`);
      assert.deepEqual(
        h.log.txns.map(({ payload }) => payload),
        payloads,
      );
      assertSame(h, leader);
    });
  }
}

test('a multi that has failed changes nothing', () => {
  const [leader, h] = [new ReplicaHarness(), new ReplicaHarness()];
  leader.connect().send(multi(...creates('/m'), check('/nowhere')), create('/behind'));
  leader.settle();
  for (const { payload } of leader.log.txns) {
    while (stage(h, payload) === false) h.background();
    h.durable();
  }
  h.settle();
  assertSame(h, leader);
});

test('clients are served meanwhile, and what is decided before it is published', () => {
  const leader = new ReplicaHarness();
  const h = new ReplicaHarness();
  const c = leader.connect();
  c.ok(create('/a'));
  c.send(setData('/a', 'first'), multi(setData('/a', 'second'), ...creates('/m')), create('/behind'));
  leader.settle();
  const [session, created, first, long, behind] = leader.log.txns;
  for (const txn of [session, created, first, long]) assert.equal(stage(h, txn!.payload), true);
  assert.equal(h.replica.progress.proposed, long!.zxid, 'it is in the log');
  h.turn(() => h.replica.onDecided(long!.zxid));
  assert.equal(h.replica.progress.committed, first!.zxid);
  const reader = h.accept();
  let turns = 0;
  for (; stage(h, behind!.payload) === false; turns++) {
    assert.equal(h.replica.isQuiet, false);
    assert.equal(h.replica.hasBackgroundWork, true);
    h.turn(() => h.replica.beginSnapshot());
    h.replica.endSnapshot();
    h.background();
  }
  assert.ok(turns >= COUNT / OPS_PER_SLICE - 1, `in ${turns} turns`);
  h.settle();
  reader.handshake();
  h.settle();
  reader.takeSession();
  assert.equal(reader.call(exists('/m4999')).err, 0);
  const { statistics } = h.parts;
  assert.deepEqual([statistics.foreignDigestMismatches, statistics.foreignMisfits], [0, 0]);
  checkQuiet(h.parts);
});

test('taken back while it is being staged: as if it had never been proposed', () => {
  const leader = new ReplicaHarness();
  const h = new ReplicaHarness();
  const c = leader.connect();
  c.ok(create('/a'));
  c.ok(multi(remove('/a'), ...creates('/m')));
  const [session, created, long] = leader.log.txns;
  for (const txn of [session, created]) stage(h, txn!.payload);
  h.settle();
  const before = dumpTree(h.parts);
  stage(h, long!.payload);
  h.background();
  assert.equal(h.replica.isQuiet, false);
  h.turn(() => h.replica.withdrawBehind(created!.zxid));
  assert.equal(h.replica.isQuiet, true);
  assertTree(h, before);
  assert.equal(h.replica.progress.proposed, created!.zxid);
  checkQuiet(h.parts);
});

test('the client here that has asked for it is answered behind it, or has gone', () => {
  for (const end of ['answered', 'gone', 'the leader is gone']) {
    const leader = new ReplicaHarness();
    const asked = multi(...creates('/m'));
    leader.connect().ok(asked);
    const h = new ReplicaHarness();
    const { role } = h.incarnations.surroundings;
    role.join('follower');
    role.isInStep = true;
    const sent: { high: number; low: number; cxid: number }[] = [];
    role.leader = {
      forward: (high, low, cxid) => sent.push({ high, low, cxid }),
      revalidate: () => assert.fail('nobody comes back'),
    };
    const [session, long] = leader.log.txns;
    /** As the leader would have logged what has come from here. */
    const proposal = ({ payload }: { payload: Uint8Array }, at: number): Uint8Array => {
      const own = payload.slice();
      const view = new DataView(own.buffer);
      const { high, low, cxid } = sent[at]!;
      view.setInt32(0, high);
      view.setInt32(4, low);
      view.setInt32(8, cxid);
      return own;
    };
    const c = h.accept();
    c.handshake();
    stage(h, proposal(session!, 0));
    h.turn(() => h.replica.onDecided(session!.zxid));
    c.takeSession();
    c.send(asked, getData('/m0'));
    stage(h, proposal(long!, 1));
    assert.equal(h.replica.isQuiet, false);
    h.turn(() => h.replica.onDecided(long!.zxid));
    if (end === 'gone') c.disconnect();
    if (end === 'the leader is gone') h.turn(() => h.replica.learner.endTerm(0));
    while (h.background());
    assert.equal(h.replica.progress.committed, long!.zxid);
    if (end === 'answered') {
      c.send(PING);
      const [reply, read] = c.replies();
      assert.deepEqual([reply?.err, reply?.zxid, read?.err], [0, long!.zxid, 0]);
    } else if (end === 'gone') {
      assert.equal(c.wire.released, true);
    } else {
      assert.equal(c.wire.closed, true);
    }
    assertTree(h, dumpTree(leader.parts));
    checkQuiet(h.parts);
  }
});

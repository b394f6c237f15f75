/**
 * Thousands of seeded scripts: what a leader stages from requests, a follower stages from the bytes that the leader has
 * logged. After every commit both have the same digest, counts and quota usage; in the end the same tree, sessions, lists
 * and log, and watchers of both have heard the same. The follower runs ahead of its commits by as much as it likes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeInt64 } from '../../../src/base/int64.ts';
import { Prng } from '../../../src/base/prng.ts';
import { WatchMode } from '../../../src/core/watch/watch-rows.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import { create, ephemeral, multi, remove, setData, text } from '../support/requests.ts';
import { checkQuiet, digestOf, dumpSessions, dumpTree } from '../support/tree-dump.ts';
import { Workload } from '../support/workload.ts';

const SEEDS = 2000;
const STEPS = 24;
const LIMITS = 'count=6,bytes=-1=;byteHardLimit=90;countHardLimit=-1';

for (let first = 1; first <= SEEDS; first += 500) {
  test(`seeds ${first} to ${first + 499}`, () => {
    for (let seed = first; seed < first + 500; seed++) {
      try {
        run(seed);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
}

function run(seed: number): void {
  const prng = new Prng(seed);
  const leader = new ReplicaHarness({ closeSessionTxnEnabled: prng.chance(0.8) });
  const follower = new ReplicaHarness();
  const [near, far] = [watcher(leader), watcher(follower)];
  const states = recordStates(leader);
  const workload = new Workload(leader, prng, 3);
  const [c] = workload.connections;
  c!.ok(create('/zookeeper/quota/a'));
  c!.ok(create('/zookeeper/quota/a/zookeeper_limits', LIMITS));
  c!.ok(create('/zookeeper/quota/a/zookeeper_stats', 'count=0,bytes=0'));
  for (let step = 0; step < STEPS; step++) {
    workload.step();
    for (const connection of workload.connections) connection.take();
  }
  workload.finish();
  follow(leader, follower, prng, states);
  assert.deepEqual(dumpTree(follower.parts), dumpTree(leader.parts));
  assert.deepEqual(dumpSessions(follower.parts), dumpSessions(leader.parts));
  assert.equal(follower.parts.acls.size, leader.parts.acls.size);
  assert.deepEqual(far.take(), near.take());
  checkQuiet(follower.parts);
}

/** Stages a few transactions, commits some of them one by one, and so on to the end. */
function follow(
  leader: ReplicaHarness,
  follower: ReplicaHarness,
  prng: Prng,
  states: Map<number, unknown>,
): void {
  const { txns } = leader.log;
  const mine = recordStates(follower);
  let staged = 0;
  let committed = 0;
  while (committed < txns.length) {
    for (let n = prng.below(12); n > 0 && staged < txns.length; n--) stage(follower, txns[staged++]!.payload);
    for (let n = prng.below(12); n > 0 && committed < staged; n--) {
      const { zxid } = txns[committed++]!;
      follower.durable(zxid);
      assert.deepEqual(mine.get(zxid), states.get(zxid), `after zxid ${zxid}`);
    }
  }
  assert.deepEqual(
    follower.log.txns.map(({ payload }) => payload),
    txns.map(({ payload }) => payload),
  );
  const { foreignDigestMismatches, foreignMisfits } = follower.parts.statistics;
  assert.deepEqual([foreignDigestMismatches, foreignMisfits], [0, 0]);
  follower.settle();
}

function stage(follower: ReplicaHarness, payload: Uint8Array): void {
  // At an odd place of a buffer that is spoiled afterwards, as a packet's is.
  const bytes = new Uint8Array(payload.length + 5);
  bytes.set(payload, 3);
  follower.turn(() => {
    const isStaged = follower.parts.txnStager.stage(bytes, new DataView(bytes.buffer), 3, 3 + payload.length);
    assert.equal(isStaged, true);
    bytes.fill(0xee);
  });
}

/** What is to be equal after each commit, by zxid. */
function recordStates({ parts }: ReplicaHarness): Map<number, unknown> {
  const states = new Map<number, unknown>();
  const { committer, tree, progress } = parts;
  const commitNext = committer.commitNext.bind(committer);
  const stats = text('/zookeeper/quota/a/zookeeper_stats');
  const cursor = tree.cursor();
  committer.commitNext = () => {
    const isDone = commitNext();
    const id = tree.find(stats, 0, stats.length, tree.hash.of(stats, 0, stats.length));
    let usage = '';
    if (id !== 0 && tree.committedOf(id) !== 0) {
      cursor.moveTo(tree.committedOf(id));
      usage = Buffer.from(
        cursor.bytes.subarray(cursor.dataStart, cursor.dataStart + cursor.dataBytes),
      ).toString();
    }
    const mortal = [...(parts.effects.candidates() as IterableIterator<number>)].length;
    states.set(progress.committed, [digestOf(tree.committed), tree.nodeCount, tree.dataBytes, usage, mortal]);
    return isDone;
  };
  return states;
}

/** A connection that watches the whole tree and some paths, without a session of its own. */
function watcher(h: ReplicaHarness): Connection {
  const connection = h.accept();
  const { watches, tree } = h.parts;
  const watch = (path: string, mode: WatchMode): void => {
    const bytes = text(path);
    watches.add(connection.conn, bytes, 0, bytes.length, tree.hash.of(bytes, 0, bytes.length), mode);
  };
  watch('', WatchMode.recursive);
  for (const path of ['/a', '/b/c', '/a/b']) watch(path, WatchMode.persistent);
  for (const path of ['/c', '/d', '/c/a']) watch(path, WatchMode.standardData);
  for (const path of ['/b', '', '/a/a']) watch(path, WatchMode.standardChild);
  return connection;
}

test('a digest that a leader has written wrong is counted, and ends nothing', () => {
  const [leader, follower] = [new ReplicaHarness(), new ReplicaHarness()];
  const c = leader.connect();
  c.ok(create('/a'));
  c.ok(create('/b'));
  const [session, first, second] = leader.log.txns;
  const wrong = first!.payload.slice();
  wrong[wrong.length - 1]! ^= 1;
  for (const payload of [session!.payload, wrong, second!.payload]) stage(follower, payload);
  follower.settle();
  const { statistics } = follower.parts;
  assert.equal(statistics.foreignDigestMismatches, 1);
  assert.equal(statistics.firstForeignMismatch.value, first!.zxid);
  assert.deepEqual(dumpTree(follower.parts), dumpTree(leader.parts));
});

test('a digest of an own write that the tree does not come to is a broken invariant', () => {
  const leader = new ReplicaHarness();
  const c = leader.connect();
  c.send(create('/a'));
  const { proposals } = leader.parts;
  proposals.digestHighs[proposals.headRow]! ^= 1;
  assert.throws(() => leader.settle(), /tree digest after zxid 0x2 differs from the proposed one/);
});

test('a transaction that does not fit changes nothing and is counted', () => {
  const [leader, follower] = [new ReplicaHarness(), new ReplicaHarness()];
  const c = leader.connect();
  for (const request of [
    create('/a'),
    create('/a/b'),
    setData('/a/b', 'x'),
    remove('/a/b'),
    ephemeral('/e'),
  ]) {
    c.ok(request);
  }
  c.ok(multi(create('/m'), setData('/a', 'y')));
  // Without the create of /a.
  const txns = leader.log.txns.filter((_, i) => i !== 1);
  for (const { payload } of txns) {
    const payloadOfNext = payload.slice();
    const zxid = follower.replica.progress.nextZxid();
    writeInt64(new DataView(payloadOfNext.buffer), 12, zxid);
    stage(follower, payloadOfNext);
  }
  follower.settle();
  const { statistics } = follower.parts;
  assert.equal(statistics.foreignMisfits, 4);
  assert.deepEqual([...dumpTree(follower.parts).keys()].slice(1, 3), ['/e', '/m']);
  assert.ok(statistics.foreignDigestMismatches > 0);
  checkQuiet(follower.parts);
});

test('no room in the log: nothing has changed, the same bytes are staged later', () => {
  const [leader, follower] = [new ReplicaHarness(), new ReplicaHarness()];
  leader.connect().ok(create('/a'));
  follower.log.room = 0;
  const { payload } = leader.log.txns[0]!;
  const view = new DataView(payload.buffer);
  const { txnStager } = follower.parts;
  assert.equal(txnStager.stage(payload, view, 0, payload.length), false);
  assert.equal(follower.replica.progress.proposed, 0);
  assert.equal(follower.parts.sessions.size, 0);
  follower.log.room = Number.POSITIVE_INFINITY;
  for (const txn of leader.log.txns) stage(follower, txn.payload);
  follower.settle();
  assert.deepEqual(dumpTree(follower.parts), dumpTree(leader.parts));
  assert.equal(txnStager.stage(new Uint8Array(9), new DataView(new ArrayBuffer(9)), 0, 9), null);
});

/**
 * Proposals that are taken back have never been: after random writes of every kind, sessions that begin, end and expire,
 * and containers that are swept, everything staged behind some zxid is withdrawn, and the state is compared with the one
 * before. Then the server goes on, and its log still replays to its tree.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { Loader } from '../../../src/core/loading/loader.ts';
import type { Replica } from '../../../src/core/replica.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { CLOSE, create, ephemeral, exists, getData, remove, setData } from '../support/requests.ts';
import { checkQuiet, digestOf, dumpSessions, dumpTree } from '../support/tree-dump.ts';
import { Workload } from '../support/workload.ts';

const SEEDS = 1000;

for (let first = 1; first <= SEEDS; first += 250) {
  test(`seeds ${first} to ${first + 249}`, () => {
    for (let seed = first; seed < first + 250; seed++) {
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
  const harness = new ReplicaHarness({ containerCheckIntervalMs: 2000, storeBytesMax: 256 * 1024 * 1024 });
  const workload = new Workload(harness, prng, 3);
  for (let round = 0; round < 3; round++) {
    for (let step = 0; step < 10; step++) {
      workload.step();
      for (const connection of workload.connections) connection.take();
    }
    abandonSome(harness, workload, prng);
  }
  workload.finish();
  checkQuiet(harness.parts);
  for (const connection of workload.connections) {
    connection.take();
    if (!connection.wire.closed) assert.equal(connection.unanswered, 0, 'a request without a reply');
  }
  const restored = new ReplicaHarness({}, ({ replica }) => replay(replica, harness)).parts;
  assert.deepEqual(dumpTree(restored), dumpTree(harness.parts));
  assert.deepEqual(dumpSessions(restored), dumpSessions(harness.parts));
}

/** Stages more without any commit, now and then with some, and takes back what is not decided. */
function abandonSome(harness: ReplicaHarness, workload: Workload, prng: Prng): void {
  const { progress } = harness.replica;
  harness.log.room = Number.POSITIVE_INFINITY;
  // Whoever had waited for room has been proposed.
  for (let n = 0; n < 3; n++) harness.durable(progress.durable);
  const kept = progress.proposed;
  const before = stateOf(harness);
  const committed = progress.committed;
  for (let step = prng.below(8); step >= 0; step--) {
    switch (prng.below(8)) {
      case 0:
        harness.pass(prng.below(6000));
        break;
      case 1:
        harness.accept().handshake({ timeoutMs: 5000 });
        break;
      case 2:
        if (!workload.connections[0]!.wire.closed) workload.connections[0]!.send(CLOSE);
        break;
      default: {
        const connection = prng.pick(workload.connections);
        connection.send(...Array.from({ length: 1 + prng.below(6) }, () => workload.request()));
      }
    }
    // Commits of what is kept only, while more is staged on it.
    if (prng.chance(0.2) && kept > 0) harness.durable(Math.max(committed, kept - prng.below(3)));
  }
  const isUndisturbed = progress.committed === committed;
  harness.turn(() => harness.replica.withdrawBehind(kept));
  assert.equal(progress.proposed, kept);
  if (isUndisturbed) assert.deepEqual(stateOf(harness), before);
  while (harness.log.lastZxid > kept) harness.log.txns.pop();
  reconnect(harness, workload);
}

function reconnect(harness: ReplicaHarness, workload: Workload): void {
  for (const [i, old] of workload.connections.entries()) {
    old.take();
    if (!old.wire.closed) continue;
    if (!old.wire.released) old.disconnect();
    const next = harness.accept();
    next.handshake({ sessionId: old.sessionId, password: old.password });
    workload.connections[i] = next;
    workload.replaced.push(old);
  }
}

/** What staging may change, and nothing else: times of touch and connections are not part of it. */
function stateOf({ parts, replica }: ReplicaHarness): unknown {
  const { tree, acls, sessions, ephemerals, proposals, writes } = parts;
  acls.dropUnreferenced();
  const cursor = tree.cursor();
  const pending: unknown[] = [];
  for (let id = 1; id < tree.nodes.idEnd; id++) {
    const record = tree.nodes.pendingOf(id);
    if (record === 0) continue;
    cursor.moveTo(record);
    const bytes = Buffer.from(cursor.bytes.subarray(cursor.base, cursor.base + cursor.recordBytes));
    pending.push([id, cursor.isTombstone ? 'gone' : bytes.toString('hex')]);
  }
  const known: unknown[] = [];
  for (let slot = sessions.next(0); slot >= 0; slot = sessions.next(slot + 1)) {
    const nodes = [...(ephemerals.of(slot)?.values() ?? [])].sort((a, b) => a - b);
    known.push([slot, sessions.idLow[slot], sessions.isClosing(slot), sessions.isCommitted(slot), nodes]);
  }
  return {
    pending,
    known,
    digests: [digestOf(tree.staging.digest), digestOf(tree.committed)],
    counts: [
      tree.nodeCount,
      tree.index.size,
      ephemerals.count,
      sessions.size,
      acls.size,
      acls.encodedLength(),
    ],
    proposals: [proposals.length, proposals.effectTail - proposals.effectHead, proposals.isFull],
    zxids: [replica.progress.proposed, replica.progress.committed],
    writes: [writes.issued, writes.resolved],
  };
}

function replay(replica: Replica, harness: ReplicaHarness): number {
  const loader = new Loader(replica.parts);
  loader.snapshot.createEmpty();
  for (const { payload } of harness.log.txns) {
    loader.replay.apply(payload, new DataView(payload.buffer), 0, payload.length);
  }
  assert.equal(loader.digestMismatches, 0, 'digest in the log');
  assert.equal(loader.replay.finish(), 0, 'ephemerals without a session');
  return harness.log.lastZxid;
}

test('an ephemeral that its session creates anew: the delete commits, the new create is withdrawn', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  c.ok(ephemeral('/e'));
  c.send(remove('/e'), ephemeral('/e', 'again'));
  h.durable(h.log.lastZxid - 1);
  h.turn(() => h.replica.withdrawBehind(h.replica.progress.committed));
  assert.equal(h.parts.ephemerals.count, 0);
  h.log.txns.pop();
  c.disconnect();
  assert.equal(h.connect().call(exists('/e')).err, -101);
  checkQuiet(h.parts);
});

test('who waits for a write that is withdrawn is let go, who does not is served on', () => {
  const h = new ReplicaHarness();
  const [writer, reader, other] = [h.connect(), h.connect(), h.connect()];
  writer.ok(create('/n', 'kept'));
  writer.send(setData('/n', 'lost'), getData('/n'));
  writer.disconnect();
  const again = h.accept();
  again.handshake({ sessionId: writer.sessionId, password: writer.password });
  again.send(getData('/n'));
  other.send(create('/lost'));
  h.turn(() => h.replica.withdrawBehind(h.replica.progress.committed));
  h.log.txns.length -= 2;
  assert.ok(writer.wire.released);
  assert.ok(other.wire.closed);
  again.takeSession();
  assert.equal(again.call(getData('/n')).err, 0, 'it had waited behind the older connection’s write');
  assert.equal(reader.call(create('/next')).err, 0);
  assert.throws(() => h.replica.withdrawBehind(0), /decided/);
  checkQuiet(h.parts);
});

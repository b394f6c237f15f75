/** What a replica writes into its log and its snapshots brings an empty one to the same state. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { Loader } from '../../../src/core/loading/loader.ts';
import type { SnapshotCompression } from '../../../src/storage/data-files.ts';
import { appender } from '../../storage/support/collect.ts';
import { putSnapshot, restored, withLog } from '../support/data-directory.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { create, ephemeral, exists, PING, remove, setData } from '../support/requests.ts';
import { checkQuiet, digestOf, dumpSessions, dumpTree } from '../support/tree-dump.ts';
import { Workload } from '../support/workload.ts';

const COMPRESSIONS: readonly SnapshotCompression[] = ['', '.gz', '.snappy'];

/** Both have the same sessions and tree. */
function assertSame(a: ReplicaHarness, b: ReplicaHarness, what: string): void {
  assert.deepEqual(dumpTree(a.parts), dumpTree(b.parts), what);
  assert.deepEqual(dumpSessions(a.parts), dumpSessions(b.parts), what);
  assert.equal(digestOf(a.parts.tree.committed), digestOf(b.parts.tree.committed), what);
  checkQuiet(a.parts);
}

test('random clients: log alone, and log behind a snapshot of any moment, in any compression', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const prng = new Prng(1_000_000 + seed);
    const harness = new ReplicaHarness();
    const workload = new Workload(harness, prng, 3);
    const steps = 30 + prng.below(30);
    const snapshotAt = prng.below(steps);
    const images: { readonly zxid: number; readonly from: ReturnType<typeof withLog> }[] = [];
    for (let step = 0; step < steps; step++) {
      workload.step();
      if (step !== snapshotAt) continue;
      const from = withLog([]);
      const request = harness.replica.beginSnapshot();
      putSnapshot(from, request, COMPRESSIONS[seed % 3]);
      harness.replica.endSnapshot();
      images.push({ zxid: request.zxid[0]!, from });
    }
    workload.finish();
    const { txns } = harness.log;
    const alone = restored(withLog(txns, [3, 17]), { snapshotTrustEmpty: true });
    assertSame(alone.harness, harness, `seed ${seed}`);
    assert.deepEqual(alone.warnings, []);
    for (const { zxid, from } of images) {
      const log = appender(from, zxid);
      for (const { zxid: at, payload } of txns.filter((txn) => txn.zxid > zxid))
        log.append(at, payload, 0, payload.length);
      log.commit();
      log.close();
      const behind = restored(from);
      assert.deepEqual(behind.warnings, []);
      assertSame(behind.harness, harness, `seed ${seed} from the snapshot at ${zxid}`);
    }
  }
});

test('replaying any tail twice changes nothing', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const harness = new ReplicaHarness();
    const workload = new Workload(harness, new Prng(2_000_000 + seed), 2);
    for (let step = 0; step < 40; step++) workload.step();
    workload.finish();
    const { txns } = harness.log;
    for (let from = txns.length - 1; from >= 0; from -= 1 + Math.floor(txns.length / 12)) {
      const copy = restored(withLog(txns), { snapshotTrustEmpty: true }).harness;
      const loader = new Loader(copy.parts);
      for (const { payload } of txns.slice(from)) {
        loader.replay.apply(payload, new DataView(payload.buffer), 0, payload.length);
      }
      loader.replay.finish();
      assertSame(copy, harness, `seed ${seed} from ${from}`);
    }
  }
});

test('a fuzzy snapshot may show children of a node that the log deletes before it creates both anew', () => {
  const harness = new ReplicaHarness();
  const c = harness.connect();
  c.ok(create('/p', 'old'));
  const zxid = harness.log.lastZxid;
  c.ok(remove('/p'));
  c.ok(create('/p', 'new'));
  for (const path of ['/p/a', '/p/a/b', '/p/c']) c.ok(create(path, path));
  // As Apache would have written it: named by the zxid at which it began, with the content of later ones.
  const disk = withLog(harness.log.txns);
  const request = harness.replica.beginSnapshot();
  putSnapshot(disk, { ...request, zxid: Float64Array.of(zxid), digest: new Uint32Array(2) });
  harness.replica.endSnapshot();
  const again = restored(disk);
  assertSame(again.harness, harness, 'fuzzy');
  assert.equal(again.recovery.lastZxid, harness.log.lastZxid);
});

describe('a restored server goes on', () => {
  test('with the same sessions, zxids, sequence numbers and quotas', () => {
    const first = new ReplicaHarness();
    const c = first.connect();
    c.ok(create('/q', '12345'));
    c.ok(create('/zookeeper/quota/q'));
    c.ok(create('/zookeeper/quota/q/zookeeper_limits', 'count=1,bytes=5=;byteHardLimit=8;countHardLimit=2'));
    c.ok(create('/zookeeper/quota/q/zookeeper_stats', ''));
    c.ok(ephemeral('/e'));
    c.ok(create('/q/s-', '', 2));
    const { harness: second } = restored(withLog(first.log.txns), { snapshotTrustEmpty: true });
    const again = second.connect({ sessionId: c.sessionId, password: c.password });
    assert.equal(again.sessionId, c.sessionId);
    assert.equal(again.call(create('/q/s-', '', 2)).err, -125, 'the quota is counted anew');
    assert.equal(again.ok(remove('/q/s-0000000000')).op, 2);
    assert.equal(again.ok(create('/q/s-', '', 2)).path, '/q/s-0000000001');
    assert.equal(again.call(PING).zxid, first.log.lastZxid + 3);
    again.disconnect();
    second.pass(50_000);
    second.settle();
    assert.ok(!dumpTree(second.parts).has('/e'), 'its session has expired');
    checkQuiet(second.parts);
  });

  test('ephemerals whose session is not there are gone', () => {
    const first = new ReplicaHarness();
    const c = first.connect();
    c.ok(ephemeral('/e'));
    const disk = withLog([]);
    const request = first.replica.beginSnapshot();
    putSnapshot(disk, { ...request, sessions: new Uint8Array(4) });
    const { harness, recovery } = restored(disk);
    assert.ok(!dumpTree(harness.parts).has('/e'));
    assert.equal(recovery.isSnapshotCurrent, false, 'another snapshot has to be written');
    assert.equal(harness.connect().call(exists('/e')).err, -101);
    checkQuiet(harness.parts);
  });

  test('a broken snapshot is forgotten without a trace, and the one before it used', () => {
    const first = new ReplicaHarness();
    const c = first.connect();
    for (let i = 0; i < 50; i++)
      c.ok(create(`/n${i}`, 'x', 0, [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }]));
    c.ok(ephemeral('/e'));
    const disk = withLog(first.log.txns);
    putSnapshot(disk, first.replica.beginSnapshot());
    first.replica.endSnapshot();
    const lastZxid = first.log.lastZxid;
    const name = `/d/version-2/snapshot.${lastZxid.toString(16)}`;
    const damaged = disk.contents(name);
    damaged[damaged.length - 60]! ^= 1;
    disk.put(name, damaged);
    const empty = new ReplicaHarness();
    putSnapshot(disk, empty.replica.beginSnapshot());
    const { harness, warnings, recovery } = restored(disk);
    assert.match(warnings.join(), /CRC check failed; trying the snapshot before it/);
    assert.equal(warnings.length, 1);
    assert.equal(recovery.lastZxid, lastZxid);
    assertSame(harness, first, 'from the log');
    assert.equal(harness.connect().call(setData('/n1', 'y')).err, 0);
  });
});

/**
 * One replica after the other: what the first one held is not in the next one, whatever it was, and what outlives them
 * (connections, their slots, memory) is neither lost nor doubled.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientState } from '../../../src/core/client/client.ts';
import { Loader } from '../../../src/core/loading/loader.ts';
import type { Replica } from '../../../src/core/replica.ts';
import { SEGMENT_BYTES } from '../../../src/shm/segments.ts';
import { ErrorCode } from '../../../src/wire/error-codes.ts';
import { DIRECTORY } from '../../storage/support/collect.ts';
import type { MemoryDisk } from '../../storage/support/memory-disk.ts';
import { putSnapshot, restored, withLog } from '../support/data-directory.ts';
import { createEmpty, ReplicaHarness } from '../support/replica-harness.ts';
import {
  auth,
  container,
  create,
  ephemeral,
  exists,
  getChildren,
  getData,
  multi,
  PING,
  setData,
} from '../support/requests.ts';
import { checkQuiet, dumpTree } from '../support/tree-dump.ts';

const ALICE = [{ perms: 31, scheme: 'digest', id: 'alice:x' }];

/** As `replay` at start-up: the state that a log leaves. */
function replay(replica: Replica, harness: ReplicaHarness, count: number): number {
  const loader = new Loader(replica.parts);
  loader.snapshot.createEmpty();
  const txns = harness.log.txns.slice(0, count);
  for (const { payload } of txns)
    loader.replay.apply(payload, new DataView(payload.buffer), 0, payload.length);
  loader.replay.finish();
  return txns.at(-1)?.zxid ?? 0;
}

describe('a snapshot that turns out to be broken at its end', () => {
  /** The files of a server whose newest snapshot has read every `/app` as `/apq`, which its checksum tells at the end. */
  function directory(): { h: ReplicaHarness; disk: MemoryDisk } {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(create('/app'));
    const disk = withLog([]);
    putSnapshot(disk, h.replica.beginSnapshot());
    h.replica.endSnapshot();
    c.ok(create('/zookeeper/quota/app'));
    c.ok(
      create('/zookeeper/quota/app/zookeeper_limits', 'count=1,bytes=-1=;byteHardLimit=-1;countHardLimit=1'),
    );
    c.ok(create('/zookeeper/quota/app/zookeeper_stats', 'count=1,bytes=0'));
    c.ok(container('/app-box'));
    c.ok({ ...create('/app-acl'), acl: ALICE });
    c.ok(ephemeral('/app-e'));
    putSnapshot(disk, h.replica.beginSnapshot());
    h.replica.endSnapshot();
    const names = disk.list(DIRECTORY).sort();
    const newest = disk.contents(`${DIRECTORY}/${names.at(-1)!}`);
    const bytes = Buffer.from(newest);
    for (let at = bytes.indexOf('/app'); at >= 0; at = bytes.indexOf('/app', at + 1)) bytes[at + 3] = 0x71;
    disk.put(`${DIRECTORY}/${names.at(-1)!}`, new Uint8Array(bytes));
    const log = withLog(h.log.txns);
    for (const name of log.list(DIRECTORY))
      disk.put(`${DIRECTORY}/${name}`, log.contents(`${DIRECTORY}/${name}`));
    return { h, disk };
  }

  test('leaves nothing in the state that is loaded instead: no quota, owner, list or session', () => {
    const { h, disk } = directory();
    const { harness: again, warnings } = restored(disk);
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.deepEqual(dumpTree(again.parts), dumpTree(h.parts));
    const { acls, sessions, ephemerals, effects } = again.parts;
    assert.equal(acls.size, h.parts.acls.size);
    assert.equal(sessions.size, 1);
    assert.equal(ephemerals.count, 1);
    assert.equal([...(effects.candidates() as IterableIterator<number>)].length, 1);
    const c = again.connect();
    c.ok(create('/apq'));
    c.ok(create('/apq/1'));
    assert.equal(c.call(create('/apq/2')).err, 0, 'a quota that exists nowhere');
    assert.equal(c.call(create('/app/1')).err, ErrorCode.quotaExceeded, 'the one that is there');
    checkQuiet(again.parts);
  });
});

describe('a replica that is replaced', () => {
  /** Connections in every state that refers to the replica. */
  function busy(h: ReplicaHarness) {
    const idle = h.connect();
    idle.ok(create('/many'));
    for (let i = 0; i < 30; i++) {
      idle.send(multi(...Array.from({ length: 100 }, (_, n) => create(`/many/child-${i}-${n}`))));
    }
    h.settle();
    idle.take();
    idle.ok(create('/watched'));
    idle.ok(getData('/watched', true));
    const [slow, streaming, writing, gone] = [h.connect(), h.connect(), h.connect(), h.connect()];
    const fresh = h.accept();
    slow.wire.room = 0;
    slow.send(getData('/watched'), setData('/watched', 'by the slow one'), PING);
    h.settle();
    streaming.send(getChildren('/many'));
    assert.ok(h.parts.largeReply.isBusy);
    writing.send(create('/in-flight'), getData('/in-flight'), ephemeral('/e'));
    gone.send(create('/by-one-that-has-gone'));
    gone.disconnect();
    assert.equal(gone.wire.released, false, 'its write is on the way');
    const handshaking = h.accept();
    handshaking.handshake();
    const asking = h.accept();
    const client = h.parts.clients.get(asking.conn)!;
    client.state = ClientState.closing;
    h.parts.words.begin(client, { isLong: true, isReady: false, next: () => null, abandon: () => {} });
    return { live: [idle, fresh, slow, streaming, writing, handshaking, asking], gone, idle };
  }

  test('lets its connections go, in whatever state, and no slot is lost', () => {
    const h = new ReplicaHarness();
    const { live, gone, idle } = busy(h);
    const committed = h.log.txns.filter((txn) => txn.zxid <= h.replica.progress.committed).length;
    const before = dumpTree(h.parts);
    h.renew((replica) => replay(replica, h, committed));
    assert.ok(gone.wire.released);
    h.reuse(gone);
    for (const connection of live) {
      assert.ok(connection.wire.closed);
      assert.equal(connection.wire.released, false, 'the io side still has its socket');
      connection.send(PING, create('/too-late'));
      connection.disconnect();
      assert.ok(connection.wire.released);
    }
    assert.equal(h.parts.clients.count, 0);
    assert.equal(h.parts.proposals.length, 0);
    assert.deepEqual(dumpTree(h.parts), before);

    h.log.txns.length = committed;
    const next = live.map(() => h.connect());
    assert.ok(
      next.every(({ conn }) => conn < 8),
      'slots are used again',
    );
    for (const connection of next) assert.equal(connection.call(setData('/watched', 'x')).err, 0);
    assert.ok(
      next.every((connection) => connection.take().length === 0),
      'a watch of an older one has fired',
    );
    const [back] = next;
    back!.disconnect();
    const resumed = h.accept();
    resumed.handshake({ sessionId: idle.sessionId, password: idle.password });
    h.settle();
    resumed.takeSession();
    assert.equal(resumed.sessionId, idle.sessionId, 'sessions are those of the state that was loaded');
    assert.equal(resumed.call(exists('/in-flight')).err, ErrorCode.noNode);
    assert.equal(resumed.call(create('/in-flight')).err, 0);
    checkQuiet(h.parts);
  });

  test('ten times over gives its memory to the next one', () => {
    const h = new ReplicaHarness();
    const { segments } = h.incarnations.surroundings;
    for (let round = 0; round < 10; round++) {
      const c = h.connect();
      for (let i = 0; i < 70; i++) c.ok(create(`/large-${i}`, new Uint8Array(1_000_000)));
      const used = h.parts.tree.segments.list.length;
      assert.equal(used, 2);
      h.renew();
      assert.equal(h.parts.tree.segments.list.length * SEGMENT_BYTES + segments.bytes, used * SEGMENT_BYTES);
      c.disconnect();
      h.log.txns.length = 0;
    }
  });

  test('under a snapshot keeps what its thread reads, and the next one begins a snapshot of its own', () => {
    const h = new ReplicaHarness();
    h.connect().ok(create('/old'));
    const old = h.replica;
    const request = old.beginSnapshot();
    h.renew();
    h.log.txns.length = 0;
    const c = h.connect();
    c.ok(create('/new'));
    const disk = withLog([]);
    putSnapshot(disk, request);
    old.endSnapshot();
    const again = restored(disk);
    assert.ok([...dumpTree(again.harness.parts).keys()].includes('/old'));
    const second = withLog([]);
    putSnapshot(second, h.replica.beginSnapshot());
    h.replica.endSnapshot();
    const paths = [...dumpTree(restored(second).harness.parts).keys()];
    assert.ok(paths.includes('/new') && !paths.includes('/old'));
  });

  test('counters of the server go on', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(create('/n'));
    c.send(auth('nobody', ''));
    const { committed, authFailures, packetsSent } = h.parts.statistics;
    assert.deepEqual([committed, authFailures], [2, 1]);
    h.renew(createEmpty);
    assert.deepEqual(
      [h.parts.statistics.committed, h.parts.statistics.authFailures, h.parts.statistics.packetsSent],
      [committed, authFailures, packetsSent],
    );
    assert.equal(h.parts.clients.opened, 1);
  });
});

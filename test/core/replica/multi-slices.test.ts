/** A multi of very many operations is staged in slices: in its place, as a whole or not at all, while others are served. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Loader } from '../../../src/core/loading/loader.ts';
import type { Replica } from '../../../src/core/replica.ts';
import { CreateFlags } from '../../../src/wire/opcodes.ts';
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
import { checkQuiet, dumpTree } from '../support/tree-dump.ts';

const COUNT = 5000;

function creates(prefix: string, count = COUNT): MultiSubRequest[] {
  return Array.from({ length: count }, (_, i) => create(`${prefix}${i}`));
}

test('reads and pings of others are answered meanwhile, writes after it; all of it appears at once', () => {
  const h = new ReplicaHarness();
  const [c, other, writer] = [h.connect(), h.connect(), h.connect()];
  writer.ok(create('/w'));
  const zxid = h.replica.progress.committed;
  c.send(multi(...creates('/m')), exists('/m0'), create('/behind'));
  writer.send(setData('/w', 'x'), getData('/w'));
  let turns = 0;
  for (; h.parts.proposals.length === 0; turns++) {
    other.send(exists('/m0'), exists(`/m${COUNT - 1}`), PING);
    assert.deepEqual(
      other.replies().map(({ err }) => err),
      [-101, -101, 0],
    );
    h.durable();
    assert.equal(writer.replies().length, 0, 'another write waits');
    h.background();
  }
  assert.ok(turns > 5, `in ${turns} turns`);
  h.settle();
  const replies = c.replies();
  assert.deepEqual(
    replies.map(({ err }) => err),
    [0, 0, 0],
  );
  assert.equal(replies[0]!.zxid, zxid + 1);
  const { response } = replies[0]!;
  assert.ok(response !== null && 'results' in response);
  assert.equal(response.results.length, COUNT);
  assert.deepEqual(
    writer.replies().map(({ err }) => err),
    [0, 0],
  );
  checkQuiet(h.parts);
});

test('an operation that fails in a late slice takes all of it back', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  c.ok(create('/there'));
  const before = h.parts.tree.nodeCount;
  c.send(multi(...creates('/m'), check('/nowhere'), ...creates('/n')), create('/behind'));
  h.settle();
  const [failed, behind] = c.replies();
  const { response } = failed!;
  assert.ok(response !== null && 'results' in response);
  const errs = response.results.map((result) => ('err' in result ? result.err : undefined));
  assert.equal(errs.length, 2 * COUNT + 1);
  assert.deepEqual([errs[0], errs[COUNT - 1], errs[COUNT], errs[COUNT + 1]], [0, 0, -101, -2]);
  assert.equal(behind!.err, 0);
  assert.equal(h.parts.tree.nodeCount, before + 1);
  checkQuiet(h.parts);
});

test('what a late operation takes back goes in slices, others are served meanwhile, and nothing of it is left', () => {
  const wide = Array.from({ length: 50 }, (_, i) => ({ perms: 31, scheme: 'digest', id: `u${i}:x` }));
  for (const end of [check('/nowhere'), create('/x', '', CreateFlags.persistentTtl)]) {
    const h = new ReplicaHarness();
    const [c, other] = [h.connect(), h.connect()];
    const before = dumpTree(h.parts);
    const { size } = h.parts.tree.index;
    const mine = Array.from({ length: COUNT }, (_, i) => create(`/e${i}`, '', CreateFlags.ephemeral, wide));
    c.send(multi(...mine, ...creates('/m'), end));
    let most = 0;
    for (let last = h.parts.tree.index.size; !h.replica.isQuiet; last = h.parts.tree.index.size) {
      other.send(PING, exists('/e0'));
      assert.deepEqual(
        other.replies().map(({ err }) => err),
        [0, -101],
      );
      h.durable();
      h.background();
      most = Math.max(most, last - h.parts.tree.index.size);
    }
    assert.ok(most > 0 && most <= 1024, `${most} znodes in one turn`);
    h.settle();
    assert.equal(c.replies().length, 1);
    assert.equal(h.parts.tree.index.size, size);
    assert.equal(h.parts.ephemerals.count, 0);
    assert.deepEqual(dumpTree(h.parts), before);
    checkQuiet(h.parts);
  }
});

test('withdrawn while it is being taken back: all of it goes, and its connection ends', () => {
  const h = new ReplicaHarness();
  const [c, other] = [h.connect(), h.connect()];
  const before = dumpTree(h.parts);
  c.send(multi(...creates('/m'), check('/nowhere')));
  const { index } = h.parts.tree;
  for (let most = 0; index.size >= most; h.background()) most = index.size;
  assert.equal(h.replica.isQuiet, false);
  h.turn(() => h.replica.withdrawBehind(h.replica.progress.committed));
  h.settle();
  assert.equal(c.wire.closed, true);
  assert.deepEqual(dumpTree(h.parts), before);
  assert.equal(other.call(create('/m0')).err, 0);
  checkQuiet(h.parts);
});

test('an operation in a late slice that cannot be read is an error of the whole request', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  const before = h.parts.tree.nodeCount;
  const unreadable = create('/x', '', CreateFlags.persistentTtl);
  c.send(multi(...creates('/m'), unreadable, ...creates('/n')), create('/behind'));
  h.settle();
  const [refused, behind] = c.replies();
  assert.equal(refused!.err, -5);
  assert.equal(behind!.err, 0);
  assert.equal(h.parts.tree.nodeCount, before + 1);
  checkQuiet(h.parts);
});

test('nothing that is in flight is committed under it: what it is taken back to stays', () => {
  const h = new ReplicaHarness();
  const [c, other] = [h.connect(), h.connect()];
  c.ok(create('/a'));
  c.ok(create('/b'));
  other.send(setData('/a', 'new'), remove('/b'));
  c.send(multi(setData('/a', 'mine'), create('/b'), ...creates('/m'), check('/nowhere')));
  h.durable();
  assert.equal(other.replies().length, 0);
  h.settle();
  assert.equal(other.replies().length, 2);
  c.take();
  const read = other.call(getData('/a'));
  assert.ok(read.response !== null && 'data' in read.response);
  assert.equal(new TextDecoder().decode(read.response.data!), 'new');
  assert.equal(other.call(exists('/b')).err, -101);
  checkQuiet(h.parts);
});

test('without room in the log it waits for some, without spinning', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  c.send(create('/first'), multi(...creates('/m')));
  h.log.room = 0;
  while (h.background());
  assert.equal(h.replica.isQuiet, false);
  assert.equal(h.replica.hasBackgroundWork, false);
  h.log.room = Number.POSITIVE_INFINITY;
  h.settle();
  assert.deepEqual(
    c.replies().map(({ err }) => err),
    [0, 0],
  );
  checkQuiet(h.parts);
});

test('a connection that goes meanwhile has sent it all the same, and is released behind it', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  c.send(multi(...creates('/m')));
  h.background();
  c.disconnect();
  assert.equal(c.wire.released, false);
  h.settle();
  assert.equal(c.wire.released, true);
  assert.equal(h.connect().call(exists(`/m${COUNT - 1}`)).err, 0);
  checkQuiet(h.parts);
});

test('its session expires or is closed meanwhile: its ephemerals go with it', () => {
  for (const end of ['close', 'expire'] as const) {
    const h = new ReplicaHarness();
    const c = h.connect();
    const base = h.parts.tree.nodeCount;
    c.send(multi(...Array.from({ length: COUNT }, (_, i) => ephemeral(`/e${i}`))));
    h.background();
    if (end === 'close') c.send(CLOSE);
    else h.pass(60_000);
    h.settle();
    assert.equal(h.parts.tree.nodeCount, base);
    assert.equal(h.parts.sessions.size, 0);
    checkQuiet(h.parts);
  }
});

test('withdrawn meanwhile: as if it had never been asked for, and its connection ends', () => {
  const h = new ReplicaHarness();
  const [c, other] = [h.connect(), h.connect()];
  const before = dumpTree(h.parts);
  c.send(multi(...creates('/m')));
  h.background();
  h.turn(() => h.replica.withdrawBehind(h.replica.progress.committed));
  h.settle();
  assert.equal(c.wire.closed, true);
  assert.deepEqual(dumpTree(h.parts), before);
  assert.equal(other.call(create('/m0')).err, 0);
  checkQuiet(h.parts);
});

test('the log replays to the same tree, with the time of the begin in every znode', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  c.send(multi(...creates('/m')));
  while (!h.replica.isQuiet) {
    h.wallMs += 7;
    h.durable();
    h.background();
  }
  h.settle();
  const restored = new ReplicaHarness({}, ({ replica }) => replay(replica, h)).parts;
  assert.deepEqual(dumpTree(restored), dumpTree(h.parts));
});

function replay(replica: Replica, from: ReplicaHarness): number {
  const loader = new Loader(replica.parts);
  loader.snapshot.createEmpty();
  for (const { payload } of from.log.txns) {
    loader.replay.apply(payload, new DataView(payload.buffer), 0, payload.length);
  }
  assert.equal(loader.digestMismatches, 0);
  assert.equal(loader.replay.finish(), 0);
  return from.log.lastZxid;
}

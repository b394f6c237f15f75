/**
 * A transaction of very many changes is published in slices: nobody sees half of it, pings are answered meanwhile, and
 * all else is as if it had been published in one turn.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Work } from '../../../src/core/progress/turn-work.ts';
import { EventType } from '../../../src/core/watch/watch-firing.ts';
import type { MultiSubRequest } from '../../../src/wire/request-values.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import { create, exists, getChildren, getData, multi, PING, remove, setData } from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

const COUNT = 12_000;
/** What one turn may publish beside a transaction that is not cut. */
const CHANGES_MAX = 4096 + 1024 + 1;

function creates(prefix: string, count = COUNT): MultiSubRequest[] {
  return Array.from({ length: count }, (_, i) => create(`${prefix}${i}`));
}

interface Scene {
  readonly h: ReplicaHarness;
  readonly c: Connection;
  readonly other: Connection;
  /** It watches /q and /w. */
  readonly third: Connection;
}

/** A long multi is in the log; nothing of it is committed yet. */
function staged(...requests: MultiSubRequest[]): Scene {
  const h = new ReplicaHarness();
  const [c, other, third] = [h.connect(), h.connect(), h.connect({ timeoutMs: 4000 })];
  for (const path of ['/p', '/q', '/w']) c.ok(create(path));
  for (const path of ['/q', '/w']) third.ok(getData(path, true));
  c.send(multi(...requests));
  while (h.parts.proposals.length === 0) h.background();
  h.background();
  h.parts.work.worst();
  h.parts.work.reset();
  return { h, c, other, third };
}

test('pings are answered in each turn, with the zxid before it; reads behind it see all of it, or nothing', () => {
  const { h, c, other, third: reader } = staged(...creates('/p/'));
  const before = h.replica.progress.committed;
  h.durable();
  assert.equal(h.replica.isPublishing, true);
  reader.send(getChildren('/p'), exists('/p/0'), exists(`/p/${COUNT - 1}`));
  c.send(exists('/p/0'));
  let turns = 0;
  for (; h.replica.isPublishing; turns++) {
    other.send(PING);
    const [pong] = other.replies();
    assert.equal(pong?.zxid, before);
    assert.equal(reader.replies().length + c.replies().length, 0);
    h.background();
  }
  assert.ok(turns >= 2, `in ${turns} turns`);
  h.settle();
  const [list, first, last] = reader.replies();
  assert.ok(list?.response != null && 'children' in list.response);
  assert.equal(list.response.children.length, COUNT);
  assert.deepEqual([first?.err, last?.err], [0, 0]);
  assert.deepEqual(
    c.replies().map(({ err }) => err),
    [0, 0],
  );
  const changes = h.parts.work.worst()[Work.changes]!;
  assert.ok(changes > 1024 && changes <= CHANGES_MAX, `${changes} changes in one turn`);
  checkQuiet(h.parts);
});

test('events of it arrive before any reply that shows it, with its zxid', () => {
  const {
    h,
    other,
    third: watcher,
  } = staged(setData('/w', 'first'), ...creates('/p/'), setData('/q', 'last'));
  const zxid = h.log.lastZxid;
  h.durable();
  watcher.send(PING, getData('/q'));
  other.send(setData('/q', 'later'));
  h.settle();
  const messages = watcher.take().map((message) => {
    if (message.kind === 'event') return `${message.type}:${message.path}@${message.zxid - zxid}`;
    return message.kind === 'reply' ? `reply@${message.zxid - zxid}` : message.kind;
  });
  const changed = EventType.nodeDataChanged;
  assert.deepEqual(messages, [`${changed}:/w@0`, 'reply@-1', `${changed}:/q@0`, 'reply@0']);
  assert.equal(other.replies().length, 1);
});

test('the asker goes, another session ends and a write comes in between', () => {
  const { h, c, other, third } = staged(...creates('/p/'));
  h.durable();
  c.disconnect();
  other.send(remove('/p/7'), exists('/p/7'));
  h.pass(100, 50);
  assert.equal(h.replica.isPublishing, true);
  third.disconnect();
  h.pass(10_000, 50);
  h.settle();
  assert.deepEqual(
    other.replies().map(({ err }) => err),
    [0, -101],
  );
  assert.equal(c.wire.released, true);
  checkQuiet(h.parts);
});

test('a snapshot, and proposals that are taken back, find all of it', () => {
  for (const what of ['snapshot', 'withdrawal']) {
    const { h, c } = staged(...creates('/p/'));
    const zxid = h.log.lastZxid;
    h.durable();
    assert.equal(h.replica.isPublishing, true);
    h.turn(() => {
      if (what === 'withdrawal') h.replica.withdrawBehind(zxid);
      else assert.equal(h.replica.beginSnapshot().zxid[0], zxid);
    });
    assert.equal(h.replica.isPublishing, false);
    assert.equal(c.replies().length, 1);
    if (what === 'snapshot') h.replica.endSnapshot();
    h.settle();
    checkQuiet(h.parts);
  }
});

test('a client that has heard of it in an event may connect while it is being published', () => {
  const { h } = staged(setData('/w', 'x'), ...creates('/p/'));
  h.durable();
  const late = h.accept();
  late.handshake({ lastZxidSeen: h.log.lastZxid });
  h.settle();
  assert.equal(late.wire.closed, false);
  late.takeSession();
});

test('a quota on a large tree: its subtree is counted in slices, exactly, and shown with the first read', () => {
  const h = new ReplicaHarness();
  const [c, other, writer] = [h.connect(), h.connect(), h.connect()];
  c.ok(create('/app', 'abc'));
  for (const path of ['/app/deep', '/app/deep/er', '/app/wide']) c.ok(create(path));
  const count = 30_000;
  for (let i = 0; i < count; i += 500)
    c.ok(multi(...Array.from({ length: 500 }, (_, k) => create(`/app/wide/${i + k}`, 'xy'))));
  c.ok(create('/zookeeper/quota/app'));
  c.ok(create('/zookeeper/quota/app/zookeeper_limits', 'count=5,bytes=-1'));
  const stats = '/zookeeper/quota/app/zookeeper_stats';
  c.send(create(stats, 'count=0,bytes=0'), getData(stats));
  writer.send(create('/app/wide/later', 'xyz'));
  h.durable();
  let turns = 0;
  for (; h.replica.isPublishing; turns++) {
    other.send(PING);
    assert.equal(other.replies().length, 1);
    assert.equal(c.replies().length + writer.replies().length, 0);
    h.background();
  }
  assert.ok(turns >= 3, `in ${turns} turns`);
  h.settle();
  const [created, read] = c.replies();
  assert.equal(created?.err, 0);
  assert.ok(read?.response != null && 'data' in read.response);
  assert.equal(new TextDecoder().decode(read.response.data!), `count=${count + 4},bytes=${3 + 2 * count}`);
  const after = other.ok(getData(stats));
  assert.equal(new TextDecoder().decode(after.data!), `count=${count + 5},bytes=${6 + 2 * count}`);
  checkQuiet(h.parts);
});

test('many events: so many a turn, and each once', () => {
  const h = new ReplicaHarness();
  const writer = h.connect();
  const watchers = Array.from({ length: 50 }, () => h.connect());
  const paths = Array.from({ length: 400 }, (_, i) => `/n${i}`);
  writer.ok(multi(...paths.map((path) => create(path))));
  for (const watcher of watchers) {
    watcher.send(...paths.map((path) => exists(path, true)));
    watcher.take();
  }
  writer.send(multi(...paths.map((path) => setData(path, 'x'))));
  h.background();
  h.parts.work.worst();
  h.parts.work.reset();
  h.settle();
  for (const watcher of watchers) assert.equal(watcher.take().length, paths.length);
  const events = h.parts.work.worst()[Work.events]!;
  assert.ok(events >= 4096 && events <= 8192 + 4096 + watchers.length, `${events} in one turn`);
  assert.equal(writer.replies().length, 1);
});

/**
 * One change that very many connections watch: they are told in slices, each once, before any reply that shows the change,
 * and in the order of the changes. Counted in watches, not in time.
 */
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { Work } from '../../../src/core/progress/turn-work.ts';
import { EventType } from '../../../src/core/watch/watch-firing.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import {
  addWatch,
  auth,
  create,
  exists,
  getChildren,
  getData,
  multi,
  PING,
  remove,
  setData,
} from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

const WATCHERS = 10_000;
/** A turn begins at most twice, and one slice may end within it. */
const MET_MAX = 2 * 4096;

suite('very many watchers of one znode', () => {
  let h: ReplicaHarness;
  let writer: Connection;
  let other: Connection;
  let watchers: Connection[];

  before(() => {
    h = new ReplicaHarness();
    [writer, other] = [h.connect(), h.connect()];
    for (const path of ['/p', '/p/w', '/p/x']) writer.ok(create(path));
    watchers = Array.from({ length: WATCHERS }, () => h.accept());
    for (const watcher of watchers) watcher.handshake();
    h.settle();
    for (const watcher of watchers) watcher.takeSession();
  });

  /** Turn by turn until nothing is left; a ping of another client is answered in each. */
  function settled(during: (turn: number) => void = () => {}): number {
    h.background();
    h.parts.work.worst();
    h.parts.work.reset();
    h.durable();
    let turns = 1;
    for (let more = true; more || !h.replica.isQuiet; turns++) {
      during(turns);
      other.send(PING);
      assert.equal(other.replies().length, 1, 'another client is answered in the same turn');
      h.durable();
      more = h.background();
    }
    const met = h.parts.work.worst()[Work.events]!;
    assert.ok(met > 0 && met <= MET_MAX, `${met} watches in one turn`);
    return turns;
  }

  /** What a connection has heard: events with the place of their zxid behind `zxid`, replies with theirs. */
  function heard(connection: Connection, zxid: number): string[] {
    return connection.take().map((message) => {
      if (message.kind === 'event') return `${message.type}:${message.path}@${message.zxid - zxid}`;
      return message.kind === 'reply' ? `reply@${message.zxid - zxid}` : message.kind;
    });
  }

  test('a value: one event each, before a read shows it; the next change comes behind', () => {
    for (const watcher of watchers) watcher.send(getData('/p/w', true));
    for (const watcher of watchers) watcher.take();
    const later = h.connect();
    const zxid = h.replica.progress.committed;
    writer.send(setData('/p/w', '1'), getData('/p/w'));
    later.send(setData('/p/w', '2'));
    const turns = settled((turn) => {
      if (turn === 1) {
        for (const watcher of watchers) watcher.send(getData('/p/w', true));
        assert.equal(h.replica.isPublishing, true);
        assert.equal(writer.replies().length, 0, 'not before the events');
      }
    });
    assert.ok(turns > 4, `in ${turns} turns`);
    const changed = EventType.nodeDataChanged;
    const seen = new Set(watchers.map((watcher) => heard(watcher, zxid).join()));
    // Who read between the two changes hears of the second one, who read behind both does not.
    for (const story of seen) {
      const between = `${changed}:/p/w@1,reply@1,${changed}:/p/w@2`;
      assert.ok(story === between || story === `${changed}:/p/w@1,reply@2`, story);
    }
    assert.equal(writer.replies().length, 2);
    checkQuiet(h.parts);
  });

  test('a deletion and its parent, for watches of every kind; the permission is that of the deleted znode', () => {
    const mine = [{ perms: 31, scheme: 'digest', id: 'a:1TZQ+ZGvmVPlZ1pfzuOp8hd8kqk=' }];
    writer.send(auth('digest', 'a:b'));
    const { authIds } = h.parts.clients.get(writer.conn)!;
    const { scheme, id } = authIds.find((one) => one.scheme === 'digest')!;
    assert.equal(scheme, mine[0]!.scheme);
    writer.ok(create('/p/secret', '', 0, [{ perms: 31, scheme, id }]));
    for (const [at, watcher] of watchers.entries()) {
      if (at % 2 === 0) watcher.send(auth('digest', 'a:b'));
      const kind = at % 3;
      if (kind === 0) watcher.send(addWatch('/p', 1));
      else if (kind === 1) watcher.send(exists('/p/secret', true), getChildren('/p', true));
      else watcher.send(addWatch('/p/secret', 0));
    }
    h.settle();
    for (const watcher of watchers) watcher.take();
    const zxid = h.replica.progress.committed;
    writer.send(remove('/p/secret'));
    settled();
    const [deleted, children] = [EventType.nodeDeleted, EventType.nodeChildrenChanged];
    for (const [at, watcher] of watchers.entries()) {
      const wanted = at % 2 === 0 ? [`${deleted}:/p/secret@1`] : [];
      // Who may not read it could not watch it by reading, but the children of its parent.
      if (at % 3 === 1) wanted.push(`${children}:/p@1`);
      assert.deepEqual(heard(watcher, zxid), wanted, `watcher ${at}`);
    }
    checkQuiet(h.parts);
  });

  test('a snapshot in between finds all of it told', () => {
    for (const watcher of watchers) watcher.send(getData('/p/w', true));
    for (const watcher of watchers) watcher.take();
    writer.send(setData('/p/w', '1'));
    h.durable();
    assert.equal(h.replica.isPublishing, true);
    h.turn(() => assert.equal(h.replica.beginSnapshot().zxid[0], h.log.lastZxid));
    h.replica.endSnapshot();
    for (const watcher of watchers) assert.equal(watcher.take().length, 1);
    h.settle();
    checkQuiet(h.parts);
  });

  test('within a multi: what is behind waits, and connections may go meanwhile', () => {
    for (const watcher of watchers) watcher.send(exists('/p/w', true), exists('/p/x', true));
    for (const watcher of watchers) watcher.take();
    const zxid = h.replica.progress.committed;
    writer.take();
    writer.send(multi(setData('/p/w', '1'), setData('/p/x', '1')));
    const gone = new Set<Connection>();
    settled((turn) => {
      for (const watcher of watchers.slice(turn * 2000, turn * 2000 + 700)) {
        watcher.disconnect();
        gone.add(watcher);
      }
    });
    const changed = EventType.nodeDataChanged;
    for (const watcher of watchers) {
      if (gone.has(watcher)) continue;
      assert.deepEqual(heard(watcher, zxid), [`${changed}:/p/w@1`, `${changed}:/p/x@1`]);
    }
    assert.ok(gone.size > 1000);
    assert.equal(writer.replies().length, 1);
    h.pass(60_000);
    h.settle();
  });
});

/** No room in the log, no room for replies, io threads that fall behind: nothing is lost and the order stays. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { Request } from '../../../src/wire/request-values.ts';
import { type Message, ReplicaHarness } from '../support/replica-harness.ts';
import {
  CLOSE,
  create,
  ephemeral,
  exists,
  getChildren,
  getData,
  multi,
  PING,
  remove,
  sequential,
  setData,
  text,
} from '../support/requests.ts';
import { checkQuiet, dumpTree } from '../support/tree-dump.ts';

describe('a full log', () => {
  /** Something of everything that is proposed. */
  const SCRIPT: readonly Request[] = [
    create('/a', 'x'),
    getData('/a'),
    sequential('/a/s-'),
    ephemeral('/e'),
    multi(create('/m'), create('/m/1'), setData('/a', 'y')),
    remove('/nothing'),
    exists('/m/1'),
    multi(create('/m2'), remove('/nothing')),
    sequential('/a/s-'),
    PING,
    remove('/e'),
    setData('/a', 'z', 1),
    getChildren('/a'),
  ];

  /** The script with the log having room for `step` records at a time. */
  function play(step: number): { h: ReplicaHarness; heard: Message[] } {
    const h = new ReplicaHarness();
    const c = h.connect();
    const heard: Message[] = [];
    h.log.room = 0;
    for (const request of SCRIPT) c.send(request);
    for (let i = 0; i < 100 && c.unanswered > 0; i++) {
      h.log.room = step;
      h.settle();
      heard.push(...c.take());
    }
    assert.equal(c.unanswered, 0);
    checkQuiet(h.parts);
    return { h, heard };
  }

  test('whatever the room, the answers and the tree are the same', () => {
    const all = play(Number.POSITIVE_INFINITY);
    for (const step of [1, 2, 3, 5]) {
      const some = play(step);
      assert.deepEqual(some.heard, all.heard, `room for ${step} at a time`);
      assert.deepEqual(dumpTree(some.h.parts), dumpTree(all.h.parts));
    }
  });

  test('full from any point of the script on', () => {
    for (let grants = 0; grants < SCRIPT.length; grants++) {
      const h = new ReplicaHarness();
      const c = h.connect();
      h.log.room = grants;
      c.send(...SCRIPT);
      h.settle();
      assert.ok(c.unanswered > 0 || grants >= 9);
      h.log.room = Number.POSITIVE_INFINITY;
      h.settle();
      assert.equal(c.replies().length, SCRIPT.length);
      checkQuiet(h.parts);
    }
  });

  test('clients that wait get their turns, and those that do not wait go on', () => {
    const h = new ReplicaHarness();
    const writers = Array.from({ length: 5 }, () => h.connect());
    const reader = h.connect();
    h.log.room = 0;
    for (const [i, writer] of writers.entries()) {
      writer.send(...Array.from({ length: 20 }, (_, n) => create(`/w${i}-${n}`)));
    }
    assert.equal(reader.call(getData('/')).err, 0);
    for (let i = 0; i < 100; i++) {
      h.log.room = 1;
      h.settle();
    }
    for (const writer of writers) assert.equal(writer.replies().length, 20);
  });

  test('a queue of proposals that is full makes writers wait as a full log does', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    const count = 65_536 + 10;
    const request = remove('/nothing');
    for (let i = 0; i < count; i += 1000) c.send(...new Array(Math.min(1000, count - i)).fill(request));
    assert.equal(h.parts.proposals.length, 65_536);
    // All becomes durable while the io side is behind: when it has caught up no event of the log comes any more.
    h.sinks[0]!.congested = true;
    h.durable();
    assert.equal(h.parts.proposals.length, 65_536, 'nothing is committed into a congested sink');
    h.sinks[0]!.congested = false;
    while (h.background());
    h.settle();
    assert.equal(c.wire.completedReplies, 1 + count);
  });

  test('a session begins before it ends, even if the log has no room for longer than its timeout', () => {
    const h = new ReplicaHarness();
    h.log.room = 0;
    const c = h.accept();
    c.handshake({ timeoutMs: 4000 });
    h.pass(10_000);
    h.log.room = Number.POSITIVE_INFINITY;
    h.pass(1000);
    h.settle();
    const types = h.log.txns.map(({ payload }) => new DataView(payload.buffer).getInt32(28));
    assert.deepEqual(types, [OpCode.createSession, OpCode.closeSession]);
    assert.equal(h.parts.sessions.size, 0);
    assert.ok(c.wire.closed);
  });

  test('a connection that goes before its session could be proposed is released once', () => {
    const h = new ReplicaHarness();
    h.log.room = 0;
    const gone = h.accept();
    gone.handshake();
    gone.disconnect();
    assert.ok(gone.wire.released);
    const next = h.accept();
    assert.equal(next.conn, gone.conn);
    h.log.room = Number.POSITIVE_INFINITY;
    h.settle();
    assert.equal(next.wire.released, false);
    next.handshake();
    h.settle();
    next.takeSession();
    assert.equal(next.call(PING).err, 0);
    assert.equal(h.parts.sessions.size, 2, 'the other session lives on until it expires');
  });
});

describe('a slow client', () => {
  test('its reads wait and go on when it has read, in order, while others are served', () => {
    const h = new ReplicaHarness();
    const [slow, other] = [h.connect(), h.connect()];
    slow.ok(create('/big', new Uint8Array(10_000)));
    slow.wire.room = 25_000;
    slow.send(...new Array(10).fill(getData('/big')), PING);
    assert.equal(slow.replies().length, 3, 'a reply may overshoot the room, the next one waits');
    assert.equal(other.call(getData('/big')).err, 0);
    for (let i = 0; i < 2; i++) {
      slow.drained(25_000);
      assert.equal(slow.replies().length, 3);
    }
    slow.drained();
    assert.equal(slow.replies().length, 2);
    assert.equal(slow.unanswered, 0);
  });

  test('a write behind a waiting read is answered behind it', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(create('/n', 'old'));
    c.wire.room = 0;
    c.send(getData('/n'), setData('/n', 'new'), create('/m'), getData('/n'));
    h.settle();
    assert.deepEqual(c.transcript(), []);
    c.drained();
    h.settle();
    const [before, , , after] = c.replies();
    assert.deepEqual(before?.response?.op === OpCode.getData && before.response.data, text('old'));
    assert.deepEqual(after?.response?.op === OpCode.getData && after.response.data, text('new'));
  });

  test('a read between two writes in flight sees the first and not the second, however long it waits', () => {
    const h = new ReplicaHarness();
    const [c, other] = [h.connect(), h.connect()];
    c.ok(create('/n', '0'));
    c.send(
      setData('/n', '1'),
      getData('/n', true),
      setData('/n', '2'),
      exists('/n'),
      remove('/n'),
      exists('/n'),
    );
    c.wire.room = 0;
    h.settle();
    other.ok(create('/n', 'of another'));
    assert.deepEqual(c.transcript(), ['2'], 'only the first write has been answered');
    for (let i = 0; i < 10; i++) c.drained(1);
    h.settle();
    const messages = c.take();
    const [read, second, deleted] = messages.filter((message) => message.kind === 'reply');
    assert.deepEqual(read?.response?.op === OpCode.getData && read.response.data, text('1'));
    assert.ok(second?.response?.op === OpCode.setData && second.response.stat.version === 2);
    assert.ok(deleted?.response?.op === OpCode.exists && deleted.response.stat.version === 2);
    assert.equal(c.unanswered, 0);
    assert.deepEqual(
      messages.map((message) =>
        message.kind === 'event' ? 'event' : message.kind === 'reply' && message.xid,
      ),
      [3, 'event', 4, 5, 6, 7],
      'the event of the watch that the read set follows the read',
    );
    checkQuiet(h.parts);
  });

  test('each reply of a slow client completes one request', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.ok(create('/n', new Uint8Array(200_000)));
    const before = c.wire.completedReplies;
    c.send(
      setData('/n', '1'),
      getData('/n'),
      setData('/n', '2'),
      getData('/n'),
      getData('/'),
      setData('/n', '3'),
    );
    c.wire.room = 0;
    h.settle();
    c.drained();
    h.settle();
    assert.equal(c.replies().length, 6);
    assert.equal(c.wire.completedReplies - before, 6);
  });

  test('events reach it all the same', () => {
    const h = new ReplicaHarness();
    const [c, other] = [h.connect(), h.connect()];
    c.ok(create('/n'));
    c.ok(getData('/n', true));
    c.wire.room = 0;
    c.send(getData('/n'));
    other.ok(setData('/n', 'new'));
    assert.deepEqual(c.transcript(), ['3:/n']);
    c.drained();
    assert.deepEqual(c.transcript(), ['3']);
  });

  test('its close is answered behind everything before it', () => {
    const h = new ReplicaHarness();
    const c = h.connect();
    c.send(create('/n'), getData('/n'), setData('/n', 'x'), getData('/n'), CLOSE);
    c.wire.room = 0;
    h.settle();
    c.drained();
    h.settle();
    assert.deepEqual(c.transcript(), ['1', '2', '3', '4', '5']);
    assert.ok(c.wire.closed);
  });

  test('an io thread that has fallen behind stops commits; they go on without a further event of the log', () => {
    const h = new ReplicaHarness({}, undefined, 2);
    const [a, b] = [h.connect({}, 0), h.connect({}, 1)];
    h.sinks[1]!.congested = true;
    a.send(create('/a'));
    b.send(create('/b'));
    h.durable();
    assert.deepEqual([a.take(), b.take()], [[], []]);
    h.sinks[1]!.congested = false;
    assert.equal(h.replica.hasBackgroundWork, true);
    h.background();
    assert.deepEqual([a.transcript(), b.transcript()], [['1'], ['1']]);
  });
});

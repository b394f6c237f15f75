/** Very many watches of one connection: restored in slices and dropped in slices, and each change is told exactly once. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { EventType } from '../../../src/core/watch/watch-firing.ts';
import { WATCH_ROW_BYTES } from '../../../src/core/watch/watch-rows.ts';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { type Connection, type Event, type Message, ReplicaHarness } from '../support/replica-harness.ts';
import { create, exists, getData, multi, PING, remove, setData } from '../support/requests.ts';

const COUNT = 20_000;
const PER_MULTI = 1000;
const path = (i: number): string => `/n-of-a-length${i}`;

function world(options = {}): { h: ReplicaHarness; other: Connection; since: number } {
  const h = new ReplicaHarness(options);
  const other = h.connect();
  for (let from = 0; from < COUNT; from += PER_MULTI) {
    other.ok(multi(...Array.from({ length: PER_MULTI }, (_, i) => create(path(from + i)))));
  }
  return { h, other, since: h.replica.progress.committed };
}

const paths = Array.from({ length: COUNT }, (_, i) => path(i));

function restoring(relativeZxid: number, lists: { data?: string[]; exist?: string[]; child?: string[] }) {
  return { op: OpCode.setWatches, relativeZxid, data: [], exist: [], child: [], ...lists } as const;
}

function eventsIn(messages: readonly Message[]): Event[] {
  return messages.filter((message) => message.kind === 'event');
}

suite('setWatches of 20,000 paths', () => {
  test('others are answered in between; what changes meanwhile is told once, before the reply', () => {
    const { h, other, since } = world();
    other.ok(setData(path(7), 'before'));
    const c = h.connect();
    const messages: Message[] = [];
    const changed: number[] = [];
    c.send(restoring(since, { data: paths }), getData(path(1)), PING);
    let turns = 0;
    for (; c.unanswered > 0; turns++) {
      // One that is watched by now, as a rule, and one whose turn is still to come.
      changed.push(turns + 100, COUNT - 1 - turns);
      other.send(setData(path(turns + 100), 'x'), setData(path(COUNT - 1 - turns), 'x'), PING);
      h.durable();
      assert.equal(other.replies().length, 3, 'answered in the same turn');
      h.background();
      messages.push(...c.take());
    }
    assert.ok(turns > 10, `in ${turns} turns`);
    const replies = messages.flatMap((message, at) => (message.kind === 'reply' ? [at] : []));
    assert.equal(replies.length, 3);
    assert.equal(messages.length, replies[2]! + 1);
    assert.equal(
      messages.findIndex(({ kind }) => kind === 'reply'),
      messages.length - 3,
      'the events come first',
    );
    const told = eventsIn(messages).map((event) => event.path);
    assert.deepEqual(told.sort(), [7, ...changed].map(path).sort());
    // Each was told once, by its watch or as missed; the others are watched.
    const again = [7, ...changed, 50].map((i) => setData(path(i), 'y'));
    other.send(...again);
    h.settle();
    assert.deepEqual(
      eventsIn(c.take()).map((event) => event.path),
      [path(50)],
    );
  });

  test('all three kinds, across the borders of slices', () => {
    const { h, other, since } = world();
    other.ok(remove(path(3)));
    other.ok(setData(path(4), 'x'));
    other.ok(create(`${path(5)}/child`));
    const c = h.connect();
    const part = paths.slice(0, 1500);
    c.send(restoring(since, { data: part, exist: [...part, '/nowhere'], child: part }));
    h.settle();
    const counts = new Map<number, number>();
    for (const { type } of eventsIn(c.take())) counts.set(type, (counts.get(type) ?? 0) + 1);
    assert.equal(counts.get(EventType.nodeDeleted), 2, 'of data and of children');
    assert.equal(counts.get(EventType.nodeDataChanged), 1);
    assert.equal(counts.get(EventType.nodeChildrenChanged), 1);
    assert.equal(counts.get(EventType.nodeCreated), 1499);
    other.ok(create('/nowhere'));
    assert.deepEqual(
      eventsIn(c.take()).map((event) => event.path),
      ['/nowhere'],
    );
  });

  test('a second long one waits for the first, a short one does not', () => {
    const { h, since } = world();
    const [first, second, third] = [h.connect(), h.connect(), h.connect()];
    first.send(restoring(since, { data: paths }));
    second.send(restoring(since, { data: paths }));
    third.send(restoring(since, { data: paths.slice(0, 10) }));
    assert.equal(third.replies().length, 1);
    while (first.unanswered > 0) {
      assert.equal(second.replies().length, 0);
      h.background();
      first.take();
    }
    h.settle();
    assert.equal(second.replies().length, 1);
    assert.equal(h.parts.watches.watchCount, 2 * COUNT + 10);
  });

  test('a write sent behind it, and proposed while it had to wait, does not overtake it', () => {
    const { h, since } = world();
    const c = h.connect();
    const first = h.connect();
    first.send(restoring(since, { data: paths }));
    c.send(setData(path(1), 'mine'), restoring(since, { data: paths }), setData(path(COUNT - 1), 'mine'));
    h.durable();
    h.settle();
    const messages = c.take();
    const kinds = messages.map((message) => (message.kind === 'reply' ? message.op : message.kind));
    assert.deepEqual(kinds, [OpCode.setData, 'event', OpCode.setWatches, 'event', OpCode.setData]);
  });

  test('a connection that goes in the middle is released once, and leaves no watch', () => {
    const { h, since } = world();
    const c = h.connect();
    c.send(restoring(since, { data: paths }));
    h.background();
    assert.ok(h.parts.watches.watchCount > 0);
    c.disconnect();
    assert.equal(c.wire.released, false, 'its request is being worked off');
    h.settle();
    assert.equal(c.wire.released, true);
    assert.equal(h.parts.watches.watchCount, 0);
  });

  test('too many: the connection ends, without a reply, and its watches go', () => {
    const { h, since } = world({ watchBytesPerConnectionMax: 5000 * (WATCH_ROW_BYTES + path(0).length) });
    const c = h.connect();
    c.send(restoring(since, { data: paths }));
    h.settle();
    assert.deepEqual(c.take(), []);
    assert.equal(c.wire.closed, true);
    assert.equal(h.parts.watches.watchCount, 0);
  });
});

suite('a connection with 20,000 watches ends', () => {
  function watching(options = {}): { h: ReplicaHarness; other: Connection; c: Connection } {
    const { h, other, since } = world(options);
    const c = h.connect();
    c.send(restoring(since, { data: paths }));
    h.settle();
    c.take();
    return { h, other, c };
  }

  test('they go in slices; nobody is told, whoever gets its slot neither', () => {
    const { h, other, c } = watching();
    c.disconnect();
    const { watches } = h.parts;
    assert.ok(watches.watchCount > COUNT / 2, 'not all at once');
    assert.equal(c.wire.released, true);
    h.reuse(c);
    const next = h.connect();
    assert.equal(next.conn, c.conn);
    // `connect` has let the background run: another one goes.
    assert.equal(watches.watchCount, 0);
    next.send(...paths.map((one) => exists(one, true)));
    h.settle();
    next.take();
    next.disconnect();
    h.reuse(next);
    const stranger = h.accept();
    assert.equal(stranger.conn, next.conn);
    let turns = 0;
    for (; watches.watchCount > 0; turns++) {
      other.send(setData(path(COUNT - 1 - turns), 'x'), remove(path(turns)));
      h.durable();
      h.background();
    }
    assert.ok(turns > 10, `in ${turns} turns`);
    assert.deepEqual(stranger.take(), []);
    assert.equal(watches.watchingClientCount, 0);
    assert.equal(h.replica.hasBackgroundWork, false);
  });

  test('they count for nobody: another one gets their room, and nobody is ended for it', () => {
    const { h, other, c } = watching({ watchBytesMax: COUNT * (WATCH_ROW_BYTES + path(COUNT).length) });
    const bystander = h.connect();
    bystander.call(exists(path(0), true));
    c.disconnect();
    other.send(...paths.slice(0, COUNT - 100).map((one) => exists(one, true)));
    assert.equal(other.replies().length, COUNT - 100);
    assert.equal(bystander.wire.closed, false);
    h.settle();
    assert.equal(h.parts.watches.watchCount, COUNT - 99);
  });
});

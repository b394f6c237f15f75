/** Lists of many children are made in slices: of one moment, in their place, and to nobody's harm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateFlags, OpCode } from '../../../src/wire/opcodes.ts';
import type { MultiSubRequest, Request } from '../../../src/wire/request-values.ts';
import { type Connection, type Message, ReplicaHarness, type Reply } from '../support/replica-harness.ts';
import {
  create,
  getChildren,
  getChildren2,
  getData,
  multi,
  PING,
  remove,
  setData,
} from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

const PER_MULTI = 100;

function inMultis(c: Connection, names: readonly string[], request: (name: string) => MultiSubRequest): void {
  for (let i = 0; i < names.length; i += PER_MULTI)
    c.send(multi(...names.slice(i, i + PER_MULTI).map(request)));
}

function withChildren(count: number): { h: ReplicaHarness; c: Connection; names: string[] } {
  const h = new ReplicaHarness();
  const c = h.connect();
  c.ok(create('/p'));
  const names = Array.from({ length: count }, (_, i) => `n${i}`);
  inMultis(c, names, (name) => create(`/p/${name}`));
  h.settle();
  c.take();
  return { h, c, names: names.sort() };
}

function childrenIn(message: Message | undefined): readonly string[] {
  assert.ok(message?.kind === 'reply' && message.response !== null && 'children' in message.response);
  return [...message.response.children].sort();
}

test('100,000 children: others are answered in between, and the list is of one moment', () => {
  const count = 100_000;
  const { h, c, names } = withChildren(count);
  const [other, pinger] = [h.connect(), h.connect()];
  const zxid = h.replica.progress.committed;
  const messages: Message[] = [];
  c.send(getChildren2('/p', true));
  let turns = 0;
  let answered = 0;
  for (; c.unanswered > 0; turns++) {
    other.send(remove(`/p/n${turns}`), create(`/p/new${turns}`), getData(`/p/n${turns + 1}`));
    pinger.send(PING);
    h.durable();
    assert.equal(pinger.replies().length, 1, 'answered in the same turn');
    h.background();
    answered += other.replies().length;
    messages.push(...c.take());
  }
  assert.ok(turns > 5, `in ${turns} turns`);
  assert.ok(answered > 0, 'writes go on while it is made');
  h.settle();
  const [list, event] = [...messages, ...c.take()];
  assert.deepEqual(childrenIn(list), names);
  assert.ok(list?.kind === 'reply' && list.zxid === zxid && list.response?.op === OpCode.getChildren2);
  assert.equal(list.response.stat.numChildren, count);
  assert.deepEqual(
    event,
    { kind: 'event', zxid: zxid + 1, type: 4, path: '/p' },
    'the first change after it',
  );
  checkQuiet(h.parts);
});

test('the records of a list outlive the snapshot that held them', () => {
  const { h, c, names } = withChildren(20_000);
  const other = h.connect();
  h.replica.beginSnapshot();
  c.send(getChildren('/p'));
  inMultis(other, names, (name) => remove(`/p/${name}`));
  h.durable();
  h.replica.endSnapshot();
  inMultis(other, names, (name) => create(`/over${name}`));
  h.settle();
  assert.deepEqual(childrenIn(c.take()[0]), names);
  checkQuiet(h.parts);
});

test('several at once are made one after the other, and each request keeps its place', () => {
  const { h, c, names } = withChildren(5000);
  const clients = [c, h.connect(), h.connect()];
  for (const [i, client] of clients.entries()) {
    client.send(
      create(`/x${i}`),
      getChildren('/p'),
      create(`/p/by${i}`),
      getData('/p', true),
      getChildren('/p'),
      setData('/p', 'x'),
      PING,
    );
  }
  h.settle();
  for (const [i, client] of clients.entries()) {
    const replies = client.replies();
    assert.equal(replies.length, 7);
    const [first, second] = [childrenIn(replies[1]), childrenIn(replies[4])];
    assert.ok(!first.includes(`by${i}`), 'not the later own write');
    assert.ok(second.includes(`by${i}`), 'the earlier own write');
    assert.ok(first.length >= names.length);
  }
  checkQuiet(h.parts);
});

test('a connection that goes in the middle is released once, and the next one is served', () => {
  const { h, c } = withChildren(20_000);
  const waiting = h.connect();
  c.send(getChildren('/p'), create('/after'));
  waiting.send(getChildren('/p'));
  h.background();
  c.disconnect();
  assert.equal(c.wire.released, false, 'its reply is being made');
  h.settle();
  assert.equal(c.wire.released, true);
  assert.equal(waiting.replies().length, 1);
  assert.equal(h.parts.clients.count, 1);
  checkQuiet(h.parts);
});

/** Sends one read, and until its reply is there another client works in every turn. Gives the reply and the turns. */
function amongOthers(
  h: ReplicaHarness,
  c: Connection,
  request: Request,
  each: (turn: number) => void,
): { reply: Reply; turns: number } {
  const replies: Reply[] = [];
  c.send(request);
  let turns = 0;
  for (; c.unanswered > 0; turns++) {
    each(turn(h, turns));
    h.background();
    replies.push(...c.replies());
  }
  return { reply: replies[0]!, turns };
}

function turn(h: ReplicaHarness, number: number): number {
  h.durable();
  return number;
}

test('multiRead of large lists and values: others are answered in between, and it is of one moment', () => {
  const { h, c, names } = withChildren(20_000);
  c.ok(create('/v', 'x'.repeat(900_000)));
  const other = h.connect();
  const pinger = h.connect();
  const subs = [
    { op: OpCode.getChildren, path: '/p', watch: false },
    { op: OpCode.getData, path: '/v', watch: false },
    { op: OpCode.getData, path: '/nowhere', watch: false },
    { op: OpCode.getData, path: '/v', watch: false },
    { op: OpCode.getChildren, path: '/p', watch: false },
  ] as const;
  const { reply, turns } = amongOthers(h, c, { op: OpCode.multiRead, subs }, (n) => {
    other.send(remove(`/p/n${n}`), setData('/v', 'y'));
    pinger.send(PING);
    h.durable();
    assert.equal(pinger.replies().length, 1);
  });
  assert.ok(turns > 8, `in ${turns} turns`);
  assert.ok(reply.response !== null && 'results' in reply.response);
  const results = reply.response.results.map((result) => {
    if ('children' in result) return [...result.children].sort();
    if ('err' in result) return result.err;
    return 'data' in result ? result.data!.length : undefined;
  });
  assert.deepEqual(results, [names, 900_000, -101, 900_000, names]);
  h.settle();
  checkQuiet(h.parts);
});

test('multiRead of more names than one reply is made of is refused', () => {
  const { c } = withChildren(3000);
  const subs = new Array(400).fill({ op: OpCode.getChildren, path: '/p', watch: false });
  assert.equal(c.call({ op: OpCode.multiRead, subs }).err, -5);
});

test('getEphemerals of 20,000: in slices', () => {
  const h = new ReplicaHarness();
  const c = h.connect();
  c.ok(create('/p'));
  const names = Array.from({ length: 20_000 }, (_, i) => `e${i}`);
  inMultis(c, names, (name) => create(`/p/${name}`, '', CreateFlags.ephemeral));
  h.settle();
  c.take();
  const { reply, turns } = amongOthers(h, c, { op: OpCode.getEphemerals, path: '/p/e1' }, () => {});
  assert.ok(turns > 2, `in ${turns} turns`);
  assert.ok(reply.response !== null && 'paths' in reply.response);
  const wanted = names.filter((name) => name.startsWith('e1')).map((name) => `/p/${name}`);
  assert.deepEqual([...reply.response.paths].sort(), wanted.sort());
});

test('getAllChildrenNumber of 100,000: in slices, and exact in spite of changes meanwhile', () => {
  const { h, c } = withChildren(100_000);
  const other = h.connect();
  other.ok(create('/p-not-below'));
  let extra = 0;
  const request = { op: OpCode.getAllChildrenNumber, path: '/p' } as const;
  const { reply, turns } = amongOthers(h, c, request, (n) => {
    other.send(remove(`/p/n${n}`), remove(`/p/n${99_999 - n}`), create(`/p/n7777/${n}`), create(`/q${n}`));
    h.durable();
    assert.equal(other.replies().length, 4);
    extra--;
  });
  assert.ok(turns > 3, `in ${turns} turns`);
  assert.ok(reply.response !== null && 'count' in reply.response);
  assert.equal(reply.response.count, 100_000 + extra);
  assert.equal(c.call(request).err, 0);
});

test('a count is finished before a later write of its own client commits', () => {
  const { h, c } = withChildren(50_000);
  c.send(setData('/p', 'first'), { op: OpCode.getAllChildrenNumber, path: '/p' }, create('/p/later'));
  h.settle();
  const counts = c
    .replies()
    .flatMap(({ response }) => (response !== null && 'count' in response ? [response.count] : []));
  assert.deepEqual(counts, [50_000]);
});

/** What a slow client asks for before its own write, and the write: there is no room for any reply. */
function slowly(...requests: Request[]): {
  h: ReplicaHarness;
  slow: Connection;
  other: Connection;
  count: number;
} {
  const count = 40_000;
  const { h, c } = withChildren(count);
  const slow = h.connect();
  const other = h.connect();
  for (let i = 0; i < count; i += 500) {
    slow.ok(multi(...Array.from({ length: 500 }, (_, k) => create(`/e${i + k}`, '', CreateFlags.ephemeral))));
  }
  c.ok(create('/own'));
  slow.send(setData('/own', 'first'), ...requests, create('/p/own'), getData('/own'));
  slow.wire.room = 0;
  h.background();
  h.parts.work.worst();
  h.parts.work.reset();
  return { h, slow, other, count };
}

test('what a slow client has asked for is made in slices before its own write, which waits for it', () => {
  const list = getChildren('/p');
  const { h, slow, other, count } = slowly(
    list,
    getData('/own'),
    { op: OpCode.getAllChildrenNumber, path: '/p' },
    { op: OpCode.getEphemerals, path: '/' },
    list,
  );
  let turns = 0;
  for (h.durable(); !h.replica.isQuiet; turns++) {
    other.send(PING, getData('/own'));
    assert.equal(other.replies().length, 2, 'another client is answered in the same turn');
    h.durable();
    h.background();
  }
  assert.ok(turns > 15, `in ${turns} turns`);
  slow.drained();
  h.settle();
  const [, first, , number, owned, second, created, read] = slow.replies();
  assert.equal(childrenIn(first).length, count);
  assert.equal(childrenIn(second).length, count, 'not the later own write');
  assert.ok(number?.response != null && 'count' in number.response);
  assert.equal(number.response.count, count);
  assert.ok(owned?.response != null && 'paths' in owned.response);
  assert.equal(owned.response.paths.length, count);
  assert.deepEqual([created?.err, read?.err], [0, 0]);
  checkQuiet(h.parts);
});

test('a slow client goes while its replies are made: its write is committed, and it is released once', () => {
  const { h, slow, other } = slowly(getChildren('/p'), getChildren('/p'));
  h.durable();
  h.background();
  assert.equal(h.replica.isQuiet, false);
  slow.disconnect();
  h.settle();
  assert.equal(slow.wire.released, true);
  assert.equal(other.call(getData('/p/own')).err, 0);
  checkQuiet(h.parts);
});

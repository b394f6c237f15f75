/** Lists of many children are made in slices: of one moment, in their place, and to nobody's harm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '../../../src/wire/opcodes.ts';
import type { MultiSubRequest } from '../../../src/wire/request-values.ts';
import { type Connection, type Message, ReplicaHarness } from '../support/replica-harness.ts';
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
  const other = h.connect();
  const zxid = h.replica.progress.committed;
  const messages: Message[] = [];
  c.send(getChildren2('/p', true));
  let turns = 0;
  for (; c.unanswered > 0; turns++) {
    other.send(remove(`/p/n${turns}`), create(`/p/new${turns}`), getData(`/p/n${turns + 1}`));
    h.durable();
    assert.equal(other.replies().length, 3, 'answered in the same turn');
    h.background();
    messages.push(...c.take());
  }
  assert.ok(turns > 5, `in ${turns} turns`);
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

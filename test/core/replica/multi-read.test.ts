/**
 * A multiRead of very many paths is looked up in slices, counted in look-ups: others are answered meanwhile, writes wait, and
 * the reply is of the moment in which it was begun.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '../../../src/wire/opcodes.ts';
import { counted } from '../support/counted.ts';
import { type Connection, ReplicaHarness } from '../support/replica-harness.ts';
import { create, getChildren, getData, PING, remove, setData } from '../support/requests.ts';
import { checkQuiet } from '../support/tree-dump.ts';

const COUNT = 30_000;
/** A slice of look-ups, what begins one, and those of a ping's neighbours. */
const LOOKUPS_MAX = 2 * 2048 + 16;

interface Scene {
  readonly h: ReplicaHarness;
  readonly c: Connection;
  readonly other: Connection;
  readonly writer: Connection;
}

function scene(): Scene {
  const h = new ReplicaHarness();
  const [c, other, writer] = [h.connect(), h.connect(), h.connect()];
  for (const path of ['/a', '/b', '/p', '/p/x', '/p/y']) c.ok(create(path, path));
  return { h, c, other, writer };
}

/** `/a`, `/nowhere`, the children of `/p`, and so on. */
function manySubs(count: number) {
  return Array.from({ length: count }, (_, i) => {
    if (i % 3 === 2) return getChildren('/p');
    return getData(i % 3 === 0 ? '/a' : '/nowhere');
  });
}

function settledAmongPings(h: ReplicaHarness, other: Connection): { turns: number; most: number } {
  const lookups = counted(h.parts.tree, 'find');
  let turns = 0;
  let most = 0;
  for (let more = true; more || !h.replica.isQuiet; turns++) {
    const before = lookups.calls;
    other.send(PING);
    assert.equal(other.replies().length, 1, 'another client is answered in the same turn');
    h.durable();
    more = h.background();
    most = Math.max(most, lookups.calls - before);
  }
  return { turns, most };
}

function resultsOf(c: Connection): (string | number)[] {
  const [reply] = c.replies();
  assert.ok(reply?.response != null && 'results' in reply.response);
  return reply.response.results.map((result) => {
    if ('children' in result) return [...result.children].sort().join();
    if ('err' in result) return result.err;
    return 'data' in result ? new TextDecoder().decode(result.data!) : '?';
  });
}

test('very many paths: so many look-ups a turn, and all of it is of one moment', () => {
  const { h, c, other, writer } = scene();
  c.send({ op: OpCode.multiRead, subs: manySubs(COUNT) });
  writer.send(setData('/a', 'new'), remove('/p/x'), create('/nowhere'));
  const { turns, most } = settledAmongPings(h, other);
  assert.ok(turns > COUNT / 2048, `in ${turns} turns`);
  assert.ok(most > 0 && most <= LOOKUPS_MAX, `${most} look-ups in one turn`);
  const results = resultsOf(c);
  assert.equal(results.length, COUNT);
  assert.deepEqual([...new Set(results)], ['/a', -101, 'x,y']);
  assert.equal(writer.replies().length, 3);
  checkQuiet(h.parts);
});

test('short ones in one chunk: what they look up is charged, and the rest waits for the next turns', () => {
  const { h, c, other } = scene();
  const chunk = Array.from({ length: 200 }, () => ({ op: OpCode.multiRead, subs: manySubs(250) }) as const);
  const lookups = counted(h.parts.tree, 'find');
  c.send(...chunk);
  assert.ok(lookups.calls <= 30_000 / 8 + 250, `${lookups.calls} look-ups in one turn`);
  const { most } = settledAmongPings(h, other);
  assert.ok(most <= 30_000 / 8 + 250, `${most} look-ups in one turn`);
  assert.equal(c.replies().length, chunk.length);
  checkQuiet(h.parts);
});

test('its client goes in between, or has a write behind it that waits', () => {
  const { h, c, other, writer } = scene();
  c.send({ op: OpCode.multiRead, subs: manySubs(COUNT) });
  writer.send({ op: OpCode.multiRead, subs: manySubs(COUNT) }, setData('/a', 'mine'), getData('/a'));
  h.background();
  c.disconnect();
  const { most } = settledAmongPings(h, other);
  assert.ok(most <= LOOKUPS_MAX, `${most} look-ups in one turn`);
  assert.equal(c.wire.released, true);
  const [read, set, get] = writer.replies();
  assert.deepEqual([read?.err, set?.err, get?.err], [0, 0, 0]);
  assert.ok(read?.response != null && 'results' in read.response);
  const [first] = read.response.results;
  assert.ok(first !== undefined && 'data' in first);
  assert.equal(new TextDecoder().decode(first.data!), '/a');
  checkQuiet(h.parts);
});

test('too much is refused, wherever it shows', () => {
  const { h, c, writer } = scene();
  for (let from = 0; from < 3000; from++) writer.send(create(`/b/${from}`));
  h.settle();
  const subs = [...manySubs(1000), ...Array.from({ length: 400 }, () => getChildren('/b'))];
  assert.equal(c.call({ op: OpCode.multiRead, subs }).err, -5);
  assert.equal(c.call({ op: OpCode.multiRead, subs: manySubs(3) }).err, 0);
  checkQuiet(h.parts);
});

test('lists of permissions that take long: what has been looked up so far stays', () => {
  const { h, c, other, writer } = scene();
  for (let k = 0; k < 12; k++) {
    const list = Array.from({ length: 5000 }, (_, i) => ({ perms: 1, scheme: 'digest', id: `${k}-${i}:x` }));
    writer.ok(create(`/l${k}`, '', 0, [...list, { perms: 31, scheme: 'world', id: 'anyone' }]));
  }
  const subs = Array.from({ length: 1200 }, (_, i) => getData(`/l${i % 12}`));
  c.send({ op: OpCode.multiRead, subs });
  const lookups = counted(h.parts.tree, 'find');
  settledAmongPings(h, other);
  assert.ok(lookups.calls < 2 * subs.length, `${lookups.calls} look-ups for ${subs.length} paths`);
  assert.deepEqual([...new Set(resultsOf(c))], ['']);
  checkQuiet(h.parts);
});

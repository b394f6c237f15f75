/**
 * What the server does by itself, driven above, at and below its pace: TTL nodes and containers, expiry of very many
 * sessions, the end of a session with very many ephemerals. Time is virtual; a tick every 50 ms, as the host does it.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Work } from '../../../src/core/progress/turn-work.ts';
import { REMOVALS_PER_TXN } from '../../../src/core/txn/session-closer.ts';
import { ReplicaHarness } from '../support/replica-harness.ts';
import { CLOSE, container, create, ephemeral, exists, multi, remove, ttlNode } from '../support/requests.ts';

const TICK_MS = 50;

class Paced {
  readonly harness: ReplicaHarness;
  /** Most transactions that one turn has proposed. */
  mostPerTurn = 0;

  constructor(harness: ReplicaHarness) {
    this.harness = harness;
  }

  /** `ms` of virtual time; after each tick the background runs dry and the log syncs. */
  run(ms: number, eachTick: (tick: number) => void = () => {}): void {
    for (let tick = 0; tick * TICK_MS < ms; tick++) {
      eachTick(tick);
      this.turn(() => this.harness.pass(TICK_MS, TICK_MS));
      this.settle();
    }
  }

  settle(): void {
    const { harness } = this;
    for (let more = true; more; ) {
      this.turn(() => harness.durable());
      this.turn(() => {
        more = harness.background();
      });
      more ||= harness.parts.proposals.length > 0;
    }
  }

  private turn(work: () => void): void {
    const { proposals } = this.harness.parts;
    const before = proposals.tail;
    work();
    this.mostPerTurn = Math.max(this.mostPerTurn, proposals.tail - before);
  }
}

function ttlWorld(): { paced: Paced; names: () => number; add: (count: number, ttlMs?: number) => void } {
  const harness = new ReplicaHarness({ extendedTypesEnabled: true, containerCheckIntervalMs: 1000 });
  const client = harness.connect({ timeoutMs: 40_000 });
  const base = harness.parts.tree.nodeCount;
  let made = 0;
  return {
    paced: new Paced(harness),
    names: () => harness.parts.tree.nodeCount - base,
    add(count, ttlMs = 1000) {
      for (let n = 0; n < count; n++) client.send(ttlNode(`/t${made++}`, ttlMs));
      harness.settle();
      client.take();
    },
  };
}

suite('TTL nodes at 10,000 a minute, one in 6 ms', () => {
  // As many as live for a ttl, a check interval and a pass: Apache 3.8.0 had 87 of these left.
  test('60 a second with a ttl of a second: none piles up', () => {
    const { paced, names, add } = ttlWorld();
    paced.run(20_000, () => add(3));
    assert.ok(names() <= 60 * 2.5, `${names()} are there after 20 s`);
  });

  test('at the pace: level', () => {
    const { paced, names, add } = ttlWorld();
    paced.run(10_000, () => add(8));
    const early = names();
    paced.run(10_000, () => add(8));
    assert.ok(names() < 1.3 * early, `${early} after 10 s, ${names()} after 20 s`);
  });

  test('above the pace: as many go as the pace allows, not more and not fewer', () => {
    const { paced, names, add } = ttlWorld();
    let added = 0;
    const addTwenty = (): void => {
      add(20);
      added += 20;
    };
    paced.run(5000, addTwenty);
    const before = added - names();
    paced.run(15_000, addTwenty);
    const gone = added - names() - before;
    assert.ok(gone > 0.9 * 2500 && gone <= 2500 + 1000 / 6, `${gone} in 15 s`);
  });

  test('2,000 due at once are gone after 13 s, as in Apache', () => {
    const { paced, names, add } = ttlWorld();
    add(2000, 500);
    paced.run(11_000);
    assert.ok(names() > 0, 'not faster than allowed');
    paced.run(3000);
    assert.equal(names(), 0);
    assert.ok(paced.mostPerTurn <= 128, `${paced.mostPerTurn} in one turn`);
  });

  test('a million a minute: the pace of the slices, and still not all in one turn', () => {
    const harness = new ReplicaHarness({
      extendedTypesEnabled: true,
      containerCheckIntervalMs: 1000,
      containerMaxPerMinute: 1_000_000,
    });
    const client = harness.connect({ timeoutMs: 40_000 });
    const base = harness.parts.tree.nodeCount;
    for (let n = 0; n < 3000; n++) client.send(ttlNode(`/t${n}`, 1));
    harness.settle();
    const paced = new Paced(harness);
    paced.run(1100);
    assert.equal(harness.parts.tree.nodeCount, base);
    assert.ok(paced.mostPerTurn <= 128, `${paced.mostPerTurn} in one turn`);
  });
});

test('containers that were used go at the same pace, those in use and new ones stay', () => {
  const harness = new ReplicaHarness({ containerCheckIntervalMs: 1000 });
  const client = harness.connect({ timeoutMs: 40_000 });
  for (let n = 0; n < 200; n++) {
    client.send(container(`/c${n}`), create(`/c${n}/x`));
    if (n % 2 === 0) client.send(remove(`/c${n}/x`));
  }
  client.send(container('/new'));
  harness.settle();
  client.take();
  const base = harness.parts.tree.nodeCount;
  new Paced(harness).run(2500);
  assert.equal(harness.parts.tree.nodeCount, base - 100);
  assert.equal(client.call(exists('/new')).err, 0);
});

test('a node that finds no room in the log is deleted when there is some, not at the next pass', () => {
  const harness = new ReplicaHarness({ extendedTypesEnabled: true, containerCheckIntervalMs: 20_000 });
  const client = harness.connect({ timeoutMs: 40_000 });
  const base = harness.parts.tree.nodeCount;
  for (let n = 0; n < 20; n++) client.send(ttlNode(`/t${n}`, 1));
  harness.settle();
  client.take();
  harness.log.room = 0;
  harness.pass(20_500, TICK_MS);
  assert.equal(harness.parts.proposals.length, 0);
  harness.log.room = Number.POSITIVE_INFINITY;
  client.call(create('/makes-room'));
  new Paced(harness).run(1000);
  assert.equal(harness.parts.tree.nodeCount, base + 1);
});

test('20,000 sessions expire at once: in slices, and a client that is there is served between them', () => {
  const harness = new ReplicaHarness();
  const here = harness.connect({ timeoutMs: 40_000 });
  const count = 20_000;
  for (let n = 0; n < count; n++) harness.accept().handshake({ timeoutMs: 4000 });
  harness.settle();
  assert.equal(harness.parts.sessions.size, count + 1);
  const paced = new Paced(harness);
  paced.run(12_000);
  assert.equal(harness.parts.sessions.size, 1);
  assert.equal(harness.parts.statistics.expiredSessions, count);
  assert.ok(paced.mostPerTurn <= 256, `${paced.mostPerTurn} in one turn`);
  assert.equal(here.call(exists('/zookeeper')).err, 0);
});

test('sessions that expire while the log is full end when it has room, in slices', () => {
  const harness = new ReplicaHarness();
  for (let n = 0; n < 2000; n++) harness.accept().handshake({ timeoutMs: 4000 });
  const here = harness.connect({ timeoutMs: 40_000 });
  harness.log.room = 0;
  harness.pass(12_000, TICK_MS);
  assert.equal(harness.parts.proposals.length, 0);
  assert.equal(harness.replica.hasBackgroundWork, false, 'it waits without spinning');
  harness.log.room = Number.POSITIVE_INFINITY;
  here.call(create('/makes-room'));
  const paced = new Paced(harness);
  paced.run(200);
  assert.equal(harness.parts.sessions.size, 1);
  assert.ok(paced.mostPerTurn <= 256 + 16, `${paced.mostPerTurn} in one turn`);
});

test('the end of a session with 60,000 ephemerals goes in parts, one a turn', () => {
  const harness = new ReplicaHarness();
  const owner = harness.connect();
  const other = harness.connect();
  for (let n = 0; n < 60; n++) {
    owner.call(multi(...Array.from({ length: 1000 }, (_, i) => ephemeral(`/e-${n * 1000 + i}`))));
  }
  const { proposals, tree } = harness.parts;
  const before = tree.nodeCount;
  owner.send(CLOSE);
  let most = 0;
  let turns = 0;
  while (proposals.length > 0) {
    const count = tree.nodeCount;
    assert.ok(proposals.length <= 2, 'one part at a time');
    harness.durable();
    harness.background();
    most = Math.max(most, count - tree.nodeCount);
    turns++;
  }
  assert.ok(most <= REMOVALS_PER_TXN && turns >= 58, `${most} in one of ${turns} turns`);
  assert.equal(tree.nodeCount, before - 60_000);
  assert.equal(owner.wire.closed, true);
  assert.equal(other.call(exists('/e-0')).err, -101);
});

test('60 sessions with 2,000 ephemerals each expire at once: so many removals a turn, whosever they are', () => {
  const harness = new ReplicaHarness();
  const here = harness.connect({ timeoutMs: 40_000 });
  const { tree, sessions, work } = harness.parts;
  const before = tree.nodeCount;
  for (let owner = 0; owner < 60; owner++) {
    const client = harness.connect({ timeoutMs: 4000 });
    client.ok(multi(...Array.from({ length: 2000 }, (_, i) => ephemeral(`/e${owner}-${i}`))));
  }
  harness.background();
  work.worst();
  work.reset();
  const paced = new Paced(harness);
  paced.run(12_000);
  assert.equal(sessions.size, 1);
  assert.equal(tree.nodeCount, before);
  const removed = work.worst()[Work.operations]!;
  assert.ok(removed > 0 && removed <= 1500 + REMOVALS_PER_TXN, `${removed} in one turn`);
  assert.equal(here.call(exists('/e0-0')).err, -101);
});

test('the ephemerals of a session that ends are looked at once each, however many parts they go in', () => {
  const harness = new ReplicaHarness();
  const owner = harness.connect();
  const count = 20_000;
  for (let n = 0; n < count; n += 1000) {
    owner.call(multi(...Array.from({ length: 1000 }, (_, i) => ephemeral(`/e-${n + i}`))));
  }
  const { staging } = harness.parts.tree;
  const latestOf = staging.latestOf.bind(staging);
  let looks = 0;
  staging.latestOf = (id) => {
    looks++;
    return latestOf(id);
  };
  // Nothing is durable until the end: all that is on its way to go is still there.
  owner.send(CLOSE);
  for (let n = 0; n < count / REMOVALS_PER_TXN; n++) {
    harness.background();
    harness.turn(() => harness.replica.onTick());
  }
  const forEach = looks / count;
  harness.settle();
  assert.equal(harness.parts.sessions.size, 0);
  assert.ok(forEach < 10, `${forEach} looks for each`);
});

test('parts of an end that are taken back go once more', () => {
  const harness = new ReplicaHarness();
  const owner = harness.connect();
  const before = harness.parts.tree.nodeCount;
  for (let n = 0; n < 5; n++) {
    owner.call(multi(...Array.from({ length: 1000 }, (_, i) => ephemeral(`/e${n}-${i}`))));
  }
  owner.disconnect();
  harness.pass(60_000, TICK_MS);
  const { committed } = harness.replica.progress;
  assert.ok(harness.parts.proposals.length > 1);
  harness.turn(() => harness.replica.withdrawBehind(committed));
  while (harness.log.lastZxid > committed) harness.log.txns.pop();
  harness.pass(60_000, TICK_MS);
  harness.settle();
  assert.equal(harness.parts.tree.nodeCount, before);
  assert.equal(harness.parts.sessions.size, 0);
});

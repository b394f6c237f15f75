/**
 * Compaction of the znode store: whatever clients, snapshots and large replies do meanwhile, contents stay what a model
 * says, and pages come back until they are worth their blocks. Sizes shift and most znodes go, so that without
 * compaction a few blocks would keep nearly every page.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { TABLES } from '../../../src/core/tree/path-index.ts';
import { PointInTimeReader } from '../../../src/core/tree/point-in-time.ts';
import { StoreSweep } from '../../../src/core/tree/store-sweep.ts';
import { isSparse, NO_ROOM } from '../../../src/shm/compactor.ts';
import { EpochReader } from '../../../src/shm/epochs.ts';
import { Segments } from '../../../src/shm/segments.ts';
import { PAGE_BYTES } from '../../../src/shm/size-classes.ts';
import type { MultiSubRequest } from '../../../src/wire/request-values.ts';
import { create, getChildren } from '../support/requests.ts';
import { type Content, dataOf, StoreScene } from '../support/store-scene.ts';
import { checkTree, textOf } from '../support/tree-dump.ts';

const MIB = 1024 * 1024;
const QUOTA_EXCEEDED = -125;

for (const seed of [1, 2]) {
  test(`sizes shift, most znodes go, writes are in flight: pages follow what lives (seed ${seed})`, () => {
    const scene = new StoreScene();
    const { h, tree, model } = scene;
    const random = new Prng(seed);
    let names = 0;
    let neededRounds = 0;
    for (const typical of random.chance(0.5) ? [1500, 5000, 300] : [300, 9000, 2500]) {
      const parent = `/p${typical}`;
      scene.commit([scene.create(parent, 100)]);
      const added: MultiSubRequest[] = [];
      for (let bytes = 0; bytes < 14 * MIB; ) {
        const length = Math.ceil(typical * (0.6 + 0.8 * random.fraction()));
        added.push(scene.create(`${parent}/${names++}`, length));
        bytes += length + 200;
      }
      scene.commit(added);
      const leaves = [...model.keys()].filter((path) => path.lastIndexOf('/') > 0);
      scene.commit(leaves.filter(() => random.chance(0.92)).map((path) => scene.remove(path)));
      if (isSparse(tree.arena)) neededRounds++;
      // Rounds while changes are proposed, and committed some ticks later.
      for (let i = 0; i < 30; i++) {
        const left = [...model.keys()].filter((path) => path.lastIndexOf('/') > 0);
        const chosen = new Set(Array.from({ length: 40 }, () => random.pick(left)));
        scene.propose(
          [...chosen].map((path) => {
            if (random.chance(0.3)) return scene.remove(path);
            return scene.change(path, random.below(2 * typical));
          }),
        );
        if (random.chance(0.2)) scene.propose([scene.create(`${parent}/${names++}`, random.below(typical))]);
        scene.tick();
        if (random.chance(0.5)) h.durable();
      }
      scene.commit();
      scene.check();
      scene.compact();
      scene.check();
    }
    assert.ok(neededRounds > 0, 'this load needs compaction');
    assert.ok(tree.compactor.movedBytes > 0);
  });
}

test('records, child lists and tables of the index all move, and all are found again', () => {
  const scene = new StoreScene();
  const { tree } = scene;
  const parents = Array.from({ length: 1000 }, (_, i) => `/p${i}`);
  scene.commit(parents.map((path) => scene.create(path, 10)));
  const children = parents.flatMap((path) => Array.from({ length: 6 }, (_, i) => `${path}/${i}`));
  scene.commit(children.map((path) => scene.create(path, 10)));
  // A stranger's blocks: first they fill the pages that ours begin, then they go from there, and have room elsewhere.
  const strange: number[] = [];
  const freed: number[] = [];
  for (const bytes of [16, 32, 48, 64, 128, 256]) {
    const slots = PAGE_BYTES / bytes;
    for (let i = 0; i < 16 * slots; i++) {
      const offset = tree.arena.allocate(bytes);
      if (i > slots && i % 5 !== 0) strange.push(offset);
      else freed.push(offset);
    }
  }
  for (const offset of freed) tree.arena.free(offset);
  scene.commit(children.filter((_, i) => i % 6 > 1).map((path) => scene.remove(path)));
  const sweep: unknown = tree.compactor['owner'];
  assert.ok(sweep instanceof StoreSweep);
  assert.ok(tree.arena.withdrawSparsePages(1, 10_000) > 0);
  const moved = { table: 0, record: 0, list: 0 };
  for (let position = 0; position < sweep.positionEnd; position++) {
    const bytes = sweep.relocate(position);
    assert.notEqual(bytes, NO_ROOM);
    const kind = position < TABLES ? 'table' : (position - TABLES) % 2 === 0 ? 'record' : 'list';
    if (bytes > 0) moved[kind]++;
    assert.equal(sweep.relocate(position), 0, 'once is enough');
  }
  for (const [kind, count] of Object.entries(moved)) assert.ok(count > 0, kind);
  tree.arena.readmitWithdrawn();
  for (const offset of strange) tree.arena.free(offset);
  scene.check();
  scene.commit(parents.map((path) => scene.create(`${path}/new`, 10)));
  scene.check();
});

test('a record of a node that has a proposed one stays where it is until that is committed', () => {
  const scene = new StoreScene();
  scene.commit([scene.create('/p', 10)]);
  scene.thin('/p', 12_000, 1500, 20);
  assert.ok(isSparse(scene.tree.arena));
  const paths = [...scene.model.keys()].filter((path) => path !== '/p');
  const busy = paths.filter((_, i) => i % 3 === 0);
  scene.propose(busy.map((path) => scene.change(path, 1500)));
  const before = new Map(paths.map((path) => [path, scene.recordOf(path)]));
  const pending = busy.map((path) => scene.tree.nodes.pendingOf(scene.idOf(path)));
  scene.round();
  for (const path of busy) assert.equal(scene.recordOf(path), before.get(path));
  assert.deepEqual(
    busy.map((path) => scene.tree.nodes.pendingOf(scene.idOf(path))),
    pending,
  );
  assert.ok(
    paths.some((path) => scene.recordOf(path) !== before.get(path)),
    'others have moved',
  );
  scene.commit();
  scene.compact();
  scene.check();
});

test('a snapshot taken before or during a round is exact, and no record moves while it runs', () => {
  const scene = new StoreScene();
  const { h, tree } = scene;
  scene.commit([scene.create('/p', 10)]);
  scene.thin('/p', 16_000, 1500, 3);
  for (const during of [false, true]) {
    scene.thin(`/p/n0`, 16_000, 1500, during ? 4 : 20);
    assert.ok(isSparse(tree.arena));
    if (during) {
      scene.tick();
      assert.ok(tree.arena.withdrawnPages > 0, 'a round is under way');
    }
    const moment = new Map(scene.model);
    const { movedBlocks } = tree.compactor;
    const request = h.replica.beginSnapshot();
    const reader = new PointInTimeReader(request.tree, new Segments(request.tree.segments));
    const paths = [...scene.model.keys()].filter((path) => path.startsWith('/p/n0/'));
    const order = reader.order();
    const seen = new Map<string, Content>();
    for (let i = 0, id = order.join(); id !== 0; i++, id = order.after(id)) {
      if (i % 500 === 0) {
        reader.epoch.leave();
        scene.tick();
        scene.propose([scene.change(paths[i % paths.length]!, 700)]);
        h.durable();
        reader.epoch.enter();
      }
      assert.ok(reader.moveTo(id));
      const data = dataOf(reader.cursor);
      assert.ok(data.every((byte) => byte === data[0]));
      seen.set(textOf(reader.cursor), { length: data.length, fill: data[0] ?? 0 });
      reader.markVisited(id);
    }
    reader.epoch.leave();
    assert.equal(tree.compactor.movedBlocks, movedBlocks);
    assert.equal(tree.arena.withdrawnPages, 0, 'allocation has all pages meanwhile');
    for (const path of [...seen.keys()]) if (/^(\/zookeeper.*)?$/.test(path)) seen.delete(path);
    assert.deepEqual(seen, moment);
    h.replica.endSnapshot();
    scene.rest();
    scene.compact();
    assert.ok(tree.compactor.movedBlocks > movedBlocks);
    scene.check();
    const gone = [...scene.model.keys()].filter((path) => path.startsWith('/p/n0/'));
    scene.commit(gone.map((path) => scene.remove(path)));
  }
});

test('who reads inside an epoch finds the records that it has noted, and their pages come back when it leaves', () => {
  const scene = new StoreScene();
  const { tree } = scene;
  scene.commit([scene.create('/p', 10)]);
  scene.thin('/p', 12_000, 1500, 20);
  const reader = new EpochReader(tree.epochsHandle, 0);
  reader.enter();
  const noted = [...scene.model].map(([path, content]) => ({ path, content, record: scene.recordOf(path) }));
  scene.round();
  assert.ok(noted.filter(({ path, record }) => scene.recordOf(path) !== record).length > 500);
  scene.propose(Array.from({ length: 2000 }, (_, i) => scene.create(`/p/new${i}`, 1500)));
  scene.h.durable();
  const cursor = tree.cursor();
  for (const { path, content, record } of noted) {
    cursor.moveTo(record);
    assert.equal(textOf(cursor), path);
    assert.ok(dataOf(cursor).every((byte) => byte === content.fill));
  }
  assert.ok(isSparse(tree.arena), 'what may be read keeps its page');
  reader.leave();
  for (let i = 0; tree['epochs'].retiredCount > 0; i++) {
    assert.ok(i < 10);
    scene.tick();
  }
  scene.compact();
  checkTree(tree);
});

test('a large reply that is being made while its children move has every name', () => {
  const scene = new StoreScene();
  scene.commit([scene.create('/p', 10)]);
  scene.thin('/p', 16_000, 1500, 6);
  const { movedBlocks } = scene.tree.compactor;
  scene.c.send(getChildren('/p'));
  for (let more = true; more; more = scene.h.background()) scene.tick();
  assert.ok(scene.tree.compactor.movedBlocks > movedBlocks);
  const [reply] = scene.c.replies();
  assert.ok(reply?.response !== null && reply?.response !== undefined && 'children' in reply.response);
  const names = [...scene.model.keys()].filter((path) => path !== '/p').map((path) => path.slice(3));
  assert.deepEqual([...reply.response.children].sort(), names.sort());
  scene.h.settle();
  scene.compact();
  scene.check();
});

test('a child list of a hundred thousand names stays whole', () => {
  const scene = new StoreScene();
  scene.commit([scene.create('/p', 10), scene.create('/q', 10)]);
  scene.thin('/p', 100_000, 0, 1);
  scene.thin('/q', 12_000, 3000, 10);
  const paths = [...scene.model.keys()].filter((path) => path.startsWith('/p/'));
  scene.commit(paths.filter((_, i) => i % 9 !== 0).map((path) => scene.remove(path)));
  assert.ok(isSparse(scene.tree.arena));
  scene.compact();
  scene.check();
});

test('a store that refuses writes for want of room takes them again, below the level too', () => {
  const scene = new StoreScene(64 * MIB);
  const { c, tree } = scene;
  scene.commit([scene.create('/p', 10)]);
  const paths: string[] = [];
  for (let err = 0; err === 0; ) {
    const path = `/p/n${paths.length}`;
    ({ err } = c.call(create(path, new Uint8Array(20_000))));
    if (err === 0) {
      scene.model.set(path, { length: 20_000, fill: 0 });
      paths.push(path);
    }
  }
  const kept = (i: number): boolean => i % 3 !== 0;
  scene.commit(paths.filter((_, i) => !kept(i)).map((path) => scene.remove(path)));
  const large = new Uint8Array(30_000);
  assert.equal(
    c.call(create('/p/large', large)).err,
    QUOTA_EXCEEDED,
    'no page of its class, and none is free',
  );
  assert.ok(!isSparse(tree.arena));
  scene.round();
  assert.equal(c.call(create('/p/large', large)).err, 0);
  scene.model.set('/p/large', { length: large.length, fill: 0 });
  scene.check();
  assert.ok(tree.arena.hasRoom(8 * MIB, 8 * MIB), 'what is kept back was not touched');
});

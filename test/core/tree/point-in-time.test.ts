/**
 * A snapshot gives the tree of the moment it began, whatever is written while it walks. One thread: the reader is
 * stepped, and writes happen between any two of its looks (the real threads are in test/server/snapshot).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TreeHandle } from '../../../src/core/ports/ports.ts';
import { PointInTimeReader } from '../../../src/core/tree/point-in-time.ts';
import { readZxid, type ZnodeCursor } from '../../../src/core/tree/record.ts';
import { SEGMENT_BYTES, Segments } from '../../../src/shm/segments.ts';
import { StatOffset } from '../../../src/wire/stat.ts';
import { pathHash } from '../support/hash.ts';
import { Stager } from '../support/stager.ts';
import { checkTree, dumpTree, textOf } from '../support/tree-dump.ts';

/** Runs `between` before each look at a node, also while it orders them. */
class SteppedReader extends PointInTimeReader {
  private readonly between: () => void;

  constructor(handle: TreeHandle, between: () => void) {
    super(handle, new Segments(handle.segments));
    this.between = between;
  }

  override moveTo(id: number): boolean {
    this.between();
    return super.moveTo(id);
  }
}

/** Walks as the snapshot thread does: some nodes per epoch, copied out, then marked. */
function walk(reader: PointInTimeReader, perEpoch: () => number): [string, string][] {
  const seen: [string, string][] = [];
  let left = 0;
  for (const id of idsOf(reader)) {
    if (left-- === 0) {
      reader.epoch.leave();
      reader.epoch.enter();
      left = perEpoch();
    }
    assert.ok(reader.moveTo(id), 'a node of the moment has vanished');
    seen.push([textOf(reader.cursor), contentOf(reader.cursor)]);
    reader.markVisited(id);
  }
  reader.epoch.leave();
  return seen;
}

function idsOf(reader: PointInTimeReader): number[] {
  const order = reader.order();
  const ids: number[] = [];
  for (let id = order.join(); id !== 0; id = order.after(id)) ids.push(id);
  assert.equal(ids.length, order.length);
  return ids;
}

function contentOf(cursor: ZnodeCursor): string {
  const { bytes, dataStart, dataBytes } = cursor;
  const data = Buffer.from(bytes.subarray(dataStart, dataStart + dataBytes)).toString('hex');
  const zxids = [StatOffset.czxid, StatOffset.mzxid, StatOffset.pzxid].map((field) =>
    readZxid(cursor, field),
  );
  return `${data} ${zxids} ${cursor.version} ${cursor.cversion} ${cursor.numChildren}`;
}

function contents(stager: Stager): [string, string][] {
  const { tree } = stager;
  const cursor = tree.cursor();
  return [...dumpTree(stager).keys()].map((path) => {
    const bytes = new TextEncoder().encode(path);
    cursor.moveTo(tree.committedOf(tree.find(bytes, 0, bytes.length, pathHash(bytes, 0, bytes.length))));
    return [path, contentOf(cursor)];
  });
}

test('writes at any point of the walk: the tree of the moment, parents first, and every byte comes back', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const stager = new Stager(seed);
    const { tree, prng, queue } = stager;
    const write = (): void => {
      if (prng.chance(0.3)) stager.transaction(1 + prng.below(5), prng.chance(0.8));
      if (prng.chance(0.3)) stager.commit(prng.below(queue.length + 1));
    };
    for (let i = 0; i < 40; i++) write();
    for (let round = 0; round < 3; round++) {
      const moment = contents(stager);
      const reader = new SteppedReader(tree.pointInTime.begin(), write);
      const seen = walk(reader, () => 1 + prng.below(4));
      assert.deepEqual(seen.toSorted(byPath), moment, `seed ${seed} round ${round}`);
      const places = new Map(seen.map(([path], place) => [path, place]));
      for (const [path, place] of places) {
        if (path === '') continue;
        assert.ok(
          places.get(path.slice(0, path.lastIndexOf('/')))! < place,
          'a parent comes before its children',
        );
      }
      for (let i = 0; i < 5; i++) write();
      tree.pointInTime.end();
    }
    stager.commit(queue.length);
    for (let i = 0; i < 3; i++) tree.reclaim();
    checkTree(tree);
  }
});

test('a snapshot that is given up half-way leaves nothing behind', () => {
  const stager = new Stager(11);
  const { tree, queue } = stager;
  for (let i = 0; i < 20; i++) stager.transaction(4, true);
  stager.commit(queue.length);
  const reader = new PointInTimeReader(tree.pointInTime.begin(), new Segments(tree.segments.buffers()));
  const order = idsOf(reader);
  for (const id of order.slice(0, order.length / 2)) {
    assert.ok(reader.moveTo(id));
    reader.markVisited(id);
  }
  for (let i = 0; i < 20; i++) stager.transaction(4, true);
  stager.commit(queue.length);
  tree.pointInTime.end();
  assert.throws(() => tree.pointInTime.end(), { name: 'AssertionFailure' });
  checkTree(tree);
  const moment = contents(stager);
  const next = new PointInTimeReader(tree.pointInTime.begin(), new Segments(tree.segments.buffers()));
  assert.deepEqual(walk(next, () => 3).toSorted(byPath), moment, 'the next one begins from nothing');
  tree.pointInTime.end();
});

test('segments and blocks of ids that are added meanwhile are not the reader’s business', () => {
  const stager = new Stager(3);
  const { tree } = stager;
  for (let i = 0; i < 20; i++) stager.transaction(4, true);
  stager.commit(stager.queue.length);
  const moment = contents(stager);
  const reader = new PointInTimeReader(tree.pointInTime.begin(), new Segments(tree.segments.buffers()));
  const segments = tree.segments.list.length;
  const data = new Uint8Array(SEGMENT_BYTES / 8);
  const cursor = tree.cursor();
  for (const path of ['', ...stager.paths.slice(1, 12)]) {
    const bytes = new TextEncoder().encode(path);
    const id = tree.find(bytes, 0, bytes.length, pathHash(bytes, 0, bytes.length));
    cursor.moveTo(tree.committedOf(id));
    tree.publish(
      id,
      tree.build.withData(tree.committedOf(id), data, 0, data.length, cursor.version + 1, 99, 5),
    );
  }
  assert.ok(tree.segments.list.length > segments, 'the store has grown');
  assert.deepEqual(walk(reader, () => 2).toSorted(byPath), moment);
  tree.pointInTime.end();
  checkTree(tree);
});

function byPath([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}

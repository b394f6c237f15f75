/** Staged, taken back, published: the store against a model that keeps whole copies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BulkLoad } from '../../../src/core/tree/bulk-load.ts';
import { Stager } from '../support/stager.ts';
import { checkTree, digestOf, dumpTree, indexBytes, nodeIds, textOf } from '../support/tree-dump.ts';

test('a change that is taken back leaves tree, digest, index and arena as they were', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const stager = new Stager(seed);
    const { tree, prng, queue } = stager;
    for (let round = 0; round < 30; round++) {
      stager.transaction(1 + prng.below(5), true);
      const before = stateOf(stager);
      stager.transaction(1 + prng.below(8), false);
      assert.deepEqual(stateOf(stager), before, `seed ${seed} round ${round}`);
      stager.commit(prng.below(queue.length + 1));
    }
    stager.commit(queue.length);
    assert.equal(digestOf(tree.staging.digest), digestOf(tree.committed));
    assert.deepEqual([...dumpTree(stager).keys()], stager.paths.toSorted());
    checkTree(tree);
  }
});

test('removal gives back every byte but the index', () => {
  const stager = new Stager(7);
  const { tree } = stager;
  for (let round = 0; round < 50; round++) stager.transaction(4, true);
  stager.commit(stager.queue.length);
  assert.ok(tree.nodeCount > 5);
  const bulk = new BulkLoad(tree);
  const idOf = (path: string): number => {
    const bytes = new TextEncoder().encode(path);
    return tree.find(bytes, 0, bytes.length, tree.hash.of(bytes, 0, bytes.length));
  };
  for (const path of stager.paths.toSorted().reverse()) bulk.remove(idOf(path), tree.parentOf(idOf(path)));
  assert.deepEqual(
    [tree.nodeCount, tree.dataBytes, tree.index.size, digestOf(tree.committed)],
    [0, 0, 0, 0n],
  );
  assert.equal(tree.arena.usedBytes, indexBytes(tree));
});

/** Everything that a rolled back change may not have touched. */
function stateOf({ tree, acls }: Stager): unknown {
  const cursor = tree.cursor();
  const pending: [string, number, number][] = [];
  for (let id = 1; id < tree.nodes.idEnd; id++) {
    const record = tree.nodes.pendingOf(id);
    if (record === 0) continue;
    cursor.moveTo(record);
    const found = tree.find(cursor.bytes, cursor.pathStart, cursor.pathLength, cursor.pathHash);
    assert.equal(found, id, `${textOf(cursor)} in the index`);
    pending.push([textOf(cursor), id, record]);
  }
  return {
    dump: dumpTree({ tree, acls }),
    pending,
    ids: nodeIds(tree),
    digests: [digestOf(tree.committed), digestOf(tree.staging.digest)],
    index: tree.index.size,
    bytes: tree.arena.usedBytes - indexBytes(tree),
  };
}

/** Child lists against sets: places without gaps, growth, shrinking, and memory that comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Children } from '../../../src/core/tree/children.ts';
import { NodeTable } from '../../../src/core/tree/node-table.ts';
import { Arena } from '../../../src/shm/arena.ts';
import { Segments } from '../../../src/shm/segments.ts';

function create(): { children: Children; nodes: NodeTable; arena: Arena } {
  const segments = new Segments();
  const arena = new Arena(segments, { bytesMax: 1024 * 1024 * 1024 });
  const nodes = new NodeTable();
  return { children: new Children(nodes, arena, segments), nodes, arena };
}

function listOf(children: Children, parent: number): number[] {
  return Array.from({ length: children.count(parent) }, (_, place) => children.at(parent, place));
}

test('any sequence of additions and removals', () => {
  const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(30)), { maxLength: 150 });
  fc.assert(
    fc.property(steps, (toggles) => {
      const { children, nodes, arena } = create();
      const parents = [nodes.allocate(), nodes.allocate(), nodes.allocate()];
      const ids = Array.from({ length: 31 }, () => nodes.allocate());
      const owner = new Map<number, number>();
      for (const [which, child] of toggles) {
        const id = ids[child]!;
        const parent = owner.get(id);
        if (parent !== undefined) {
          children.remove(parent, id);
          owner.delete(id);
        } else {
          children.add(parents[which]!, id);
          owner.set(id, parents[which]!);
        }
        for (const each of parents) {
          const expected = ids.filter((candidate) => owner.get(candidate) === each);
          assert.deepEqual(listOf(children, each).sort(byNumber), expected.sort(byNumber));
        }
      }
      for (const [id, parent] of owner) children.remove(parent, id);
      assert.equal(arena.usedBytes, 0);
    }),
    { numRuns: 40 },
  );
});

test('200,000 children of one parent, over several blocks of node ids', () => {
  const { children, nodes, arena } = create();
  const parent = nodes.allocate();
  const ids = Array.from({ length: 200_000 }, () => nodes.allocate());
  for (const id of ids) children.add(parent, id);
  assert.equal(children.count(parent), ids.length);
  assert.deepEqual(listOf(children, parent), ids);
  const full = arena.usedBytes;
  for (const id of ids.slice(0, 190_000)) children.remove(parent, id);
  assert.ok(arena.usedBytes <= full / 4, 'the list shrinks');
  assert.deepEqual(new Set(listOf(children, parent)), new Set(ids.slice(190_000)));
  for (const id of ids.slice(190_000)) children.remove(parent, id);
  assert.equal(arena.usedBytes, 0);
});

test('removing what is not there is a defect', () => {
  const { children, nodes } = create();
  const [parent, child, other] = [nodes.allocate(), nodes.allocate(), nodes.allocate()];
  assert.throws(() => children.remove(parent, child));
  children.add(parent, child);
  assert.throws(() => children.remove(parent, other), { name: 'AssertionFailure' });
});

test('node ids are dense, used again last freed first, and not given back while in use', () => {
  const nodes = new NodeTable();
  const ids = Array.from({ length: 70_000 }, () => nodes.allocate());
  assert.deepEqual([ids[0], ids.at(-1), nodes.idEnd, nodes.slots.length], [1, 70_000, 70_001, 2]);
  for (const id of ids.slice(0, 3000)) nodes.release(id);
  assert.equal(nodes.allocate(), 3000);
  nodes.setPending(5, 77);
  assert.equal(nodes.pendingOf(5), 77);
  assert.throws(() => nodes.release(5), { name: 'AssertionFailure' });
  nodes.setPending(66_000, 5);
  assert.equal(nodes.pendingOf(66_000), 5);
  assert.equal(nodes.slot(66_000), 0);
});

function byNumber(a: number, b: number): number {
  return a - b;
}

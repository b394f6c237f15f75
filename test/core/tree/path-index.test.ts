/** The path index against a Map: growth, clusters that wrap around, deletion that shifts back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asciiBytes } from '../../../src/core/path/path.ts';
import { PathIndex } from '../../../src/core/tree/path-index.ts';
import { Arena } from '../../../src/shm/arena.ts';
import { Segments } from '../../../src/shm/segments.ts';
import { collidingUnderFnv, fnv1a } from '../../support/colliding-paths.ts';
import { pathHash } from '../support/hash.ts';

const BYTES_MAX = 1024 * 1024 * 1024;

/** The index under test beside a map; node ids are the numbers of their names. */
class Indexed {
  readonly arena: Arena;
  readonly index: PathIndex;
  readonly model = new Map<string, number>();
  /** How often a path was looked at because its hash agreed. */
  compared = 0;
  private readonly names = new Map<number, string>();
  private readonly hashOf: (name: string) => number;

  constructor(hashOf: (name: string) => number) {
    const segments = new Segments();
    this.arena = new Arena(segments, { bytesMax: BYTES_MAX });
    this.hashOf = hashOf;
    this.index = new PathIndex(segments, this.arena, {
      matches: (id, bytes, start, length) => {
        this.compared++;
        return this.names.get(id) === Buffer.from(bytes.subarray(start, start + length)).toString();
      },
    });
  }

  find(name: string): number {
    const bytes = asciiBytes(`##${name}##`);
    return this.index.find(this.hashOf(name), bytes, 2, name.length);
  }

  insert(name: string): void {
    const id = this.names.size + 1;
    this.names.set(id, name);
    this.model.set(name, id);
    this.index.insert(this.hashOf(name), id);
  }

  remove(name: string): void {
    this.index.remove(this.hashOf(name), this.model.get(name)!);
    this.model.delete(name);
  }

  check(names: Iterable<string>): void {
    for (const name of names) assert.equal(this.find(name), this.model.get(name) ?? 0, name);
    assert.equal(this.index.size, this.model.size);
  }
}

test('any sequence of inserts and removals, with hashes that collide and clusters that wrap', () => {
  const names = Array.from({ length: 40 }, (_, i) => `/n${i}`);
  // All in one table; home positions at the end of it, so that clusters run over the edge.
  const hash = (name: string): number => (0x7fc00000 | (Number(name.slice(2)) % 5 === 0 ? 7 : 6)) >> 0;
  const spread = (name: string): number => 0x12400000 | (Number(name.slice(2)) * 3);
  const steps = fc.array(fc.nat(names.length - 1), { maxLength: 120 });
  for (const hashOf of [hash, spread]) {
    fc.assert(
      fc.property(steps, (toggles) => {
        const indexed = new Indexed(hashOf);
        for (const at of toggles) {
          const name = names[at]!;
          if (indexed.model.has(name)) indexed.remove(name);
          else indexed.insert(name);
          indexed.check(names);
        }
      }),
      { numRuns: 60 },
    );
  }
});

test('paths that a client has made to collide under the old hash cost one comparison each', () => {
  const family = collidingUnderFnv(1 << 11).map((path) => Buffer.from(path).toString());
  const comparisons = (hashOf: (path: Uint8Array) => number): number => {
    const indexed = new Indexed((name) => hashOf(asciiBytes(name)));
    for (const name of family) indexed.insert(name);
    indexed.check(family);
    return indexed.compared;
  };
  assert.equal(comparisons(fnv1a), (family.length * (family.length + 1)) / 2, 'the search was linear');
  assert.ok(comparisons((path) => pathHash(path, 0, path.length)) <= family.length + 2);
});

test('100,000 paths grow it table by table, and removing them leaves tables of the same size', () => {
  const indexed = new Indexed((name) => pathHash(asciiBytes(name), 0, name.length));
  const names = Array.from({ length: 100_000 }, (_, i) => `/parent/child-${i}`);
  for (const name of names) indexed.insert(name);
  indexed.check(names);
  const grown = indexed.arena.usedBytes;
  assert.ok(grown >= (100_000 * 8 * 4) / 3 && grown < 100_000 * 8 * 4, `${grown} bytes`);
  for (const name of names) indexed.remove(name);
  indexed.check(names.slice(0, 100));
  assert.equal(indexed.arena.usedBytes, grown);
  for (const name of names) indexed.insert(name);
  assert.equal(indexed.arena.usedBytes, grown);
  indexed.check(names);
});

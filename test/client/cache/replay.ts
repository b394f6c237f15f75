/**
 * What a listener of a cache can know: the contents made of its changes alone. Each change must fit the contents before
 * it, or the order or the completeness of the events is wrong.
 */
import assert from 'node:assert/strict';
import type { CacheChange, CacheEntry, CacheItem } from '../../../src/client/index.ts';

export class Replay<T> {
  readonly entries = new Map<string, CacheEntry<T>>();
  resets = 0;
  state = 'loading';

  apply(item: CacheItem<T>): void {
    switch (item.kind) {
      case 'reset':
        this.resets++;
        this.state = item.state;
        this.entries.clear();
        for (const entry of item.entries) this.add(entry);
        return;
      case 'added':
        assert.equal(item.path, item.entry.path);
        this.add(item.entry);
        return;
      case 'changed':
        assert.equal(this.entries.get(item.path), item.before, `changed ${item.path}`);
        assert.equal(item.before.stat.czxid, item.entry.stat.czxid);
        assert.ok(item.before.stat.mzxid < item.entry.stat.mzxid, `${item.path} went back`);
        this.entries.set(item.path, item.entry);
        return;
      case 'removed':
        assert.equal(this.entries.get(item.path), item.before, `removed ${item.path}`);
        for (const path of this.entries.keys())
          assert.ok(!path.startsWith(`${item.path}/`), `${item.path} went before ${path}`);
        this.entries.delete(item.path);
        return;
      case 'live':
      case 'stale':
        assert.notEqual(this.state, item.kind);
        this.state = item.kind;
    }
  }

  private add(entry: CacheEntry<T>): void {
    const { path } = entry;
    assert.equal(this.entries.has(path), false, `added ${path} twice`);
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (this.entries.size > 0)
      assert.ok(this.entries.has(parent === '' ? '/' : parent), `${path} came before its parent`);
    this.entries.set(path, entry);
  }
}

/** For `onChange`. */
export function follow<T>(replay: Replay<T>): (change: CacheChange<T>) => void {
  return (change) => replay.apply(change);
}

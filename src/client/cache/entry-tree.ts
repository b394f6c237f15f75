/**
 * The contents of a cache: entries by path, and for each the names of its children. A machine's state.
 */
import { childOf, nameOf, parentOf } from '../../base/paths.ts';
import type { CacheEntry } from './cache-entry.ts';

interface Node<T> {
  entry: CacheEntry<T>;
  /** null = none. */
  names: Set<string> | null;
}

const NO_NAMES: ReadonlySet<string> = new Set();

export class EntryTree<T> {
  /** Bytes of the data of all entries, as znodes have them. */
  dataBytes = 0;
  private readonly nodes = new Map<string, Node<T>>();

  get size(): number {
    return this.nodes.size;
  }

  has(path: string): boolean {
    return this.nodes.has(path);
  }

  get(path: string): CacheEntry<T> | null {
    return this.nodes.get(path)?.entry ?? null;
  }

  /** Names of its children; of a path that is not held, none. */
  namesOf(path: string): ReadonlySet<string> {
    return this.nodes.get(path)?.names ?? NO_NAMES;
  }

  /** In the order in which they came: parents before their children. */
  *entries(): IterableIterator<CacheEntry<T>> {
    for (const node of this.nodes.values()) yield node.entry;
  }

  put(entry: CacheEntry<T>): void {
    const { path } = entry;
    const node = this.nodes.get(path);
    this.dataBytes += entry.stat.dataLength - (node?.entry.stat.dataLength ?? 0);
    if (node !== undefined) {
      node.entry = entry;
      return;
    }
    this.nodes.set(path, { entry, names: null });
    const parent = this.nodes.get(parentOf(path));
    if (parent === undefined || path === '/') return;
    parent.names ??= new Set();
    parent.names.add(nameOf(path));
  }

  /** Takes `path` out with everything below it. Returns the entries, children before their parents. */
  remove(path: string): CacheEntry<T>[] {
    const paths = [path];
    const removed: CacheEntry<T>[] = [];
    for (let i = 0; i < paths.length; i++) {
      const node = this.nodes.get(paths[i]!);
      if (node === undefined) continue;
      removed.push(node.entry);
      for (const name of node.names ?? []) paths.push(childOf(paths[i]!, name));
    }
    for (const { path: gone, stat } of removed) {
      this.nodes.delete(gone);
      this.dataBytes -= stat.dataLength;
    }
    const parent = this.nodes.get(parentOf(path));
    parent?.names?.delete(nameOf(path));
    if (parent?.names?.size === 0) parent.names = null;
    return removed.reverse();
  }

  clear(): void {
    this.nodes.clear();
    this.dataBytes = 0;
  }
}

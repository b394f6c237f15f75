/**
 * The names of the tree's znodes, and which key or directory a path of an event belongs to.
 *
 *     directories 1:   root/0000042                    key 42
 *     directories n:   root/d0002/0000042              key 42 in directory 42 mod n
 *     made by the load: root[/d0002]/n<connection>-<count>
 *
 * "Targets" number both, for tables over everything that can be watched: keys first, then directories.
 */
import type { TreePlan } from '../plan/plan.ts';

/** Paths are kept ready for trees up to this size; larger ones make them when needed. */
const CACHED_KEYS_MAX = 200_000;

export class KeySpace {
  readonly root: string;
  readonly keyCount: number;
  readonly directoryCount: number;
  private readonly directories: readonly string[];
  private readonly directoryNumbers: ReadonlyMap<string, number>;
  private readonly keys: readonly string[] | null;

  constructor(tree: TreePlan) {
    this.root = tree.root;
    this.keyCount = tree.keyCount;
    this.directoryCount = tree.directories;
    this.directories = Array.from({ length: tree.directories }, (_, i) =>
      tree.directories === 1 ? tree.root : `${tree.root}/d${String(i).padStart(4, '0')}`,
    );
    this.directoryNumbers = new Map(this.directories.map((path, i) => [path, i]));
    this.keys =
      tree.keyCount > CACHED_KEYS_MAX
        ? null
        : Array.from({ length: tree.keyCount }, (_, key) => this.makePath(key));
  }

  get targetCount(): number {
    return this.keyCount + this.directoryCount;
  }

  keyPath(key: number): string {
    return this.keys === null ? this.makePath(key) : this.keys[key]!;
  }

  directoryPath(directory: number): string {
    return this.directories[directory]!;
  }

  /** The directories to make under the root; none when the keys lie in the root itself. */
  get subdirectories(): readonly string[] {
    return this.directoryCount === 1 ? [] : this.directories;
  }

  directoryTarget(directory: number): number {
    return this.keyCount + directory;
  }

  /** The directory in which a key lies. */
  directoryOf(key: number): number {
    return key % this.directoryCount;
  }

  /** The directory of a path directly inside one of them. */
  directoryOfPath(path: string): number {
    if (this.directoryCount === 1) return 0;
    return Number(path.slice(this.root.length + 2, path.lastIndexOf('/')));
  }

  /** The key or directory at a path; -1 for any other znode. */
  targetOf(path: string): number {
    const directory = this.directoryNumbers.get(path);
    if (directory !== undefined) return this.keyCount + directory;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const key = /^\d{7,}$/.test(name) ? Number(name) : -1;
    return key >= 0 && key < this.keyCount && this.keyPath(key) === path ? key : -1;
  }

  private makePath(key: number): string {
    return `${this.directories[key % this.directoryCount]!}/${String(key).padStart(7, '0')}`;
  }
}

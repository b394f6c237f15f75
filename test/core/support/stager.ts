/**
 * Random changes of a tree as preparation and commit make them, without the rest of the core: staged, taken back or
 * kept, and published in order.
 */
import assert from 'node:assert/strict';
import { Prng } from '../../../src/base/prng.ts';
import { AclTable, OPEN_ACL_ID } from '../../../src/core/acl/acl-table.ts';
import { parentLength } from '../../../src/core/path/path.ts';
import { BulkLoad } from '../../../src/core/tree/bulk-load.ts';
import { Tree } from '../../../src/core/tree/tree.ts';
import { HASH, pathHash } from './hash.ts';

type Effect =
  | {
      readonly kind: 'create' | 'delete';
      readonly id: number;
      readonly record: number;
      readonly parentId: number;
      readonly parentRecord: number;
    }
  | { readonly kind: 'change'; readonly id: number; readonly record: number };

export class Stager {
  readonly tree = new Tree({ bytesMax: 256 * 1024 * 1024, digest: true, extendedTypes: true, hash: HASH });
  readonly acls = new AclTable(HASH);
  readonly prng: Prng;
  /** Staged and not published yet, oldest first. */
  readonly queue: Effect[] = [];
  private zxid = 0;
  private readonly cursor = this.tree.cursor();
  /** Paths that preparation sees. */
  paths = [''];

  constructor(seed: number) {
    this.prng = new Prng(seed);
    const root = this.build('');
    new BulkLoad(this.tree).insert(this.tree.nodes.allocate(), root, 0);
    this.tree.staging.digest.copy(this.tree.committed);
  }

  /** One transaction of up to `steps` changes; taken back or kept. */
  transaction(steps: number, keep: boolean): void {
    const { tree } = this;
    const mark = this.queue.length;
    const paths = [...this.paths];
    tree.staging.begin();
    this.zxid++;
    for (let i = 0; i < steps; i++) this.change();
    if (keep) return;
    tree.staging.rollback();
    this.queue.length = mark;
    this.paths = paths;
  }

  /** Publishes the oldest effects. */
  commit(count: number): void {
    const { tree } = this;
    for (const effect of this.queue.splice(0, count)) {
      if (effect.kind === 'change') {
        tree.publish(effect.id, effect.record);
      } else if (effect.kind === 'create') {
        tree.publishCreate(effect.id, effect.record, effect.parentId);
        tree.publish(effect.parentId, effect.parentRecord);
      } else {
        tree.publishDelete(effect.id, effect.record, effect.parentId);
        tree.publish(effect.parentId, effect.parentRecord);
        tree.arena.free(effect.record);
      }
    }
    tree.reclaim();
  }

  private change(): void {
    const { tree, prng, cursor, paths } = this;
    const path = prng.pick(paths);
    const id = this.idOf(path);
    const latest = tree.staging.latestOf(id);
    cursor.moveTo(latest);
    if (cursor.numChildren < 3 && path.length < 8) {
      const name = `${path}/${prng.pick(['x', 'y', 'z'])}`;
      if (paths.includes(name)) return;
      const bytes = new TextEncoder().encode(name);
      const child = tree.idForCreate(bytes, 0, bytes.length, pathHash(bytes, 0, bytes.length));
      const record = this.build(name, child);
      tree.staging.stage(child, record);
      const parentRecord = this.touchParent(id, 1);
      this.queue.push({ kind: 'create', id: child, record, parentId: id, parentRecord });
      paths.push(name);
    } else if (cursor.numChildren === 0 && path !== '') {
      const record = tree.build.tombstone(latest);
      const bytes = new TextEncoder().encode(path);
      const parentId = this.idOf(path.slice(0, parentLength(bytes, 0, bytes.length)));
      tree.staging.stage(id, record);
      const parentRecord = this.touchParent(parentId, -1);
      this.queue.push({ kind: 'delete', id, record, parentId, parentRecord });
      paths.splice(paths.indexOf(path), 1);
    } else {
      const data = new Uint8Array(prng.below(60)).fill(this.zxid);
      const record = tree.build.withData(latest, data, 0, data.length, cursor.version + 1, this.zxid, 5);
      tree.staging.stage(id, record);
      this.queue.push({ kind: 'change', id, record });
    }
  }

  private touchParent(id: number, delta: number): number {
    const { tree, cursor } = this;
    const latest = tree.staging.latestOf(id);
    cursor.moveTo(latest);
    const { cversion, numChildren } = cursor;
    const record = tree.build.withChildren(
      latest,
      cversion + Math.max(delta, 0),
      numChildren + delta,
      this.zxid,
    );
    tree.staging.stage(id, record);
    return record;
  }

  private build(path: string, id = 1): number {
    const bytes = new TextEncoder().encode(path);
    // biome-ignore format: one slice per line
    return this.tree.build.create(id, pathHash(bytes, 0, bytes.length),
      bytes, 0, bytes.length,
      bytes, 0, bytes.length,
      OPEN_ACL_ID, 0, 0, this.zxid, 5);
  }

  private idOf(path: string): number {
    const bytes = new TextEncoder().encode(path);
    const id = this.tree.find(bytes, 0, bytes.length, pathHash(bytes, 0, bytes.length));
    assert.notEqual(id, 0, path);
    return id;
  }
}

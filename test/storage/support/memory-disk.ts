/**
 * A disk in memory with the crash semantics that `src/storage/disk.ts` describes and faults to order.
 *
 *     crash           the disk as a machine finds it after losing power: synced bytes, any subset of the sectors written
 *                     since; of each directory the entries that were synced and a prefix of the changes since, so a
 *                     file, and a directory with all that is in it, is gone unless its name was synced
 *     zero, stale,    what a bad disk makes of bytes that were synced: a sector reads as zeros, as it was before it was
 *     swap, flip      last written, as another one, with a bit turned over (sector-faults.ts chooses where)
 *     bytesFree, syncsLeft, callsLeft     ENOSPC, EIO of a sync, and EIO of every changing call from the nth on
 *
 * A sync costs what was written since the last one, not the size of the file, so simulations may use large files.
 */

import assert from 'node:assert/strict';
import { StorageFailure } from '../../../src/base/failure.ts';
import type { Prng } from '../../../src/base/prng.ts';
import type { Disk, DiskAccess, DiskEntry, DiskFile } from '../../../src/storage/disk.ts';
import { MemoryInode, SECTOR_BYTES } from './memory-inode.ts';

/** Names changed at once: one, or both of a rename. Null = removed. */
type EntryChange = readonly (readonly [name: string, entry: MemoryInode | Directory | null])[];

class Directory {
  readonly entries = new Map<string, MemoryInode | Directory>();
  readonly durable = new Map<string, MemoryInode | Directory>();
  private pending: EntryChange[] = [];

  change(...change: EntryChange): void {
    apply(this.entries, change);
    this.pending.push(change);
  }

  sync(): void {
    for (const change of this.pending) apply(this.durable, change);
    this.pending = [];
  }

  /** A copy as it is after a power loss. */
  survivor(prng: Prng): Directory {
    const names = new Map(this.durable);
    const kept = prng.below(this.pending.length + 1);
    for (let i = 0; i < kept; i++) apply(names, this.pending[i]!);
    const after = new Directory();
    for (const [name, entry] of names) after.change([name, entry.survivor(prng)]);
    after.sync();
    return after;
  }
}

function apply(entries: Map<string, MemoryInode | Directory>, change: EntryChange): void {
  for (const [name, entry] of change) {
    if (entry === null) entries.delete(name);
    else entries.set(name, entry);
  }
}

export class MemoryDisk implements Disk {
  /** Bytes that may still be written before ENOSPC. */
  bytesFree = Infinity;
  /** Syncs that still succeed before one fails with EIO. */
  syncsLeft = Infinity;
  /** Changing calls, syncs among them, that still succeed; from the next on all fail: crash at any moment. */
  callsLeft = Infinity;
  /** Every changing call in order, for tests of ordering. */
  readonly calls: string[] = [];
  /** What direct files ask for; 1 = there are none. */
  directBlockBytes = 1;
  private root = new Directory();

  open(path: string, access: DiskAccess): DiskFile {
    return new MemoryFile(this, path, this.inode(path), access);
  }

  create(path: string, direct = false): DiskFile {
    const parent = this.directory('open', parentOf(path));
    if (parent.entries.has(nameOf(path))) throw fault('open', path, 'EEXIST');
    this.count('open', path);
    const inode = new MemoryInode();
    parent.change([nameOf(path), inode]);
    this.calls.push(`create ${path}`);
    return new MemoryFile(this, path, inode, 'update', direct ? this.directBlockBytes : 1);
  }

  list(directory: string): string[] {
    return [...this.directory('list', directory).entries.keys()];
  }

  stat(path: string): DiskEntry | null {
    const entry = this.find(path);
    if (entry === undefined) return null;
    const directory = entry instanceof Directory;
    return { bytes: directory ? 0 : entry.bytes, directory };
  }

  makeDirectory(path: string): void {
    let at = '';
    for (const name of partsOf(path)) {
      const parent = this.directory('make directory', at);
      at += `/${name}`;
      if (parent.entries.get(name) instanceof Directory) continue;
      if (parent.entries.has(name)) throw fault('make directory', path, 'EEXIST');
      this.count('make directory', at);
      parent.change([name, new Directory()]);
      this.calls.push(`makeDirectory ${at}`);
    }
  }

  rename(from: string, to: string): void {
    assert.equal(parentOf(from), parentOf(to), 'renames stay in a directory');
    const inode = this.inode(from);
    this.count('rename', from);
    this.directory('rename', parentOf(from)).change([nameOf(to), inode], [nameOf(from), null]);
    this.calls.push(`rename ${from} ${to}`);
  }

  remove(path: string): void {
    this.inode(path);
    this.count('remove', path);
    this.directory('remove', parentOf(path)).change([nameOf(path), null]);
    this.calls.push(`remove ${path}`);
  }

  syncDirectory(path: string): void {
    const directory = this.directory('sync directory', path);
    this.countSync('sync directory', path);
    directory.sync();
    this.calls.push(`syncDirectory ${path}`);
  }

  // ---- for tests -------------------------------------------------------------------------------------------

  /** Puts a durable file there, with its directories, as if it had always been. */
  put(path: string, bytes: Uint8Array): void {
    const parent = this.putDirectory(parentOf(path));
    parent.change([nameOf(path), MemoryInode.of(bytes)]);
    parent.sync();
  }

  /** A durable directory, as if it had always been. */
  putDirectory(path: string): Directory {
    let directory = this.root;
    for (const name of partsOf(path)) {
      let next = directory.entries.get(name);
      if (!(next instanceof Directory)) {
        next = new Directory();
        directory.change([name, next]);
      }
      directory.sync();
      directory = next;
    }
    return directory;
  }

  contents(path: string): Uint8Array {
    return this.inode(path).contents();
  }

  crash(prng: Prng): MemoryDisk {
    const after = new MemoryDisk();
    after.directBlockBytes = this.directBlockBytes;
    after.root = this.root.survivor(prng);
    return after;
  }

  /** The sector at `index` of a file reads as zeros from now on. */
  zeroSector(path: string, index: number): void {
    this.inode(path).sector(index).fill(0);
  }

  /** The sector is what it was before it was last synced with other contents; false if it never was different. */
  staleSector(path: string, index: number): boolean {
    const inode = this.inode(path);
    const before = inode.before.get(index);
    if (before === undefined) return false;
    const sector = inode.sector(index);
    sector.set(before.subarray(0, sector.length));
    return true;
  }

  /** Two sectors have changed places. */
  swapSectors(path: string, a: number, b: number): void {
    const inode = this.inode(path);
    const [first, second] = [inode.sector(a), inode.sector(b)];
    const kept = first.slice();
    first.set(second.subarray(0, first.length));
    second.set(kept.subarray(0, second.length));
  }

  flipBit(path: string, at: number, mask: number): void {
    this.inode(path).sector(Math.floor(at / SECTOR_BYTES))[at % SECTOR_BYTES]! ^= mask;
  }

  // ---- for the files ---------------------------------------------------------------------------------------

  /** @throws when the calls are used up */
  count(operation: string, path: string): void {
    if (this.callsLeft-- <= 0) throw fault(operation, path, 'EIO');
  }

  countSync(operation: string, path: string): void {
    this.count(operation, path);
    if (this.syncsLeft-- <= 0) throw fault(operation, path, 'EIO');
  }

  takeSpace(path: string, bytes: number): void {
    if (bytes > this.bytesFree) throw fault('write', path, 'ENOSPC');
    this.bytesFree -= bytes;
  }

  private find(path: string): MemoryInode | Directory | undefined {
    let entry: MemoryInode | Directory | undefined = this.root;
    for (const name of partsOf(path)) {
      if (!(entry instanceof Directory)) return undefined;
      entry = entry.entries.get(name);
    }
    return entry;
  }

  private directory(operation: string, path: string): Directory {
    const entry = this.find(path);
    if (!(entry instanceof Directory))
      throw fault(operation, path, entry === undefined ? 'ENOENT' : 'ENOTDIR');
    return entry;
  }

  private inode(path: string): MemoryInode {
    const entry = this.find(path);
    if (!(entry instanceof MemoryInode)) throw fault('open', path, entry === undefined ? 'ENOENT' : 'EISDIR');
    return entry;
  }
}

class MemoryFile implements DiskFile {
  readonly path: string;
  readonly blockBytes: number;
  private readonly disk: MemoryDisk;
  private readonly inode: MemoryInode;
  private readonly access: DiskAccess;
  private closed = false;

  constructor(disk: MemoryDisk, path: string, inode: MemoryInode, access: DiskAccess, blockBytes = 1) {
    this.blockBytes = blockBytes;
    this.disk = disk;
    this.path = path;
    this.inode = inode;
    this.access = access;
  }

  size(): number {
    this.check('stat', 'read');
    return this.inode.bytes;
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    this.check('read', 'read');
    return this.inode.read(into, at, length, position);
  }

  write(from: Uint8Array, at: number, length: number, position: number): void {
    this.check('write', 'update');
    assert.equal(position % this.blockBytes, 0, 'a direct write begins at a block');
    assert.equal(length % this.blockBytes, 0, 'a direct write ends at a block');
    assert.equal((from.byteOffset + at) % this.blockBytes, 0, 'a direct write comes from aligned memory');
    this.disk.count('write', this.path);
    const fits = Math.min(length, this.disk.bytesFree);
    this.inode.write(new Uint8Array(from.subarray(at, at + fits)), position);
    this.disk.takeSpace(this.path, length);
    this.disk.calls.push(`write ${this.path} ${position} ${length}`);
  }

  truncate(bytes: number): void {
    this.check('truncate', 'update');
    this.disk.count('truncate', this.path);
    this.inode.truncate(bytes);
    this.disk.calls.push(`truncate ${this.path} ${bytes}`);
  }

  syncData(): void {
    this.check('sync', 'update');
    this.disk.countSync('sync', this.path);
    this.inode.sync();
    this.disk.calls.push(`sync ${this.path}`);
  }

  close(): void {
    this.check('close', 'read');
    this.closed = true;
  }

  private check(operation: string, needed: DiskAccess): void {
    if (this.closed || (needed === 'update' && this.access === 'read')) {
      throw fault(operation, this.path, 'EBADF');
    }
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function fault(operation: string, path: string, code: string): StorageFailure {
  const cause = Object.assign(new Error(code), { code });
  return new StorageFailure(`cannot ${operation} ${path}: ${code}`, { cause });
}

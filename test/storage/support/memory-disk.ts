/**
 * A disk in memory with the crash semantics that `src/storage/disk.ts` describes and faults to order. `crash`
 * returns the disk as a machine finds it after losing power: synced bytes, any subset of the sectors written
 * since, and only those directory changes that were synced.
 */

import assert from 'node:assert/strict';
import { StorageFailure } from '../../../src/base/failure.ts';
import type { Prng } from '../../../src/base/prng.ts';
import type { Disk, DiskAccess, DiskEntry, DiskFile } from '../../../src/storage/disk.ts';

const SECTOR_BYTES = 512;

interface PendingWrite {
  readonly position: number;
  /** Null = truncate to `position`. */
  readonly bytes: Uint8Array | null;
}

class Inode {
  current = new Uint8Array(0);
  durable = new Uint8Array(0);
  pending: PendingWrite[] = [];
}

export class MemoryDisk implements Disk {
  /** Bytes that may still be written before ENOSPC. */
  bytesFree = Infinity;
  /** Syncs that still succeed before one fails with EIO. */
  syncsLeft = Infinity;
  /** Every call in order, for tests of ordering. */
  readonly calls: string[] = [];
  /** What direct files ask for; 1 = there are none. */
  directBlockBytes = 1;
  private entries = new Map<string, Inode>();
  private durableEntries = new Map<string, Inode>();
  private readonly directories = new Set<string>();

  open(path: string, access: DiskAccess): DiskFile {
    return new MemoryFile(this, path, this.inode(path), access);
  }

  create(path: string, direct = false): DiskFile {
    if (this.entries.has(path)) throw fault('open', path, 'EEXIST');
    if (!this.directories.has(parentOf(path))) throw fault('open', path, 'ENOENT');
    const inode = new Inode();
    this.entries.set(path, inode);
    this.calls.push(`create ${path}`);
    return new MemoryFile(this, path, inode, 'update', direct ? this.directBlockBytes : 1);
  }

  list(directory: string): string[] {
    if (!this.directories.has(directory)) throw fault('list', directory, 'ENOENT');
    const names: string[] = [];
    for (const path of this.entries.keys()) {
      if (parentOf(path) === directory) names.push(path.slice(directory.length + 1));
    }
    return names;
  }

  stat(path: string): DiskEntry | null {
    if (this.directories.has(path)) return { bytes: 0, directory: true };
    const inode = this.entries.get(path);
    return inode === undefined ? null : { bytes: inode.current.length, directory: false };
  }

  makeDirectory(path: string): void {
    for (let at = path; at !== ''; at = parentOf(at)) this.directories.add(at);
  }

  rename(from: string, to: string): void {
    this.entries.set(to, this.inode(from));
    this.entries.delete(from);
    this.calls.push(`rename ${from} ${to}`);
  }

  remove(path: string): void {
    this.inode(path);
    this.entries.delete(path);
    this.calls.push(`remove ${path}`);
  }

  syncDirectory(path: string): void {
    this.countSync(path);
    for (const known of this.durableEntries.keys()) {
      if (parentOf(known) === path && !this.entries.has(known)) this.durableEntries.delete(known);
    }
    for (const [known, inode] of this.entries) {
      if (parentOf(known) === path) this.durableEntries.set(known, inode);
    }
    this.calls.push(`syncDirectory ${path}`);
  }

  /** Puts a durable file there, as if it had always been. */
  put(path: string, bytes: Uint8Array): void {
    const inode = new Inode();
    inode.current = bytes.slice();
    inode.durable = bytes.slice();
    this.makeDirectory(parentOf(path));
    this.entries.set(path, inode);
    this.durableEntries.set(path, inode);
  }

  contents(path: string): Uint8Array {
    return this.inode(path).current.slice();
  }

  countSync(path: string): void {
    if (this.syncsLeft-- <= 0) throw fault('sync', path, 'EIO');
  }

  takeSpace(path: string, bytes: number): void {
    if (bytes > this.bytesFree) throw fault('write', path, 'ENOSPC');
    this.bytesFree -= bytes;
  }

  crash(prng: Prng): MemoryDisk {
    const after = new MemoryDisk();
    after.directBlockBytes = this.directBlockBytes;
    for (const directory of this.directories) after.directories.add(directory);
    for (const [path, inode] of this.durableEntries) after.put(path, survivors(inode, prng));
    return after;
  }

  private inode(path: string): Inode {
    const inode = this.entries.get(path);
    if (inode === undefined) throw fault('open', path, 'ENOENT');
    return inode;
  }
}

class MemoryFile implements DiskFile {
  readonly path: string;
  readonly blockBytes: number;
  private readonly disk: MemoryDisk;
  private readonly inode: Inode;
  private readonly access: DiskAccess;
  private closed = false;

  constructor(disk: MemoryDisk, path: string, inode: Inode, access: DiskAccess, blockBytes = 1) {
    this.blockBytes = blockBytes;
    this.disk = disk;
    this.path = path;
    this.inode = inode;
    this.access = access;
  }

  size(): number {
    this.check('stat', 'read');
    return this.inode.current.length;
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    this.check('read', 'read');
    const piece = this.inode.current.subarray(position, position + length);
    into.set(piece, at);
    return piece.length;
  }

  write(from: Uint8Array, at: number, length: number, position: number): void {
    this.check('write', 'update');
    assert.equal(position % this.blockBytes, 0, 'a direct write begins at a block');
    assert.equal(length % this.blockBytes, 0, 'a direct write ends at a block');
    assert.equal((from.byteOffset + at) % this.blockBytes, 0, 'a direct write comes from aligned memory');
    const fits = Math.min(length, this.disk.bytesFree);
    const bytes = from.slice(at, at + fits);
    this.inode.current = written(this.inode.current, position, bytes);
    this.inode.pending.push({ position, bytes });
    this.disk.takeSpace(this.path, length);
    this.disk.calls.push(`write ${this.path} ${position} ${length}`);
  }

  truncate(bytes: number): void {
    this.check('truncate', 'update');
    this.inode.current = resized(this.inode.current, bytes);
    this.inode.pending.push({ position: bytes, bytes: null });
    this.disk.calls.push(`truncate ${this.path} ${bytes}`);
  }

  syncData(): void {
    this.check('sync', 'update');
    this.disk.countSync(this.path);
    this.inode.durable = this.inode.current.slice();
    this.inode.pending = [];
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

/** What a power loss leaves of a file: none, all, a prefix or any subset of the pending sectors. */
function survivors(inode: Inode, prng: Prng): Uint8Array {
  const sectors: PendingWrite[] = [];
  for (const write of inode.pending) {
    if (write.bytes === null) {
      sectors.push(write);
      continue;
    }
    let at = 0;
    while (at < write.bytes.length) {
      const position = write.position + at;
      const sectorEnd = (Math.floor(position / SECTOR_BYTES) + 1) * SECTOR_BYTES;
      const bytes = write.bytes.subarray(at, at + sectorEnd - position);
      sectors.push({ position, bytes });
      at += bytes.length;
    }
  }
  const prefix = prng.below(sectors.length + 1);
  const subset = prng.chance(0.5);
  let image: Uint8Array = inode.durable;
  for (let i = 0; i < sectors.length; i++) {
    if (subset ? prng.chance(0.5) : i >= prefix) continue;
    const { position, bytes } = sectors[i]!;
    image = bytes === null ? resized(image, position) : written(image, position, bytes);
  }
  return image;
}

function written(image: Uint8Array, position: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = resized(image, Math.max(image.length, position + bytes.length));
  result.set(bytes, position);
  return result;
}

function resized(image: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes);
  result.set(image.subarray(0, bytes));
  return result;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function fault(operation: string, path: string, code: string): StorageFailure {
  return new StorageFailure(`cannot ${operation} ${path}: ${code}`);
}

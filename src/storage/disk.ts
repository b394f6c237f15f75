/**
 * The disk as storage sees it: the smallest set of calls that log, snapshot and recovery need, so that a
 * simulated disk (crashes, torn writes, full disk, failing sync) can stand in for the real one.
 *
 * All calls block; they run on threads without sockets (log, snapshot, recovery). Every environment error is a
 * `StorageFailure` that names the file. What a crash may undo:
 *  - bytes written and not yet synced: any subset of their sectors may be lost (lost = what was there before,
 *    zeros in a fresh region);
 *  - a create, rename or remove before `syncDirectory` of its folder.
 */
export interface Disk {
  /** Opens an existing file. */
  open(path: string, access: DiskAccess): DiskFile;
  /**
   * Makes a new empty file for reading and writing; fails when the path exists. `direct`: bypass the page cache if
   * the file system can; the file's `blockBytes` tells.
   */
  create(path: string, direct?: boolean): DiskFile;
  /** Names in a directory, in no particular order. */
  list(directory: string): string[];
  /** Null when there is nothing at this path. */
  stat(path: string): DiskEntry | null;
  /** Makes a directory and its missing parents. */
  makeDirectory(path: string): void;
  /** Replaces `to` if it exists, atomically. */
  rename(from: string, to: string): void;
  remove(path: string): void;
  syncDirectory(path: string): void;
}

export type DiskAccess = 'read' | 'update';

export interface DiskEntry {
  readonly bytes: number;
  readonly directory: boolean;
}

export interface DiskFile {
  readonly path: string;
  /**
   * Writes begin and end at multiples of this in the file, and their bytes at a multiple of it in memory
   * (aligned-bytes.ts). 1 = an ordinary file, as you like.
   */
  readonly blockBytes: number;
  size(): number;
  /** Reads up to `length` bytes at `position` into `into[at…]`; fewer only at the end of the file. */
  read(into: Uint8Array, at: number, length: number, position: number): number;
  /** Writes all of `from[at, at + length)` at `position`, extending the file if need be. */
  write(from: Uint8Array, at: number, length: number, position: number): void;
  /** Cuts the file or extends it by zeros. */
  truncate(bytes: number): void;
  /** Makes everything written durable, including what is needed to read it back (`fdatasync`). */
  syncData(): void;
  close(): void;
}

/**
 * The disk of a machine: the memory disk of the storage tests, which knows what a power loss leaves, with a moment for
 * that loss between any two of its calls, and with lies for servers that are broken on purpose.
 */
import type { Disk, DiskAccess, DiskEntry, DiskFile } from '../../src/storage/disk.ts';
import type { MemoryDisk } from '../storage/support/memory-disk.ts';

/** Thrown out of a call during which the power went: no code of the server may believe that it goes on. */
export class PowerLoss extends Error {
  override readonly name = 'PowerLoss';
}

export interface DiskLies {
  /** Folders are never synced, as if the calls were not there. */
  readonly directorySyncLeftOut?: boolean;
  /** Files are never synced. */
  readonly fileSyncLeftOut?: boolean;
  /** Files of the log alone. */
  readonly logSyncLeftOut?: boolean;
}

export class SimDisk implements Disk {
  readonly memory: MemoryDisk;
  /** Changing calls until the power goes. */
  callsLeft = Number.POSITIVE_INFINITY;
  private isDead = false;
  private readonly onPowerLoss: () => void;
  private readonly lies: DiskLies;

  constructor(memory: MemoryDisk, lies: DiskLies, onPowerLoss: () => void) {
    this.memory = memory;
    this.lies = lies;
    this.onPowerLoss = onPowerLoss;
  }

  open(path: string, access: DiskAccess): DiskFile {
    return new SimFile(this, this.memory.open(path, access));
  }

  create(path: string, direct?: boolean): DiskFile {
    this.count();
    return new SimFile(this, this.memory.create(path, direct));
  }

  list(directory: string): string[] {
    return this.memory.list(directory);
  }

  stat(path: string): DiskEntry | null {
    return this.memory.stat(path);
  }

  makeDirectory(path: string): void {
    this.count();
    this.memory.makeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.count();
    this.memory.rename(from, to);
  }

  remove(path: string): void {
    this.count();
    this.memory.remove(path);
  }

  syncDirectory(path: string): void {
    this.count();
    if (this.lies.directorySyncLeftOut !== true) this.memory.syncDirectory(path);
  }

  /** A changing call begins, or the power goes before it. */
  count(): void {
    if (this.callsLeft-- > 0) return;
    if (!this.isDead) this.onPowerLoss();
    this.isDead = true;
    throw new PowerLoss('the power went');
  }

  syncsFile(path: string): boolean {
    return (
      this.lies.fileSyncLeftOut !== true && !(this.lies.logSyncLeftOut === true && path.includes('/log.'))
    );
  }
}

class SimFile implements DiskFile {
  private readonly disk: SimDisk;
  private readonly file: DiskFile;

  constructor(disk: SimDisk, file: DiskFile) {
    this.disk = disk;
    this.file = file;
  }

  get path(): string {
    return this.file.path;
  }

  get blockBytes(): number {
    return this.file.blockBytes;
  }

  size(): number {
    return this.file.size();
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    return this.file.read(into, at, length, position);
  }

  write(from: Uint8Array, at: number, length: number, position: number): void {
    this.disk.count();
    this.file.write(from, at, length, position);
  }

  truncate(bytes: number): void {
    this.disk.count();
    this.file.truncate(bytes);
  }

  syncData(): void {
    this.disk.count();
    if (this.disk.syncsFile(this.path)) this.file.syncData();
  }

  close(): void {
    this.file.close();
  }
}

/**
 * The real disk: `Disk` over Node's synchronous file calls. Called on the log, snapshot and recovery threads;
 * never on a thread that serves sockets. Keeps no state besides descriptors.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { StorageFailure } from '../base/failure.ts';
import { DIRECT_BLOCK_BYTES } from './aligned-bytes.ts';
import type { Disk, DiskAccess, DiskEntry, DiskFile } from './disk.ts';

export class NodeDisk implements Disk {
  open(path: string, access: DiskAccess): DiskFile {
    return openFile(path, access === 'read' ? 'r' : 'r+');
  }

  create(path: string, direct = false): DiskFile {
    const file = openFile(path, 'wx+');
    if (!direct || constants.O_DIRECT === undefined) return file;
    try {
      // Opened again, because a refused direct open may leave the file behind, which an exclusive one then meets.
      const fd = openSync(path, constants.O_RDWR | constants.O_DIRECT);
      file.close();
      return new NodeDiskFile(path, fd, DIRECT_BLOCK_BYTES);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EINVAL') return file; // not on this file system
      throw failure('open', path, error);
    }
  }

  list(directory: string): string[] {
    try {
      return readdirSync(directory);
    } catch (error) {
      throw failure('list', directory, error);
    }
  }

  stat(path: string): DiskEntry | null {
    try {
      const entry = statSync(path, { throwIfNoEntry: false });
      return entry === undefined ? null : { bytes: entry.size, directory: entry.isDirectory() };
    } catch (error) {
      throw failure('stat', path, error);
    }
  }

  makeDirectory(path: string): void {
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      throw failure('make directory', path, error);
    }
  }

  rename(from: string, to: string): void {
    try {
      renameSync(from, to);
    } catch (error) {
      throw failure('rename', from, error);
    }
  }

  remove(path: string): void {
    try {
      rmSync(path);
    } catch (error) {
      throw failure('remove', path, error);
    }
  }

  syncDirectory(path: string): void {
    try {
      const fd = openSync(path, 'r');
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      throw failure('sync directory', path, error);
    }
  }
}

class NodeDiskFile implements DiskFile {
  readonly path: string;
  readonly blockBytes: number;
  private readonly fd: number;

  constructor(path: string, fd: number, blockBytes = 1) {
    this.path = path;
    this.fd = fd;
    this.blockBytes = blockBytes;
  }

  size(): number {
    try {
      return fstatSync(this.fd).size;
    } catch (error) {
      throw failure('stat', this.path, error);
    }
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    let done = 0;
    try {
      while (done < length) {
        const count = readSync(this.fd, into, at + done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
    } catch (error) {
      throw failure('read', this.path, error);
    }
    return done;
  }

  write(from: Uint8Array, at: number, length: number, position: number): void {
    let done = 0;
    try {
      while (done < length) done += writeSync(this.fd, from, at + done, length - done, position + done);
    } catch (error) {
      throw failure('write', this.path, error);
    }
  }

  truncate(bytes: number): void {
    try {
      ftruncateSync(this.fd, bytes);
    } catch (error) {
      throw failure('truncate', this.path, error);
    }
  }

  syncData(): void {
    try {
      fdatasyncSync(this.fd);
    } catch (error) {
      throw failure('sync', this.path, error);
    }
  }

  close(): void {
    try {
      closeSync(this.fd);
    } catch (error) {
      throw failure('close', this.path, error);
    }
  }
}

function openFile(path: string, flags: string): DiskFile {
  try {
    return new NodeDiskFile(path, openSync(path, flags));
  } catch (error) {
    throw failure('open', path, error);
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on its file system',
  EDQUOT: 'raise the disk quota of the user that runs the server',
  EACCES: 'check owner and permissions against the user that runs the server',
  EPERM: 'check owner and permissions against the user that runs the server',
  EROFS: 'mount its file system writable',
  EIO: 'the device reports an error: check the disk before starting again',
  EISDIR: 'a directory has the name of a data file: move it away',
  EMFILE: 'raise the limit of open files',
};

function failure(operation: string, path: string, error: unknown): StorageFailure {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  const advice = ADVICE[code];
  return new StorageFailure(`cannot ${operation} ${path}: ${message}${advice ? `; ${advice}` : ''}`, {
    cause: error,
  });
}

/**
 * One server per data directory, and one per log directory: two servers with different dataDir and one dataLogDir would
 * append to the same files. The lock must outlive nothing: when the holder dies, by kill -9 too, it is free
 * at once; and two servers starting together must never both win.
 *
 * Only a lock that the kernel holds for a process does that. A file with a pid in it needs a check and a removal
 * that race, sockets in the abstract namespace do not reach across containers, and Node has no flock. But Node
 * carries SQLite, whose exclusive transaction is an fcntl lock on the database file: held by the process, gone with
 * it, on Linux and macOS alike. The file stays empty (nothing is ever written), so it cannot be corrupt either.
 *
 * Two directories are locked in the order of their real paths, so of two servers that name them the other way round one
 * wins. Two names of one directory are one lock.
 *
 * Main thread, at start. The file must not be opened by other means in this process: closing any descriptor of
 * it would drop an fcntl lock.
 */
import { realpathSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { DataDirFailure } from '../base/failure.ts';

const LOCK_NAME = 'ringkeeper.lock';
const SQLITE_BUSY = 5;

/** A directory and the setting that names it. */
interface Place {
  readonly directory: string;
  readonly realPath: string;
  readonly what: string;
  readonly setting: string;
}

export class DataDirLock {
  private readonly databases: readonly DatabaseSync[];

  private constructor(databases: readonly DatabaseSync[]) {
    this.databases = databases;
  }

  /** @throws DataDirFailure when another server holds one of them or a lock file cannot be opened. */
  static acquire(dataDir: string, dataLogDir = dataDir): DataDirLock {
    const data = place(dataDir, 'data', 'dataDir');
    const log = place(dataLogDir, 'log', 'dataLogDir');
    const places = data.realPath === log.realPath ? [data] : [data, log];
    places.sort((a, b) => (a.realPath < b.realPath ? -1 : 1));
    const held: DatabaseSync[] = [];
    try {
      for (const each of places) held.push(lock(each));
    } catch (error) {
      for (const database of held) database.close();
      throw error;
    }
    return new DataDirLock(held);
  }

  release(): void {
    for (const database of this.databases) database.close();
  }
}

function place(directory: string, what: string, setting: string): Place {
  try {
    return { directory, realPath: realpathSync(directory), what, setting };
  } catch (error) {
    throw new DataDirFailure(`cannot lock ${what} directory ${directory}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function lock({ directory, what, setting }: Place): DatabaseSync {
  const path = `${directory}/${LOCK_NAME}`;
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path);
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    const { errcode, message } = error as Error & { readonly errcode?: number };
    throw new DataDirFailure(
      errcode === SQLITE_BUSY
        ? `${what} directory ${directory} is in use by another server; stop it or choose another ${setting}`
        : `cannot lock ${what} directory ${directory} by ${path}: ${message}; check owner and permissions`,
      { cause: error },
    );
  }
}

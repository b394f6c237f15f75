/**
 * One server per data directory. The lock must outlive nothing: when the holder dies, by kill -9 too, it is free
 * at once; and two servers starting together must never both win.
 *
 * Only a lock that the kernel holds for a process does that. A file with a pid in it needs a check and a removal
 * that race, sockets in the abstract namespace do not reach across containers, and Node has no flock. But Node
 * carries SQLite, whose exclusive transaction is an fcntl lock on the database file: held by the process, gone with
 * it, on Linux and macOS alike. The file stays empty (nothing is ever written), so it cannot be corrupt either.
 *
 * Main thread, at start. The file must not be opened by other means in this process: closing any descriptor of
 * it would drop an fcntl lock.
 */
import { DatabaseSync } from 'node:sqlite';
import { DataDirFailure } from '../base/failure.ts';

const LOCK_NAME = 'ringkeeper.lock';
const SQLITE_BUSY = 5;

export class DataDirLock {
  private readonly database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.database = database;
  }

  /** @throws DataDirFailure when another server holds the directory or the lock file cannot be opened. */
  static acquire(directory: string): DataDirLock {
    const path = `${directory}/${LOCK_NAME}`;
    let database: DatabaseSync | null = null;
    try {
      database = new DatabaseSync(path);
      database.exec('BEGIN EXCLUSIVE');
      return new DataDirLock(database);
    } catch (error) {
      database?.close();
      const { errcode, message } = error as Error & { readonly errcode?: number };
      throw new DataDirFailure(
        errcode === SQLITE_BUSY
          ? `data directory ${directory} is in use by another server; stop it or choose another dataDir`
          : `cannot lock data directory ${directory} by ${path}: ${message}; check owner and permissions`,
        { cause: error },
      );
    }
  }

  release(): void {
    this.database.close();
  }
}

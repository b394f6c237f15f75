/**
 * Environment failures: things the operator must mend. Each has a stable code and the process exit status of
 * Apache's table, so that scripts written for one work with the other. The message says what happened, where,
 * and what to do.
 */
export abstract class Failure extends Error {
  abstract readonly code: string;
  abstract readonly exitStatus: number;
}

/** Bad command line or configuration. */
export class ConfigFailure extends Failure {
  override readonly name = 'ConfigFailure';
  readonly code = 'RK_CONFIG';
  readonly exitStatus = 2;
}

/** The data directory is missing, locked or not accessible. */
export class DataDirFailure extends Failure {
  override readonly name = 'DataDirFailure';
  readonly code = 'RK_DATA_DIR';
  readonly exitStatus = 3;
}

/** A data file cannot be what a correct server wrote. */
export class CorruptionFailure extends Failure {
  override readonly name = 'CorruptionFailure';
  readonly code = 'RK_CORRUPTION';
  readonly exitStatus = 10;
}

/** A write or sync failed: nothing after it may be acknowledged. */
export class StorageFailure extends Failure {
  override readonly name = 'StorageFailure';
  readonly code = 'RK_STORAGE';
  readonly exitStatus = 10;
}

/**
 * The znodes need more memory than they may have. Writes are refused before it comes to that (`Tree.hasRoomFor`);
 * this is for what cannot be refused, such as loading data files.
 */
export class StoreFullFailure extends Failure {
  override readonly name = 'StoreFullFailure';
  readonly code = 'RK_STORE_FULL';
  readonly exitStatus = 1;

  constructor() {
    super(
      'the znodes need more memory than ringkeeper.storeBytesMax allows; ' +
        'raise it and start again, nothing that was acknowledged is lost',
    );
  }
}

/** A port cannot be bound. Apache has a status of its own for those between servers. */
export class BindFailure extends Failure {
  override readonly name = 'BindFailure';
  readonly code = 'RK_BIND';
  readonly exitStatus: number;

  constructor(message: string, isForServers = false) {
    super(message);
    this.exitStatus = isForServers ? 14 : 1;
  }
}

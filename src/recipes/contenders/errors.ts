/**
 * How a recipe fails, beside the errors of the client.
 */
import { isZk, ZkError } from '../../client/index.ts';

/** Another client queues here by names that do not see ours: both would hold at once. */
export class MixedDialectError extends Error {
  override readonly name = 'MixedDialectError';

  constructor(path: string, ours: string, theirs: string, contender: string) {
    super(
      `${path}: "${contender}" is a name of ${theirs}, which does not see those of ${ours}: use one dialect per path`,
    );
  }
}

/** What was held is not any more, or may not be. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';

  constructor(path: string, reason: string) {
    super(`${path}: no longer held: ${reason}`);
  }
}

/** It was not got in time. */
export class AcquireTimeoutError extends Error {
  override readonly name = 'AcquireTimeoutError';

  constructor(path: string, timeoutMs: number) {
    super(`${path}: not acquired within ${timeoutMs} ms`);
  }
}

/** To wait for it would be to wait for oneself. */
export class DeadlockError extends Error {
  override readonly name = 'DeadlockError';

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
  }
}

/**
 * For what became of the write `lost` nobody can be asked any more, because of `error`. That says of itself whether it was
 * sent; of the write, it is still true that nobody knows.
 */
export function stillUnknown(error: unknown, lost: ZkError): unknown {
  if (!isZk(error)) return error;
  return new ZkError({ code: error.code, op: lost.op, path: lost.path, outcome: 'unknown', cause: error });
}

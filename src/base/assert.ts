/**
 * Assertions stay on in production: a broken invariant ends the process (fail-stop), because a coordination
 * server that goes on with a wrong state is worse than one that is down.
 */

/** A programmer error: never caught, ends the process with exit status 1. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/**
 * Throws when `condition` is false. Pass a function when building the message costs something; for each request that costs
 * something too: there `if (!condition) unreachable(message)` makes neither.
 */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) fail(message);
}

/** Marks a place that no valid state reaches. */
export function unreachable(message: string): never {
  throw new AssertionFailure(message);
}

// Kept out of `assert` so that the happy path stays small enough to be inlined.
function fail(message: string | (() => string)): never {
  throw new AssertionFailure(typeof message === 'string' ? message : message());
}

/**
 * Loaded into the process of each test file by `test/run.ts`, before the test runner: the runner is kept from tracking every
 * promise. It does so to know which test an unhandled rejection comes from, by an async hook that costs most of the CPU of a
 * test with many promises: seven tenths of the simulators' (measured: 12.4 -> 4.0 s for `sim/election`). Timers, sockets and the
 * nesting of suites are tracked as before. What is lost: a rejection that nobody handles fails its file, not the one test.
 */
import asyncHooks from 'node:async_hooks';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const { createHook } = asyncHooks;
  asyncHooks.createHook = (callbacks) => {
    const isRunner = new Error().stack?.includes('node:internal/test_runner/') === true;
    return createHook(isRunner ? { ...callbacks, trackPromises: false } : callbacks);
  };
}

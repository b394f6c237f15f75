/**
 * Loaded into the process of each test file by `test/run.ts`: an end for a file that has none. A test that is given up after the
 * runner's bound leaves what it has opened, a client that looks for its server for ever, say, and the runner waits for its process.
 * Without `FILE_TIMEOUT` it does nothing.
 */
import { isMainThread } from 'node:worker_threads';

/** The environment variable with the bound in ms. */
export const FILE_TIMEOUT = 'RINGKEEPER_TEST_FILE_TIMEOUT_MS';

if (isMainThread) {
  const timeoutMs = process.env[FILE_TIMEOUT];
  // Not for the processes that the file starts.
  delete process.env[FILE_TIMEOUT];
  if (timeoutMs !== undefined) {
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(', ');
      console.error(`${process.argv[1]} has not ended after ${timeoutMs} ms; open: ${open}`);
      process.exit(1);
    }, Number(timeoutMs)).unref();
  }
}

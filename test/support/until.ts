/**
 * Waits for a state that sends no event, such as a server's count of connections, which follows a closed socket some
 * time later: asks until `condition` holds. The test runner's timeout is the limit.
 */
import { setTimeout as delay } from 'node:timers/promises';

const ASKED_EVERY_MS = 20;

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(ASKED_EVERY_MS);
}

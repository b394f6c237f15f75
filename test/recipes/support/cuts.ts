/**
 * Cuts the connection of a client at its k-th request, in each way, and goes on until a run needs no k-th request.
 */
import type { Zk } from '../../../src/client/index.ts';
import { type Cut, FaultyTransport } from './faulty-transport.ts';

const CUTS: readonly Cut[] = ['request', 'reply', 'expiry', 'lateExpiry'];

/** What a step is told of its run. */
export interface Run {
  /** A name of its own, for paths. */
  readonly label: string;
  /** Its session has ended, or will: what it holds may be another's at any time from then on. */
  readonly expires: boolean;
}

/**
 * Runs `step` with a client of its own whose connection is cut at request 1, 2, … in each way. What it counts as right is
 * for `step` to assert.
 */
export async function cutAtEachStep(
  address: string,
  step: (zk: Zk, run: Run) => Promise<void>,
): Promise<void> {
  for (const cut of CUTS) {
    for (let at = 1; ; at++) {
      const transport = new FaultyTransport(at, cut, address);
      const zk = await transport.connect();
      try {
        await step(zk, { label: `${cut}-${at}`, expires: cut === 'expiry' || cut === 'lateExpiry' });
      } catch (error) {
        throw new Error(`cut of ${cut} at request ${at}: ${(error as Error).message}`, { cause: error });
      } finally {
        await zk.close();
      }
      if (!transport.reached) break;
    }
  }
}

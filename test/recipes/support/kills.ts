/**
 * Kills a client at its k-th request, before it leaves and behind its execution, and goes on until a life needs no k-th
 * request. What is left behind then is its session, until the test ends it.
 */
import assert, { AssertionError } from 'node:assert/strict';
import { endSession, FaultyTransport, type Kill } from './faulty-transport.ts';
import type { Life, Scene } from './lives/scene.ts';

const KILLS: readonly Kill[] = ['killed', 'killedAfter'];

/**
 * Runs `live` with a client of its own that dies at request 1, 2, … and then `survive`, for who comes behind it. What
 * counts as right is for them to assert.
 */
export async function killAtEachStep(address: string, name: string, { live, survive }: Scene): Promise<void> {
  for (const kill of KILLS) {
    for (let at = 1; ; at++) {
      const transport = new FaultyTransport(at, kill, address);
      const zk = await transport.connect();
      const life: Life = { path: `/killed/${name}-${kill}-${at}`, told: [], isOver: false };
      try {
        const living = live(zk, life).catch((error: unknown) => {
          // What the client says behind its death is heard by nobody.
          if (!transport.reached || error instanceof AssertionError) throw error;
        });
        await Promise.race([living, transport.died]);
        life.isOver = true;
        if (!transport.reached) {
          transport.disarm();
          await zk.close();
          // A life without requests shows nothing.
          assert.ok(at > 2);
          break;
        }
        const { ticket } = zk.core.driver.machine.session;
        zk.detach();
        await living;
        await survive({ ...life, end: () => endSession(address, ticket) });
      } catch (error) {
        const told = life.told.join(', ') || 'nothing';
        throw new Error(`${name}, ${kill} at request ${at}, told ${told}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  }
}

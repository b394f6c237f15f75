/** What the lives of all recipes have in common. */
import { isZk, type Zk } from '../../../../src/client/index.ts';
import { until } from '../../../support/until.ts';

/** One life: where, and what its recipes have told it so far. */
export interface Life {
  readonly path: string;
  readonly told: string[];
  /** Whether it is over, one way or the other. */
  isOver: boolean;
}

/** Whose life ended too early. */
export interface Dead extends Life {
  /** Its session ends. */
  readonly end: () => Promise<void>;
}

export interface Scene {
  readonly live: (zk: Zk, life: Life) => Promise<void>;
  readonly survive: (dead: Dead) => Promise<void>;
}

export async function namesAt(zk: Zk, path: string): Promise<readonly string[]> {
  try {
    return (await zk.children(path)).names;
  } catch (error) {
    if (isZk(error, 'NONODE')) return [];
    throw error;
  }
}

export async function untilEmpty(zk: Zk, paths: readonly string[]): Promise<void> {
  for (const path of paths) await until(async () => (await namesAt(zk, path)).length === 0);
}

/** What is on its way to any waiter of this client has arrived. */
export async function settle(zk: Zk): Promise<void> {
  for (let i = 0; i < 2; i++) await zk.sync();
}

/**
 * One use of each recipe of `ringkeeper/recipes`, from beginning to end, as a user would write it: what a round of the load
 * is. Each step is measured by `step`, which names it by its place among the labels of `mix-labels.ts`.
 */
import { utf8, type Zk } from '../../src/client/index.ts';
import {
  discovery,
  doubleBarrier,
  election,
  lock,
  queue,
  type ServiceProvider,
} from '../../src/recipes/index.ts';
import type { LibraryRecipe } from '../plan/plan.ts';

export interface RoundSetting {
  readonly path: string;
  /** How many use the same path. */
  readonly members: number;
  readonly signal: AbortSignal;
  step<T>(label: number, work: () => Promise<T>): Promise<T>;
  hold(): Promise<void>;
}

export interface Rounds {
  /** @throws an error of the client, or of the recipe. */
  one(): Promise<void>;
  close(): Promise<void>;
}

/** Label 0 is the round as a whole. */
const FIRST = 1;
const SECOND = 2;
const THIRD = 3;
const nothing = async (): Promise<void> => undefined;

export async function openRounds(recipe: LibraryRecipe, zk: Zk, setting: RoundSetting): Promise<Rounds> {
  switch (recipe) {
    case 'lock':
      return heldRounds(setting, (signal) => lock(zk, setting.path).acquire({ signal }));
    case 'election':
      return heldRounds(setting, (signal) => election(zk, setting.path).lead({ signal }));
    case 'barrier':
      return barrierRounds(zk, setting);
    case 'queue':
      return queueRounds(zk, setting);
    case 'discovery':
      return discoveryRounds(zk, setting);
  }
}

function heldRounds(
  setting: RoundSetting,
  acquire: (signal: AbortSignal) => Promise<{ release(): Promise<void> }>,
): Rounds {
  const one = async (): Promise<void> => {
    const lease = await setting.step(FIRST, () => acquire(setting.signal));
    await setting.hold();
    await setting.step(SECOND, () => lease.release());
  };
  return { one, close: nothing };
}

/** Two places in turn: who enters the other one is through with the first, and so is everybody else before it is entered again. */
function barrierRounds(zk: Zk, { path, members, signal, step }: RoundSetting): Rounds {
  const places = [0, 1].map((place) => doubleBarrier(zk, `${path}/b-${place}`, { members }));
  let round = 0;
  const one = async (): Promise<void> => {
    const place = places[round++ % places.length]!;
    await step(FIRST, () => place.enter({ signal }));
    await step(SECOND, () => place.leave({ signal }));
  };
  return { one, close: nothing };
}

/** Everybody puts one before it takes one: nobody waits for an item that will never come. */
function queueRounds(zk: Zk, { path, signal, step }: RoundSetting): Rounds {
  const items = queue(zk, path, utf8);
  const one = async (): Promise<void> => {
    await step(FIRST, () => items.put('item', { signal }));
    await step(SECOND, () => items.take({ signal }));
  };
  return { one, close: nothing };
}

async function discoveryRounds(zk: Zk, { path, signal, step }: RoundSetting): Promise<Rounds> {
  const services = discovery(zk, path);
  const provider: ServiceProvider<unknown> = await services.provider('service', { signal });
  const one = async (): Promise<void> => {
    const registered = services.register({ name: 'service', address: '127.0.0.1', port: 1 });
    await step(FIRST, () => registered.ready({ signal }));
    await step(SECOND, async () => {
      await provider.sync({ signal });
      if (provider.pick() === null) throw new Error('the service that was registered is not found');
    });
    await step(THIRD, () => registered.close());
  };
  return { one, close: () => provider.close() };
}

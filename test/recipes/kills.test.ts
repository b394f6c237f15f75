/**
 * Every recipe with a client that is killed at each of its requests, before it leaves and behind its execution. While its
 * session lasts, nobody has what it holds; once the session has ended, nobody waits for it, nothing of it stands in the way,
 * what it was told was true, and nothing was done twice.
 */
import { it } from 'node:test';
import { killAtEachStep } from './support/kills.ts';
import { EXCLUSIVE, exclusive } from './support/lives/exclusive.ts';
import { CLAIMED, claimed, TAKEN, taken } from './support/lives/queued.ts';
import type { Scene } from './support/lives/scene.ts';
import { SHARED } from './support/lives/shared.ts';
import { onEachServer } from './support/servers.ts';

onEachServer('who is killed at any request', (ground) => {
  let count = 0;
  const kill = (what: string, scene: () => Scene): void => {
    const name = `life-${++count}`;
    it(`of a ${what}`, () => killAtEachStep(ground.server.address, name, scene()));
  };
  for (const [name, one] of Object.entries(EXCLUSIVE))
    kill(`${name}: has it alone until its session ends, and is inherited from then`, () =>
      exclusive(ground, one),
    );
  for (const [name, options] of Object.entries(CLAIMED))
    kill(`${name}: its item is done once, by it or by the next`, () => claimed(ground, options));
  for (const [name, options] of Object.entries(TAKEN))
    kill(`${name}: no item is given twice`, () => taken(ground, options));
  for (const [what, scene] of Object.entries(SHARED)) kill(what, () => scene(ground));
});

/**
 * Recipes under cuts, ends of sessions and restarts of a simulated server, and of an ensemble of them whose leaders change, by
 * seeds: always the same ones here, others by `SEED=n SEEDS=n`. A lock that two may have has to be found out.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readWriteLock, semaphore } from '../../../src/recipes/index.ts';
import { runRecipes } from './run-recipes.ts';
import { exclusive, places, shared } from './works.ts';

const FROM = Number(process.env['SEED'] ?? 1);
const SEEDS = Number(process.env['SEEDS'] ?? 10);

/** In so many seeds, whatever a change of the servers makes of them; or the simulator has become quiet. */
const REACHED = ['reset', 'kill', 'suspended', 'a round was done'];

describe(`recipes in the simulator, SEED=${FROM} SEEDS=${SEEDS}`, () => {
  for (const [what, isEnsemble, from, count] of [
    ['a server', false, FROM, SEEDS],
    ['an ensemble', true, FROM + 2, Math.ceil(SEEDS / 4)],
  ] as const)
    it(`hold what they promise on ${what}, and end when nothing goes wrong any more`, async () => {
      const counts = new Map<string, number>();
      for (let seed = from; seed < from + count; seed++) {
        const run = await runRecipes(seed, { isEnsemble });
        assert.equal(run.violation, null, `seed ${seed}: ${run.violation}`);
        for (const [name, times] of run.counts) counts.set(name, (counts.get(name) ?? 0) + times);
      }
      if (process.env['SEED'] !== undefined) console.log(Object.fromEntries(counts));
      else for (const name of REACHED) assert.ok((counts.get(name) ?? 0) > 0, `never: ${name}`);
    });

  it('are the same run with the same seed', async () => {
    const [one, other] = [await runRecipes(FROM), await runRecipes(FROM)];
    assert.deepEqual([one.steps, [...one.counts]], [other.steps, [...other.counts]]);
  });

  for (const [what, broken, found] of [
    [
      'a lock that two may have',
      () => exclusive('/lock', (zk) => semaphore(zk, '/lock', { max: 2 }).acquire()),
      /two had it at once/,
    ],
    [
      'a semaphore of a place too many',
      () => places('/places', 2, (zk) => semaphore(zk, '/places', { max: 3 }).acquire()),
      /3 had one of 2 places at once/,
    ],
    [
      'a writer beside readers',
      () => shared('/book', (zk) => readWriteLock(zk, '/book').read.acquire()),
      /not alone while it wrote/,
    ],
  ] as const)
    it(`find out ${what}`, async () => {
      let violation = '';
      for (let seed = 1; seed <= 10 && violation === ''; seed++)
        violation = (await runRecipes(seed, { works: () => [broken()] })).violation ?? '';
      assert.match(violation, found);
    });
});

/**
 * Recipes under cuts, ends of sessions and restarts of a simulated server, by seeds: always the same ones here, others by
 * `SEED=n SEEDS=n`. A lock that two may have has to be found out.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { semaphore } from '../../../src/recipes/index.ts';
import { runRecipes } from './run-recipes.ts';
import { exclusive } from './works.ts';

const FROM = Number(process.env['SEED'] ?? 1);
const SEEDS = Number(process.env['SEEDS'] ?? 15);

/** Reached by the seeds above, or the simulator has become quiet. */
const REACHED = ['reset', 'stall', 'halfOpen', 'kill', 'powerLoss', 'pause', 'expired', 'a round failed'];

describe(`recipes in the simulator, SEED=${FROM} SEEDS=${SEEDS}`, () => {
  it('hold what they promise, and end when nothing goes wrong any more', async () => {
    const counts = new Map<string, number>();
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      const run = await runRecipes(seed);
      assert.equal(run.violation, null, `seed ${seed}: ${run.violation}`);
      for (const [what, count] of run.counts) counts.set(what, (counts.get(what) ?? 0) + count);
    }
    if (process.env['SEED'] !== undefined) console.log(Object.fromEntries(counts));
    else for (const what of REACHED) assert.ok((counts.get(what) ?? 0) > 0, `never: ${what}`);
  });

  it('are the same run with the same seed', async () => {
    const [one, other] = [await runRecipes(FROM), await runRecipes(FROM)];
    assert.deepEqual([one.steps, [...one.counts]], [other.steps, [...other.counts]]);
  });

  it('find out a lock that two may have', async () => {
    const broken = () => [exclusive('/lock', (zk) => semaphore(zk, '/lock', { max: 2 }).acquire())];
    let found = '';
    for (let seed = 1; seed <= 10 && found === ''; seed++)
      found = (await runRecipes(seed, broken)).violation ?? '';
    assert.match(found, /two had it at once/);
  });
});

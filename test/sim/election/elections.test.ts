/** Many seeds of simulated elections, none of which may fail and which reach everything; and the broken ones, each of which must. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ElectionCluster } from './cluster.ts';
import { ELECTION_VARIANTS } from './variants.ts';

const SEEDS = 500;
/** Of these a broken variant must not survive all. */
const VARIANT_SEEDS = 40;
/** Reached in many seeds, or the simulator has become quiet. */
const REACHED = [
  ...['leading', 'following', 'observing', 'formed', 'the best elected', 'restarted in peace'],
  ...['crash', 'crash of all', 'power loss', 'pause', 'partition', 'one-way cut'].map(
    (kind) => `fault ${kind}`,
  ),
  ...['reset', 'stall', 'lost name', 'stranger'].map((kind) => `fault ${kind}`),
];

describe('servers find one leader, and keep it', () => {
  const sums = new Map<string, number>();

  test(`${SEEDS} seeds`, async () => {
    const failures: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        const run = await new ElectionCluster(seed, null, false).run();
        for (const [what, count] of run.counts) sums.set(what, (sums.get(what) ?? 0) + count);
      } catch (error) {
        failures.push(`npm run sim:election -- --seed ${seed}: ${error}`);
      }
    }
    console.log(`${SEEDS} seeds`, Object.fromEntries(sums));
    assert.deepEqual(failures, []);
  });

  for (const what of REACHED)
    test(`reached: ${what}`, () => assert.ok((sums.get(what) ?? 0) >= SEEDS / 20, `${sums.get(what)} times`));
});

describe('a broken election is found', () => {
  for (const [name, variant] of Object.entries(ELECTION_VARIANTS)) {
    test(`${name}: ${variant.breaks}`, async () => {
      for (let seed = 1; seed <= VARIANT_SEEDS; seed++) {
        try {
          await new ElectionCluster(seed, variant, false).run();
        } catch (error) {
          console.log(`${name}: seed ${seed}: ${error}`);
          return;
        }
      }
      assert.fail(`not in ${VARIANT_SEEDS} seeds`);
    });
  }
});

test('a seed is a run', async () => {
  const lines = async (): Promise<readonly string[]> => {
    const cluster = new ElectionCluster(8, null, true);
    await cluster.run();
    return cluster.world.lines!;
  };
  const first = await lines();
  assert.ok(first.length > 30);
  assert.deepEqual(await lines(), first);
});

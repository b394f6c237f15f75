/**
 * `npm run sim:zab`: seeds of the simulated protocol machines, and the replay of one.
 *
 *     npm run sim:zab -- --seeds 100000 --from 1    so many; what was reached is printed, with the seeds a minute
 *     npm run sim:zab -- --seed 42                  one, with everything that happened in it
 */
import { parseArgs } from 'node:util';
import { ZabCluster } from './cluster.ts';
import { ZAB_VARIANTS, type ZabVariant } from './variants.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    variant: { type: 'string' },
  },
});
const variant = (values.variant ?? null) as ZabVariant;
if (variant !== null && !Object.hasOwn(ZAB_VARIANTS, variant)) {
  throw new Error(`no such variant; there are ${Object.keys(ZAB_VARIANTS).join(', ')}`);
}

if (values.seed !== undefined) {
  const cluster = new ZabCluster(Number(values.seed), variant, true);
  let outcome = 'everything held';
  try {
    cluster.run();
  } catch (error) {
    outcome = String(error);
    process.exitCode = 1;
  }
  for (const line of cluster.world.lines ?? []) console.log(line);
  console.log(`seed ${values.seed}: ${outcome}`);
} else {
  const from = Number(values.from);
  const seeds = Number(values.seeds);
  const sums = new Map<string, number>();
  const startedMs = Date.now();
  let committed = 0;
  let virtualMs = 0;
  let failed = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const run = new ZabCluster(seed, variant, false).run();
      committed += run.committed;
      virtualMs += run.virtualMs;
      for (const [what, count] of run.counts) sums.set(what, (sums.get(what) ?? 0) + count);
    } catch (error) {
      failed++;
      console.log(`npm run sim:zab -- --seed ${seed}: ${error}`);
    }
  }
  const minutes = (Date.now() - startedMs) / 60_000;
  console.log(`seeds ${from} to ${from + seeds - 1}: ${failed} failed`);
  console.log(
    `${Math.round(seeds / minutes)} seeds a minute, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours`,
  );
  console.log(`${committed} transactions committed`);
  for (const [what, count] of [...sums].sort()) console.log(`  ${what}: ${count}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

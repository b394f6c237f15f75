/**
 * `npm run sim:election`: seeds of simulated elections, and the replay of one.
 *
 *     npm run sim:election -- --seeds 10000 --from 1    so many; what was reached is printed, with the seeds a minute
 *     npm run sim:election -- --seed 42                 one, with everything that happened in it
 *     npm run sim:election -- --variant NAME            servers that are broken on purpose
 */
import { parseArgs } from 'node:util';
import { ElectionCluster } from './cluster.ts';
import { ELECTION_VARIANTS } from './variants.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    variant: { type: 'string' },
  },
});
const variant = values.variant === undefined ? null : ELECTION_VARIANTS[values.variant];
if (variant === undefined)
  throw new Error(`no such variant; there are ${Object.keys(ELECTION_VARIANTS).join(', ')}`);

if (values.seed !== undefined) {
  const cluster = new ElectionCluster(Number(values.seed), variant, true);
  const outcome = await cluster.run().then(
    () => 'everything held',
    (error) => {
      process.exitCode = 1;
      return String(error);
    },
  );
  for (const line of cluster.world.lines ?? []) console.log(line);
  console.log(`seed ${values.seed}: ${outcome}`);
} else {
  const from = Number(values.from);
  const seeds = Number(values.seeds);
  const sums = new Map<string, number>();
  const startedMs = Date.now();
  const settled: number[] = [];
  let virtualMs = 0;
  let failed = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const run = await new ElectionCluster(seed, variant, false).run();
      settled.push(run.settledMs);
      virtualMs += run.virtualMs;
      for (const [what, count] of run.counts) sums.set(what, (sums.get(what) ?? 0) + count);
    } catch (error) {
      failed++;
      const named = values.variant === undefined ? '' : ` --variant ${values.variant}`;
      console.log(`npm run sim:election -- --seed ${seed}${named}: ${error}`);
    }
  }
  const minutes = (Date.now() - startedMs) / 60_000;
  settled.sort((a, b) => a - b);
  const at = (share: number): string =>
    `${Math.round(settled[Math.floor(share * (settled.length - 1))] ?? 0)} ms`;
  console.log(`seeds ${from} to ${from + seeds - 1}: ${failed} failed`);
  console.log(
    `${Math.round(seeds / minutes)} seeds a minute, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours`,
  );
  console.log(
    `one leader after the faults: median ${at(0.5)}, 99 of 100 within ${at(0.99)}, the latest ${at(1)}`,
  );
  for (const [what, count] of [...sums].sort()) console.log(`  ${what}: ${count}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

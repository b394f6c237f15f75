/**
 * `npm run sim`: seeds of the simulator, and the replay of one.
 *
 *     npm run sim -- --seeds 1000          that many, beginning with --from (default: one drawn at random)
 *     npm run sim -- --seed 42 --trace     one seed, with everything that happened in it
 */
import { parseArgs } from 'node:util';
import { runSeed } from './run-seed.ts';
import { Summary } from './summary.ts';
import { SOUND, VARIANTS } from './variants.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string' },
    trace: { type: 'boolean', default: false },
    variant: { type: 'string', default: SOUND.name },
  },
});
const variant = [SOUND, ...VARIANTS].find(({ name }) => name === values.variant);
if (variant === undefined)
  throw new Error(`no such variant; there are ${VARIANTS.map(({ name }) => name).join(', ')}`);

if (values.seed !== undefined) {
  const result = await runSeed(Number(values.seed), variant, values.trace);
  for (const line of result.lines) console.log(line);
  console.log(
    result.violation === null
      ? `seed ${result.seed}: everything held`
      : `seed ${result.seed}: ${result.violation}`,
  );
  process.exitCode = result.violation === null ? 0 : 1;
} else {
  const from = values.from === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.from);
  const summary = new Summary();
  console.log(`seeds from ${from}`);
  for (let seed = from; seed < from + Number(values.seeds); seed++) {
    const result = await runSeed(seed, variant);
    summary.add(result);
    if (result.violation !== null) console.log(summary.failureText(result));
  }
  console.log(summary.text());
  process.exitCode = summary.failed === 0 ? 0 : 1;
}

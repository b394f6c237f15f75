/**
 * `npm run sim:ensemble`: seeds of whole ensembles, and the replay of one.
 *
 *     npm run sim:ensemble -- --seeds 1000          that many, beginning with --from (default: one drawn at random)
 *     npm run sim:ensemble -- --seed 42 --trace     one seed, with everything that happened in it
 *     npm run sim:ensemble -- --variant NAME        servers that are broken on purpose
 */
import { parseArgs } from 'node:util';
import { runEnsemble } from './ensemble-run.ts';
import { EnsembleSummary } from './ensemble-summary.ts';
import { ENSEMBLE_VARIANTS, INTACT } from './ensemble-variants.ts';
import { LEARNER_VARIANTS } from './learner-variants.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '200' },
    from: { type: 'string' },
    trace: { type: 'boolean', default: false },
    variant: { type: 'string', default: INTACT.name },
  },
});
const variants = [...ENSEMBLE_VARIANTS, ...LEARNER_VARIANTS];
const variant = [INTACT, ...variants].find(({ name }) => name === values.variant);
if (variant === undefined)
  throw new Error(`no such variant; there are ${variants.map(({ name }) => name).join(', ')}`);

if (values.seed !== undefined) {
  const result = await runEnsemble(Number(values.seed), variant, values.trace);
  for (const line of result.lines) console.log(line);
  console.log(`seed ${result.seed}: ${result.violation ?? 'everything held'}`);
  process.exitCode = result.violation === null ? 0 : 1;
} else {
  const from = values.from === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.from);
  const summary = new EnsembleSummary(variant);
  console.log(`seeds from ${from}`);
  for (let seed = from; seed < from + Number(values.seeds); seed++) {
    const result = await runEnsemble(seed, variant);
    summary.add(result);
    if (result.violation !== null) console.log(summary.failureText(result));
  }
  console.log(summary.text());
  process.exitCode = summary.failed === 0 ? 0 : 1;
}

/**
 * `npm run sim:ensemble`: seeds of whole ensembles, and the replay of one.
 *
 *     npm run sim:ensemble -- --seeds 1000          that many, beginning with --from (default: one drawn at random)
 *     npm run sim:ensemble -- --seeds 100000 --from 1 --workers 2 --file sim.jsonl
 *                                                   by several processes; with the same file it goes on where it was stopped
 *     npm run sim:ensemble -- --seed 42 --trace     one seed, with everything that happened in it
 *     npm run sim:ensemble -- --variant NAME        servers that are broken on purpose
 *
 * `--publish` (with --file): the summary becomes `results/<date>-sim-ensemble-<commit>/summary.md`.
 */
import { parseArgs } from 'node:util';
import { type Chunk, runCampaign } from './campaign.ts';
import { publish, readCommit } from './campaign-result.ts';
import { runEnsemble } from './ensemble-run.ts';
import { EnsembleSummary } from './ensemble-summary.ts';
import { ENSEMBLE_VARIANTS, INTACT } from './ensemble-variants.ts';
import { LEARNER_VARIANTS } from './learner-variants.ts';

const CHUNK_SEEDS = 50;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '200' },
    from: { type: 'string' },
    workers: { type: 'string', default: '1' },
    file: { type: 'string' },
    publish: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    variant: { type: 'string', default: INTACT.name },
    worker: { type: 'boolean', default: false },
  },
});
const variants = [...ENSEMBLE_VARIANTS, ...LEARNER_VARIANTS];
const variant = [INTACT, ...variants].find(({ name }) => name === values.variant);
if (variant === undefined)
  throw new Error(`no such variant; there are ${variants.map(({ name }) => name).join(', ')}`);

if (values.worker) {
  process.on('disconnect', () => process.exit());
  process.on('message', async (chunk: Chunk) => process.send!((await runChunk(chunk)).tally));
} else if (values.seed !== undefined) {
  const result = await runEnsemble(Number(values.seed), variant, values.trace);
  for (const line of result.lines) console.log(line);
  console.log(`seed ${result.seed}: ${result.violation ?? 'everything held'}`);
  process.exitCode = result.violation === null ? 0 : 1;
} else {
  const from = values.from === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.from);
  const seeds = Number(values.seeds);
  console.log(`seeds from ${from}`);
  let told = 0;
  const onChunk = (summary: EnsembleSummary): void => {
    for (const failure of summary.failures.slice(told)) console.log(failure);
    told = summary.failures.length;
    console.log(`${summary.seeds} of ${seeds}, ${told} failed`);
  };
  const summary = await runCampaign({
    ...{ from, seeds, variant, onChunk, commit: readCommit() },
    workers: Number(values.workers),
    chunk: CHUNK_SEEDS,
    file: values.file ?? null,
  });
  console.log(summary.lines().join('\n'));
  if (values.publish) console.log(`published: ${publish(summary, from)}`);
  process.exitCode = summary.failures.length === 0 ? 0 : 1;
}

async function runChunk({ from, count }: Chunk): Promise<EnsembleSummary> {
  const summary = new EnsembleSummary(variant);
  for (let seed = from; seed < from + count; seed++) summary.add(await runEnsemble(seed, variant));
  return summary;
}
